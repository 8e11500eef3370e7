// Prints a line before each operation, and one after it.
#include "tests/faults/worker.h"

#include <unistd.h>

#include <random>
#include <sstream>

// Defined by the shim, if loaded.
extern "C" [[gnu::weak]] void FaultsOwnCode(bool own);

namespace kvfs::faults {
namespace {

constexpr int kNames = 60;

void Tell(const std::string& line) {
  const std::string text = line + "\n";
  [[maybe_unused]] const ssize_t told = ::write(STDOUT_FILENO, text.data(), text.size());
}

// Runs a call of the library: only its allocations may fail.
template <typename Call>
auto InLibrary(Call call) {
  if (FaultsOwnCode != nullptr) FaultsOwnCode(false);
  auto result = call();
  if (FaultsOwnCode != nullptr) FaultsOwnCode(true);
  return result;
}

void TellEnd(const Result<void>& done) {
  if (done) return Tell("ok");
  Tell("error " + std::to_string(static_cast<int>(done.error().code)) + " " + done.error().message);
}

class Worker {
 public:
  Worker(Store& store, uint64_t seed) : store_(store), random_(seed) {}

  void Step() {
    const std::string name = "k" + std::to_string(random_() % kNames);
    const uint64_t what = random_() % 100;
    if (what < 45) return Put(name, 1 + random_() % 1'000'000);
    if (what < 55) return Do("del " + name, [&] { return store_.Erase(name); });
    if (what < 85) return Get(name);
    if (what < 93) return Do("sync", [&] { return store_.Sync(); });
    if (what < 99) return Do("checkpoint", [&] { return store_.Checkpoint(); });
    Do("compact", [&] { return store_.Compact(); });
  }

 private:
  template <typename Operation>
  static void Do(const std::string& line, Operation operation) {
    Tell(line);
    TellEnd(InLibrary(operation));
  }

  void Put(const std::string& name, uint64_t version) {
    const std::string value = ValueOf(name, version);
    Do("put " + name + " " + std::to_string(version), [&] { return store_.Put(name, value); });
  }

  void Get(const std::string& name) {
    Tell("get " + name);
    const auto value = InLibrary([&] { return store_.Get(name); });
    if (value) return Tell("ok " + std::to_string(VersionOf(name, *value)));
    if (value.error().code == ErrorCode::kNotFound) return Tell("ok 0");
    TellEnd(tl::unexpected(value.error()));
  }

  Store& store_;
  std::mt19937_64 random_;
};

}  // namespace

int RunWorker(const WorkerOptions& options) {
  OpenOptions open;
  open.idle_ms = options.seed % 2 == 0 ? 0 : 20;
  Tell("open");
  auto store = InLibrary([&] { return Store::Open(GetPosixEnv(), options.store, open); });
  TellEnd(store ? Result<void>() : tl::unexpected(store.error()));
  if (!store) return 0;
  Worker worker(**store, options.seed);
  for (int i = 0; i < options.operations; ++i) worker.Step();
  if (options.ends_without_closing) ::_exit(0);
  Tell("close");
  TellEnd(InLibrary([&] { return (*store)->Close(); }));
  return 0;
}

std::string TakeReport(const std::string& lines, bool disk_failed, Expectation* expected) {
  std::istringstream in(lines);
  std::string begun, ended;
  while (std::getline(in, begun)) {
    std::istringstream words(begun);
    std::string what, name;
    uint64_t version = 0;
    words >> what >> name >> version;
    const bool changes = what == "put" || what == "del";
    const bool must_exist = what == "del" && expected->MustExist(name);
    if (changes) expected->MayBecome(name, version);
    if (!std::getline(in, ended)) return {};
    std::istringstream result(ended);
    std::string how;
    uint64_t number = 0;
    result >> how >> number;
    if (how == "ok") {
      if (changes) expected->HasBecome(name, version);
      if (what == "get" && !expected->Allows(name, number)) {
        return begun + " gave a value that it cannot have: " + ended;
      }
    } else if (number == static_cast<uint64_t>(ErrorCode::kNotFound) && what == "del") {
      if (must_exist) return begun + ": not found, and it is there";
    } else if (number == static_cast<uint64_t>(ErrorCode::kCorrupt) && !disk_failed) {
      return begun + " is told as damage: " + ended;
    } else if (number == static_cast<uint64_t>(ErrorCode::kNotFound)) {
      return begun + ": not found: " + ended;
    }
  }
  return {};
}

}  // namespace kvfs::faults

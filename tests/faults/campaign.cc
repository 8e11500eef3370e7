// Makes system calls and allocations of the library and the program `kvfs` fail, one kind at a
// time, once or persistently, or kills the process there. Then opens the store without faults and
// compares its contents with what was acknowledged. Run by tools/faults.
//
// Each round is drawn from its own seed: a store, killed or closed; one to three runs with a fault
// in each, by a worker (worker.h) or a command; then a check of the result. A round that finds a
// fault prints the line that repeats it, and a description of each of its runs.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/faults/worker.h"
#include "tests/support/small_store.h"

namespace kvfs::faults {
namespace {

namespace stdfs = std::filesystem;
using std::chrono::steady_clock;

constexpr const char* kHelp =
    "tools/faults [--seconds N] [--rounds N] [--sweep 1] [--seed S]\n"
    "\n"
    "Has system calls fail under the library and the program, and looks at what is left of a "
    "store:\n"
    "everything acknowledged must be there, and no damage recorded. Each round draws a store, one "
    "to\n"
    "three runs (the library at work, or a command), and for each a call (open, pread, pwrite, "
    "mmap,\n"
    "fallocate, fdatasync, ...; or an allocation of memory), which of them fails, with which "
    "error,\n"
    "and whether all later ones fail too, or that the process is killed there.\n"
    "\n"
    "  --seconds N  how long it runs; 60 unless told\n"
    "  --rounds N   how many rounds it runs at most\n"
    "  --sweep 1    instead of drawing: each call of one run in its turn, with each of its errors\n"
    "  --seed S     of the first round, later ones count on from it; a random one unless told\n"
    "\n"
    "Prints its seed first. Ends with 0 if nothing was found; with 1 at the first round that "
    "found\n"
    "something, whose line `tools/faults --seed S --rounds 1` repeats it; with 2 if it could not "
    "run.\n";

struct Options {
  double seconds = 60;
  uint64_t rounds = ~uint64_t{0};
  uint64_t seed = std::random_device{}();
  bool sweeps = false;
  std::string shim, program;
};

struct Call {
  const char* name;
  uint64_t most;  // about the number in a run
  std::vector<int> errors;
};

const std::vector<Call>& Calls() {
  static const std::vector<Call> calls = {
      {"open", 90, {EMFILE, ENFILE, ENOMEM, EACCES, EPERM, EIO, EINTR}},
      {"pread", 60, {EIO, ENOMEM, EINTR, EAGAIN}},
      {"pwrite", 80, {EIO, ENOSPC, EDQUOT, EFBIG, ENOMEM, EINTR, EPERM}},
      {"mmap", 40, {ENOMEM, EAGAIN, ENFILE, EACCES, EPERM}},
      {"fallocate", 40, {EIO, ENOSPC, EDQUOT, EFBIG, EINTR, EOPNOTSUPP, ENOMEM}},
      {"fdatasync", 60, {EIO, ENOSPC, EDQUOT, EINTR, ENOMEM}},
      {"fsync", 4, {EIO, ENOSPC, EDQUOT}},
      {"fstat", 120, {EIO, ENOMEM, EACCES}},
      {"fstatat", 40, {EIO, ENOMEM, EACCES}},
      {"flock", 2, {ENOLCK, EINTR}},
      {"ftruncate", 12, {EIO, EFBIG, EPERM, EINTR}},
      {"unlink", 12, {EIO, EACCES, EPERM, EROFS}},
      {"opendir", 2, {EMFILE, ENFILE, ENOMEM, EACCES}},
      {"new", 4000, {ENOMEM}},
  };
  return calls;
}

struct Fault {
  std::string call;
  uint64_t nth = 1;
  int error = 0;  // 0: the process is killed instead
  bool lasts = false;

  std::string ToText() const {
    std::string text = call + " " + std::to_string(nth) + " ";
    text += error == 0 ? "kills" : "fails: " + std::string(std::strerror(error));
    return text + (lasts && error != 0 ? ", and so do all later ones" : "");
  }
  // The disk itself reports that the bytes are unreadable.
  bool IsOfTheDisk() const { return error == EIO; }
};

struct Ended {
  int status = 0;  // or 128 and the signal's number
  std::string out;
};

class Campaign {
 public:
  explicit Campaign(const Options& options)
      : options_(options),
        directory_((stdfs::temp_directory_path() / ("kvfs-faults-" + std::to_string(::getpid())))
                       .string()) {
    stdfs::create_directories(directory_);
  }
  ~Campaign() {
    std::error_code ignored;
    stdfs::remove_all(directory_, ignored);
  }

  // Each call of a worker's run fails in turn, with each of its errors.
  int Sweep() {
    const uint64_t seed = options_.seed;
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    for (const Call& call : Calls()) {
      for (const int error : call.errors) {
        for (const bool lasts : {false, true}) {
          const bool is_real_damage = error == EIO && lasts;
          if (is_real_damage || (lasts && error == EINTR)) continue;
          for (Fault fault{call.name, 1, error, lasts};; fault.nth += 1 + fault.nth / 8) {
            const uint64_t before = struck_;
            if (const std::string wrong = SweepOne(seed, fault); !wrong.empty()) {
              return Tell(wrong, "--sweep 1 --seed " + std::to_string(seed));
            }
            if (struck_ == before) break;
          }
        }
      }
    }
    return Tell({}, {});
  }

  int Run() {
    const auto end = steady_clock::now() + std::chrono::duration<double>(options_.seconds);
    std::printf("seed %llu\n", static_cast<unsigned long long>(options_.seed));
    std::fflush(stdout);
    uint64_t round = 0;
    for (; round < options_.rounds && steady_clock::now() < end; ++round) {
      const uint64_t seed = options_.seed + round;
      const std::string wrong = Round(seed);
      if (wrong.empty()) continue;
      return Tell(wrong, "--seed " + std::to_string(seed) + " --rounds 1");
    }
    return Tell({}, {});
  }

 private:
  // Reports the fault found, or that there was none; returns the exit status.
  int Tell(const std::string& wrong, const std::string& again) const {
    if (wrong.empty()) {
      std::printf("nothing found: %llu runs, in %llu of which a fault struck\n",
                  static_cast<unsigned long long>(runs_made_),
                  static_cast<unsigned long long>(struck_));
      return 0;
    }
    std::printf("FOUND: %s\n", wrong.c_str());
    for (const std::string& run : runs_) std::printf("  %s\n", run.c_str());
    std::printf("again: tools/faults %s\n", again.c_str());
    return 1;
  }

  void Begin(uint64_t seed) {
    random_.seed(seed);
    runs_.clear();
    expected_ = {};
    stdfs::remove_all(directory_);
    stdfs::create_directories(directory_);
  }

  std::string SweepOne(uint64_t seed, const Fault& fault) {
    Begin(seed);
    std::string wrong = MakeStore();
    if (wrong.empty()) wrong = RunWorkerUnder(fault);
    return wrong.empty() ? expected_.Verify(store()) : wrong;
  }

  // The fault found; nothing if there is none.
  std::string Round(uint64_t seed) {
    Begin(seed);
    if (std::string wrong = MakeStore(); !wrong.empty()) return wrong;
    const uint64_t runs = 1 + random_() % 3;
    bool may_be_damaged = false;
    for (uint64_t i = 0; i < runs; ++i) {
      const Fault fault = DrawFault();
      // Bytes that the disk never delivers are damaged, and may stay so.
      may_be_damaged |= fault.IsOfTheDisk() && fault.lasts && fault.call == "pread";
      std::string wrong = random_() % 2 == 0 ? RunWorkerUnder(fault) : RunCommandUnder(fault);
      if (!wrong.empty()) return wrong;
    }
    if (may_be_damaged) return {};
    return expected_.Verify(store());
  }

  std::string store() const { return directory_ + "/faulty-store"; }

  std::string MakeStore() {
    const std::array<uint32_t, 3> shards = {1, 2, 16};
    const CreateOptions create = SmallStore(shards[random_() % shards.size()], 4096);
    const auto created = Store::Create(GetPosixEnv(), store(), create);
    if (!created) return "no store can be created: " + created.error().message;
    return RunWorkerUnder(std::nullopt);
  }

  Fault DrawFault() {
    const Call& call = Calls()[random_() % Calls().size()];
    Fault fault;
    fault.call = call.name;
    fault.nth = 1 + random_() % (random_() % call.most + 1);
    fault.error = random_() % 6 == 0 ? 0 : call.errors[random_() % call.errors.size()];
    // Calls that are interrupted without end, or a process without memory for its own errors, are
    // not of interest.
    fault.lasts = random_() % 3 == 0 && fault.error != EINTR;
    return fault;
  }

  std::string RunWorkerUnder(const std::optional<Fault>& fault) {
    const std::string seed = std::to_string(random_()), count = std::to_string(random_() % 150);
    const std::string ending = random_() % 2 == 0 ? "close" : "die";
    const Ended ended =
        Start({"/proc/self/exe", "--worker", store(), seed, count, ending}, fault, "worker");
    std::string wrong = JudgeEnd(ended, fault);
    if (wrong.empty()) wrong = TakeReport(ended.out, fault && fault->IsOfTheDisk(), &expected_);
    return wrong;
  }

  // Ending by a signal that was not sent is a fault, whatever has failed.
  static std::string JudgeEnd(const Ended& ended, const std::optional<Fault>& fault) {
    const bool may_be_killed = fault && fault->error == 0;
    if (ended.status < 128 || (may_be_killed && ended.status == 128 + SIGKILL)) return {};
    return "a process was ended by signal " + std::to_string(ended.status - 128);
  }

  std::string RunCommandUnder(const Fault& fault) {
    constexpr int kDamaged = 4, kNoSuchKey = 11, kNoStore = 2;
    const std::string name = "k" + std::to_string(random_() % 60);
    const uint64_t version = 1 + random_() % 1'000'000;
    const std::vector<std::vector<std::string>> commands = {
        {"get", store(), name},  {"ls", store()},
        {"check", store()},      {"export", "--to", "jsonl", store()},
        {"stat", store(), name}, {"put", store(), name, ValueOf(name, version)},
        {"del", store(), name},  {"compact", store()},
    };
    std::vector<std::string> command = commands[random_() % commands.size()];
    const std::string what = command[0];
    command.insert(command.begin(), options_.program);
    const bool changes = what == "put" || what == "del";
    const bool must_exist = expected_.MustExist(name);
    const Ended ended = Start(command, fault, "kvfs " + what + " " + name);
    if (std::string wrong = JudgeEnd(ended, fault); !wrong.empty()) return wrong;
    if (changes) expected_.MayBecome(name, what == "put" ? version : 0);
    if (changes && ended.status == 0) expected_.HasBecome(name, what == "put" ? version : 0);
    const bool concerns_key = what == "get" || what == "stat" || what == "del";
    if (concerns_key && ended.status == kNoSuchKey && must_exist)
      return what + " " + name + ": no such key";
    if (ended.status == kNoStore) return what + ": no store: " + ended.out;
    if (ended.status == kDamaged && !fault.IsOfTheDisk()) return what + ": damage: " + ended.out;
    if (what == "get" && ended.status == 0 && !expected_.Allows(name, VersionOf(name, ended.out))) {
      return "get " + name + " gave a value that it cannot have";
    }
    return {};
  }

  Ended Start(const std::vector<std::string>& arguments, const std::optional<Fault>& fault,
              const std::string& name) {
    runs_.push_back(name + (fault ? ": " + fault->ToText() : std::string()));
    const std::string out = directory_ + "/out", struck = directory_ + "/struck";
    stdfs::remove(struck);
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) Become(arguments, fault, out, struck);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (fault) ++runs_made_;
    if (fault && stdfs::exists(struck)) {
      ++struck_;
    } else if (fault) {
      runs_.back() += " (it did not come to that)";
    }
    std::ifstream text(out, std::ios::binary);
    Ended ended{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                {std::istreambuf_iterator<char>(text), {}}};
    runs_.back() += ": status " + std::to_string(ended.status);
    return ended;
  }

  [[noreturn]] void Become(const std::vector<std::string>& arguments,
                           const std::optional<Fault>& fault, const std::string& out,
                           const std::string& struck) const {
    const int file = ::open(out.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    if (fault) {
      ::setenv("LD_PRELOAD", options_.shim.c_str(), 1);
      ::setenv("FAULTS_PATH", "faulty-store", 1);
      ::setenv("FAULTS_CALL", fault->call.c_str(), 1);
      ::setenv("FAULTS_NTH", std::to_string(fault->nth).c_str(), 1);
      ::setenv("FAULTS_ERRNO", std::to_string(fault->error).c_str(), 1);
      ::setenv("FAULTS_STRUCK", struck.c_str(), 1);
      if (fault->lasts) ::setenv("FAULTS_LASTS", "1", 1);
    }
    ::setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=1", 1);
    std::vector<char*> raw;
    for (const std::string& argument : arguments)
      raw.push_back(const_cast<char*>(argument.c_str()));
    raw.push_back(nullptr);
    ::execv(raw[0], raw.data());
    ::_exit(126);
  }

  const Options options_;
  const std::string directory_;
  std::mt19937_64 random_;
  Expectation expected_;
  std::vector<std::string> runs_;
  uint64_t runs_made_ = 0;
  uint64_t struck_ = 0;
};

int Usage() {
  std::fputs(kHelp, stderr);
  return 2;
}

int Main(std::vector<std::string> arguments) {
  if (arguments.size() == 5 && arguments[0] == "--worker") {
    return RunWorker(
        {arguments[1], std::stoull(arguments[2]), std::stoi(arguments[3]), arguments[4] == "die"});
  }
  Options options;
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& option = arguments[i];
    if (option == "--help") {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (i + 1 == arguments.size()) return Usage();
    const std::string& value = arguments[i + 1];
    if (option == "--shim")
      options.shim = stdfs::absolute(value).string();
    else if (option == "--program")
      options.program = stdfs::absolute(value).string();
    else if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos)
      return Usage();
    else if (option == "--seconds")
      options.seconds = std::stod(value);
    else if (option == "--rounds")
      options.rounds = std::stoull(value);
    else if (option == "--sweep")
      options.sweeps = value != "0";
    else if (option == "--seed")
      options.seed = std::stoull(value);
    else
      return Usage();
  }
  const bool is_whole = stdfs::exists(options.shim) && stdfs::exists(options.program);
  if (!is_whole) return Usage();
  Campaign campaign(options);
  return options.sweeps ? campaign.Sweep() : campaign.Run();
}

}  // namespace
}  // namespace kvfs::faults

int main(int argc, char** argv) { return kvfs::faults::Main({argv + 1, argv + argc}); }

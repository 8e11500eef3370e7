// The daemon under all kinds of load: threads create, write, rename, link, truncate, list and
// unlink files of the mount and change their attributes, while commands and checkpoints run; then
// an unmount. Meant to be run under --config=tsan and asan as well: a sanitizer report ends the
// daemon, and with it the test.
//
// Each worker's private files are compared with its expectation, before and after the unmount. All
// workers rename over shared names, so a value there must identify itself as a complete value of
// some worker.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

constexpr int kWorkers = 4;
constexpr int kRounds = 150;
constexpr int kOwnNames = 12, kSharedNames = 5;

// Sizes of values: in a leaf, in a tail, in several blocks.
std::string ValueOf(int worker, int round) {
  const std::string mark = std::to_string(worker) + "." + std::to_string(round) + ";";
  const size_t lengths[] = {8, 900, 5'000, 70'000};
  std::string value;
  while (value.size() < lengths[round % 4]) value += mark;
  return value;
}

// Whether the value is one that ValueOf returns.
bool ProvesItself(const std::string& value) {
  int worker = -1, round = -1;
  if (std::sscanf(value.c_str(), "%d.%d;", &worker, &round) != 2) return false;
  return value == ValueOf(worker, round);
}

class MountedStress : public StoreFixture {
 protected:
  // A worker, and the files that it alone changes.
  class Worker {
   public:
    Worker(std::string mount, int number)
        : mount_(std::move(mount)),
          number_(number),
          random_(static_cast<uint32_t>(number)),
          own_(mount_ + "/own" + std::to_string(number)) {}

    void Run() {
      Expect(::mkdir(own_.c_str(), 0755) == 0, "mkdir");
      for (round_ = 0; round_ < kRounds && !testing::Test::HasFailure(); ++round_) {
        PutOwn();
        RenameOwn();
        Decorate();
        if (round_ % 3 == 0) PublishShared();
        ReadShared();
        if (round_ % 5 == 0) MakeAndRemoveDirectory();
        if (round_ % 7 == 0) UnlinkOwn();
        if (round_ % 10 == 0) CompareOwn();
      }
    }

    void CompareOwn() {
      std::map<std::string, std::string> found;
      for (const auto& entry : std::filesystem::directory_iterator(own_)) {
        found[entry.path().filename()] = Read(entry.path()).value_or("(cannot be read)");
      }
      Expect(found == values_, "what is listed and read");
    }

   private:
    void Expect(bool holds, const std::string& what) {
      EXPECT_TRUE(holds) << "worker " << number_ << ", round " << round_ << ": " << what << ": "
                         << std::strerror(errno);
    }
    std::string OwnName() { return "f" + std::to_string(random_() % kOwnNames); }
    std::string SharedPath() {
      return mount_ + "/shared" + std::to_string(random_() % kSharedNames);
    }

    void Write(const std::string& path, const std::string& value) {
      const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
      Expect(file >= 0, "open " + path);
      size_t at = 0;
      for (ssize_t length; at < value.size(); at += static_cast<size_t>(length)) {
        length = ::write(file, value.data() + at, value.size() - at);
        if (length <= 0) break;
      }
      Expect(at == value.size(), "write " + path);
      if (round_ % 16 == 0) Expect(::fsync(file) == 0, "fsync " + path);
      Expect(::close(file) == 0, "close " + path);
    }

    std::optional<std::string> Read(const std::string& path) {
      const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (file < 0) return std::nullopt;
      std::string value(200'000, '\0');
      const ssize_t length = ::read(file, value.data(), value.size());
      ::close(file);
      if (length < 0) return std::nullopt;
      value.resize(static_cast<size_t>(length));
      return value;
    }

    void PutOwn() {
      const std::string name = OwnName(), value = ValueOf(number_, round_);
      Write(own_ + "/" + name, value);
      values_[name] = value;
    }
    void RenameOwn() {
      const std::string from = OwnName(), to = OwnName();
      const bool is_there = values_.contains(from);
      const int done = ::rename((own_ + "/" + from).c_str(), (own_ + "/" + to).c_str());
      Expect(is_there ? done == 0 : done < 0 && errno == ENOENT, "rename " + from + " " + to);
      if (!is_there || from == to) return;
      values_[to] = values_[from];
      values_.erase(from);
    }
    // Attributes, times, size: the size is then unchanged.
    void Decorate() {
      const std::string name = OwnName(), path = own_ + "/" + name;
      if (!values_.contains(name)) return;
      const std::string value = std::to_string(round_);
      char got[32] = {};
      Expect(::setxattr(path.c_str(), "user.round", value.data(), value.size(), 0) == 0,
             "setxattr");
      Expect(::getxattr(path.c_str(), "user.round", got, sizeof got) ==
                     static_cast<ssize_t>(value.size()) &&
                 value == got,
             "getxattr");
      Expect(::chmod(path.c_str(), round_ % 2 == 0 ? 0600 : 0644) == 0, "chmod");
      const std::string linked = own_ + "/linked";
      Expect(::link(path.c_str(), linked.c_str()) == 0, "link");
      Expect(::unlink(linked.c_str()) == 0, "unlink of a link");
      if (round_ % 4 != 0) return;
      std::string& known = values_[name];
      known.resize(known.size() / 2 + 1);
      Expect(::truncate(path.c_str(), static_cast<off_t>(known.size())) == 0, "truncate");
    }
    void PublishShared() {
      const std::string draft = mount_ + "/draft" + std::to_string(number_);
      Write(draft, ValueOf(number_, round_));
      Expect(::rename(draft.c_str(), SharedPath().c_str()) == 0, "rename over a shared name");
    }
    void ReadShared() {
      const std::string path = SharedPath();
      const auto value = Read(path);
      if (!value) return Expect(errno == ENOENT, "open " + path);
      Expect(ProvesItself(*value), path + " holds " + value->substr(0, 30));
    }
    void MakeAndRemoveDirectory() {
      const std::string path = own_ + "/directory";
      Expect(::mkdir(path.c_str(), 0755) == 0, "mkdir");
      Expect(::symlink("nowhere", (path + "/link").c_str()) == 0, "symlink");
      Expect(::rmdir(path.c_str()) < 0 && errno == ENOTEMPTY, "rmdir of a full directory");
      Expect(::unlink((path + "/link").c_str()) == 0, "unlink of a symbolic link");
      Expect(::rmdir(path.c_str()) == 0, "rmdir");
    }
    void UnlinkOwn() {
      const std::string name = OwnName();
      const int done = ::unlink((own_ + "/" + name).c_str());
      Expect(values_.erase(name) == 1 ? done == 0 : done < 0 && errno == ENOENT, "unlink");
    }

    const std::string mount_;
    const int number_;
    std::mt19937 random_;
    const std::string own_;
    int round_ = 0;
    std::map<std::string, std::string> values_;
  };

  void SetUp() override {
    Run({"create", "--shards", "4", store()});
    daemon_ = StartKvfs({"mount", "--foreground", store(), mount_point()});
    AwaitMount();
    for (int i = 0; i < kWorkers; ++i)
      workers_.push_back(std::make_unique<Worker>(mount_point(), i));
  }

  // Runs commands in turn until the workers have finished.
  void Command() {
    const std::vector<std::string> commands[] = {{"get", store(), "put/by command"},
                                                 {"ls", store()},
                                                 {"compact", store()},
                                                 {"stats", store()},
                                                 {"check", store()},
                                                 {"find", store(), "command"}};
    Run({"mkdir", store(), "put"});
    for (size_t i = 0; !done_ || i < std::size(commands); ++i) {
      Run({"put", store(), "put/by command", "--", std::to_string(i)});
      Run({"batch", store()}, "put put/a one\nmv put/a put/b\ndel put/b\n");
      Output(commands[i % std::size(commands)]);
      Run({"export", store(), Path("exported" + std::to_string(i))});
      if (HasFailure()) return;
    }
  }

  pid_t daemon_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<bool> done_ = false;
};

TEST_F(MountedStress, EverythingAtOnce) {
  std::thread commander([this] { Command(); });
  std::vector<std::thread> threads;
  for (auto& worker : workers_) threads.emplace_back([&worker] { worker->Run(); });
  for (std::thread& thread : threads) thread.join();
  done_ = true;
  commander.join();
  Unmount();
  EXPECT_EQ(AwaitExit(daemon_), 0) << "a report of a sanitizer, or an error at the end";
  Output({"check", store()});
  Mount();
  for (auto& worker : workers_) worker->CompareOwn();
}

}  // namespace
}  // namespace kvfs::cli

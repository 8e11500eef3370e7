// The test's process and the server's talk over a pair of sockets: the server says once that it is
// ready; the test then sends single letters, 'r' for a report and 's' to stop.
#include "tests/support/mounted.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>
#include <utility>

#include <kvfs/store.h>
#include "fs/file_system.h"
#include "fs/fuse/server.h"

namespace kvfs {

struct Mounted::Report {
  std::array<uint64_t, fs::MessageCounts::kKinds> messages;
  uint64_t entries;
  uint64_t referenced_inodes;
};

namespace {

template <typename T>
T Need(Result<T> result) {
  if (!result) {
    std::cerr << "mounting for a test failed: " << result.error().message << "\n";
    std::_Exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

void LeaveMountNamespace() {
  if (unshare(CLONE_NEWNS) == 0) mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
}

template <typename T>
bool Send(int socket, const T& value) {
  return send(socket, &value, sizeof value, MSG_NOSIGNAL) == sizeof value;
}

template <typename T>
bool Receive(int socket, T& value) {
  return recv(socket, &value, sizeof value, MSG_WAITALL) == sizeof value;
}

fs::FileSystemOptions Owner() {
  fs::FileSystemOptions owner;
  owner.default_uid = geteuid();
  owner.default_gid = getegid();
  return owner;
}

fs::FuseServer* stopped_by_signal = nullptr;

// Answers the test's letters until it hangs up.
template <typename Report>
void Answer(int socket, fs::FuseServer& server, fs::FileSystem& file_system) {
  for (char letter; Receive(socket, letter);) {
    if (letter == 's') server.Stop();
    if (letter != 'r') continue;
    Report report = {};
    for (size_t i = 0; i < report.messages.size(); ++i) {
      report.messages[i] = server.message_counts().Of(static_cast<fs::MessageKind>(i));
    }
    report.entries = Need(file_system.GetSpace()).entries;
    report.referenced_inodes = file_system.CountReferencedInodes();
    Send(socket, report);
  }
  server.Stop();
}

// The whole life of the server's process.
template <typename Report>
[[noreturn]] void RunServer(int socket, const std::string& store_path,
                            const std::string& mount_point, const fs::MountOptions& options) {
  auto store = Need(Store::Open(GetPosixEnv(), store_path));
  auto file_system = Need(fs::FileSystem::Open(*store, Owner()));
  auto server = Need(fs::FuseServer::Mount(*file_system, mount_point, options));
  stopped_by_signal = server.get();
  signal(SIGTERM, [](int) { stopped_by_signal->Stop(); });
  prctl(PR_SET_PDEATHSIG, SIGTERM);

  std::thread answering([&] { Answer<Report>(socket, *server, *file_system); });
  const auto served = server->Serve([socket] { Send(socket, 'r'); });
  shutdown(socket, SHUT_RDWR);
  answering.join();
  signal(SIGTERM, SIG_IGN);
  server.reset();
  file_system.reset();
  Need(store->Close());
  std::_Exit(served ? 0 : 1);
}

}  // namespace

std::string Mounted::Obstacle() {
  const int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) return "/dev/fuse cannot be opened";
  close(device);
  return {};
}

Mounted::Mounted(fs::MountOptions options) : options_(std::move(options)) {
  static const bool in_own_namespace = (LeaveMountNamespace(), true);
  static_cast<void>(in_own_namespace);
  options_.control.clear();
  mountpoint_ = directory_.path() + "/mount";
  store_path_ = directory_.path() + "/store";
  scratch_ = directory_.path() + "/scratch";
  mkdir(mountpoint_.c_str(), 0755);
  mkdir(scratch_.c_str(), 0777);
  chmod(directory_.path().c_str(), 0755);
  if (options_.source.empty()) options_.source = store_path_;
  Need(Store::Create(GetPosixEnv(), store_path_));
  Start();
}

Mounted::~Mounted() {
  Stop();
  AwaitEnd();
  Unmount();
}

void Mounted::Start() {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) std::abort();
  server_ = fork();
  if (server_ == 0) {
    close(sockets[0]);
    RunServer<Report>(sockets[1], store_path_, mountpoint_, options_);
  }
  close(sockets[1]);
  socket_ = sockets[0];
  char ready;
  if (!Receive(socket_, ready)) {
    std::cerr << "the server ended before it was ready\n";
    std::exit(1);
  }
  taken_ = CountMessages();
}

void Mounted::Stop() {
  if (server_ != 0) Send(socket_, 's');
}

bool Mounted::AwaitEnd() {
  if (server_ == 0) return true;
  int status = -1;
  waitpid(std::exchange(server_, 0), &status, 0);
  close(std::exchange(socket_, -1));
  return status == 0;
}

// Where the server has not done it.
void Mounted::Unmount() {
  if (umount2(mountpoint_.c_str(), MNT_DETACH) == 0 || geteuid() == 0) return;
  Run("fusermount3 -u -z -q $M || true");
}

void Mounted::Remount() {
  Stop();
  if (!AwaitEnd()) std::cerr << "the server reported an error at its end\n";
  Start();
}

void Mounted::RemountWith(fs::MountOptions options) {
  options.source = options_.source;
  options.control = options_.control;
  options_ = std::move(options);
  Remount();
}

void Mounted::RemountAfter(const std::function<void(fs::FileSystem&)>& work) {
  Stop();
  if (!AwaitEnd()) std::cerr << "the server reported an error at its end\n";
  {
    const auto store = Need(Store::Open(GetPosixEnv(), store_path_));
    work(*Need(fs::FileSystem::Open(*store, Owner())));
    Need(store->Close());
  }
  Start();
}

void Mounted::KillAndRemount() {
  kill(server_, SIGKILL);
  AwaitEnd();
  Unmount();
  Start();
}

std::string Mounted::Path(const std::string& name) const {
  return name.empty() ? mountpoint_ : mountpoint_ + "/" + name;
}

Mounted::Outcome Mounted::Run(const std::string& script) const {
  const std::string command = "export M='" + mountpoint_ + "' S='" + scratch_ +
                              "'; exec 2>&1; cd \"$S\"; set -e\n" + script;
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) return {-1, "popen failed"};
  char buffer[4096];
  for (size_t length; (length = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    outcome.output.append(buffer, length);
  }
  const int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

Mounted::Report Mounted::Ask() {
  Report report = {};
  if (!Send(socket_, 'r') || !Receive(socket_, report)) {
    std::cerr << "the server's process does not answer\n";
    std::exit(1);
  }
  return report;
}

std::map<std::string, uint64_t> Mounted::CountMessages() {
  const Report report = Ask();
  std::map<std::string, uint64_t> counts;
  for (size_t i = 0; i < report.messages.size(); ++i) {
    const auto kind = static_cast<fs::MessageKind>(i);
    if (kind == fs::MessageKind::kForget || kind == fs::MessageKind::kForgetMulti) continue;
    if (!NameOf(kind).empty()) counts[std::string(NameOf(kind))] = report.messages[i];
  }
  return counts;
}

std::map<std::string, uint64_t> Mounted::TakeMessages() {
  // Some messages are sent behind a system call's back.
  auto now = CountMessages();
  for (int quiet = 0; quiet < 5; ++quiet) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    auto later = CountMessages();
    if (later != now) quiet = 0;
    now = std::move(later);
  }
  std::map<std::string, uint64_t> difference;
  for (const auto& [name, count] : now) {
    if (count > taken_[name]) difference[name] = count - taken_[name];
  }
  taken_ = std::move(now);
  return difference;
}

uint64_t Mounted::CountEntries() { return Ask().entries; }

uint64_t Mounted::ServerMemoryBytes() const {
  std::ifstream status("/proc/" + std::to_string(server_) + "/status");
  uint64_t kibibytes = 0;
  for (std::string word; status >> word && word != "RssAnon:";) continue;
  status >> kibibytes;
  return kibibytes << 10;
}

uint64_t Mounted::CountReferencedInodes() { return Ask().referenced_inodes; }

}  // namespace kvfs

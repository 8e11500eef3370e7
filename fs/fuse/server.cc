// The session's life. While libfuse's loop serves in the thread that called Serve(), two helper
// threads run: the *starter* makes the first open (fs/fuse/open_suppressor.h) and reports that the
// mount is ready; the *stopper* waits for Stop() and unmounts from outside, so that the kernel's
// pending writes are still served. If that fails, because files are open, the loop is ended, and
// the mount is then detached lazily.
#include "fs/fuse/server.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <unordered_set>
#include <utility>

#include "fs/fuse/agent.h"
#include "fs/fuse/arguments.h"
#include "fs/fuse/control.h"
#include "fs/fuse/invalidation.h"
#include "fs/fuse/log.h"
#include "fs/fuse/operations.h"
#include "fs/fuse/stderr.h"
#include "fs/fuse/unmount.h"

namespace kvfs::fs {
namespace {

// Number and interval of attempts to unmount a busy mount before it is cut off.
constexpr int kUnmountAttempts = 5;
constexpr std::chrono::milliseconds kUnmountPause{100};

// Number and interval of checks whether the last unmount has ended the loop.
constexpr int kEndLooks = 50;
constexpr int kEndPauseMs = 20;

// The signal that wakes a thread in libfuse's loop. Ignored by default.
constexpr int kInterrupt = SIGURG;
constexpr std::chrono::milliseconds kInterruptPause{10};

// A signal wakes a thread only if it has a handler; an existing handler will do.
void CatchInterrupts() {
  struct sigaction action;
  sigaction(kInterrupt, nullptr, &action);
  if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN) return;
  action = {};
  action.sa_handler = [](int) {};
  sigaction(kInterrupt, &action, nullptr);
}

void LetInterruptsThrough() {
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, kInterrupt);
  pthread_sigmask(SIG_UNBLOCK, &interrupt, nullptr);
}

// Signals are for the program's own threads.
void BlockSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

Error DescribeMountPoint(const std::string& path, int error) {
  const std::string message = "cannot mount at '" + path + "': " + std::strerror(error);
  switch (error) {
    case ENOENT:
      return {ErrorCode::kNotFound, message};
    case ENOTDIR:
      return {ErrorCode::kNotDirectory, message};
    case EACCES:
      return {ErrorCode::kPermission, message};
    default:
      return {ErrorCode::kIo, message};
  }
}

Result<void> CheckMountPoint(const std::string& path) {
  struct stat at;
  if (stat(path.c_str(), &at) != 0) return tl::unexpected(DescribeMountPoint(path, errno));
  if (!S_ISDIR(at.st_mode)) return tl::unexpected(DescribeMountPoint(path, ENOTDIR));
  return {};
}

Result<void> CheckFuseDevice() {
  if (access("/dev/fuse", F_OK) == 0) return {};
  return Fail(ErrorCode::kUnsupported,
              "there is no /dev/fuse: the kernel's FUSE module is not loaded, or a container hides "
              "the device");
}

std::vector<ControlFile> ControlFiles(const std::vector<ControlSource>& sources,
                                      const MessageCounts& counts) {
  std::vector<ControlFile> files;
  for (const ControlSource& source : sources) {
    files.push_back({source.name, [source, &counts] { return source.content(counts); }});
  }
  return files;
}

}  // namespace

// State shared by the handlers and the helper threads.
struct FuseServer::Session {
  Session(FileSystem& file_system, const std::string& where, const MountOptions& given,
          const std::vector<ControlSource>& control_files)
      : context{file_system,
                given,
                {},
                {},
                {},
                {given.control, ControlFiles(control_files, context.counts),
                 given.shown.uid.value_or(geteuid()), given.shown.gid.value_or(getegid())}},
        mount_point(where),
        stop_event(eventfd(0, EFD_CLOEXEC)) {}
  ~Session() {
    Unmount();
    if (fuse != nullptr) fuse_session_destroy(fuse);
    close(stop_event);
  }

  Result<void> Choose();
  Result<void> Mount();
  void UseTransport();
  void Unmount();
  int RunLoop();
  void Start(const std::function<void()>& on_ready);
  void AwaitStop();
  bool LoopEndsSoon() const;
  void ForceEnd();
  void SignalStop() const;

  FuseContext context;
  const std::string mount_point;
  const int stop_event;  // readable once Stop() was called, or the loop has ended
  std::unique_ptr<FuseAgent> agent;
  fuse_session* fuse = nullptr;
  bool is_mounted = false;
  pthread_t serving_thread = {};
  std::atomic<bool> loop_has_ended{false};
};

// Settles what depends on the store.
Result<void> FuseServer::Session::Choose() {
  MountOptions& options = context.options;
  if (options.access_lists && options.shown.IsAny()) {
    return Fail(ErrorCode::kInvalid, "access lists and shown permissions contradict each other");
  }
  KVFS_ASSIGN(const bool has_xattrs, context.file_system.HasXattrs());
  options.extended_attributes |= options.access_lists || has_xattrs;
  return {};
}

Result<void> FuseServer::Session::Mount() {
  KVFS_TRY(Choose());
  KVFS_ASSIGN(agent, FuseAgent::Start());
  fuse_lowlevel_ops operations = MakeFuseOperations(context.options);
  if (!context.options.control.empty()) AddControlOperations(context.options, operations);
  FuseArguments arguments(context.options);
  FuseLogCapture log;
  fuse = fuse_session_new(arguments.get(), &operations, sizeof operations, &context);
  if (fuse == nullptr) return Fail(ErrorCode::kInvalid, log.TextOr("bad mount options"));
  context.session = fuse;
  StderrCapture words;
  if (fuse_session_mount(fuse, mount_point.c_str()) != 0) {
    const int reason = errno;
    std::string why = log.TextOr(words.Take());
    if (why.empty()) why = std::strerror(reason);
    return Fail(reason == EPERM || reason == EACCES ? ErrorCode::kPermission : ErrorCode::kIo,
                "cannot mount at '" + mount_point + "': " + why);
  }
  is_mounted = true;
  UseTransport();
  return {};
}

void FuseServer::Session::UseTransport() {
  const fuse_custom_io through_transport = {
      .writev =
          [](int device, iovec* parts, int count, void* at) {
            auto& shared = *static_cast<FuseContext*>(at);
            NoteAnswer(parts, count, shared.counts);
            return shared.transport.Write(device, parts, count);
          },
      .read =
          [](int device, void* message, size_t size, void* at) {
            const ssize_t length =
                static_cast<FuseContext*>(at)->transport.Read(device, message, size);
            if (length > 0) NoteMessage(message, static_cast<size_t>(length));
            return length;
          },
      .splice_receive = nullptr,
      .splice_send = nullptr,
  };
  fuse_session_custom_io(fuse, &through_transport, fuse_session_fd(fuse));
}

void FuseServer::Session::Unmount() {
  if (std::exchange(is_mounted, false)) fuse_session_unmount(fuse);
}

int FuseServer::Session::RunLoop() {
  const unsigned threads = ThreadCount(context.options);
  if (threads == 1) return fuse_session_loop(fuse);
  fuse_loop_config* config = fuse_loop_cfg_create();
  fuse_loop_cfg_set_clone_fd(config, 1);
  fuse_loop_cfg_set_max_threads(config, threads);
  fuse_loop_cfg_set_idle_threads(config, threads);
  const int result = fuse_session_loop_mt(fuse, config);
  fuse_loop_cfg_destroy(config);
  return result;
}

void FuseServer::Session::Start(const std::function<void()>& on_ready) {
  BlockSignals();
  if (!context.probe.Run([this] { return agent->Probe(mount_point); })) return;
  if (on_ready) on_ready();
}

void FuseServer::Session::AwaitStop() {
  BlockSignals();
  eventfd_t value;
  while (eventfd_read(stop_event, &value) != 0 && errno == EINTR) continue;
  auto unmounted = Unmounted::kNo;
  for (int attempt = 0; attempt < kUnmountAttempts && unmounted == Unmounted::kNo; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(kUnmountPause);
    if (loop_has_ended) return;
    unmounted = FlushAndUnmount(*agent, mount_point, stop_event);
  }
  // The connection lives on while another mount namespace, or a bind mount, has the file system.
  if (unmounted == Unmounted::kYes && LoopEndsSoon()) return;
  ForceEnd();
}

// Waits, unless Stop() is called once more.
bool FuseServer::Session::LoopEndsSoon() const {
  pollfd asked{stop_event, POLLIN, 0};
  for (int look = 0; look < kEndLooks && !loop_has_ended; ++look) {
    if (poll(&asked, 1, kEndPauseMs) > 0) break;
  }
  return loop_has_ended;
}

// The loop ends when its thread wakes: from then on no message is served.
void FuseServer::Session::ForceEnd() {
  fuse_session_exit(fuse);
  CatchInterrupts();
  while (!loop_has_ended) {
    pthread_kill(serving_thread, kInterrupt);
    std::this_thread::sleep_for(kInterruptPause);
  }
}

void FuseServer::Session::SignalStop() const {
  const int saved_errno = errno;
  static_cast<void>(eventfd_write(stop_event, 1));
  errno = saved_errno;
}

FuseServer::FuseServer(std::unique_ptr<Session> session) : session_(std::move(session)) {}
FuseServer::~FuseServer() = default;

Result<std::unique_ptr<FuseServer>> FuseServer::Mount(
    FileSystem& file_system, const std::string& mount_point, const MountOptions& options,
    const std::vector<ControlSource>& control_files) {
  KVFS_TRY(CheckMountPoint(mount_point));
  KVFS_TRY(CheckFuseDevice());
  auto session = std::make_unique<Session>(file_system, mount_point, options, control_files);
  KVFS_TRY(session->Mount());
  return std::unique_ptr<FuseServer>(new FuseServer(std::move(session)));
}

Result<void> FuseServer::Serve(std::function<void()> on_ready) {
  LetInterruptsThrough();
  session_->serving_thread = pthread_self();
  session_->context.late_invalidation.Start(session_->fuse);
  std::thread stopper([this] { session_->AwaitStop(); });
  std::thread starter([this, &on_ready] { session_->Start(on_ready); });
  const int result = session_->RunLoop();
  session_->loop_has_ended = true;
  // Frees the helper threads from calls on the mount that will never be answered.
  session_->Unmount();
  session_->SignalStop();
  session_->context.late_invalidation.Stop();
  starter.join();
  stopper.join();
  if (result >= 0) return {};
  return Fail(ErrorCode::kIo,
              std::string("the connection to the kernel broke: ") + std::strerror(-result));
}

void FuseServer::Stop() { session_->SignalStop(); }

bool FuseServer::UnmountIfIdle() {
  return FlushAndUnmount(*session_->agent, session_->mount_point, session_->stop_event) ==
         Unmounted::kYes;
}

void FuseServer::TellChanged(std::span<const ChangedName> changed) {
  InvalidateChanged(session_->fuse, changed);
  // Invalidation drops everything of a file but its size, which the kernel uses for appends.
  std::unordered_set<InodeNumber> refreshed;
  for (const ChangedName& name : changed) {
    if (name.is_rebound || name.inode == 0 || !refreshed.insert(name.inode).second) continue;
    const auto path = session_->context.file_system.PathOf(name);
    if (path) session_->agent->Refresh(session_->mount_point + "/" + *path);
  }
}

const MessageCounts& FuseServer::message_counts() const { return session_->context.counts; }

}  // namespace kvfs::fs

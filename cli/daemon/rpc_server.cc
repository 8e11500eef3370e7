// Requests of one connection are processed one after another, by the thread that reads them.

#include "cli/daemon/rpc_server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <utility>

#include "cli/base/version.h"
#include "cli/client/requests.h"
#include "fs/fuse/statistics.h"

namespace kvfs::cli {
namespace {

constexpr std::chrono::milliseconds kProgressPause{100};

Message Ok(std::vector<std::string> fields = {}) {
  fields.insert(fields.begin(), std::string(request::kOk));
  return fields;
}

// Serves one connection until the client disconnects.
class Conversation {
 public:
  Conversation(Channel& channel, const Served& served, const fs::Caller& peer)
      : channel_(channel),
        served_(served),
        keys_(served.store, served.file_system, peer, served.on_changed) {}

  void Run() {
    while (true) {
      const auto message = channel_.Receive();
      if (!message || message->empty()) return;
      failed_ = 0;
      auto answer = Dispatch(*message);
      if (!answer && is_broken_) return;
      const auto sent = channel_.Send(answer ? *answer : ErrorMessage(answer.error()));
      if (!sent) return;
    }
  }

 private:
  Message ErrorMessage(const Error& error) const {
    return {std::string(request::kError), EncodeNumber(static_cast<uint64_t>(error.code)),
            error.message, EncodeNumber(failed_)};
  }

  Result<Message> Dispatch(const Message& message) {
    const std::string& verb = message[0];
    if (verb == request::kHello) return Greet(message);
    if (!is_greeted_) return Fail(ErrorCode::kInvalid, "a connection must begin with a greeting");
    if (verb == request::kApply) return Apply(message);
    if (verb == request::kPut) return Put(message);
    if (verb == request::kFreeze) return Done(keys_.Freeze());
    if (verb == request::kSync) return Done(served_.file_system.Sync());
    if (verb == request::kOptions) return Ok(served_.options);
    if (verb == request::kStats) return Stats();
    if (verb == request::kCheck) return Check();
    if (verb == request::kCompact) {
      return Done(CheckWritable().and_then([&] { return served_.store.Compact(); }));
    }
    if (message.size() != 2) return Fail(ErrorCode::kInvalid, "a request has no path");
    return DispatchPath(verb, message[1]);
  }

  Result<Message> DispatchPath(const std::string& verb, const std::string& path) {
    if (verb == request::kStat) {
      return keys_.Stat(path).map([](const auto& inode) { return Ok({EncodeInode(inode)}); });
    }
    if (verb == request::kReadLink) {
      return keys_.ReadLink(path).map([](const auto& target) { return Ok({target}); });
    }
    if (verb == request::kList) return List(path);
    if (verb == request::kGet) return GetData(path);
    if (verb == request::kRanges) return GetDataRanges(path);
    if (verb == request::kXattrs) {
      return keys_.GetXattrs(path).map([](const auto& x) { return Ok({fs::EncodeXattrs(x)}); });
    }
    return Fail(ErrorCode::kInvalid, fmt::format("the daemon does not know the request {}", verb));
  }

  static Result<Message> Done(const Result<void>& result) {
    return result.map([] { return Ok(); });
  }

  // A failure ends the conversation, since it cannot be reported.
  Result<void> Send(const Message& message) {
    auto sent = channel_.Send(message);
    is_broken_ = is_broken_ || !sent;
    return sent;
  }

  Result<Message> Greet(const Message& message) {
    if (message.size() < 3 || message[1] != kVersion || message[2] != EncodeNumber(kProtocol)) {
      return Fail(
          ErrorCode::kUnsupported,
          fmt::format("its daemon has version {} with protocol {}, this command has another; "
                      "unmount the store and mount it again",
                      kVersion, kProtocol));
    }
    if (message.size() != 4) return Fail(ErrorCode::kInvalid, "the greeting has no umask");
    KVFS_ASSIGN(const uint64_t umask, DecodeNumber(message[3]));
    keys_.SetUmask(static_cast<uint32_t>(umask));
    is_greeted_ = true;
    return Ok();
  }

  Result<void> CheckWritable() const {
    if (!served_.is_read_only()) return {};
    return Fail(ErrorCode::kReadOnly, "the store is mounted read-only");
  }

  // Entries found before an error are sent before it.
  Result<Message> List(const std::string& path) {
    std::string entries;
    const auto send = [&]() -> Result<void> {
      if (entries.empty()) return {};
      return Send({std::string(request::kEntries), std::exchange(entries, {})});
    };
    const auto take = [&](std::string_view name, const fs::InodeInfo& inode) -> Result<void> {
      AppendEntry(entries, name, inode);
      return entries.size() < kEntriesBytes ? Result<void>() : send();
    };
    const auto listed = keys_.List(path, take);
    KVFS_TRY(send());
    return Done(listed);
  }

  Result<Message> GetData(const std::string& path) {
    KVFS_ASSIGN(const uint64_t size, keys_.GetData(path, [&](uint64_t offset, Bytes piece) {
      return Send({std::string(request::kData), EncodeNumber(offset), std::string(AsText(piece))});
    }));
    return Ok({EncodeNumber(size)});
  }

  Result<Message> GetDataRanges(const std::string& path) {
    KVFS_ASSIGN(const auto ranges, keys_.GetDataRanges(path));
    std::vector<std::string> numbers;
    for (const fs::ByteRange& range : ranges) {
      numbers.push_back(EncodeNumber(range.offset));
      numbers.push_back(EncodeNumber(range.length));
    }
    return Ok(std::move(numbers));
  }

  Result<std::vector<fs::PathOperation>> ChangesOf(const Message& message) {
    failed_ = message.size() - 1;
    KVFS_TRY(CheckWritable());
    std::vector<fs::PathOperation> changes;
    changes.reserve(message.size() - 1);
    for (size_t i = 1; i < message.size(); ++i) {
      KVFS_ASSIGN(fs::PathOperation change, DecodeChange(message[i]));
      changes.push_back(std::move(change));
    }
    if (served_.inner_mounts) {
      KVFS_TRY(CheckKeepMounts(served_.inner_mounts(), changes, keys_, &failed_));
    }
    return changes;
  }

  Result<Message> Apply(const Message& message) {
    KVFS_ASSIGN(const auto changes, ChangesOf(message));
    return Done(keys_.Apply(changes, &failed_));
  }

  // Reads the whole value even after a failure: the client waits for a reply only then.
  Result<Message> Put(const Message& message) {
    bool has_ended = false;
    Incoming incoming;
    const fs::ContentSource content = [&](MutableBytes buffer) -> Result<fs::ContentPiece> {
      while (incoming.IsEmpty() && !has_ended) KVFS_TRY(ReceivePiece(incoming, has_ended));
      const size_t count = std::min(incoming.bytes.size(), buffer.size());
      CopyBytes(buffer.data(), AsBytes(incoming.bytes).first(count));
      incoming.bytes.erase(0, count);
      return fs::ContentPiece{std::exchange(incoming.hole_bytes, 0), count};
    };
    Result<void> put = PutWith(message, content);
    while (!has_ended && !is_broken_) {
      if (!ReceivePiece(incoming, has_ended)) break;
    }
    return Done(put);
  }
  Result<void> PutWith(const Message& message, const fs::ContentSource& content) {
    KVFS_ASSIGN(const auto changes, ChangesOf(message));
    if (changes.empty()) return Fail(ErrorCode::kInvalid, "a put needs a change");
    return keys_.ApplyWithContent(changes, content, &failed_);
  }

  struct Incoming {
    uint64_t hole_bytes = 0;
    std::string bytes;

    bool IsEmpty() const { return hole_bytes == 0 && bytes.empty(); }
  };

  Result<void> ReceivePiece(Incoming& incoming, bool& has_ended) {
    auto message = channel_.Receive();
    if (message && message->size() == 3 && (*message)[0] == request::kData) {
      KVFS_ASSIGN(incoming.hole_bytes, DecodeNumber((*message)[1]));
      incoming.bytes = std::move((*message)[2]);
      return {};
    }
    if (message && message->size() == 1 && (*message)[0] == request::kEnd) {
      has_ended = true;
      return {};
    }
    if (message && message->size() == 1 && (*message)[0] == request::kCancel) {
      has_ended = true;
      return Fail(ErrorCode::kCancelled, "the command has cancelled it");
    }
    is_broken_ = true;
    return Fail(ErrorCode::kIo, "the command has ended");
  }

  Result<Message> Stats() const {
    const StoreStats stats = served_.store.GetStats();
    std::vector<std::string> numbers;
    for (const fs::Statistic& row : fs::Statistics()) {
      numbers.push_back(EncodeNumber(stats.*row.value));
    }
    return Ok(std::move(numbers));
  }

  Result<Message> Check() {
    CheckOptions options;
    options.on_finding = [this](const CheckFinding& finding) {
      static_cast<void>(Send({std::string(request::kFinding),
                              EncodeNumber(static_cast<uint64_t>(finding.kind)), finding.message}));
    };
    auto next = std::chrono::steady_clock::now();
    options.on_progress = [&](const CheckProgress& progress) {
      const auto now = std::chrono::steady_clock::now();
      if (now < next) return !is_broken_;
      next = now + kProgressPause;
      return Send({std::string(request::kProgress), EncodeNumber(progress.bytes_checked),
                   EncodeNumber(progress.bytes_total)})
          .has_value();
    };
    // A check reads the disk, so changes in memory are written first. If that fails, the store is
    // checked nevertheless.
    static_cast<void>(served_.store.Checkpoint());
    KVFS_ASSIGN(const CheckReport report, served_.store.Check(options));
    std::vector<std::string> numbers;
    for (const uint64_t number :
         {report.entries, report.pages, report.blocks, report.damages, report.space_findings,
          report.notes, report.log_records, report.log_entries, report.checkpoint_entries}) {
      numbers.push_back(EncodeNumber(number));
    }
    return Ok(std::move(numbers));
  }

  Channel& channel_;
  const Served& served_;
  FileSystemKeys keys_;
  bool is_greeted_ = false;
  bool is_broken_ = false;
  size_t failed_ = 0;  // of the changes asked for
};

std::optional<fs::Caller> PeerOf(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return std::nullopt;
  if (peer.uid != 0 && peer.uid != ::geteuid()) return std::nullopt;
  return fs::Caller{peer.uid, peer.gid, 0, static_cast<uint32_t>(peer.pid)};
}

}  // namespace

Result<std::unique_ptr<RpcServer>> RpcServer::Start(const std::string& store_path,
                                                    const Served& served) {
  KVFS_ASSIGN(Listener listener, ListenAtStore(store_path));
  return std::unique_ptr<RpcServer>(new RpcServer(served, std::move(listener)));
}

RpcServer::RpcServer(const Served& served, Listener listener)
    : served_(served), listener_(std::move(listener)) {
  taker_ = std::thread([this] { TakeConnections(); });
}

RpcServer::~RpcServer() {
  RemoveSocket(listener_);
  {
    const MutexLock lock(mutex_);
    is_stopping_ = true;
    for (const Connection& connection : connections_) connection.channel.Interrupt();
  }
  ::shutdown(listener_.socket.number(), SHUT_RDWR);
  taker_.join();
  for (Connection& connection : connections_) connection.thread.join();
}

void RpcServer::TakeConnections() {
  while (true) {
    Descriptor socket(::accept4(listener_.socket.number(), nullptr, nullptr, SOCK_CLOEXEC));
    JoinEnded();
    if (socket.valid()) {
      Accept(std::move(socket));
      continue;
    }
    const MutexLock lock(mutex_);
    if (is_stopping_) return;
    // For example, no free descriptors: some will be closed.
    if (errno != EINTR && errno != ECONNABORTED) std::this_thread::sleep_for(kProgressPause);
  }
}

void RpcServer::Accept(Descriptor socket) {
  const auto peer = PeerOf(socket.number());
  if (!peer) return;
  const MutexLock lock(mutex_);
  if (is_stopping_) return;
  ++requests_;
  Connection& connection = connections_.emplace_back(Channel(std::move(socket)));
  connection.thread = std::thread([this, &connection, peer] {
    Conversation(connection.channel, served_, *peer).Run();
    const MutexLock ended(mutex_);
    connection.channel.Interrupt();
    connection.has_ended = true;
  });
}

uint64_t RpcServer::CountRequests() {
  JoinEnded();
  const MutexLock lock(mutex_);
  if (!connections_.empty()) ++requests_;
  return requests_;
}

void RpcServer::JoinEnded() {
  const MutexLock lock(mutex_);
  for (auto at = connections_.begin(); at != connections_.end();) {
    if (!at->has_ended) {
      ++at;
      continue;
    }
    at->thread.join();
    at = connections_.erase(at);
  }
}

}  // namespace kvfs::cli

// The client's side of cli/client/requests.h.

#include "cli/client/rpc_client.h"

#include <fmt/format.h>

#include <memory>

#include "cli/base/interruption.h"
#include "cli/base/own_umask.h"
#include "cli/base/user_message.h"
#include "cli/base/version.h"
#include "cli/base/waiting.h"
#include "cli/client/requests.h"
#include "fs/fuse/statistics.h"

namespace kvfs::cli {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;
// If a reply takes longer than this, a new connection tests whether the daemon is there; also the
// interval between questions whether to keep waiting for its greeting.
constexpr std::chrono::seconds kSilence{1};
constexpr std::chrono::milliseconds kStep{200};
// Seconds until the user is told that the daemon is at work.
constexpr int kLongWork = 10;

Message Request(std::string_view verb) { return {std::string(verb)}; }
Message Request(std::string_view verb, std::string field) {
  return {std::string(verb), std::move(field)};
}

Message RequestFor(std::string_view verb, const std::vector<fs::PathOperation>& changes) {
  Message message = Request(verb);
  message.reserve(changes.size() + 1);
  for (const fs::PathOperation& change : changes) message.push_back(EncodeChange(change));
  return message;
}

tl::unexpected<Error> Unexpected() {
  return Fail(ErrorCode::kInvalid, "the daemon's reply is malformed");
}

Error ErrorOf(const Message& message, size_t* failed) {
  if (message.size() != 4) return Unexpected().value();
  const auto code = DecodeNumber(message[1]);
  const auto index = DecodeNumber(message[3]);
  if (!code || !index) return Unexpected().value();
  if (failed != nullptr) *failed = *index;
  return {static_cast<ErrorCode>(*code), message[2]};
}

tl::unexpected<Error> Silence() {
  return Fail(ErrorCode::kIo, WithWaited("its daemon does not answer"));
}

std::string SayThatItIsSilent(const std::string& store_path) {
  const auto daemon = DaemonProcess::OfStore(store_path);
  return fmt::format(
      "the daemon of {}{}, {}", store_path,
      daemon ? fmt::format(", process {}", daemon->pid()) : "",
      daemon && daemon->IsStopped() ? "is stopped (`kill -CONT` resumes it)" : "does not answer");
}

// Decides, while the daemon sends nothing, whether it is working, for which there is no limit, or
// does not even greet, which has a limit.
class Patience {
 public:
  explicit Patience(std::string store_path) : store_path_(std::move(store_path)) {}

  Result<void> OnSilence() {
    KVFS_TRY(CheckNotInterrupted());
    if (!waiting_) waiting_.emplace([this] { return SayThatItIsSilent(store_path_); }, kSilence);
    if (DaemonConnection::Open(store_path_, [this] { return waiting_->GoesOn(); })) {
      waiting_.reset();
      RenewWaits();
      if (++seconds_at_work_ == kLongWork) {
        Tell(Severity::kNotice,
             fmt::format("the daemon of {} is still working on it", store_path_));
      }
      return {};
    }
    return waiting_->GoesOn() ? Result<void>() : Silence();
  }

 private:
  const std::string store_path_;
  std::optional<Waiting> waiting_;
  int seconds_at_work_ = 0;
};

}  // namespace

Result<DaemonConnection> DaemonConnection::Open(const std::string& store_path) {
  Waiting waiting([&] { return SayThatItIsSilent(store_path); });
  return Open(store_path, [&] { return waiting.GoesOn(); });
}

Result<DaemonConnection> DaemonConnection::Open(const std::string& store_path,
                                                const std::function<bool()>& waits_on) {
  KVFS_ASSIGN(Channel channel, ConnectToStore(store_path));
  channel.SetPatience(kStep, [&] { return waits_on() ? Result<void>() : Silence(); });
  DaemonConnection connection(std::move(channel), DaemonProcess::OfStore(store_path));
  const auto greeted = connection.Ask(
      {std::string(request::kHello), kVersion, EncodeNumber(kProtocol), EncodeNumber(OwnUmask())});
  if (!greeted && greeted.error().code == ErrorCode::kIo) return Silence();
  if (!greeted) return tl::unexpected(greeted.error());
  connection.channel_.SetPatience(kSilence, [patience = std::make_shared<Patience>(store_path)] {
    return patience->OnSilence();
  });
  return connection;
}

Result<Message> DaemonConnection::Ask(const Message& message, size_t* failed) {
  const auto sent = channel_.Send(message);
  is_gone_ = is_gone_ || (!sent && sent.error().code == ErrorCode::kIo);
  if (!sent) return tl::unexpected(sent.error());
  return AwaitOk(failed);
}

bool DaemonConnection::HasEndedWell() const {
  if (!is_gone_ || !daemon_ || daemon_->IsMounted()) return false;
  Waiting waiting([&] {
    return fmt::format("process {} is closing the store {}", daemon_->pid(), daemon_->store_path());
  });
  return daemon_->AwaitEnd([&] { return waiting.GoesOn(); }) == DaemonProcess::End::kClean;
}

std::vector<InnerMount> DaemonConnection::inner_mounts() const {
  return daemon_ ? InnerMountsOf(daemon_->mount_point()) : std::vector<InnerMount>();
}

Result<Message> DaemonConnection::AwaitOk(size_t* failed) {
  auto received = channel_.Receive();
  is_gone_ = is_gone_ || (!received && received.error().code == ErrorCode::kIo);
  KVFS_ASSIGN(Message answer, std::move(received));
  if (answer.empty()) return Unexpected();
  if (answer[0] == request::kError) return tl::unexpected(ErrorOf(answer, failed));
  if (answer[0] != request::kOk) return Unexpected();
  answer.erase(answer.begin());
  return answer;
}

Result<Message> DaemonConnection::AskMany(const Message& message,
                                          const std::function<Result<void>(const Message&)>& take) {
  KVFS_TRY(channel_.Send(message));
  while (true) {
    KVFS_ASSIGN(Message answer, channel_.Receive());
    if (answer.empty()) return Unexpected();
    if (answer[0] == request::kError) return tl::unexpected(ErrorOf(answer, nullptr));
    if (answer[0] == request::kOk) {
      answer.erase(answer.begin());
      return answer;
    }
    KVFS_TRY(take(answer));
  }
}

Result<fs::InodeInfo> DaemonKeys::Stat(const std::string& path) {
  KVFS_ASSIGN(const Message answer, daemon_.Ask(Request(request::kStat, path)));
  if (answer.size() != 1) return Unexpected();
  return DecodeInode(answer[0]);
}

Result<void> DaemonKeys::List(const std::string& path, const KeyVisitor& visit) {
  KVFS_TRY(daemon_.AskMany(Request(request::kList, path), [&](const Message& m) -> Result<void> {
    if (m[0] != request::kEntries || m.size() != 2) return Unexpected();
    return DecodeEntries(m[1], visit);
  }));
  return {};
}

Result<uint64_t> DaemonKeys::GetData(const std::string& path, const DataSink& sink) {
  const auto take = [&](const Message& m) -> Result<void> {
    if (m[0] != request::kData || m.size() != 3) return Unexpected();
    KVFS_ASSIGN(const uint64_t offset, DecodeNumber(m[1]));
    return sink(offset, AsBytes(m[2]));
  };
  KVFS_ASSIGN(const Message answer, daemon_.AskMany(Request(request::kGet, path), take));
  if (answer.size() != 1) return Unexpected();
  return DecodeNumber(answer[0]);
}

Result<std::vector<fs::ByteRange>> DaemonKeys::GetDataRanges(const std::string& path) {
  KVFS_ASSIGN(const Message answer, daemon_.Ask(Request(request::kRanges, path)));
  if (answer.size() % 2 != 0) return Unexpected();
  std::vector<fs::ByteRange> ranges(answer.size() / 2);
  for (size_t i = 0; i < ranges.size(); ++i) {
    KVFS_ASSIGN(ranges[i].offset, DecodeNumber(answer[2 * i]));
    KVFS_ASSIGN(ranges[i].length, DecodeNumber(answer[2 * i + 1]));
  }
  return ranges;
}

Result<fs::XattrMap> DaemonKeys::GetXattrs(const std::string& path) {
  KVFS_ASSIGN(const Message answer, daemon_.Ask(Request(request::kXattrs, path)));
  if (answer.size() != 1) return Unexpected();
  return fs::DecodeXattrs(answer[0]);
}

Result<std::string> DaemonKeys::ReadLink(const std::string& path) {
  KVFS_ASSIGN(Message answer, daemon_.Ask(Request(request::kReadLink, path)));
  if (answer.size() != 1) return Unexpected();
  return std::move(answer[0]);
}

Result<void> DaemonKeys::Apply(const std::vector<fs::PathOperation>& changes, size_t* failed) {
  if (failed != nullptr) *failed = changes.size();
  KVFS_TRY(CheckKeepMounts(daemon_.inner_mounts(), changes, *this, failed));
  KVFS_TRY(daemon_.Ask(RequestFor(request::kApply, changes), failed));
  return {};
}

// An error of the source cancels the put.
Result<void> DaemonKeys::ApplyWithContent(const std::vector<fs::PathOperation>& changes,
                                          const fs::ContentSource& content, size_t* failed) {
  if (failed != nullptr) *failed = changes.size();
  KVFS_TRY(CheckKeepMounts(daemon_.inner_mounts(), changes, *this, failed));
  KVFS_TRY(daemon_.Send(RequestFor(request::kPut, changes)));
  while (true) {
    std::string bytes(kPieceBytes, '\0');
    const auto piece = content(std::as_writable_bytes(std::span(bytes)));
    if (!piece) {
      // The daemon's reply is an error, too, and says less.
      static_cast<void>(daemon_.Ask(Request(request::kCancel)));
      return tl::unexpected(piece.error());
    }
    if (piece->hole_bytes == 0 && piece->bytes == 0) break;
    bytes.resize(piece->bytes);
    Message message = Request(request::kData, EncodeNumber(piece->hole_bytes));
    message.push_back(std::move(bytes));
    KVFS_TRY(daemon_.Send(message));
  }
  KVFS_TRY(daemon_.Ask(Request(request::kEnd), failed));
  return {};
}

Result<void> DaemonKeys::Freeze() {
  KVFS_TRY(daemon_.Ask(Request(request::kFreeze)));
  return {};
}

Result<void> DaemonKeys::Sync() {
  KVFS_TRY(daemon_.Ask(Request(request::kSync)));
  return {};
}

// The store may have been unmounted since the last request.
Result<void> DaemonKeys::Finish() {
  auto synced = Sync();
  if (!synced && daemon_.HasEndedWell()) return {};
  return synced;
}

Result<CheckReport> DaemonMaintenance::Check(const CheckOptions& options) {
  bool wants_more = true;
  const auto take = [&](const Message& m) -> Result<void> {
    if (m.size() != 3) return Unexpected();
    if (m[0] == request::kFinding) {
      KVFS_ASSIGN(const uint64_t kind, DecodeNumber(m[1]));
      if (options.on_finding) options.on_finding({static_cast<CheckFinding::Kind>(kind), m[2]});
      return {};
    }
    KVFS_ASSIGN(const uint64_t done, DecodeNumber(m[1]));
    KVFS_ASSIGN(const uint64_t total, DecodeNumber(m[2]));
    if (options.on_progress) wants_more = options.on_progress({done, total});
    return wants_more ? Result<void>() : Fail(ErrorCode::kCancelled);
  };
  const auto answer = daemon_.AskMany(Request(request::kCheck), take);
  CheckReport report;
  if (!answer && !wants_more) {
    report.complete = false;
    return report;
  }
  if (!answer) return tl::unexpected(answer.error());
  uint64_t* const numbers[] = {
      &report.entries,     &report.pages,          &report.blocks,
      &report.damages,     &report.space_findings, &report.notes,
      &report.log_records, &report.log_entries,    &report.checkpoint_entries};
  if (answer->size() != std::size(numbers)) return Unexpected();
  for (size_t i = 0; i < answer->size(); ++i) {
    KVFS_ASSIGN(*numbers[i], DecodeNumber((*answer)[i]));
  }
  return report;
}

Result<void> DaemonMaintenance::Compact() {
  KVFS_TRY(daemon_.Ask(Request(request::kCompact)));
  return {};
}

Result<StoreStats> DaemonMaintenance::GetStats() {
  KVFS_ASSIGN(const Message answer, daemon_.Ask(Request(request::kStats)));
  const auto table = fs::Statistics();
  if (answer.size() != table.size()) return Unexpected();
  StoreStats stats;
  for (size_t i = 0; i < table.size(); ++i) {
    KVFS_ASSIGN(stats.*table[i].value, DecodeNumber(answer[i]));
  }
  return stats;
}

}  // namespace kvfs::cli

// Each operation on keys is a request of cli/client/requests.h.

#include "cli/client/daemon_keys.h"

#include <span>

#include "cli/client/requests.h"

namespace kvfs::cli {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

Message RequestFor(std::string_view verb, const std::vector<fs::PathOperation>& changes) {
  Message message = Request(verb);
  message.reserve(changes.size() + 1);
  for (const fs::PathOperation& change : changes) message.push_back(EncodeChange(change));
  return message;
}

}  // namespace

Result<fs::InodeInfo> DaemonKeys::Stat(const std::string& path) {
  KVFS_ASSIGN(const Message answer, daemon_.Ask(Request(request::kStat, path)));
  if (answer.size() != 1) return MalformedReply();
  return DecodeInode(answer[0]);
}

Result<void> DaemonKeys::List(const std::string& path, const KeyVisitor& visit) {
  KVFS_TRY(daemon_.AskMany(Request(request::kList, path), [&](const Message& m) -> Result<void> {
    if (m[0] != request::kEntries || m.size() != 2) return MalformedReply();
    return DecodeEntries(m[1], visit);
  }));
  return {};
}

Result<uint64_t> DaemonKeys::GetData(const std::string& path, const DataSink& sink) {
  const auto take = [&](const Message& m) -> Result<void> {
    if (m[0] != request::kData || m.size() != 3) return MalformedReply();
    KVFS_ASSIGN(const uint64_t offset, DecodeNumber(m[1]));
    return sink(offset, AsBytes(m[2]));
  };
  KVFS_ASSIGN(const Message answer, daemon_.AskMany(Request(request::kGet, path), take));
  if (answer.size() != 1) return MalformedReply();
  return DecodeNumber(answer[0]);
}

Result<std::vector<fs::ByteRange>> DaemonKeys::GetDataRanges(const std::string& path) {
  KVFS_ASSIGN(const Message answer, daemon_.Ask(Request(request::kRanges, path)));
  if (answer.size() % 2 != 0) return MalformedReply();
  std::vector<fs::ByteRange> ranges(answer.size() / 2);
  for (size_t i = 0; i < ranges.size(); ++i) {
    KVFS_ASSIGN(ranges[i].offset, DecodeNumber(answer[2 * i]));
    KVFS_ASSIGN(ranges[i].length, DecodeNumber(answer[2 * i + 1]));
  }
  return ranges;
}

Result<fs::XattrMap> DaemonKeys::GetXattrs(const std::string& path) {
  KVFS_ASSIGN(const Message answer, daemon_.Ask(Request(request::kXattrs, path)));
  if (answer.size() != 1) return MalformedReply();
  return fs::DecodeXattrs(answer[0]);
}

Result<std::string> DaemonKeys::ReadLink(const std::string& path) {
  KVFS_ASSIGN(Message answer, daemon_.Ask(Request(request::kReadLink, path)));
  if (answer.size() != 1) return MalformedReply();
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

}  // namespace kvfs::cli

// A content of moderate size is part of the changes; a larger one is staged. A staged content can
// be taken only by the file that it was staged for: if another file has the name by then, the
// content is copied inside the store, and the change is tried again.
#include "fs/content_source.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "fs/data_ranges.h"
#include "fs/path.h"

namespace kvfs::fs {
namespace {

constexpr size_t kModerateBytes = size_t{8} << 20;
constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr int kAttempts = 5;

// A file without a name, with one reference to it.
class Stage {
 public:
  static Result<Stage> Open(FileSystem& file_system, InodeNumber receiver, const Caller& caller) {
    KVFS_ASSIGN(const InodeInfo file, file_system.CreateStagedFile(receiver));
    return Stage(file_system, file.number, caller);
  }
  Stage(Stage&& other) noexcept
      : file_system_(other.file_system_),
        file_(std::exchange(other.file_, 0)),
        caller_(other.caller_),
        size_(other.size_) {}
  Stage& operator=(Stage&&) = delete;
  ~Stage() {
    if (file_ != 0) file_system_.Forget(file_, 1);
  }

  InodeNumber file() const { return file_; }

  // Bytes that may be left out are zeros.
  Result<void> Add(uint64_t hole_bytes, Bytes bytes, bool may_leave_out) {
    if (hole_bytes > kMaxContentBytes - size_) return Fail(ErrorCode::kTooLarge);
    size_ += hole_bytes;
    if (bytes.size() > kMaxContentBytes - size_) return Fail(ErrorCode::kTooLarge);
    const auto ranges =
        may_leave_out ? DataRangesOf(bytes) : std::vector<ByteRange>{{0, bytes.size()}};
    for (const ByteRange& range : ranges) {
      if (range.length == 0) continue;
      KVFS_TRY(file_system_.Write(file_, size_ + range.offset,
                                  bytes.subspan(range.offset, range.length), caller_));
    }
    size_ += bytes.size();
    return {};
  }
  Result<void> Finish() {
    AttributeChange change;
    change.size_bytes = size_;
    KVFS_TRY(file_system_.SetAttributes(file_, change, caller_));
    return {};
  }
  Result<void> CopyFrom(const Stage& other) {
    for (uint64_t at = 0; at < other.size_;) {
      KVFS_ASSIGN(const uint64_t copied,
                  file_system_.CopyRange(other.file_, at, file_, at, other.size_ - at, caller_));
      if (copied == 0) break;
      at += copied;
    }
    size_ = other.size_;
    return Finish();
  }

 private:
  Stage(FileSystem& file_system, InodeNumber file, const Caller& caller)
      : file_system_(file_system), file_(file), caller_(caller) {}

  FileSystem& file_system_;
  InodeNumber file_;
  const Caller caller_;
  uint64_t size_ = 0;
};

// The part of a content read so far: all of it; or a moderate amount and one more piece, which is a
// hole and the last bytes of `data`.
struct Beginning {
  std::string data;
  bool is_whole = false;
  uint64_t hole_bytes = 0;
  size_t last_bytes = 0;
};

Result<Beginning> ReadModerate(const ContentSource& source) {
  Beginning begin;
  std::vector<std::byte> buffer(kPieceBytes);
  while (true) {
    KVFS_ASSIGN(const ContentPiece piece, source(buffer));
    if (piece.hole_bytes == 0 && piece.bytes == 0) {
      begin.is_whole = true;
      return begin;
    }
    const uint64_t free_bytes = kModerateBytes - begin.data.size();
    const bool is_moderate =
        piece.hole_bytes <= free_bytes && piece.bytes <= free_bytes - piece.hole_bytes;
    if (is_moderate) begin.data.append(piece.hole_bytes, '\0');
    begin.data += AsText(Bytes(buffer).first(piece.bytes));
    if (is_moderate) continue;
    begin.hole_bytes = piece.hole_bytes;
    begin.last_bytes = piece.bytes;
    return begin;
  }
}

Result<void> Fill(Stage& stage, const Beginning& begin, const ContentSource& source,
                  bool is_sparse) {
  const Bytes data = AsBytes(begin.data);
  KVFS_TRY(stage.Add(0, data.first(data.size() - begin.last_bytes), is_sparse));
  KVFS_TRY(stage.Add(begin.hole_bytes, data.last(begin.last_bytes), is_sparse));
  std::vector<std::byte> buffer(kPieceBytes);
  while (true) {
    KVFS_ASSIGN(const ContentPiece piece, source(buffer));
    if (piece.hole_bytes == 0 && piece.bytes == 0) return stage.Finish();
    KVFS_TRY(stage.Add(piece.hole_bytes, Bytes(buffer).first(piece.bytes), is_sparse));
  }
}

// The number of the regular file that has the name now, and will keep its number; 0 if there is
// none.
InodeNumber ReceiverOf(FileSystem& file_system, const PathOperation& put) {
  const auto present = StatPath(file_system, put.path);
  if (!present || !present->attributes.IsRegular()) return 0;
  return put.replaces && present->attributes.links > 1 ? 0 : present->number;
}

}  // namespace

Result<std::vector<ChangedName>> ApplyWithContent(FileSystem& file_system,
                                                  std::vector<PathOperation> changes,
                                                  const ContentSource& source, const Caller& caller,
                                                  size_t* failed) {
  if (failed != nullptr) *failed = changes.size();
  PathOperation& put = changes.back();
  KVFS_ASSIGN(Beginning begin, ReadModerate(source));
  if (begin.is_whole) {
    put.data = std::move(begin.data);
    return file_system.ApplyChanges(changes, caller, failed);
  }
  InodeNumber receiver = ReceiverOf(file_system, put);
  KVFS_ASSIGN(Stage stage, Stage::Open(file_system, receiver, caller));
  KVFS_TRY(Fill(stage, begin, source, put.is_sparse));
  begin = {};
  put.staged = stage.file();
  std::optional<Stage> copy;
  for (int attempt = 1;; ++attempt) {
    auto applied = file_system.ApplyChanges(changes, caller, failed);
    if (applied || attempt == kAttempts) return applied;
    const InodeNumber now = ReceiverOf(file_system, put);
    if (now == receiver || now == 0) return applied;
    receiver = now;
    copy.reset();
    KVFS_ASSIGN(Stage next, Stage::Open(file_system, receiver, caller));
    KVFS_TRY(next.CopyFrom(stage));
    copy.emplace(std::move(next));
    put.staged = copy->file();
  }
}

}  // namespace kvfs::fs

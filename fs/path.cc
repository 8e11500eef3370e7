// Walks paths by Lookup, with a reference to one inode at a time; or along a cached PathWay. The
// inode at the end is referenced only during the call.
#include "fs/path.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "fs/path_names.h"

namespace kvfs::fs {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr size_t kListingBytes = size_t{64} << 10;

// One reference to an inode, dropped at destruction.
class Reference {
 public:
  Reference(FileSystem& file_system, InodeInfo inode) : file_system_(&file_system), inode_(inode) {}
  Reference(Reference&& other) noexcept
      : file_system_(std::exchange(other.file_system_, nullptr)), inode_(other.inode_) {}
  Reference& operator=(Reference&& other) noexcept {
    std::swap(file_system_, other.file_system_);
    std::swap(inode_, other.inode_);
    return *this;
  }
  ~Reference() {
    if (file_system_ != nullptr) file_system_->Forget(inode_.number, 1);
  }

  const InodeInfo& inode() const { return inode_; }
  InodeNumber number() const { return inode_.number; }
  const Attributes& attributes() const { return inode_.attributes; }

 private:
  FileSystem* file_system_;
  InodeInfo inode_;
};

tl::unexpected<Error> FailAtLink(std::string_view path) {
  const std::string name(path.substr(path.rfind('/') + 1));
  return Fail(ErrorCode::kInvalid, "'" + name + "' is a symbolic link");
}

Result<Reference> WalkAlong(FileSystem& file_system, std::string_view path, PathWay& way) {
  while (path.ends_with('/')) path.remove_suffix(1);
  const size_t name_begin = path.rfind('/') + 1;  // 0 without a slash
  KVFS_ASSIGN(InodeInfo at, way.FindDirectory(path.substr(0, name_begin)));
  if (!path.empty()) {
    KVFS_ASSIGN(at, file_system.Lookup(at.number, path.substr(name_begin)));
  }
  return Reference(file_system, at);
}

// Walks to the inode of the last name, which may be a symbolic link; one on the way is refused.
Result<Reference> Walk(FileSystem& file_system, std::string_view path, PathWay* way) {
  if (way != nullptr) return WalkAlong(file_system, path, *way);
  const std::vector<std::string_view> names = SplitPath(path);
  KVFS_ASSIGN(const InodeInfo root, file_system.GetAttributes(kRootInode));
  Reference at(file_system, root);
  for (size_t i = 0; i < names.size(); ++i) {
    if (at.attributes().IsSymbolicLink()) {
      return FailAtLink(names[i - 1]);
    }
    KVFS_ASSIGN(const InodeInfo inode, file_system.Lookup(at.number(), names[i]));
    at = Reference(file_system, inode);
  }
  return at;
}

Result<void> CheckHasValue(const Attributes& attributes) {
  if (attributes.IsDirectory()) return Fail(ErrorCode::kIsDirectory);
  if (attributes.IsSymbolicLink()) return Fail(ErrorCode::kInvalid, "it is a symbolic link");
  if (!attributes.IsRegular()) return Fail(ErrorCode::kInvalid, "it is not a regular file");
  return {};
}

using DataSink = std::function<Result<void>(uint64_t offset, Bytes piece)>;

// Reads to the range's end, or to the end of a file truncated meanwhile.
Result<void> ReadRange(FileSystem& file_system, InodeNumber file, const ByteRange& range,
                       const DataSink& sink) {
  std::vector<std::byte> buffer(std::min<uint64_t>(kPieceBytes, range.length));
  for (uint64_t done = 0; done < range.length;) {
    const size_t wanted = std::min<uint64_t>(buffer.size(), range.length - done);
    KVFS_ASSIGN(const size_t length,
                file_system.Read(file, range.offset + done, MutableBytes(buffer).first(wanted)));
    if (length == 0) break;
    KVFS_TRY(sink(range.offset + done, Bytes(buffer).first(length)));
    done += length;
  }
  return {};
}

// Searches for holes only where it pays: in large files that occupy less than their size.
Result<std::vector<ByteRange>> FindDataRanges(FileSystem& file_system, const InodeInfo& file) {
  const uint64_t size = file.size_bytes;
  if (size == 0) return std::vector<ByteRange>();
  if (size <= kPieceBytes || file.allocated_bytes >= size) return std::vector<ByteRange>{{0, size}};
  std::vector<ByteRange> ranges;
  for (uint64_t at = 0; at < size;) {
    const auto data = file_system.FindRange(file.number, at, RangeKind::kData);
    if (!data && data.error().code == ErrorCode::kNotFound) break;
    if (!data) return tl::unexpected(data.error());
    if (*data >= size) break;
    KVFS_ASSIGN(const uint64_t hole, file_system.FindRange(file.number, *data, RangeKind::kHole));
    at = std::min(hole, size);
    ranges.push_back({*data, at - *data});
  }
  return ranges;
}

}  // namespace

void PathWay::Leave(size_t levels) {
  while (levels_.size() > levels) {
    file_system_.Forget(levels_.back().inode.number, 1);
    levels_.pop_back();
  }
  path_.resize(levels_.empty() ? 0 : levels_.back().end);
}

Result<InodeInfo> PathWay::FindDirectory(std::string_view path) {
  const uint64_t moves = file_system_.DirectoryMoves();
  if (moves != std::exchange(moves_, moves)) Leave(0);
  const size_t shared =
      static_cast<size_t>(std::ranges::mismatch(path, std::string_view(path_)).in1 - path.begin());
  size_t kept = levels_.size();
  const auto is_on_path = [&](size_t end) {
    return end < shared ? path[end] == '/'
                        : end == shared && (end == path.size() || path[end] == '/');
  };
  while (kept > 0 && !is_on_path(levels_[kept - 1].end)) --kept;
  Leave(kept);
  InodeInfo at;
  if (levels_.empty()) {
    KVFS_ASSIGN(at, file_system_.GetAttributes(kRootInode));
  } else {
    at = levels_.back().inode;
  }
  const size_t begin = path_.size();
  for (const std::string_view name : SplitPath(path.substr(begin))) {
    KVFS_ASSIGN(at, file_system_.Lookup(at.number, name));
    if (!at.attributes.IsDirectory()) {
      file_system_.Forget(at.number, 1);
      if (at.attributes.IsSymbolicLink()) return FailAtLink(name);
      return Fail(ErrorCode::kNotDirectory);
    }
    const auto end = static_cast<size_t>(name.data() + name.size() - path.data());
    levels_.push_back({end, at});
    path_ += path.substr(path_.size(), end - path_.size());
  }
  return at;
}

Result<InodeInfo> StatPath(FileSystem& file_system, std::string_view path, PathWay* way) {
  KVFS_ASSIGN(const Reference at, Walk(file_system, path, way));
  return at.inode();
}

Result<std::string> ReadLinkPath(FileSystem& file_system, std::string_view path, PathWay* way) {
  KVFS_ASSIGN(const Reference link, Walk(file_system, path, way));
  return file_system.ReadLink(link.number());
}

Result<uint64_t> GetData(FileSystem& file_system, std::string_view path,
                         const std::function<Result<void>(uint64_t offset, Bytes piece)>& sink,
                         PathWay* way) {
  KVFS_ASSIGN(const Reference file, Walk(file_system, path, way));
  KVFS_TRY(CheckHasValue(file.attributes()));
  KVFS_ASSIGN(const auto ranges, FindDataRanges(file_system, file.inode()));
  for (const ByteRange& range : ranges) {
    KVFS_TRY(ReadRange(file_system, file.number(), range, sink));
  }
  return file.inode().size_bytes;
}

Result<std::vector<ByteRange>> GetDataRanges(FileSystem& file_system, std::string_view path,
                                             PathWay* way) {
  KVFS_ASSIGN(const Reference file, Walk(file_system, path, way));
  KVFS_TRY(CheckHasValue(file.attributes()));
  return FindDataRanges(file_system, file.inode());
}

Result<XattrMap> GetXattrs(FileSystem& file_system, std::string_view path, PathWay* way) {
  KVFS_ASSIGN(const Reference file, Walk(file_system, path, way));
  XattrMap xattrs;
  KVFS_ASSIGN(const auto names, file_system.ListXattrs(file.number()));
  for (const std::string& name : names) {
    auto value = file_system.GetXattr(file.number(), name);
    if (!value && value.error().code == ErrorCode::kNotFound) continue;
    if (!value) return tl::unexpected(std::move(value).error());
    xattrs.emplace(name, *std::move(value));
  }
  return xattrs;
}

Result<void> ListPath(
    FileSystem& file_system, std::string_view path,
    const std::function<Result<void>(std::string_view name, const InodeInfo& inode)>& visit,
    PathWay* way) {
  KVFS_ASSIGN(const Reference at, Walk(file_system, path, way));
  if (!at.attributes().IsDirectory()) {
    return visit(SplitPath(path).back(), at.inode());
  }
  const PageLimit limit = {kListingBytes, [](size_t name_bytes) { return name_bytes; }};
  for (uint64_t offset = 2;;) {
    KVFS_ASSIGN(const auto entries, file_system.ListDirectoryPlus(at.number(), offset, limit));
    if (entries.empty()) return {};
    Result<void> visited;
    for (const DirectoryEntry& entry : entries) {
      if (visited) visited = visit(entry.name, entry.inode);
      if (entry.IsReferable()) file_system.Forget(entry.inode.number, 1);
    }
    if (!visited) return visited;
    offset = entries.back().next_offset;
  }
}

}  // namespace kvfs::fs

// libarchive's types end here.

#include "cli/tar_format.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <clocale>
#include <cstring>
#include <optional>
#include <vector>

namespace kvfs::cli {
namespace {

constexpr size_t kBlockBytes = 10240;
constexpr size_t kPieceBytes = size_t{1} << 20;

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
struct FreeWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Reader = std::unique_ptr<archive, FreeReader>;
using Writer = std::unique_ptr<archive, FreeWriter>;
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

// libarchive turns the UTF-8 of pax headers into what the locale has, which must be able to.
void UseUtf8() { std::setlocale(LC_CTYPE, "C.UTF-8"); }

tl::unexpected<Error> FailWith(archive* archive, std::string_view doing) {
  const char* const reason = archive_error_string(archive);
  return Fail(ErrorCode::kInvalid,
              fmt::format("{}: {}", doing, reason == nullptr ? "unknown reason" : reason));
}

// --- reading ---

fs::Attributes AttributesOf(archive_entry* entry) {
  fs::Attributes a;
  a.mode = static_cast<uint32_t>(archive_entry_mode(entry)) & (S_IFMT | 07777);
  a.uid = static_cast<uint32_t>(archive_entry_uid(entry));
  a.gid = static_cast<uint32_t>(archive_entry_gid(entry));
  if (S_ISCHR(a.mode) || S_ISBLK(a.mode)) a.device = archive_entry_rdev(entry);
  a.mtime = {archive_entry_mtime(entry), static_cast<uint32_t>(archive_entry_mtime_nsec(entry))};
  a.atime = a.ctime = a.mtime;
  if (archive_entry_atime_is_set(entry)) {
    a.atime = {archive_entry_atime(entry), static_cast<uint32_t>(archive_entry_atime_nsec(entry))};
  }
  if (archive_entry_ctime_is_set(entry)) {
    a.ctime = {archive_entry_ctime(entry), static_cast<uint32_t>(archive_entry_ctime_nsec(entry))};
  }
  return a;
}

// Archives begin names with "./", or with a slash.
std::string KeyPathOf(std::string_view name) {
  std::string path = NormalizeKeyPath(name);
  while (path.starts_with("./")) path.erase(0, 2);
  return path == "." ? "" : path;
}

// The content of the present entry, in blocks with their places: what lies between is a hole. Fails
// with kInvalid for an archive that ends before the content does.
class TarContent {
 public:
  TarContent(archive* reader, std::string path, uint64_t size)
      : reader_(reader), path_(std::move(path)), size_(size) {}

  Result<fs::ContentPiece> operator()(MutableBytes buffer) {
    if (block_.empty() && !has_ended_) KVFS_TRY(NextBlock());
    const uint64_t hole = block_begin_ - at_;
    const size_t count = std::min(buffer.size(), block_.size());
    CopyBytes(buffer.data(), block_.first(count));
    block_ = block_.subspan(count);
    at_ = block_begin_ += count;
    return fs::ContentPiece{hole, count};
  }

 private:
  // An empty block at the end of the content, which may be a hole.
  Result<void> NextBlock() {
    const void* bytes = nullptr;
    size_t length = 0;
    la_int64_t offset = 0;
    do {
      const int result = archive_read_data_block(reader_, &bytes, &length, &offset);
      if (result < ARCHIVE_WARN) return FailWith(reader_, path_);
      has_ended_ = result == ARCHIVE_EOF;
    } while (length == 0 && !has_ended_);
    if (has_ended_) {
      block_begin_ = std::max(size_, at_);
      return {};
    }
    block_ = {static_cast<const std::byte*>(bytes), length};
    block_begin_ = static_cast<uint64_t>(offset);
    if (block_begin_ < at_) return Fail(ErrorCode::kInvalid, path_ + ": its parts overlap");
    return {};
  }

  archive* const reader_;
  const std::string path_;
  const uint64_t size_;
  uint64_t at_ = 0;  // what has been given out
  Bytes block_;
  uint64_t block_begin_ = 0;
  bool has_ended_ = false;
};

std::optional<fs::XattrMap> XattrsOf(archive_entry* entry, const std::string& path) {
  fs::XattrMap xattrs;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t length = 0;
  archive_entry_xattr_reset(entry);
  while (archive_entry_xattr_next(entry, &name, &value, &length) == ARCHIVE_OK) {
    if (fs::CheckXattrName(name)) {
      xattrs.insert_or_assign(name, std::string(static_cast<const char*>(value), length));
    } else {
      fmt::print(stderr,
                 "kvfs: left out the extended attribute {} of {}: a store does not hold it\n", name,
                 path);
    }
  }
  if (archive_entry_acl_types(entry) != 0) {
    fmt::print(stderr, "kvfs: left out the access control list of {}\n", path);
  }
  return xattrs;
}

Result<void> AddContent(archive* reader, archive_entry* entry, IncomingEntry incoming,
                        EntrySink& sink) {
  const auto size = static_cast<uint64_t>(std::max<int64_t>(archive_entry_size(entry), 0));
  TarContent content(reader, incoming.path, size);
  if (size > kLargeContentBytes) {
    incoming.large = content;
    return sink.Add(std::move(incoming));
  }
  incoming.data.resize(size);
  const MutableBytes whole = std::as_writable_bytes(std::span(incoming.data));
  for (size_t at = 0; at < size;) {
    KVFS_ASSIGN(const fs::ContentPiece piece, content(whole.subspan(at)));
    if (piece.bytes == 0 && piece.hole_bytes == 0) {
      return Fail(ErrorCode::kInvalid, incoming.path + ": the archive ends in the middle of it");
    }
    if (piece.hole_bytes + piece.bytes > size - at) {
      return Fail(ErrorCode::kInvalid, incoming.path + ": it has more bytes than it says");
    }
    // The bytes have been put where the hole begins.
    std::memmove(whole.data() + at + piece.hole_bytes, whole.data() + at, piece.bytes);
    std::memset(whole.data() + at, 0, piece.hole_bytes);
    at += piece.hole_bytes + piece.bytes;
  }
  return sink.Add(std::move(incoming));
}

// libarchive reads by a callback, so that a signal ends a wait for the source.
struct TarInput {
  const ByteSource& source;
  std::vector<std::byte> buffer = std::vector<std::byte>(kPieceBytes);
  Result<void> failed = {};

  static la_ssize_t Read(archive*, void* self, const void** out) {
    TarInput& input = *static_cast<TarInput*>(self);
    *out = input.buffer.data();
    const auto count = input.source(input.buffer);
    if (count) return static_cast<la_ssize_t>(*count);
    input.failed = tl::unexpected(count.error());
    return -1;
  }
};

Result<void> AddEntry(archive* reader, archive_entry* entry, EntrySink& sink) {
  const char* const name = archive_entry_pathname(entry);
  if (name == nullptr) return Fail(ErrorCode::kInvalid, "an entry has no name");
  IncomingEntry incoming;
  incoming.path = KeyPathOf(name);
  if (const char* const target = archive_entry_hardlink(entry)) {
    return sink.AddLink(incoming.path, KeyPathOf(target));
  }
  incoming.attributes = AttributesOf(entry);
  incoming.xattrs = XattrsOf(entry, incoming.path);
  if (incoming.attributes->IsRegular()) {
    return AddContent(reader, entry, std::move(incoming), sink);
  }
  if (incoming.attributes->IsSymbolicLink()) {
    const char* const target = archive_entry_symlink(entry);
    if (target == nullptr) return Fail(ErrorCode::kInvalid, incoming.path + " has no target");
    incoming.data = target;
  }
  if (incoming.path.empty() && !incoming.attributes->IsDirectory()) {
    return Fail(ErrorCode::kInvalid, "an entry has no name");
  }
  return sink.Add(std::move(incoming));
}

Result<void> AddEntries(archive* reader, EntrySink& sink) {
  archive_entry* entry = nullptr;
  while (true) {
    const int result = archive_read_next_header(reader, &entry);
    if (result == ARCHIVE_EOF) return {};
    if (result < ARCHIVE_WARN) return FailWith(reader, "the archive is damaged");
    KVFS_TRY(AddEntry(reader, entry, sink));
  }
}

// --- writing ---

class TarWriter final : public EntryWriter {
 public:
  explicit TarWriter(Writer writer) : writer_(std::move(writer)), entry_(archive_entry_new()) {}

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override {
    const fs::Attributes& a = key.inode.attributes;
    if (S_ISSOCK(a.mode)) {
      Skip(path, "an archive holds no sockets");
      return {};
    }
    Describe(key.inode, path);
    if (const auto first = FirstNameOf(key.inode, path)) {
      archive_entry_set_hardlink(entry_.get(), first->c_str());
      archive_entry_set_size(entry_.get(), 0);
      return WriteHeader(path);
    }
    if (a.has_xattrs) KVFS_TRY(AddXattrs(keys, key));
    if (a.IsRegular()) KVFS_TRY(AddHoles(keys, key));
    if (a.IsSymbolicLink()) {
      KVFS_ASSIGN(const std::string target, keys.ReadLink(key.path));
      archive_entry_set_symlink(entry_.get(), target.c_str());
    }
    KVFS_TRY(WriteHeader(path));
    return a.IsRegular() ? WriteContent(keys, key) : Result<void>();
  }

  Result<void> Finish() override {
    if (archive_write_close(writer_.get()) != ARCHIVE_OK) {
      return FailWith(writer_.get(), "the archive's end");
    }
    return {};
  }

 private:
  void Describe(const fs::InodeInfo& inode, const std::string& path) {
    const fs::Attributes& a = inode.attributes;
    archive_entry* const entry = archive_entry_clear(entry_.get());
    archive_entry_set_pathname(entry, path.empty() ? "." : path.c_str());
    archive_entry_set_mode(entry, static_cast<mode_t>(a.mode));
    archive_entry_set_size(entry, a.IsRegular() ? static_cast<int64_t>(inode.size_bytes) : 0);
    archive_entry_set_uid(entry, a.uid);
    archive_entry_set_gid(entry, a.gid);
    if (S_ISCHR(a.mode) || S_ISBLK(a.mode)) archive_entry_set_rdev(entry, a.device);
    archive_entry_set_mtime(entry, a.mtime.seconds, a.mtime.nanoseconds);
    archive_entry_set_atime(entry, a.atime.seconds, a.atime.nanoseconds);
    archive_entry_set_ctime(entry, a.ctime.seconds, a.ctime.nanoseconds);
  }

  Result<void> WriteHeader(const std::string& path) {
    if (archive_write_header(writer_.get(), entry_.get()) >= ARCHIVE_WARN) return {};
    return FailWith(writer_.get(), path);
  }

  Result<void> AddXattrs(Keys& keys, const WalkedKey& key) {
    KVFS_ASSIGN(const fs::XattrMap xattrs, keys.GetXattrs(key.path));
    for (const auto& [name, value] : xattrs) {
      archive_entry_xattr_add_entry(entry_.get(), name.c_str(), value.data(), value.size());
    }
    return {};
  }

  // Where data lie, if not everywhere.
  Result<void> AddHoles(Keys& keys, const WalkedKey& key) {
    const fs::InodeInfo& file = key.inode;
    if (file.size_bytes <= kLargeContentBytes || file.allocated_bytes >= file.size_bytes) return {};
    KVFS_ASSIGN(const auto ranges, keys.GetDataRanges(key.path));
    if (ranges.size() == 1 && ranges[0].length == file.size_bytes) return {};
    for (const fs::ByteRange& range : ranges) {
      archive_entry_sparse_add_entry(entry_.get(), static_cast<la_int64_t>(range.offset),
                                     static_cast<la_int64_t>(range.length));
    }
    if (ranges.empty()) {
      archive_entry_sparse_add_entry(entry_.get(), static_cast<la_int64_t>(file.size_bytes), 0);
    }
    return {};
  }

  // The header has told the size: what has changed since is cut, or filled up with zeros, which
  // libarchive does; a value that has become shorter is an error, since zeros would be wrong bytes.
  Result<void> WriteContent(Keys& keys, const WalkedKey& key) {
    uint64_t written = 0;
    KVFS_TRY(keys.Get(key.path, [&](Bytes piece) -> Result<void> {
      written += piece.size();
      if (archive_write_data(writer_.get(), piece.data(), piece.size()) < 0) {
        return FailWith(writer_.get(), key.path);
      }
      return {};
    }));
    if (written == key.inode.size_bytes) return {};
    return Fail(ErrorCode::kConflict, key.path + " was changed while it was read");
  }

  Writer writer_;
  Entry entry_;
};

}  // namespace

Result<void> ReadTar(const ByteSource& source, EntrySink& sink) {
  UseUtf8();
  TarInput input{source};
  const Reader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_all(reader.get());
  auto done =
      archive_read_open(reader.get(), &input, nullptr, TarInput::Read, nullptr) == ARCHIVE_OK
          ? AddEntries(reader.get(), sink)
          : FailWith(reader.get(), "it is no tar archive");
  return input.failed ? done : input.failed;
}

Result<std::unique_ptr<EntryWriter>> MakeTarWriter(int file) {
  UseUtf8();
  Writer writer(archive_write_new());
  archive_write_set_format_pax(writer.get());
  archive_write_set_bytes_per_block(writer.get(), kBlockBytes);
  if (archive_write_open_fd(writer.get(), file) != ARCHIVE_OK) {
    return FailWith(writer.get(), "cannot write the archive");
  }
  return std::make_unique<TarWriter>(std::move(writer));
}

}  // namespace kvfs::cli

// libarchive's types end here.

#include "cli/tar_format.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <clocale>

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

// Fails with kInvalid for an archive that ends before the content does.
ByteSource ContentOf(archive* reader, std::string path) {
  return [reader, path](MutableBytes buffer) -> Result<size_t> {
    const auto count = archive_read_data(reader, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<size_t>(count);
    return FailWith(reader, path);
  };
}

Result<void> AddContent(archive* reader, archive_entry* entry, IncomingEntry incoming,
                        EntrySink& sink) {
  const ByteSource content = ContentOf(reader, incoming.path);
  const auto size = static_cast<uint64_t>(std::max<int64_t>(archive_entry_size(entry), 0));
  if (size > kLargeContentBytes) {
    incoming.large = content;
    return sink.Add(std::move(incoming));
  }
  incoming.data.resize(size);
  for (size_t at = 0; at < size;) {
    const auto space = std::as_writable_bytes(std::span(incoming.data).subspan(at));
    KVFS_ASSIGN(const size_t count, content(space));
    if (count == 0) {
      return Fail(ErrorCode::kInvalid, incoming.path + ": the archive ends in the middle of it");
    }
    at += count;
  }
  return sink.Add(std::move(incoming));
}

Result<void> AddEntry(archive* reader, archive_entry* entry, EntrySink& sink) {
  const char* const name = archive_entry_pathname(entry);
  if (name == nullptr) return Fail(ErrorCode::kInvalid, "an entry has no name");
  IncomingEntry incoming;
  incoming.path = KeyPathOf(name);
  if (const char* const target = archive_entry_hardlink(entry)) {
    return sink.AddLink(incoming.path, KeyPathOf(target));
  }
  incoming.attributes = AttributesOf(entry);
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
    if (a.IsSymbolicLink()) {
      KVFS_ASSIGN(const std::string target, keys.ReadLink(key.path));
      archive_entry_set_symlink(entry_.get(), target.c_str());
    }
    if (archive_write_header(writer_.get(), entry_.get()) < ARCHIVE_WARN) {
      return FailWith(writer_.get(), path);
    }
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

Result<void> ReadTar(int file, EntrySink& sink) {
  UseUtf8();
  const Reader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_all(reader.get());
  if (archive_read_open_fd(reader.get(), file, kPieceBytes) != ARCHIVE_OK) {
    return FailWith(reader.get(), "it is no tar archive");
  }
  archive_entry* entry = nullptr;
  while (true) {
    const int result = archive_read_next_header(reader.get(), &entry);
    if (result == ARCHIVE_EOF) return {};
    if (result < ARCHIVE_WARN) return FailWith(reader.get(), "the archive is damaged");
    KVFS_TRY(AddEntry(reader.get(), entry, sink));
  }
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

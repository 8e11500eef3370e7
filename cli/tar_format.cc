// libarchive's types end here.

#include "cli/tar_format.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <clocale>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "fs/access_list.h"

namespace kvfs::cli {
namespace {

constexpr size_t kBlockBytes = 10240;
constexpr size_t kPieceBytes = size_t{1} << 20;
// libarchive reads headers of 1 MiB; the rest is for names and times. A record has its length, a
// prefix, and a few bytes more.
constexpr size_t kMaxPaxBytes = (size_t{1} << 20) - 32 * 1024;
constexpr size_t kPaxRecordBytes = 32;

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

// libarchive (3.6) takes the fraction of a time before 1970 for one that goes forward from the
// whole seconds: "-100.25", which is -101 s and 750,000,000 ns, comes as -100 s and 250,000,000 ns,
// and goes out in the same way. Versions may differ, so both are asked once.
constexpr int64_t kProbeSeconds = -101;
constexpr uint32_t kProbeNanoseconds = 750'000'000;
constexpr size_t kProbeBytes = 64 * 1024;

std::vector<char> ArchiveOfProbe(int64_t seconds, uint32_t nanoseconds) {
  std::vector<char> bytes(kProbeBytes);
  size_t used = 0;
  const Writer writer(archive_write_new());
  const Entry entry(archive_entry_new());
  archive_write_set_format_pax(writer.get());
  archive_write_open_memory(writer.get(), bytes.data(), bytes.size(), &used);
  archive_entry_set_pathname(entry.get(), "probe");
  archive_entry_set_mode(entry.get(), S_IFREG | 0644);
  archive_entry_set_size(entry.get(), 0);
  archive_entry_set_mtime(entry.get(), seconds, nanoseconds);
  archive_write_header(writer.get(), entry.get());
  archive_write_close(writer.get());
  bytes.resize(used);
  return bytes;
}

bool WritesFractionsForward() {
  static const bool forward = [] {
    const std::vector<char> bytes = ArchiveOfProbe(kProbeSeconds, kProbeNanoseconds);
    return std::string_view(bytes.data(), bytes.size()).find("mtime=-100.25") ==
           std::string_view::npos;
  }();
  return forward;
}

bool ReadsFractionsForward() {
  static const bool forward = [] {
    // Whatever the writer makes of it, the text is known then.
    std::vector<char> bytes = ArchiveOfProbe(kProbeSeconds, kProbeNanoseconds);
    const std::string_view text(bytes.data(), bytes.size());
    const size_t at = text.find("mtime=-10");
    if (at == std::string_view::npos) return false;
    std::copy_n("mtime=-100.25", 13, bytes.begin() + static_cast<ptrdiff_t>(at));
    const Reader reader(archive_read_new());
    archive_read_support_format_tar(reader.get());
    archive_entry* entry = nullptr;
    archive_read_open_memory(reader.get(), bytes.data(), bytes.size());
    if (archive_read_next_header(reader.get(), &entry) < ARCHIVE_WARN) return false;
    return archive_entry_mtime(entry) == -100;
  }();
  return forward;
}

constexpr uint32_t kSecond = 1'000'000'000;

fs::Timespec TimeOf(int64_t seconds, long nanoseconds) {
  const auto fraction = static_cast<uint32_t>(nanoseconds);
  if (fraction == 0 || seconds > 0 || !ReadsFractionsForward()) return {seconds, fraction};
  // "-0.25" comes as 0 s, as does "0.25": only whole seconds tell the sign.
  return seconds == 0 ? fs::Timespec{0, fraction} : fs::Timespec{seconds - 1, kSecond - fraction};
}

bool CanBeWritten(const fs::Timespec& time) {
  return time.nanoseconds == 0 || time.seconds != -1 || !WritesFractionsForward();
}

fs::Timespec TimeToWrite(const fs::Timespec& time) {
  if (!CanBeWritten(time)) return {time.seconds, 0};
  if (time.nanoseconds == 0 || time.seconds >= 0 || !WritesFractionsForward()) return time;
  return {time.seconds + 1, kSecond - time.nanoseconds};
}

// The whole owner: what does not fit is none, which CheckAttributes refuses.
uint32_t OwnerOf(int64_t number) {
  return number < 0 || number > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(number);
}

fs::Attributes AttributesOf(archive_entry* entry) {
  fs::Attributes a;
  a.mode = static_cast<uint32_t>(archive_entry_mode(entry)) & (S_IFMT | 07777);
  a.uid = OwnerOf(archive_entry_uid(entry));
  a.gid = OwnerOf(archive_entry_gid(entry));
  if (S_ISCHR(a.mode) || S_ISBLK(a.mode)) a.device = archive_entry_rdev(entry);
  a.mtime = TimeOf(archive_entry_mtime(entry), archive_entry_mtime_nsec(entry));
  a.atime = a.ctime = a.mtime;
  if (archive_entry_atime_is_set(entry)) {
    a.atime = TimeOf(archive_entry_atime(entry), archive_entry_atime_nsec(entry));
  }
  if (archive_entry_ctime_is_set(entry)) {
    a.ctime = TimeOf(archive_entry_ctime(entry), archive_entry_ctime_nsec(entry));
  }
  return a;
}

// As tar(1) takes names: without slashes at the front, and without what means nothing, as in
// "src/./a" and "src//a".
std::string KeyPathOf(std::string_view name) {
  std::string path;
  while (!name.empty()) {
    const std::string_view component = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(component.size() + 1, name.size()));
    if (!component.empty() && component != ".") path = JoinKeyPath(path, component);
  }
  return path;
}

// In names of extended attributes GNU tar codes '=' and '%' so, as a name ends at the first '=';
// libarchive codes all that is not plain ASCII.
std::string XattrNameOf(std::string_view coded) {
  std::string name;
  while (!coded.empty()) {
    unsigned byte = 0;
    const bool has_digits = coded.size() >= 3 && coded[0] == '%';
    const auto parsed = has_digits
                            ? std::from_chars(coded.data() + 1, coded.data() + 3, byte, 16)
                            : std::from_chars_result{coded.data(), std::errc::invalid_argument};
    const bool is_coded = parsed.ec == std::errc() && parsed.ptr == coded.data() + 3;
    name += is_coded ? static_cast<char>(byte) : coded[0];
    coded.remove_prefix(is_coded ? 3 : 1);
  }
  return name;
}

// --- access control lists, which libarchive reads from text of several kinds ---

struct ListKind {
  int type;
  std::string_view xattr;
};
constexpr ListKind kListKinds[] = {
    {ARCHIVE_ENTRY_ACL_TYPE_ACCESS, fs::kAccessListXattr},
    {ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, fs::kDefaultListXattr},
};
struct TagName {
  int archive;
  fs::AccessList::Tag tag;
};
constexpr TagName kTags[] = {
    {ARCHIVE_ENTRY_ACL_USER_OBJ, fs::AccessList::kOwner},
    {ARCHIVE_ENTRY_ACL_USER, fs::AccessList::kUser},
    {ARCHIVE_ENTRY_ACL_GROUP_OBJ, fs::AccessList::kOwningGroup},
    {ARCHIVE_ENTRY_ACL_GROUP, fs::AccessList::kGroup},
    {ARCHIVE_ENTRY_ACL_MASK, fs::AccessList::kMask},
    {ARCHIVE_ENTRY_ACL_OTHER, fs::AccessList::kOthers},
};

// The number of a user or group that the text names: by a number in it, or by the name here.
std::optional<uint32_t> IdOf(int tag, int number, const char* name) {
  if (number >= 0) return static_cast<uint32_t>(number);
  if (name == nullptr) return {};
  if (tag == ARCHIVE_ENTRY_ACL_USER) {
    const passwd* const user = ::getpwnam(name);
    return user == nullptr ? std::nullopt : std::optional<uint32_t>(user->pw_uid);
  }
  const group* const members = ::getgrnam(name);
  return members == nullptr ? std::nullopt : std::optional<uint32_t>(members->gr_gid);
}

Result<fs::AccessList> ListOf(archive_entry* entry, int type) {
  std::vector<fs::AccessList::Entry> entries;
  archive_entry_acl_reset(entry, type);
  int found = 0, permissions = 0, tag = 0, number = -1;
  const char* name = nullptr;
  while (archive_entry_acl_next(entry, type, &found, &permissions, &tag, &number, &name) ==
         ARCHIVE_OK) {
    const auto* const known =
        std::ranges::find_if(kTags, [&](const TagName& row) { return row.archive == tag; });
    if (known == std::end(kTags)) return Fail(ErrorCode::kInvalid, "it has entries of NFSv4");
    fs::AccessList::Entry item;
    item.tag = known->tag;
    item.permissions = static_cast<uint16_t>(permissions & 7);
    if (tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP) {
      const auto id = IdOf(tag, number, name);
      if (!id) {
        return Fail(ErrorCode::kInvalid,
                    fmt::format("nobody here is called {}", name == nullptr ? "so" : name));
      }
      item.id = *id;
    }
    entries.push_back(item);
  }
  return fs::AccessList::FromEntries(std::move(entries));
}

// A list in text form and the same one as an extended attribute may both be there: the latter is
// what the kernel said.
void AddLists(archive_entry* entry, const std::string& path, fs::XattrMap& xattrs,
              EntrySink& sink) {
  const int types = archive_entry_acl_types(entry);
  for (const ListKind& kind : kListKinds) {
    if ((types & kind.type) == 0 || xattrs.contains(kind.xattr)) continue;
    const auto list = ListOf(entry, kind.type);
    if (list) {
      xattrs.emplace(kind.xattr, list->Encode());
    } else {
      sink.LeaveOut(fmt::format("an access control list of {}", path), list.error().message);
    }
  }
  if ((types & ~(ARCHIVE_ENTRY_ACL_TYPE_ACCESS | ARCHIVE_ENTRY_ACL_TYPE_DEFAULT)) != 0) {
    sink.LeaveOut(fmt::format("the access control list of {}", path),
                  "it is of NFSv4, and a store holds those of POSIX");
  }
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

fs::XattrMap XattrsOf(archive_entry* entry, const std::string& path, EntrySink& sink) {
  fs::XattrMap xattrs;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t length = 0;
  archive_entry_xattr_reset(entry);
  while (archive_entry_xattr_next(entry, &name, &value, &length) == ARCHIVE_OK) {
    xattrs.insert_or_assign(XattrNameOf(name),
                            std::string(static_cast<const char*>(value), length));
  }
  AddLists(entry, path, xattrs, sink);
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
  if (name == nullptr) {
    sink.LeaveOut("an entry", "its name cannot be read");
    return {};
  }
  IncomingEntry incoming;
  incoming.path = KeyPathOf(name);
  if (const char* const target = archive_entry_hardlink(entry)) {
    return sink.AddLink(incoming.path, KeyPathOf(target));
  }
  incoming.attributes = AttributesOf(entry);
  incoming.xattrs = XattrsOf(entry, incoming.path, sink);
  if (incoming.attributes->IsRegular()) {
    return AddContent(reader, entry, std::move(incoming), sink);
  }
  if (incoming.attributes->IsSymbolicLink()) {
    const char* const target = archive_entry_symlink(entry);
    if (target != nullptr) incoming.data = target;
  }
  return sink.Add(std::move(incoming));
}

// Of a name that is no UTF-8 libarchive complains, and hands out its bytes.
void TellWarning(archive* reader, archive_entry* entry, EntrySink& sink) {
  const char* const reason = archive_error_string(reader);
  const std::string_view text = reason == nullptr ? "" : reason;
  const char* const name = archive_entry_pathname(entry);
  if (name == nullptr || text.find("converted") != std::string_view::npos) return;
  sink.LeaveOut(fmt::format("a part of {}", name), text);
}

Result<void> AddEntries(archive* reader, EntrySink& sink) {
  archive_entry* entry = nullptr;
  while (true) {
    const int result = archive_read_next_header(reader, &entry);
    if (result == ARCHIVE_EOF) return {};
    if (result < ARCHIVE_WARN) return FailWith(reader, "the archive is damaged");
    if (result == ARCHIVE_WARN) TellWarning(reader, entry, sink);
    KVFS_TRY(AddEntry(reader, entry, sink));
  }
}

// --- writing ---

// libarchive writes by a callback, so that the cause of a failure is kept.
struct TarOutput {
  ByteSink sink;
  Result<void> failed = {};

  static la_ssize_t Write(archive* writer, void* self, const void* bytes, size_t count) {
    TarOutput& output = *static_cast<TarOutput*>(self);
    // It is called again at the end, whatever it said.
    if (output.failed) {
      output.failed = output.sink({static_cast<const std::byte*>(bytes), count});
    }
    if (output.failed) return static_cast<la_ssize_t>(count);
    archive_set_error(writer, EIO, "the output failed");
    return -1;
  }
};

class TarWriter final : public EntryWriter {
 public:
  explicit TarWriter(ByteSink out) : out_{std::move(out)}, entry_(archive_entry_new()) {}

  Result<void> Open() {
    archive_write_set_format_pax(writer_.get());
    // In one form, not in two: a header that is read back has at most 1 MiB.
    archive_write_set_options(writer_.get(), "xattrheader=SCHILY");
    archive_write_set_bytes_per_block(writer_.get(), kBlockBytes);
    if (archive_write_open(writer_.get(), &out_, nullptr, TarOutput::Write, nullptr) !=
        ARCHIVE_OK) {
      return Failed("cannot write the archive");
    }
    return {};
  }

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override {
    const fs::Attributes& a = key.inode.attributes;
    if (S_ISSOCK(a.mode)) {
      LeaveOut(path, "an archive holds no sockets");
      return {};
    }
    Describe(key.inode, path);
    if (const auto first = FirstNameOf(key.inode, path)) {
      archive_entry_set_hardlink(entry_.get(), first->c_str());
      archive_entry_set_size(entry_.get(), 0);
      return WriteHeader(path);
    }
    if (a.has_xattrs) KVFS_TRY(AddXattrs(keys, key, path));
    if (a.IsRegular()) KVFS_TRY(AddHoles(keys, key));
    if (a.IsSymbolicLink()) {
      KVFS_ASSIGN(const std::string target, keys.ReadLink(key.path));
      archive_entry_set_symlink(entry_.get(), target.c_str());
    }
    KVFS_TRY(WriteHeader(path));
    return a.IsRegular() ? WriteContent(keys, key) : Result<void>();
  }

  Result<void> Finish() override {
    if (archive_write_close(writer_.get()) != ARCHIVE_OK) return Failed("the archive's end");
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
    if (!CanBeWritten(a.mtime) || !CanBeWritten(a.atime) || !CanBeWritten(a.ctime)) {
      LeaveOut(fmt::format("the fraction of a time of {}", path),
               "an archive holds none in the last second before 1970");
    }
    const fs::Timespec mtime = TimeToWrite(a.mtime);
    const fs::Timespec atime = TimeToWrite(a.atime);
    const fs::Timespec ctime = TimeToWrite(a.ctime);
    archive_entry_set_mtime(entry, mtime.seconds, mtime.nanoseconds);
    archive_entry_set_atime(entry, atime.seconds, atime.nanoseconds);
    archive_entry_set_ctime(entry, ctime.seconds, ctime.nanoseconds);
  }

  // What the output said, rather than what libarchive makes of it.
  Result<void> Failed(std::string_view doing) {
    if (!out_.failed) {
      NoteFailure();
      return out_.failed;
    }
    return FailWith(writer_.get(), doing);
  }

  Result<void> WriteHeader(const std::string& path) {
    const int result = archive_write_header(writer_.get(), entry_.get());
    if (result >= ARCHIVE_WARN) return {};
    if (result == ARCHIVE_FATAL) NoteFailure();
    return Failed(path);
  }

  // Those that are more than a reader of the archive takes are left out, the others kept.
  Result<void> AddXattrs(Keys& keys, const WalkedKey& key, const std::string& path) {
    KVFS_ASSIGN(const fs::XattrMap xattrs, keys.GetXattrs(key.path));
    size_t bytes = 0;
    for (const auto& [name, value] : xattrs) {
      const size_t record = 3 * name.size() + value.size() + kPaxRecordBytes;
      bytes += record;
      if (bytes > kMaxPaxBytes) {
        LeaveOut(fmt::format("the extended attribute {} of {}", name, path),
                 "an archive's header has at most 1 MiB");
        bytes -= record;
        continue;
      }
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
        return Failed(key.path);
      }
      return {};
    }));
    if (written == key.inode.size_bytes) return {};
    return Fail(ErrorCode::kConflict, key.path + " was changed while it was read");
  }

  TarOutput out_;
  Writer writer_{archive_write_new()};
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

Result<std::unique_ptr<EntryWriter>> MakeTarWriter(const ByteSink& out) {
  UseUtf8();
  auto writer = std::make_unique<TarWriter>(out);
  KVFS_TRY(writer->Open());
  return writer;
}

}  // namespace kvfs::cli

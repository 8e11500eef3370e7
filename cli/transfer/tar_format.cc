// Reads tar archives. libarchive's types are confined to this part.

#include "cli/transfer/tar_format.h"

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

#include "cli/base/interruption.h"
#include "cli/transfer/tar_header_reader.h"
#include "cli/transfer/tar_stream.h"
#include "fs/access_list.h"

namespace kvfs::cli {
namespace {

tl::unexpected<Error> FailWith(archive* archive, std::string_view doing) {
  const char* const reason = archive_error_string(archive);
  return Fail(ErrorCode::kInvalid,
              fmt::format("{}: {}", doing, reason == nullptr ? "unknown reason" : reason));
}

fs::Timespec TimeOf(int64_t seconds, long nanoseconds) {
  return {seconds, static_cast<uint32_t>(nanoseconds)};
}

// The owner's id; one that does not fit becomes an invalid id, which CheckAttributes refuses.
uint32_t OwnerOf(int64_t number) {
  return number < 0 || number > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(number);
}

// libarchive (3.6) loses the sign of "-0.25", and adds the fraction of any time before 1970 instead
// of subtracting it: so times are taken from the headers if they have them.
fs::Attributes AttributesOf(archive_entry* entry, const TarHeaders& headers) {
  fs::Attributes a;
  // Permissions are taken from the header, not from libarchive's interpretation of a list that is
  // left out.
  const auto mode = static_cast<uint32_t>(archive_entry_mode(entry));
  a.mode = (mode & S_IFMT) | (headers.permissions.value_or(mode) & 07777);
  a.uid = headers.uid.value_or(OwnerOf(archive_entry_uid(entry)));
  a.gid = headers.gid.value_or(OwnerOf(archive_entry_gid(entry)));
  if (S_ISCHR(a.mode) || S_ISBLK(a.mode)) a.device = archive_entry_rdev(entry);
  a.mtime =
      headers.mtime.value_or(TimeOf(archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)));
  a.atime = a.ctime = a.mtime;
  if (archive_entry_atime_is_set(entry)) {
    a.atime = TimeOf(archive_entry_atime(entry), archive_entry_atime_nsec(entry));
  }
  if (archive_entry_ctime_is_set(entry)) {
    a.ctime = TimeOf(archive_entry_ctime(entry), archive_entry_ctime_nsec(entry));
  }
  a.atime = headers.atime.value_or(a.atime);
  a.ctime = headers.ctime.value_or(a.ctime);
  return a;
}

// Normalises a name like tar(1): without leading slashes, and without empty or "." components, as
// in "src/./a" and "src//a".
std::string KeyPathOf(std::string_view name) {
  std::string path;
  while (!name.empty()) {
    const std::string_view component = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(component.size() + 1, name.size()));
    if (component.empty() || component == ".") continue;
    // In place: for a name with thousands of levels, each step would copy everything before it.
    if (!path.empty()) path += '/';
    path += component;
  }
  return path;
}

// Decodes names of extended attributes: GNU tar encodes '=' and '%', as a name ends at the first
// '='; libarchive encodes everything but plain ASCII.
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

// The id of a user or group in the text: its number, or the id of its name on this system.
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
    if (known == std::end(kTags)) return Fail(ErrorCode::kInvalid, "it has NFSv4 entries");
    fs::AccessList::Entry item;
    item.tag = known->tag;
    item.permissions = static_cast<uint16_t>(permissions & 7);
    if (tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP) {
      const auto id = IdOf(tag, number, name);
      if (!id) {
        return Fail(ErrorCode::kInvalid, fmt::format("there is no user or group {} here",
                                                     name == nullptr ? "of this name" : name));
      }
      item.id = *id;
    }
    entries.push_back(item);
  }
  return fs::AccessList::FromEntries(std::move(entries));
}

// If a list is present both as text and as an extended attribute, the latter is the kernel's.
void AddLists(archive_entry* entry, const TarHeaders& headers, const std::string& path,
              fs::XattrMap& xattrs, EntrySink& sink) {
  const int types = archive_entry_acl_types(entry);
  for (const ListKind& kind : kListKinds) {
    if ((types & kind.type) == 0 || xattrs.contains(kind.xattr)) continue;
    const bool is_access = kind.type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
    if (is_access ? headers.has_false_access_list : headers.has_false_default_list) continue;
    const auto list = ListOf(entry, kind.type);
    if (list) {
      xattrs.emplace(kind.xattr, list->Encode());
    } else {
      sink.LeaveOutPart(fmt::format("an access control list of {}", path), list.error().message);
    }
  }
  if ((types & ~(ARCHIVE_ENTRY_ACL_TYPE_ACCESS | ARCHIVE_ENTRY_ACL_TYPE_DEFAULT)) != 0) {
    sink.LeaveOutPart(fmt::format("the access control list of {}", path),
                      "it is an NFSv4 list, and a store supports POSIX lists");
  }
}

// The content of the current entry, in blocks with offsets; gaps are holes. Fails with kInvalid if
// the archive ends before the content does.
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
  // At the end of the content, which may be a hole, an empty block.
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
  uint64_t at_ = 0;  // bytes returned so far
  Bytes block_;
  uint64_t block_begin_ = 0;
  bool has_ended_ = false;
};

fs::XattrMap XattrsOf(archive_entry* entry, const TarHeaders& headers, const std::string& path,
                      EntrySink& sink) {
  fs::XattrMap xattrs;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t length = 0;
  archive_entry_xattr_reset(entry);
  while (archive_entry_xattr_next(entry, &name, &value, &length) == ARCHIVE_OK) {
    xattrs.insert_or_assign(XattrNameOf(name),
                            std::string(static_cast<const char*>(value), length));
  }
  for (const std::string& bad : headers.false_xattrs) xattrs.erase(XattrNameOf(bad));
  AddLists(entry, headers, path, xattrs, sink);
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
      return Fail(ErrorCode::kInvalid, incoming.path + ": it has more bytes than its header says");
    }
    // The bytes were placed at the beginning of the hole.
    std::memmove(whole.data() + at + piece.hole_bytes, whole.data() + at, piece.bytes);
    std::memset(whole.data() + at, 0, piece.hole_bytes);
    at += piece.hole_bytes + piece.bytes;
  }
  return sink.Add(std::move(incoming));
}

// libarchive warns of a name that is not UTF-8, and returns its bytes.
void TellWarning(archive* reader, archive_entry* entry, EntrySink& sink) {
  const char* const reason = archive_error_string(reader);
  const std::string_view text = reason == nullptr ? "" : reason;
  const char* const name = archive_entry_pathname(entry);
  if (name == nullptr || text.find("converted") != std::string_view::npos) return;
  sink.LeaveOutPart(fmt::format("a part of {}", name), text);
}

class ArchiveReader {
 public:
  ArchiveReader(const ByteSource& source, EntrySink& sink) : stream_(source), sink_(sink) {}

  Result<void> Run() {
    auto done = stream_.Open().and_then([&] { return AddEntries(); });
    return stream_.failed() ? done : stream_.failed();
  }

 private:
  Result<void> AddEntries() {
    archive* const reader = stream_.reader();
    archive_entry* entry = nullptr;
    while (true) {
      int result = archive_read_next_header(reader, &entry);
      if (result == ARCHIVE_RETRY) result = PassDamage(&entry);
      if (result == ARCHIVE_EOF) return AtEnd();
      if (result < ARCHIVE_WARN) {
        return FailWith(reader, fmt::format("at byte {} of the archive", stream_.Position()));
      }
      KVFS_TRY(AddEntry(entry, /*has_warning=*/result == ARCHIVE_WARN));
    }
  }

  // Skips to the next valid header, like tar(1).
  int PassDamage(archive_entry** entry) {
    const uint64_t begin = stream_.HeaderBegin();
    int result = ARCHIVE_RETRY;
    while (result == ARCHIVE_RETRY && CheckNotInterrupted()) {
      result = archive_read_next_header(stream_.reader(), entry);
    }
    sink_.LeaveOut(fmt::format("bytes {} to {} of the archive", begin, stream_.HeaderBegin()),
                   "its header is damaged");
    return result;
  }

  // tar(1) reports neither.
  Result<void> AtEnd() {
    KVFS_ASSIGN(const TarEnd end, stream_.FindEnd());
    if (!end.has_mark) {
      sink_.LeaveOut("entries that may have followed",
                     fmt::format("the archive has no mark of its end, and may have been cut off at "
                                 "byte {}",
                                 end.at));
    }
    if (end.more_at) {
      sink_.LeaveOut(fmt::format("all from byte {} of the archive on", *end.more_at),
                     "it follows the archive's end, like a second archive");
    }
    return {};
  }

  // Reports the flaws that libarchive does not; false if the whole entry is left out.
  bool TellFlaws(const TarHeaders& headers, const std::string& path) {
    bool is_good = true;
    for (const TarFlaw& flaw : headers.flaws) {
      if (flaw.is_of_entry) {
        if (std::exchange(is_good, false)) sink_.LeaveOut(path, flaw.reason);
      } else {
        sink_.LeaveOutPart(fmt::format("{} of {}", flaw.what, path), flaw.reason);
      }
    }
    return is_good;
  }

  Result<void> AddEntry(archive_entry* entry, bool has_warning) {
    const char* const name = archive_entry_pathname(entry);
    if (name == nullptr) {
      sink_.LeaveOut(fmt::format("the entry at byte {} of the archive", stream_.HeaderBegin()),
                     "its name cannot be read");
      return {};
    }
    const auto headers = stream_.Headers();
    if (!headers) {
      sink_.LeaveOut(name, headers.error().message);
      return {};
    }
    IncomingEntry incoming;
    incoming.path = KeyPathOf(name);
    if (!TellFlaws(*headers, incoming.path)) return {};
    if (has_warning) TellWarning(stream_.reader(), entry, sink_);
    if (const char* const target = archive_entry_hardlink(entry)) {
      return sink_.AddLink(incoming.path, KeyPathOf(target));
    }
    incoming.attributes = AttributesOf(entry, *headers);
    incoming.xattrs = XattrsOf(entry, *headers, incoming.path, sink_);
    if (incoming.attributes->IsRegular()) {
      return AddContent(stream_.reader(), entry, std::move(incoming), sink_);
    }
    if (incoming.attributes->IsSymbolicLink()) {
      const char* const target = archive_entry_symlink(entry);
      if (target != nullptr) incoming.data = target;
    }
    return sink_.Add(std::move(incoming));
  }

  TarStream stream_;
  EntrySink& sink_;
};

}  // namespace

Result<void> ReadTar(const ByteSource& source, EntrySink& sink) {
  // libarchive converts the UTF-8 of pax headers to the locale's encoding, which must support it.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  return ArchiveReader(source, sink).Run();
}

}  // namespace kvfs::cli

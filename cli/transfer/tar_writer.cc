// Writes tar archives in POSIX's interchange format (pax): each entry has a header of records, for
// everything that the old header cannot hold, followed by the old header.
//
//   x header | records: LENGTH KEY=VALUE\n | header | content        each filled up to 512 bytes
//   of a file with holes (GNU, sparse 1.0) the content is a map, filled up: COUNT\n and of each
//   range OFFSET\nLENGTH\n; and then the ranges
//
// Not written with libarchive, which loses the sign of a time in the second before 1970, and writes
// access control lists and the mode only together.

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

#include "cli/base/json_text.h"
#include "cli/transfer/pax_time.h"
#include "cli/transfer/tar_format.h"
#include "fs/access_list.h"

namespace kvfs::cli {
namespace {

constexpr size_t kBlockBytes = 512;
constexpr size_t kRecordBytes = 10240;  // the unit of writing, as in tar(1)
// libarchive reads headers of up to 1 MiB; the rest is for names and times. A record has its length
// and a few more bytes.
constexpr size_t kMaxPaxBytes = (size_t{1} << 20) - 32 * 1024;
constexpr size_t kPaxRecordBytes = 32;
constexpr size_t kMaxNameBytes = 100;
constexpr uint64_t kMaxOctal7 = 07777777;
constexpr uint64_t kMaxOctal11 = 077777777777;

struct Record {
  std::string key;
  std::string value;
};
using Records = std::vector<Record>;

// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
std::string TextOf(const Record& record) {
  const size_t rest = record.key.size() + record.value.size() + 3;
  size_t length = rest + 1;
  while (fmt::formatted_size("{}", length) + rest != length) {
    length = fmt::formatted_size("{}", length) + rest;
  }
  return fmt::format("{} {}={}\n", length, record.key, record.value);
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// For readers that ignore records.
std::string PlainName(std::string_view name) {
  std::string plain(name.substr(0, kMaxNameBytes));
  std::ranges::replace_if(
      plain, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '_');
  return plain;
}

// A name ends at the first '=', so GNU tar encodes '=' and its escape character.
std::string XattrKeyOf(std::string_view name) {
  std::string key = "SCHILY.xattr.";
  for (const char c : name) {
    if (c == '=' || c == '%') {
      key += c == '=' ? "%3D" : "%25";
    } else {
      key += c;
    }
  }
  return key;
}

// "user::rw-,user:1234:r--,group::r--,mask::rw-,other::---"
std::string ListText(const fs::AccessList& list) {
  using Tag = fs::AccessList::Tag;
  std::string text;
  for (const fs::AccessList::Entry& entry : list.entries()) {
    const bool is_user = entry.tag == Tag::kOwner || entry.tag == Tag::kUser;
    const bool is_group = entry.tag == Tag::kOwningGroup || entry.tag == Tag::kGroup;
    const bool has_id = entry.tag == Tag::kUser || entry.tag == Tag::kGroup;
    const std::string_view who = is_user                   ? "user"
                                 : is_group                ? "group"
                                 : entry.tag == Tag::kMask ? "mask"
                                                           : "other";
    if (!text.empty()) text += ',';
    text += fmt::format("{}:{}:{}{}{}", who, has_id ? fmt::to_string(entry.id) : "",
                        entry.permissions & 4 ? 'r' : '-', entry.permissions & 2 ? 'w' : '-',
                        entry.permissions & 1 ? 'x' : '-');
  }
  return text;
}

// The fields of a 512-byte header; numbers that are too large go into records.
struct Header {
  std::string name;
  std::string link;
  uint32_t mode = 0;
  uint64_t uid = 0;
  uint64_t gid = 0;
  uint64_t size = 0;
  int64_t mtime = 0;
  char type = '0';
  uint64_t device = 0;
};

class HeaderBlock {
 public:
  explicit HeaderBlock(const Header& header) {
    Put(0, PlainName(header.name));
    PutOctal(100, 7, header.mode & 07777);
    PutOctal(108, 7, std::min(header.uid, kMaxOctal7));
    PutOctal(116, 7, std::min(header.gid, kMaxOctal7));
    PutOctal(124, 11, std::min(header.size, kMaxOctal11));
    PutOctal(136, 11,
             std::min(static_cast<uint64_t>(std::max<int64_t>(header.mtime, 0)), kMaxOctal11));
    bytes_[156] = header.type;
    Put(157, PlainName(header.link));
    Put(257, std::string_view("ustar\00000", 8));
    PutOctal(329, 7, std::min<uint64_t>(major(header.device), kMaxOctal7));
    PutOctal(337, 7, std::min<uint64_t>(minor(header.device), kMaxOctal7));
    // The checksum is computed with blanks in its own field.
    std::fill_n(bytes_.begin() + 148, 8, ' ');
    uint64_t sum = 0;
    for (const char byte : bytes_) sum += static_cast<unsigned char>(byte);
    PutOctal(148, 6, sum);
    bytes_[154] = '\0';
  }
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  void Put(size_t at, std::string_view text) {
    std::ranges::copy(text, bytes_.begin() + static_cast<ptrdiff_t>(at));
  }
  void PutOctal(size_t at, int digits, uint64_t number) {
    Put(at, fmt::format("{:0{}o}", number, digits));
  }

  std::array<char, kBlockBytes> bytes_{};
};

class TarWriter final : public EntryWriter {
 public:
  explicit TarWriter(ByteSink out) : out_(std::move(out)) {}

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override {
    const fs::Attributes& a = key.inode.attributes;
    if (S_ISSOCK(a.mode)) {
      LeaveOut(path, "an archive cannot hold sockets");
      return {};
    }
    Header header = HeaderOf(key.inode, path);
    if (const auto first = FirstNameOf(key.inode, path)) {
      header.type = '1';
      header.size = 0;
      header.link = *first;
      return WriteHeaders(header, {});
    }
    if (a.IsSymbolicLink()) {
      KVFS_ASSIGN(header.link, keys.ReadLink(key.path));
    }
    Records records = TimesOf(a);
    KVFS_TRY(AddXattrs(keys, key, path, records));
    if (!a.IsRegular()) return WriteHeaders(header, std::move(records));
    return AddFile(keys, key, path, std::move(header), std::move(records));
  }

  Result<void> Finish() override {
    const uint64_t end = written_ + held_.size() + 2 * kBlockBytes;
    const uint64_t padded = (end + kRecordBytes - 1) / kRecordBytes * kRecordBytes;
    held_.resize(padded - written_, '\0');
    return Flush();
  }

 private:
  static Header HeaderOf(const fs::InodeInfo& inode, const std::string& path) {
    const fs::Attributes& a = inode.attributes;
    Header header;
    header.name = path.empty() ? "." : path;
    if (a.IsDirectory()) header.name += '/';
    header.mode = a.mode;
    header.uid = a.uid;
    header.gid = a.gid;
    header.size = a.IsRegular() ? inode.size_bytes : 0;
    header.mtime = a.mtime.seconds;
    header.type = a.IsDirectory()      ? '5'
                  : a.IsSymbolicLink() ? '2'
                  : S_ISCHR(a.mode)    ? '3'
                  : S_ISBLK(a.mode)    ? '4'
                  : S_ISFIFO(a.mode)   ? '6'
                                       : '0';
    if (S_ISCHR(a.mode) || S_ISBLK(a.mode)) header.device = a.device;
    return header;
  }

  static Records TimesOf(const fs::Attributes& a) {
    return {{"mtime", PaxTimeText(a.mtime)},
            {"atime", PaxTimeText(a.atime)},
            {"ctime", PaxTimeText(a.ctime)}};
  }

  // Adds records for values that do not fit in the header.
  static void AddLarge(const Header& header, Records& records) {
    if (header.uid > kMaxOctal7) records.push_back({"uid", fmt::to_string(header.uid)});
    if (header.gid > kMaxOctal7) records.push_back({"gid", fmt::to_string(header.gid)});
    if (header.size > kMaxOctal11) records.push_back({"size", fmt::to_string(header.size)});
    if (header.type != '3' && header.type != '4') return;
    const uint64_t major_number = major(header.device);
    const uint64_t minor_number = minor(header.device);
    if (major_number > kMaxOctal7) {
      records.push_back({"SCHILY.devmajor", fmt::to_string(major_number)});
    }
    if (minor_number > kMaxOctal7) {
      records.push_back({"SCHILY.devminor", fmt::to_string(minor_number)});
    }
  }

  static bool HasHoles(const Records& records) {
    return std::ranges::any_of(records, [](const Record& r) { return r.key == "GNU.sparse.name"; });
  }

  static void AddNames(const Header& header, Records& records) {
    Records names;
    // This declares names to be raw bytes, and must precede them.
    if (!IsUtf8(header.name) || !IsUtf8(header.link)) names.push_back({"hdrcharset", "BINARY"});
    const auto add = [&](const char* name, const std::string& value) {
      if (value.size() > kMaxNameBytes || !IsAscii(value)) names.push_back({name, value});
    };
    if (!HasHoles(records)) add("path", header.name);
    add("linkpath", header.link);
    records.insert(records.begin(), names.begin(), names.end());
  }

  Result<void> WriteHeaders(const Header& header, Records records) {
    AddLarge(header, records);
    AddNames(header, records);
    std::string body;
    for (const Record& record : records) body += TextOf(record);
    Header plain = header;
    // For readers without support for holes: the data is not the file's content.
    if (HasHoles(records)) plain.name = "GNUSparseFile.0/" + header.name;
    if (!body.empty()) {
      Header extended;
      extended.name = "PaxHeader/" + header.name;
      extended.mode = 0644;
      extended.size = body.size();
      extended.type = 'x';
      KVFS_TRY(Write(HeaderBlock(extended).bytes()));
      KVFS_TRY(WritePadded(body));
    }
    return Write(HeaderBlock(plain).bytes());
  }

  // Attributes that exceed the limits of archive readers are left out, the others kept.
  Result<void> AddXattrs(Keys& keys, const WalkedKey& key, const std::string& path,
                         Records& records) {
    KVFS_ASSIGN(const fs::XattrMap xattrs, XattrsOf(keys, key, path));
    size_t bytes = 0;
    for (const auto& [name, value] : xattrs) {
      Records some = {{XattrKeyOf(name), value}};
      AddList(name, value, some);
      size_t more = 0;
      for (const Record& record : some) {
        more += record.key.size() + record.value.size() + kPaxRecordBytes;
      }
      if (bytes + more > kMaxPaxBytes) {
        LeaveOutPart(fmt::format("the extended attribute {} of {}", name, path),
                     "an archive's header has at most 1 MiB");
        continue;
      }
      bytes += more;
      std::ranges::move(some, std::back_inserter(records));
    }
    return {};
  }

  // Adds the list as text, too, for `tar --acls` and bsdtar.
  static void AddList(std::string_view name, std::string_view value, Records& records) {
    const bool is_access = name == fs::kAccessListXattr;
    if (!is_access && name != fs::kDefaultListXattr) return;
    const auto list = fs::AccessList::Decode(value);
    if (!list) return;
    records.push_back({is_access ? "SCHILY.acl.access" : "SCHILY.acl.default", ListText(*list)});
  }

  Result<void> AddFile(Keys& keys, const WalkedKey& key, const std::string& path, Header header,
                       Records records) {
    const fs::InodeInfo& file = key.inode;
    if (file.size_bytes <= kLargeContentBytes) {
      // Detects unreadable contents before anything is written.
      KVFS_ASSIGN(const std::string content, GetWhole(keys, key.path, kLargeContentBytes));
      header.size = content.size();
      KVFS_TRY(WriteHeaders(header, std::move(records)));
      return WritePadded(content);
    }
    std::vector<fs::ByteRange> ranges = {{0, file.size_bytes}};
    if (file.allocated_bytes < file.size_bytes) {
      KVFS_ASSIGN(ranges, keys.GetDataRanges(key.path));
    }
    const bool is_whole = ranges.size() == 1 && ranges[0].length == file.size_bytes;
    if (is_whole) {
      KVFS_TRY(WriteHeaders(header, std::move(records)));
    } else {
      KVFS_TRY(WriteMap(ranges, header, std::move(records)));
    }
    return WriteRanges(keys, key, path, ranges);
  }

  Result<void> WriteMap(const std::vector<fs::ByteRange>& ranges, Header header, Records records) {
    const uint64_t size = header.size;
    const bool ends_in_hole = ranges.empty() || ranges.back().offset + ranges.back().length < size;
    std::string map = fmt::format("{}\n", ranges.size() + (ends_in_hole ? 1 : 0));
    uint64_t data = 0;
    for (const fs::ByteRange& range : ranges) {
      map += fmt::format("{}\n{}\n", range.offset, range.length);
      data += range.length;
    }
    if (ends_in_hole) map += fmt::format("{}\n0\n", size);
    records.insert(records.begin(), {{"GNU.sparse.major", "1"},
                                     {"GNU.sparse.minor", "0"},
                                     {"GNU.sparse.name", header.name},
                                     {"GNU.sparse.realsize", fmt::to_string(size)}});
    header.size = (map.size() + kBlockBytes - 1) / kBlockBytes * kBlockBytes + data;
    KVFS_TRY(WriteHeaders(header, std::move(records)));
    return WritePadded(map);
  }

  // The header states the size. If the store cannot deliver the rest, zeros are written instead,
  // and this is reported.
  Result<void> WriteRanges(Keys& keys, const WalkedKey& key, const std::string& path,
                           const std::vector<fs::ByteRange>& ranges) {
    uint64_t expected = 0;
    for (const fs::ByteRange& range : ranges) expected += range.length;
    const uint64_t padding = (kBlockBytes - expected % kBlockBytes) % kBlockBytes;
    uint64_t done = 0;
    const auto got = keys.GetData(key.path, [&](uint64_t, Bytes piece) -> Result<void> {
      const std::string_view some = AsText(piece).substr(0, expected - done);
      done += some.size();
      return Write(some);
    });
    if (HasFailed()) return got.map([](uint64_t) {});
    if (!got || done < expected) {
      NoteDamage();
      LeaveOutPart(
          fmt::format(
              "all of {} after the first {} bytes of its data, which are zeros in the archive",
              path, done),
          got ? "it is shorter than it was" : ReasonOfKeyError(got.error()));
    }
    return WriteZeros(expected - done + padding);
  }

  Result<void> WriteZeros(uint64_t count) {
    const std::string zeros(std::min<uint64_t>(count, kLargeContentBytes), '\0');
    for (; count > 0; count -= std::min<uint64_t>(count, zeros.size())) {
      KVFS_TRY(Write(std::string_view(zeros).substr(0, count)));
    }
    return {};
  }

  Result<void> WritePadded(std::string_view bytes) {
    KVFS_TRY(Write(bytes));
    return WriteZeros((kBlockBytes - bytes.size() % kBlockBytes) % kBlockBytes);
  }

  Result<void> Write(std::string_view bytes) {
    held_ += bytes;
    return held_.size() < kLargeContentBytes ? Result<void>() : Flush();
  }

  Result<void> Flush() {
    const std::string full = std::exchange(held_, {});
    written_ += full.size();
    auto written = out_(AsBytes(full));
    if (!written) NoteFailure();
    return written;
  }

  const ByteSink out_;
  std::string held_;
  uint64_t written_ = 0;
};

}  // namespace

std::unique_ptr<EntryWriter> MakeTarWriter(const ByteSink& out) {
  return std::make_unique<TarWriter>(out);
}

}  // namespace kvfs::cli

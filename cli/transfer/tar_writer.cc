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

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "cli/transfer/tar_format.h"
#include "cli/transfer/tar_header_block.h"
#include "cli/transfer/tar_output.h"
#include "cli/transfer/tar_records.h"

namespace kvfs::cli {
namespace {

// libarchive reads headers of up to 1 MiB; the rest is for names and times. A record has its length
// and a few more bytes.
constexpr size_t kMaxPaxBytes = (size_t{1} << 20) - 32 * 1024;
constexpr size_t kPaxRecordBytes = 32;

class TarWriter final : public EntryWriter {
 public:
  explicit TarWriter(const ByteSink& out)
      : output_([this, out](Bytes bytes) {
          auto written = out(bytes);
          if (!written) NoteFailure();
          return written;
        }) {}

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override {
    const fs::Attributes& a = key.inode.attributes;
    if (S_ISSOCK(a.mode)) {
      LeaveOut(path, "an archive cannot hold sockets");
      return {};
    }
    TarHeader header = TarHeaderOf(key.inode, path);
    if (const auto first = FirstNameOf(key.inode, path)) {
      header.type = '1';
      header.size = 0;
      header.link = *first;
      return WriteHeaders(header, {});
    }
    if (a.IsSymbolicLink()) {
      KVFS_ASSIGN(header.link, keys.ReadLink(key.path));
    }
    TarRecords records = TimeRecords(a);
    KVFS_TRY(AddXattrs(keys, key, path, records));
    if (!a.IsRegular()) return WriteHeaders(header, std::move(records));
    return AddFile(keys, key, path, std::move(header), std::move(records));
  }

  Result<void> Finish() override { return output_.Finish(); }

 private:
  Result<void> WriteHeaders(const TarHeader& header, TarRecords records) {
    AddLarge(header, records);
    AddNames(header, records);
    const std::string body = TextOf(records);
    TarHeader plain = header;
    // For readers without support for holes: the data is not the file's content.
    if (HasHoles(records)) plain.name = "GNUSparseFile.0/" + header.name;
    if (!body.empty()) {
      TarHeader extended;
      extended.name = "PaxHeader/" + header.name;
      extended.mode = 0644;
      extended.size = body.size();
      extended.type = 'x';
      KVFS_TRY(output_.Write(TarHeaderBlock(extended).bytes()));
      KVFS_TRY(output_.WritePadded(body));
    }
    return output_.Write(TarHeaderBlock(plain).bytes());
  }

  // Attributes that exceed the limits of archive readers are left out, the others kept.
  Result<void> AddXattrs(Keys& keys, const WalkedKey& key, const std::string& path,
                         TarRecords& records) {
    KVFS_ASSIGN(const fs::XattrMap xattrs, XattrsOf(keys, key, path));
    size_t bytes = 0;
    for (const auto& [name, value] : xattrs) {
      TarRecords some = XattrRecords(name, value);
      size_t more = 0;
      for (const TarRecord& record : some) {
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

  Result<void> AddFile(Keys& keys, const WalkedKey& key, const std::string& path, TarHeader header,
                       TarRecords records) {
    const fs::InodeInfo& file = key.inode;
    if (file.size_bytes <= kLargeContentBytes) {
      // Detects unreadable contents before anything is written.
      KVFS_ASSIGN(const std::string content, GetWhole(keys, key.path, kLargeContentBytes));
      header.size = content.size();
      KVFS_TRY(WriteHeaders(header, std::move(records)));
      return output_.WritePadded(content);
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

  Result<void> WriteMap(const std::vector<fs::ByteRange>& ranges, TarHeader header,
                        TarRecords records) {
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
    header.size = (map.size() + kTarBlockBytes - 1) / kTarBlockBytes * kTarBlockBytes + data;
    KVFS_TRY(WriteHeaders(header, std::move(records)));
    return output_.WritePadded(map);
  }

  // The header states the size. If the store cannot deliver the rest, zeros are written instead,
  // and this is reported.
  Result<void> WriteRanges(Keys& keys, const WalkedKey& key, const std::string& path,
                           const std::vector<fs::ByteRange>& ranges) {
    uint64_t expected = 0;
    for (const fs::ByteRange& range : ranges) expected += range.length;
    const uint64_t padding = (kTarBlockBytes - expected % kTarBlockBytes) % kTarBlockBytes;
    uint64_t done = 0;
    const auto got = keys.GetData(key.path, [&](uint64_t, Bytes piece) -> Result<void> {
      const std::string_view some = AsText(piece).substr(0, expected - done);
      done += some.size();
      return output_.Write(some);
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
    return output_.WriteZeros(expected - done + padding);
  }

  TarOutput output_;
};

}  // namespace

std::unique_ptr<EntryWriter> MakeTarWriter(const ByteSink& out) {
  return std::make_unique<TarWriter>(out);
}

}  // namespace kvfs::cli

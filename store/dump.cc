// The kind of a file is taken from its name: a damaged one may have lost its magic.
#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <kvfs/dump.h>
#include "store/base/describe.h"
#include "store/base/out_of_memory.h"
#include "store/engine/identity_file.h"
#include "store/engine/store_files.h"
#include "store/engine/superblock_file.h"
#include "store/format/branch.h"
#include "store/format/change.h"
#include "store/format/checksum.h"
#include "store/format/chunk.h"
#include "store/format/entry.h"
#include "store/format/leaf.h"
#include "store/format/log_mark.h"
#include "store/format/name_hash.h"
#include "store/format/superblock.h"

namespace kvfs {

using namespace format;

namespace {

constexpr size_t kShownBytes = 48;  // of a value

std::string Number(uint64_t number) { return std::to_string(number); }

std::string Hex(uint64_t number) {
  char text[17];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number, 16);
  return std::string("0x") + std::string(text, end);
}

std::string HexBytes(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::byte byte : bytes) {
    out += kDigits[static_cast<size_t>(byte) >> 4];
    out += kDigits[static_cast<size_t>(byte) & 15];
  }
  return out;
}

// The beginning of a value, quoted.
std::string Quote(Bytes bytes) {
  const bool is_cut = bytes.size() > kShownBytes;
  std::string out = "\"";
  out += Readable(AsText(bytes.first(std::min(bytes.size(), kShownBytes))));
  out += is_cut ? "\"..." : "\"";
  return out + " (" + Number(bytes.size()) + " bytes)";
}

std::string Describe(PagePointer page) {
  return page.IsNull() ? "none" : "page " + Number(page.number) + " of epoch " + Number(page.epoch);
}

std::string Describe(BlockPointer block) {
  if (block.IsHole()) return "hole";
  if (block.IsUnwritten()) return "block " + Number(block.Place()) + " unwritten";
  return "block " + Number(block.number) + " checksum " + Hex(block.checksum);
}

std::string DescribeKey(const RecordKey& key) {
  std::string out = "directory " + Hex(key.directory) + " position " + Hex(key.position);
  if (!key.name.empty()) out += " name \"" + Readable(key.name) + "\"";
  return out;
}

bool IsZero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

class Dumper {
 public:
  Dumper(Env& env, const std::string& path, const DumpVisitor& visit)
      : env_(env), path_(path), visit_(visit) {
    const size_t slash = path.rfind('/');
    name_ = slash == std::string::npos ? path : path.substr(slash + 1);
    directory_ = slash == std::string::npos ? "." : path.substr(0, slash);
  }

  Result<void> Run() {
    KVFS_ASSIGN(file_, env_.OpenFile(path_, Access::kReadOnly));
    KVFS_ASSIGN(size_, file_->SizeBytes());
    if (name_ == "superblock") return DumpSuperblock();
    if (name_ == "identity") return DumpIdentityFile();
    if (name_ == "lock") return DumpLock();
    if (name_.starts_with("segment-")) return DumpSegment();
    if (name_ == "mark") return DumpMark();
    if (name_.ends_with(".keys")) return DumpKeys();
    if (name_.ends_with(".values")) return DumpValues();
    return Fail(ErrorCode::kUnsupported, path_ + " is not named as a file of a store");
  }

 private:
  // False once the visitor has ended the dump.
  bool Line(const std::string& text) {
    is_wanted_ = is_wanted_ && visit_(text);
    return is_wanted_;
  }

  // The part of the range that exists in the file.
  Result<std::vector<std::byte>> ReadRange(uint64_t offset, uint64_t length) const {
    const uint64_t available = size_ - std::min(size_, offset);
    std::vector<std::byte> bytes(std::min(available, length));
    KVFS_TRY(file_->Read(offset, bytes));
    return bytes;
  }

  // The superblock's, or its copy.
  Result<Identity> FindIdentity(const std::string& store) const {
    auto identity =
        OpenSuperblock(env_, store, Access::kReadOnly).and_then([](const auto& superblock) {
          return ReadIdentity(*superblock);
        });
    if (identity) return identity;
    const auto copy = ReadIdentityCopy(env_, store);
    return copy ? copy->identity : identity;
  }

  // --- superblock, and its copy ---

  Result<void> DumpSuperblock() {
    Line("superblock, " + Number(size_) + " bytes");
    return DumpCopies(kIdentityOffset, kSlotOffset);
  }

  Result<void> DumpIdentityFile() {
    Line("copy of the superblock's identity and checkpoint, " + Number(size_) + " bytes");
    return DumpCopies(std::span(kIdentityOffset).first(1), std::span(kSlotOffset).first(1));
  }

  Result<void> DumpCopies(std::span<const uint64_t> identities, std::span<const uint64_t> slots) {
    std::optional<Identity> identity;
    for (const uint64_t offset : identities) {
      KVFS_ASSIGN(const auto bytes, ReadRange(offset, kIdentityBytes));
      const auto decoded = Identity::Decode(bytes);
      Line("identity at " + Number(offset) + ":" +
           (decoded ? "" : " damaged: " + decoded.error().message));
      if (!decoded) continue;
      if (!identity) identity = *decoded;
      DumpIdentity(*decoded);
    }
    if (!identity) return {};
    for (const uint64_t offset : slots) {
      KVFS_ASSIGN(const auto bytes, ReadRange(offset, kSlotOffset[1] - kSlotOffset[0]));
      const auto checkpoint = Checkpoint::Decode(bytes, identity->store, identity->shards);
      Line("checkpoint at " + Number(offset) + ":" +
           (checkpoint ? "" : " damaged: " + checkpoint.error().message));
      if (checkpoint) DumpCheckpoint(*checkpoint);
    }
    return {};
  }

  void DumpIdentity(const Identity& identity) {
    Line("  version " + Number(kVersion));
    Line("  store id " + HexBytes(identity.store));
    Line("  shards " + Number(identity.shards));
    Line("  page bytes " + Number(identity.page_bytes));
    Line("  hash bits " + Number(identity.hash_bits) + ", seed " + Hex(identity.hash_seed));
    Line("  log limit " + Number(identity.log_limit_bytes) + " bytes, segment " +
         Number(identity.log_segment_bytes) + " bytes");
  }

  void DumpCheckpoint(const Checkpoint& checkpoint) {
    Line("  epoch " + Number(checkpoint.epoch));
    Line("  first log segment " + Number(checkpoint.first_segment) + ", last " +
         Number(checkpoint.last_segment));
    Line("  next sequence " + Number(checkpoint.next_sequence));
    for (size_t i = 0; i < checkpoint.shards.size(); ++i) {
      const ShardRoot& root = checkpoint.shards[i];
      Line("  shard " + Number(i) + ": root " + Describe(root.root) + ", height " +
           Number(root.height) + ", entries " + Number(root.entries) + ", leaves " +
           Number(root.leaves) + ", branches " + Number(root.branches) + ", pages used " +
           Number(root.pages_used) + ", blocks used " + Number(root.blocks_used) + ", next id " +
           Number(root.next_id) + ", dead contents " + Number(root.orphaned_contents));
      Line("    page map: " + Describe(root.page_map.root) + ", levels " +
           Number(root.page_map.levels) + ", blocks " + Number(root.page_map.blocks));
      Line("    block map: " + Describe(root.block_map.root) + ", levels " +
           Number(root.block_map.levels) + ", blocks " + Number(root.block_map.blocks));
    }
  }

  Result<void> DumpLock() {
    KVFS_ASSIGN(auto bytes, ReadRange(0, size_));
    bytes.erase(std::ranges::find(bytes, std::byte{0}), bytes.end());
    Line("lock file, " + Number(size_) + " bytes");
    Line(bytes.empty() ? "  nobody, or only readers" : "  holder " + Quote(bytes));
    return {};
  }

  // --- log ---

  Result<void> DumpSegment() {
    Line("log segment, " + Number(size_) + " bytes");
    KVFS_ASSIGN(const Identity identity, FindIdentity(directory_ + "/.."));
    KVFS_ASSIGN(const auto bytes, ReadRange(0, size_));
    const auto header = SegmentHeader::Decode(bytes, identity.store);
    if (!header) {
      Line("no header of a segment of this store: not in use yet, or damaged");
      return {};
    }
    Line("  number " + Number(header->number) + ", first sequence " +
         Number(header->first_sequence));
    const uint64_t seed = SegmentSeed(identity.store, header->number);
    Bytes rest = Bytes(bytes).subspan(kSegmentHeaderBytes);
    for (uint64_t sequence = header->first_sequence;; ++sequence) {
      const auto record = DecodeLogRecord(rest, sequence, seed, header->version);
      if (!record) break;
      if (!DumpLogRecord(*record, bytes.size() - rest.size())) return {};
      rest = rest.subspan(record->EncodedBytes());
    }
    Line("end of records at " + Number(bytes.size() - rest.size()));
    return {};
  }

  Result<void> DumpMark() {
    Line("mark of the log, " + Number(size_) + " bytes");
    KVFS_ASSIGN(const Identity identity, FindIdentity(directory_ + "/.."));
    KVFS_ASSIGN(const auto bytes, ReadRange(0, format::kLogMarkBytes));
    const auto mark = format::LogMark::Decode(bytes, identity.store, file_->Residence());
    Line(mark ? "  life " + Number(mark->life) + ", appended up to sequence " +
                    Number(mark->sequence)
              : "  of no account: of another boot, mount or file, or damaged");
    return {};
  }

  bool DumpLogRecord(const LogRecord& record, size_t offset) {
    Line("record at " + Number(offset) + ": sequence " + Number(record.sequence) +
         ", durable before it " + Number(record.durable) + ", payload " +
         Number(record.payload.size()) + " bytes");
    const auto changes = DecodeChanges(record.payload);
    if (!changes) return Line("  damaged: " + changes.error().message);
    for (const Change& change : *changes) {
      if (!Line("  " + DescribeChange(change))) return false;
    }
    return true;
  }

  static std::string DescribeChange(const Change& change) {
    using Kind = Change::Kind;
    const std::string entry = DescribeEntry(change.directory, change.name);
    const std::string meta = change.meta ? ", meta " + HexBytes(AsBytes(*change.meta)) : "";
    const std::string range =
        Number(change.length) + " bytes at " + Number(change.offset) + " of " + entry;
    switch (change.kind) {
      case Kind::kPut:
        return "put " + entry + ", id " + Number(change.id) + meta + ", " + Quote(change.data);
      case Kind::kErase:
        return "erase " + entry;
      case Kind::kMove:
        return "move " + entry + " to " + DescribeEntry(change.to_directory, change.to_name) + meta;
      case Kind::kExchange:
        return "exchange " + entry + " and " + DescribeEntry(change.to_directory, change.to_name) +
               meta;
      case Kind::kTakeContent:
        return "content of " + DescribeEntry(change.to_directory, change.to_name) + " to " + entry +
               meta;
      case Kind::kMeta:
        return "meta of " + entry + meta;
      case Kind::kWrite:
        return "write at " + Number(change.offset) + " of " + entry + meta + ", " +
               Quote(change.data);
      case Kind::kWriteBlocks:
        return "write " + Number(change.BlockCount()) + " blocks of shard " + Number(change.owner) +
               " at " + Number(change.offset) + " of " + entry + meta;
      case Kind::kResize:
        return "resize " + entry + " to " + Number(change.size) + " bytes" + meta;
      case Kind::kPunch:
        return "punch " + range + meta;
      case Kind::kAllocate:
        return "allocate " + range + meta;
      case Kind::kReclaim:
        return "reclaim content " + Number(change.content) + " below chunk " + Number(change.end);
    }
    return "unknown change";
  }

  // --- keys ---

  std::optional<uint32_t> ShardNumber() const {
    constexpr std::string_view kPrefix = "shard-";
    if (!name_.starts_with(kPrefix)) return {};
    uint32_t shard = 0;
    const char* const end = name_.data() + name_.find('.');
    const auto [stop, error] = std::from_chars(name_.data() + kPrefix.size(), end, shard);
    if (error != std::errc() || stop != end) return {};
    return shard;
  }

  Result<void> DumpKeys() {
    Line("keys of a shard, " + Number(size_) + " bytes");
    KVFS_ASSIGN(const Identity identity, FindIdentity(directory_));
    const auto shard = ShardNumber();
    if (!shard || *shard >= identity.shards) {
      return Fail(ErrorCode::kUnsupported, path_ + " does not belong to a shard of its store");
    }
    Line(
        "which pages are in use, the tree and the allocation map tell; these are all that lie "
        "there");
    const uint64_t seed = identity.ShardSeed(*shard);
    for (uint64_t number = 1; number * identity.page_bytes < size_; ++number) {
      const auto page = ReadRange(number * identity.page_bytes, identity.page_bytes);
      if (!page) {
        Line("page " + Number(number) + ": damaged: " + page.error().message);
      } else if (page->size() == identity.page_bytes && !IsZero(*page)) {
        DumpPage(*page, number, seed, identity);
      }
      if (!is_wanted_) return {};
    }
    return {};
  }

  void DumpPage(Bytes bytes, uint64_t number, uint64_t seed, const Identity& identity) {
    const PageView page(bytes.data(), identity.page_bytes);
    const std::string title = "page " + Number(number) + ": ";
    if (page.self().number != number) {
      Line(title + "damaged: it says that it is page " + Number(page.self().number));
      return;
    }
    const auto checked = CheckPage(bytes, seed, page.self());
    if (!checked) {
      Line(title + "damaged: " + checked.error().message);
      return;
    }
    Line(title + (page.IsLeaf() ? "leaf" : "branch") + ", epoch " + Number(page.self().epoch) +
         ", " + Number(page.count()) + " records, end " + Number(page.end()) + ", checksum " +
         Hex(LoadLittle<uint64_t>(bytes.data())));
    if (page.IsLeaf()) {
      const format::NameHash hash = identity.NamesHash();
      DumpLeaf(LeafView(page, hash), InlineLimitBytes(identity.page_bytes));
    } else {
      DumpBranch(BranchView(page));
    }
  }

  void DumpBranch(const BranchView& branch) {
    for (uint32_t i = 0; i < branch.count(); ++i) {
      if (!Line("  " + DescribeKey(branch.Key(i)) + ": " + Describe(branch.Child(i)) + ", " +
                Number(branch.Count(i)) + " records")) {
        return;
      }
    }
  }

  void DumpLeaf(const LeafView& leaf, uint32_t inline_limit) {
    if (leaf.IsIncomplete()) Line("  incomplete: it has taken the place of a damaged page");
    for (uint32_t i = 0; i < leaf.count() && is_wanted_; ++i) {
      const LeafRecord record = leaf.Record(i);
      Line("  " + DescribeKey(record.key) + " version " + Number(record.version) + ", " +
           Number(record.value.size()) + " bytes");
      if (record.key.directory < kFirstOwnDirectory) {
        DumpEntry(record.value, inline_limit);
      } else if (record.key.directory == kOrphanDirectory) {
        Line("    a content to be freed");
      } else {
        DumpChunk(record.value);
      }
    }
  }

  void DumpEntry(Bytes value, uint32_t inline_limit) {
    const auto entry = Entry::Decode(value, inline_limit);
    if (!entry) {
      Line("    damaged: " + entry.error().message);
      return;
    }
    Line("    entry: id " + Number(entry->id) + ", size " + Number(entry->size) + ", meta " +
         HexBytes(AsBytes(entry->meta)));
    if (!entry->tail.empty()) Line("    tail " + Quote(entry->tail));
    if (entry->content != 0) {
      Line("    content " + Number(entry->content) + ", " + Number(entry->allocated) + " blocks");
    }
    if (entry->direct.empty()) return;
    std::vector<BlockPointer> blocks(ContentShape::Of(entry->size, inline_limit).blocks);
    if (!DecodeBlockList(entry->direct, blocks)) return;
    for (size_t i = 0; i < blocks.size(); ++i)
      Line("    " + Number(i) + ": " + Describe(blocks[i]));
  }

  void DumpChunk(Bytes value) {
    const auto chunk = Chunk::Decode(value);
    if (!chunk) {
      Line("    damaged: " + chunk.error().message);
      return;
    }
    for (size_t i = 0; i < kBlocksPerChunk; ++i) {
      if (!chunk->blocks[i].IsHole()) Line("    " + Number(i) + ": " + Describe(chunk->blocks[i]));
    }
  }

  // --- values ---

  Result<void> DumpValues() {
    Line("values of a shard, " + Number(size_) + " bytes");
    KVFS_ASSIGN(const Identity identity, FindIdentity(directory_));
    const auto shard = ShardNumber();
    if (!shard || *shard >= identity.shards) {
      return Fail(ErrorCode::kUnsupported, path_ + " does not belong to a shard of its store");
    }
    Line("what a block holds, and whether it is in use, the keys and the allocation map tell");
    const uint64_t seed = identity.ShardSeed(*shard);
    for (uint64_t number = 1; number * kBlockBytes < size_ && is_wanted_; ++number) {
      const auto block = ReadRange(number * kBlockBytes, kBlockBytes);
      if (!block) {
        Line("block " + Number(number) + ": damaged: " + block.error().message);
      } else if (!IsZero(*block)) {
        Line("block " + Number(number) + ": checksum " + Hex(Checksum(*block, seed)) + ", " +
             Quote(*block));
      }
    }
    return {};
  }

  Env& env_;
  const std::string path_;
  const DumpVisitor& visit_;
  std::string name_;
  std::string directory_;
  std::unique_ptr<File> file_;
  uint64_t size_ = 0;
  bool is_wanted_ = true;
};

}  // namespace

Result<void> DumpFile(Env& env, const std::string& path, const DumpVisitor& visit) {
  return WithinMemory([&] { return Dumper(env, path, visit).Run(); });
}

}  // namespace kvfs

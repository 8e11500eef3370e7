// Opens the damaged store for salvaging, and copies entry by entry.
#include <deque>

#include <kvfs/repair.h>
#include "store/base/describe.h"
#include "store/base/out_of_memory.h"
#include "store/engine/engine.h"
#include "store/engine/recovery.h"
#include "store/shard/record_cursor.h"

namespace kvfs {

using format::Entry;
using format::kBlockBytes;
using format::LeafRecord;

namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr size_t kBatchOperations = 1000;

std::string DescribeRange(uint64_t begin, uint64_t end) {
  return "bytes " + std::to_string(begin) + " to " + std::to_string(end - 1) +
         " cannot be read; they are zeros now";
}

bool IsZero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

class Repair {
 public:
  Repair(Env& env, const RepairOptions& options) : env_(env), options_(options) {}

  Result<RepairReport> Run(const std::string& from, const std::string& to) {
    OpenOptions open;
    open.read_only = true;
    KVFS_ASSIGN(std::unique_ptr<EngineParts> parts,
                Recover(env_, from, open, RecoveryMode::kSalvage));
    parts_ = parts.get();
    source_ = std::make_unique<Engine>(std::move(parts));
    for (const std::string& loss : parts_->losses) Lose(loss);
    KVFS_TRY(CreateTarget(to));
    for (uint32_t shard = 0; shard < parts_->shards.size(); ++shard) KVFS_TRY(CopyShard(shard));
    KVFS_TRY(Flush());
    TellLostEntries();
    KVFS_TRY(target_->Close());
    return report_;
  }

 private:
  void Lose(const std::string& loss) {
    ++report_.losses;
    if (options_.on_loss) options_.on_loss(loss);
  }

  Result<void> TellProgress() {
    if (!options_.on_progress) return {};
    if (options_.on_progress({report_.entries, report_.content_bytes})) return {};
    return Fail(ErrorCode::kCancelled, "the repair was cancelled");
  }

  Result<void> CreateTarget(const std::string& to) {
    const format::Identity& identity = parts_->identity;
    CreateOptions create;
    create.shards = identity.shards;
    create.page_bytes = identity.page_bytes;
    create.log_limit_bytes = identity.log_limit_bytes;
    create.log_segment_bytes = identity.log_segment_bytes;
    create.hash_seed = identity.hash_seed;
    create.hash_bits = identity.hash_bits;
    KVFS_TRY(Store::Create(env_, to, create));
    OpenOptions open;
    open.purpose = "repair";
    KVFS_ASSIGN(target_, Store::Open(env_, to, open));
    return {};
  }

  ShardPin PinOf(uint32_t shard) const {
    const SharedLock lock(parts_->shards[shard]->mutex);
    return parts_->shards[shard]->Pin();
  }

  Result<void> CopyShard(uint32_t shard) {
    RecordCursor cursor(PinOf(shard), Memtable::kNewest, /*lock=*/nullptr);
    cursor.Seek({}, format::kFirstOwnDirectory - 1);
    for (; cursor.Valid(); cursor.Next()) KVFS_TRY(CopyEntry(shard, cursor.Record()));
    if (const auto missed = cursor.damage()) {
      if (missed->code != ErrorCode::kCorrupt) return tl::unexpected(*missed);
      Lose(missed->message);
    }
    return {};
  }

  Result<void> CopyEntry(uint32_t shard, const LeafRecord& record) {
    if (record.key.directory == kTransientDirectory) return {};
    const bool is_found =
        !record.key.name.empty() && parts_->placement->ShardOf(record.key.position) == shard;
    if (!is_found) {
      Lose(DescribeEntry(record.key.directory, record.key.name) + " lies in shard " +
           std::to_string(shard) + ", where nobody looks for it");
      return {};
    }
    const auto entry = Entry::Decode(record.value, parts_->shards.front()->inline_limit());
    if (!entry) {
      Lose(DescribeEntry(record.key.directory, record.key.name) + ": " + entry.error().message);
      return {};
    }
    if (batch_.empty()) names_.clear();
    const Key key{record.key.directory, names_.emplace_back(record.key.name)};
    batch_.Restore(key, entry->id, Keep(entry->meta));
    if (entry->size > entry->tail.size()) {
      KVFS_TRY(CopyContent(key, *entry));
    } else if (!entry->tail.empty()) {
      Write(key, 0, entry->tail);
    }
    ++report_.entries;
    if (options_.on_entry) options_.on_entry(record.key.directory, entry->id);
    KVFS_TRY(TellProgress());
    return FlushIfFull();
  }

  // Copies data as data, holes as holes, and unreadable parts as holes, too.
  Result<void> CopyContent(Key key, const Entry& entry) {
    batch_.Resize(key, entry.size);
    const uint64_t blocks_end = entry.size - entry.tail.size();
    allocated_ = 0;
    for (uint64_t at = 0; at < blocks_end;) {
      const auto data = source_->FindData(key, at);
      if (!data) {
        KVFS_TRY(RequireDamage(data.error()));
        const uint64_t next = std::min(NextChunk(entry, at), blocks_end);
        LoseRange(key, at, next);
        at = next;
        continue;
      }
      const uint64_t begin = std::min(*data, blocks_end);
      const auto hole = source_->FindHole(key, begin);
      if (!hole) KVFS_TRY(RequireDamage(hole.error()));
      const uint64_t end = std::min({hole.value_or(blocks_end), blocks_end, begin + kPieceBytes});
      allocated_ += (end - begin + kBlockBytes - 1) / kBlockBytes;
      if (begin < end) KVFS_TRY(CopyPiece(key, begin, end));
      at = std::max(end, begin);
      if (begin == end) break;
    }
    if (!entry.tail.empty()) Write(key, blocks_end, entry.tail);
    if (entry.content != 0 && allocated_ < entry.allocated) {
      Lose(Name(key) + ": of " + std::to_string(entry.allocated) + " blocks " +
           std::to_string(entry.allocated - allocated_) + " cannot be found; they are zeros now");
    }
    return {};
  }

  // The beginning of the next existing chunk, however far: what was before it is unknown. A content
  // may be much larger than any disk.
  uint64_t NextChunk(const Entry& entry, uint64_t at) const {
    const uint64_t directory = format::ContentDirectory(entry.content);
    const uint32_t owner = parts_->placement->OwnerOf(entry.id);
    RecordCursor cursor(PinOf(owner), Memtable::kNewest, /*lock=*/nullptr);
    cursor.Seek({directory, at / format::kChunkBytes + 1, {}}, directory);
    const uint64_t next = cursor.Valid() ? cursor.Record().key.position : entry.size;
    return next < entry.size / format::kChunkBytes ? next * format::kChunkBytes : entry.size;
  }

  // A damaged piece is read block by block.
  Result<void> CopyPiece(Key key, uint64_t begin, uint64_t end) {
    KVFS_TRY(TellProgress());
    std::vector<std::byte> bytes(end - begin);
    const auto read = source_->Read(key, begin, bytes);
    if (read) {
      if (!IsZero(bytes)) Write(key, begin, bytes);
      return FlushIfFull();
    }
    KVFS_TRY(RequireDamage(read.error()));
    if (end - begin <= kBlockBytes) {
      LoseRange(key, begin, end);
      return {};
    }
    for (uint64_t at = begin; at < end; at += kBlockBytes) {
      KVFS_TRY(CopyPiece(key, at, std::min(at + kBlockBytes, end)));
    }
    return {};
  }

  // Only damage counts as a loss. Any other error ends the repair, which can be tried again.
  static Result<void> RequireDamage(const Error& error) {
    if (error.code == ErrorCode::kCorrupt) return {};
    return tl::unexpected(error);
  }

  static std::string Name(Key key) { return DescribeEntry(key.directory, key.name); }
  void LoseRange(Key key, uint64_t begin, uint64_t end) {
    Lose(Name(key) + ": " + DescribeRange(begin, end));
  }

  // Reports the names of entries on unreadable pages, unless the log has restored them.
  void TellLostEntries() {
    for (const auto& [directory, name] : parts_->lost_entries) {
      if (target_->Stat({directory, name})) continue;
      Lose(Name({directory, name}) + " lay on a page that cannot be read");
    }
  }

  // --- the current batch, and what it borrows ---

  std::string_view Keep(std::string_view text) { return kept_.emplace_back(text); }

  void Write(Key key, uint64_t offset, Bytes bytes) {
    batch_.Write(key, offset, AsBytes(Keep(AsText(bytes))));
    batch_bytes_ += bytes.size();
    report_.content_bytes += bytes.size();
  }

  Result<void> FlushIfFull() {
    const bool is_full =
        batch_bytes_ >= kPieceBytes || batch_.operations().size() >= kBatchOperations;
    return is_full ? Flush() : Result<void>();
  }

  Result<void> Flush() {
    auto applied = target_->Apply(batch_);
    batch_ = {};
    kept_.clear();
    batch_bytes_ = 0;
    return applied;
  }

  Env& env_;
  const RepairOptions& options_;
  std::unique_ptr<Engine> source_;
  EngineParts* parts_ = nullptr;
  std::unique_ptr<Store> target_;
  RepairReport report_;
  Batch batch_;
  std::deque<std::string> names_;  // of entries; that of the one being copied outlives a flush
  std::deque<std::string> kept_;   // contents and metas
  size_t batch_bytes_ = 0;
  uint64_t allocated_ = 0;
};

}  // namespace

Result<RepairReport> RepairStore(Env& env, const std::string& from, const std::string& to,
                                 const RepairOptions& options) {
  return WithinMemory([&] { return Repair(env, options).Run(from, to); });
}

}  // namespace kvfs

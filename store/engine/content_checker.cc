// Records one by one, then what they say together.
#include "store/engine/content_checker.h"

#include "store/base/describe.h"
#include "store/format/chunk.h"
#include "store/format/entry.h"

namespace kvfs {

using format::BlockPointer;
using format::Chunk;
using format::ContentShape;
using format::Entry;
using format::kBlockBytes;
using format::kBlocksPerChunk;
using format::LeafRecord;

namespace {

bool IsEntry(const LeafRecord& record) { return record.key.directory < format::kFirstOwnDirectory; }

std::string RangeOfBlock(uint64_t index) {
  return "bytes " + std::to_string(index * kBlockBytes) + " to " +
         std::to_string((index + 1) * kBlockBytes - 1);
}

}  // namespace

ContentChecker::ContentChecker(const Shards* shards, const Placement* placement,
                               CheckSession* session)
    : shards_(*shards),
      placement_(*placement),
      session_(*session),
      limit_(shards->front()->inline_limit()),
      reached_(shards->size()),
      entries_(shards->size()),
      dead_(shards->size()) {
  for (size_t i = 0; i < shards->size(); ++i) {
    shard_names_.push_back("shard " + std::to_string(i));
    const auto file_bytes = shards_[i]->blocks().file().SizeBytes();
    if (!file_bytes) session_.Abandon(file_bytes.error());
    reached_[i].resize(file_bytes.value_or(0) / kBlockBytes);
  }
}

// Blocks.

// Blocks of records in memory may also be kept in memory, or lie where the file has grown since.
std::string ContentChecker::CheckBlock(uint32_t owner, BlockPointer block, Account account) {
  if (block.IsHole()) return {};
  const std::string name = NameOf(owner) + " values: block " + std::to_string(block.Place());
  std::vector<bool>& reached = reached_[owner];
  if (account == Account::kKept) {
    if (block.Place() >= reached.size()) return name + " is beyond the file's end";
    session_.CountBlock(kBlockBytes);
    if (reached[block.Place()]) return name + " has a second owner";
    reached[block.Place()] = true;
  }
  const auto sound = shards_[owner]->blocks().Check(block);
  if (!sound && sound.error().code != ErrorCode::kCorrupt) {
    session_.Abandon(sound.error());
    return {};
  }
  return sound ? std::string() : NameOf(owner) + " values: " + sound.error().message;
}

bool ContentChecker::VisitMapBlock(uint32_t shard, BlockPointer block) {
  const std::string wrong = CheckBlock(shard, block, Account::kKept);
  if (!wrong.empty()) session_.Damage("of an allocation map: " + wrong);
  return wrong.empty();
}

// Records.

void ContentChecker::VisitRecord(uint32_t shard, const LeafRecord& record) {
  if (IsEntry(record)) return VisitEntry(shard, record, Account::kKept);
  if (record.key.directory == format::kOrphanDirectory) return VisitOrphan(shard, record);
  VisitChunk(shard, record, Account::kKept);
}

void ContentChecker::VisitRecordInMemory(uint32_t shard, const LeafRecord& record) {
  if (IsEntry(record)) return VisitEntry(shard, record, Account::kNone);
  if (record.key.directory != format::kOrphanDirectory) VisitChunk(shard, record, Account::kNone);
}

void ContentChecker::VisitEntry(uint32_t shard, const LeafRecord& record, Account account) {
  const std::string name = DescribeEntry(record.key.directory, record.key.name);
  const bool is_counted = account == Account::kKept;
  if (is_counted) {
    ++entries_[shard];
    session_.CountEntry();
  } else {
    session_.CountLogEntry();
  }
  if (record.key.name.empty() || placement_.ShardOf(record.key.position) != shard) {
    session_.Damage(name + " lies in " + NameOf(shard) + ", where nobody looks for it");
  }
  const auto entry = Entry::Decode(record.value, limit_);
  if (!entry) return session_.Damage(name + ", " + NameOf(shard) + ": " + entry.error().message);
  const ContentShape shape = ContentShape::Of(entry->size, limit_);
  if (!shape.IsDirect()) {
    if (placement_.OwnerOf(entry->content) != placement_.OwnerOf(entry->id)) {
      session_.Damage(name + " and its content live in two shards");
    }
    if (!is_counted) return;
    Content& content = contents_[entry->content];
    if (content.has_owner) session_.Damage(name + " has a content that has another owner, too");
    content.has_owner = true;
    content.blocks = shape.blocks;
    content.said = entry->allocated;
    return;
  }
  BlockPointer direct[format::kDirectBlocks];
  format::DecodeBlockList(entry->direct, std::span(direct).first(shape.blocks));
  for (uint64_t i = 0; i < shape.blocks && !session_.ended(); ++i) {
    const std::string wrong = CheckBlock(placement_.OwnerOf(entry->id), direct[i], account);
    if (!wrong.empty()) session_.Damage(name + ", " + RangeOfBlock(i) + ": " + wrong);
  }
}

void ContentChecker::VisitChunk(uint32_t shard, const LeafRecord& record, Account account) {
  const uint64_t id = record.key.directory - format::kFirstOwnDirectory;
  if (!record.key.name.empty() || placement_.OwnerOf(id) != shard) {
    session_.Damage(NameOf(shard) + " has a chunk of content " + std::to_string(id) +
                    ", which lives elsewhere");
    return;
  }
  const auto chunk = Chunk::Decode(record.value);
  const uint64_t first = record.key.position * kBlocksPerChunk;
  if (!chunk || first / kBlocksPerChunk != record.key.position) {
    DamageOfContent(id, RangeOfBlock(first) + " and following: " +
                            (chunk ? "a chunk has an impossible index" : chunk.error().message));
    return;
  }
  uint64_t found = 0, end = 0;
  for (uint32_t i = 0; i < kBlocksPerChunk && !session_.ended(); ++i) {
    if (chunk->blocks[i].IsHole()) continue;
    ++found;
    end = first + i + 1;
    std::string wrong = CheckBlock(shard, chunk->blocks[i], account);
    if (!wrong.empty()) DamageOfContent(id, RangeOfBlock(first + i) + ": " + wrong);
  }
  if (account == Account::kNone) return;
  Content& content = contents_[id];
  content.found += found;
  content.end = std::max(content.end, end);
}

void ContentChecker::VisitOrphan(uint32_t shard, const LeafRecord& record) {
  ++dead_[shard];
  Content& content = contents_[record.key.position];
  if (placement_.OwnerOf(record.key.position) != shard || content.has_owner) {
    session_.Damage(NameOf(shard) + " lets content " + std::to_string(record.key.position) +
                    " go, which is not its to let go");
  }
  content.has_owner = content.is_dead = true;
}

// What they say together.

void ContentChecker::DamageOfContent(uint64_t content, std::string what) {
  unnamed_[content].push_back(std::move(what));
}

void ContentChecker::CompareContents(bool has_gaps) {
  for (const auto& [id, content] : contents_) {
    if (!content.has_owner) {
      if (!has_gaps) session_.Space("content " + std::to_string(id) + " is no entry's");
      continue;
    }
    if (content.is_dead) continue;
    if (content.end > content.blocks) {
      DamageOfContent(id, "it has blocks behind its end");
    }
    if (content.found != content.said && !has_gaps) {
      DamageOfContent(id, "the entry says that it has " + std::to_string(content.said) +
                              " blocks, and its chunks have " + std::to_string(content.found));
    }
  }
}

void ContentChecker::VisitName(const LeafRecord& record) {
  const auto entry = Entry::Decode(record.value, limit_);
  if (!entry || entry->content == 0) return;
  const auto found = unnamed_.find(entry->content);
  if (found == unnamed_.end()) return;
  for (const std::string& what : found->second) {
    session_.Damage(DescribeEntry(record.key.directory, record.key.name) + ", " + what);
  }
  unnamed_.erase(found);
}

void ContentChecker::TellUnnamed() {
  for (const auto& [id, damages] : unnamed_) {
    for (const std::string& what : damages) {
      session_.Damage("content " + std::to_string(id) + ", of no entry that can be named, " + what);
    }
  }
  unnamed_.clear();
}

}  // namespace kvfs

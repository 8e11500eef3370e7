// Entries and chunks to bytes and back; bytes that cannot be either are refused.
#include "store/format/entry.h"

namespace kvfs::format {

Result<Entry> Entry::Decode(Bytes value, uint32_t inline_limit) {
  if (value.size() < kEntryHeaderBytes) return Fail(ErrorCode::kCorrupt, "an entry is too short");
  Entry entry;
  entry.id = LoadLittle<uint64_t>(value.data());
  entry.size = LoadLittle<uint64_t>(value.data() + 8);
  if (entry.id < kFirstEntryId || entry.id > kMaxId) {
    return Fail(ErrorCode::kCorrupt, "an entry has an impossible id");
  }
  size_t meta_bytes = LoadLittle<uint8_t>(value.data() + 16);
  if (value.size() < kEntryHeaderBytes + meta_bytes) {
    return Fail(ErrorCode::kCorrupt, "an entry's meta is cut off");
  }
  entry.meta = AsText(value.subspan(kEntryHeaderBytes, meta_bytes));
  Bytes rest = value.subspan(kEntryHeaderBytes + meta_bytes);
  bool is_inline = entry.size <= inline_limit;
  if (rest.size() != (is_inline ? entry.size : kBlockCountBytes)) {
    return Fail(ErrorCode::kCorrupt, "an entry's content does not have its size");
  }
  if (is_inline) {
    entry.content = rest;
  } else {
    entry.blocks = LoadLittle<uint64_t>(rest.data());
    if (entry.size >= kFirstOwnSpace) {
      return Fail(ErrorCode::kCorrupt, "an entry's content has an impossible size");
    }
  }
  return entry;
}

void Entry::Encode(uint32_t inline_limit, std::vector<std::byte>* out) const {
  bool is_inline = size <= inline_limit;
  out->resize(kEntryHeaderBytes + meta.size() + (is_inline ? content.size() : kBlockCountBytes));
  std::byte* at = out->data();
  StoreLittle(at, id);
  StoreLittle(at + 8, size);
  StoreLittle(at + 16, static_cast<uint8_t>(meta.size()));
  at += kEntryHeaderBytes;
  CopyBytes(at, AsBytes(meta));
  at += meta.size();
  if (is_inline) {
    CopyBytes(at, content);
  } else {
    StoreLittle(at, blocks);
  }
}

Result<Chunk> Chunk::Decode(Bytes value) {
  Chunk chunk;
  if (value.size() % BlockPointer::kBytes != 0 ||
      value.size() > kBlocksPerChunk * BlockPointer::kBytes) {
    return Fail(ErrorCode::kCorrupt, "a chunk has an impossible length");
  }
  for (size_t i = 0; i < value.size() / BlockPointer::kBytes; ++i) {
    chunk.blocks[i] = BlockPointer::Decode(value.data() + i * BlockPointer::kBytes);
  }
  return chunk;
}

std::vector<std::byte> Chunk::Encode() const {
  size_t count = kBlocksPerChunk;
  while (count > 0 && blocks[count - 1].IsHole()) --count;
  std::vector<std::byte> out(count * BlockPointer::kBytes);
  for (size_t i = 0; i < count; ++i) blocks[i].Encode(out.data() + i * BlockPointer::kBytes);
  return out;
}

bool Chunk::IsHole() const {
  for (const BlockPointer& block : blocks) {
    if (!block.IsHole()) return false;
  }
  return true;
}

}  // namespace kvfs::format

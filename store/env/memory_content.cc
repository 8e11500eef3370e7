// Chunks, and the blocks taken in them.

#include "store/env/memory_content.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace kvfs {
namespace {

// The part of a range that lies in one chunk.
struct Piece {
  uint64_t chunk;
  size_t begin;  // within the chunk
  size_t length;
};

std::vector<Piece> Split(uint64_t offset, uint64_t length) {
  constexpr uint64_t kChunk = MemoryContent::kChunkBytes;
  std::vector<Piece> pieces;
  for (uint64_t at = offset; at < offset + length;) {
    const uint64_t step = std::min(kChunk - at % kChunk, offset + length - at);
    pieces.push_back({at / kChunk, at % kChunk, step});
    at += step;
  }
  return pieces;
}

// Bits of the blocks first to end - 1 of a chunk.
uint16_t BlockBits(size_t first, size_t end) {
  return first < end ? static_cast<uint16_t>((1U << end) - (1U << first)) : uint16_t{0};
}

uint16_t TouchedBlocks(const Piece& piece) {
  constexpr size_t kBlock = MemoryContent::kBlockBytes;
  return BlockBits(piece.begin / kBlock, (piece.begin + piece.length + kBlock - 1) / kBlock);
}

uint16_t CoveredBlocks(const Piece& piece) {
  constexpr size_t kBlock = MemoryContent::kBlockBytes;
  return BlockBits((piece.begin + kBlock - 1) / kBlock, (piece.begin + piece.length) / kBlock);
}

uint64_t BytesOf(uint16_t blocks) {
  return static_cast<uint64_t>(std::popcount(blocks)) * MemoryContent::kBlockBytes;
}

}  // namespace

MemoryContent::Chunk& MemoryContent::OwnChunk(Place& place) {
  if (!place.chunk) {
    place.chunk = std::make_shared<Chunk>();
  } else if (place.chunk.use_count() > 1) {
    place.chunk = std::make_shared<Chunk>(*place.chunk);
  }
  return *place.chunk;
}

void MemoryContent::TakeBlocks(Place& place, uint16_t blocks) {
  allocated_bytes_ += BytesOf(blocks & static_cast<uint16_t>(~place.allocated_blocks));
  place.allocated_blocks |= blocks;
}

void MemoryContent::GiveBlocks(Place& place, uint16_t blocks) {
  allocated_bytes_ -= BytesOf(blocks & place.allocated_blocks);
  place.allocated_blocks &= static_cast<uint16_t>(~blocks);
  place.written_blocks &= static_cast<uint16_t>(~blocks);
}

uint64_t MemoryContent::MissingBytes(uint64_t offset, uint64_t length) const {
  uint64_t missing = 0;
  for (const Piece& piece : Split(offset, length)) {
    const auto place = places_.find(piece.chunk);
    const uint16_t taken = place == places_.end() ? uint16_t{0} : place->second.allocated_blocks;
    missing += BytesOf(TouchedBlocks(piece) & static_cast<uint16_t>(~taken));
  }
  return missing;
}

uint64_t MemoryContent::OverwrittenBytes(uint64_t offset, uint64_t length) const {
  uint64_t overwritten = 0;
  for (const Piece& piece : Split(offset, length)) {
    const auto place = places_.find(piece.chunk);
    if (place == places_.end()) continue;
    overwritten += BytesOf(TouchedBlocks(piece) & place->second.written_blocks);
  }
  return overwritten;
}

void MemoryContent::Read(uint64_t offset, MutableBytes out) const {
  for (const Piece& piece : Split(offset, out.size())) {
    const auto place = places_.find(piece.chunk);
    if (place == places_.end() || !place->second.chunk) {
      std::fill_n(out.begin(), piece.length, std::byte{0});
    } else {
      std::copy_n(place->second.chunk->begin() + piece.begin, piece.length, out.begin());
    }
    out = out.subspan(piece.length);
  }
}

const std::byte* MemoryContent::View(uint64_t offset, uint64_t length) {
  if (offset % kChunkBytes + length > kChunkBytes) {
    std::fprintf(stderr, "MemoryEnv: a view must not span a multiple of %llu bytes: %llu at %llu\n",
                 static_cast<unsigned long long>(kChunkBytes),
                 static_cast<unsigned long long>(length), static_cast<unsigned long long>(offset));
    std::abort();
  }
  return OwnChunk(places_[offset / kChunkBytes]).data() + offset % kChunkBytes;
}

void MemoryContent::Write(uint64_t offset, Bytes data) {
  for (const Piece& piece : Split(offset, data.size())) {
    Place& place = places_[piece.chunk];
    TakeBlocks(place, TouchedBlocks(piece));
    place.written_blocks |= TouchedBlocks(piece);
    std::copy_n(data.begin(), piece.length, OwnChunk(place).begin() + piece.begin);
    data = data.subspan(piece.length);
    Grow(piece.chunk * kChunkBytes + piece.begin + piece.length);
  }
}

void MemoryContent::Allocate(uint64_t offset, uint64_t length) {
  for (const Piece& piece : Split(offset, length)) {
    TakeBlocks(places_[piece.chunk], TouchedBlocks(piece));
  }
  Grow(offset + length);
}

void MemoryContent::Grow(uint64_t size) { size_ = std::max(size_, size); }

void MemoryContent::Punch(uint64_t offset, uint64_t length) {
  const uint64_t end = offset < size_ ? offset + std::min(length, size_ - offset) : offset;
  for (const Piece& piece : Split(offset, end - offset)) {
    const auto place = places_.find(piece.chunk);
    if (place == places_.end()) continue;
    GiveBlocks(place->second, CoveredBlocks(piece));
    if (!place->second.chunk) continue;
    std::fill_n(OwnChunk(place->second).begin() + piece.begin, piece.length, std::byte{0});
  }
}

void MemoryContent::Shorten(uint64_t size) {
  if (size >= size_) return;
  // Round up to the end of the last block, so that it is freed, too.
  size_ = (size_ + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  Punch(size, size_ - size);
  size_ = size;
}

void MemoryContent::Clear() { *this = MemoryContent(); }

}  // namespace kvfs

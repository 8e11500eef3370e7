// Entries to bytes and back; bytes that cannot be one are refused.
#include "store/format/entry.h"

namespace kvfs::format {
namespace {

constexpr uint8_t kHasMeta = 1, kHasSize = 2, kIsChunked = 4, kAllFlags = 7;
constexpr uint8_t kIsLost = 128;

tl::unexpected<Error> Damaged(const char* reason) { return Fail(ErrorCode::kCorrupt, reason); }

// Reads an entry from front to back; false if it ends too early.
class Reader {
 public:
  explicit Reader(Bytes bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool Byte(uint8_t* value) {
    if (at_ == end_) return false;
    *value = static_cast<uint8_t>(*at_++);
    return true;
  }
  bool Varint(uint64_t* value) {
    const std::byte* next = GetVarint(at_, end_, value);
    if (next != nullptr) at_ = next;
    return next != nullptr;
  }
  bool Take(size_t count, Bytes* bytes) {
    if (count > static_cast<size_t>(end_ - at_)) return false;
    *bytes = {at_, count};
    at_ += count;
    return true;
  }
  Bytes Rest() const { return {at_, end_}; }

 private:
  const std::byte* at_;
  const std::byte* const end_;
};

bool TakeBlocks(const ContentShape& shape, Reader* reader, Entry* entry) {
  BlockPointer blocks[kDirectBlocks];
  const auto bytes = DecodeBlockList(reader->Rest(), std::span(blocks).first(shape.blocks));
  return bytes && reader->Take(*bytes, &entry->direct);
}

}  // namespace

std::vector<std::byte> Entry::Lost() { return {std::byte{kIsLost}}; }

Result<Entry> Entry::Decode(Bytes value, uint32_t inline_limit) {
  if (value.size() == 1 && value[0] == std::byte{kIsLost}) {
    return Damaged("it was lost when the store was recovered from damage");
  }
  Reader reader(value);
  Entry entry;
  uint8_t flags = 0, meta_bytes = 0;
  if (!reader.Byte(&flags) || (flags & ~kAllFlags) != 0 || !reader.Varint(&entry.id)) {
    return Damaged("an entry has an invalid header");
  }
  if (entry.id < kFirstEntryId || entry.id > kMaxId)
    return Damaged("an entry has an impossible id");
  if ((flags & kHasMeta) != 0) {
    Bytes meta;
    if (!reader.Byte(&meta_bytes) || !reader.Take(meta_bytes, &meta)) {
      return Damaged("an entry's meta is cut off");
    }
    entry.meta = AsText(meta);
  }
  if ((flags & kHasSize) == 0) {
    entry.tail = reader.Rest();
    entry.size = entry.tail.size();
    if ((flags & kIsChunked) != 0 || entry.size > inline_limit) {
      return Damaged("an entry's content does not have its size");
    }
    return entry;
  }
  if (!reader.Varint(&entry.size) || entry.size >= kFirstOwnDirectory) {
    return Damaged("an entry's content has an impossible size");
  }
  const ContentShape shape = ContentShape::Of(entry.size, inline_limit);
  const bool is_chunked = (flags & kIsChunked) != 0;
  if (shape.blocks == 0 || shape.IsDirect() == is_chunked) {
    return Damaged("an entry's content does not have its size");
  }
  if (is_chunked ? !reader.Varint(&entry.content) || !reader.Varint(&entry.allocated)
                 : !TakeBlocks(shape, &reader, &entry)) {
    return Damaged("an entry's blocks are truncated");
  }
  if (is_chunked &&
      (entry.content < kFirstEntryId || entry.content > kMaxId || entry.allocated > shape.blocks)) {
    return Damaged("an entry has an impossible content");
  }
  entry.tail = reader.Rest();
  if (entry.tail.size() != shape.tail) return Damaged("an entry's tail does not have its size");
  return entry;
}

void Entry::Encode(uint32_t inline_limit, std::vector<std::byte>* out) const {
  const ContentShape shape = ContentShape::Of(size, inline_limit);
  const bool has_size = shape.blocks > 0, is_chunked = !shape.IsDirect();
  std::byte header[1 + kMaxVarintBytes + 1];
  header[0] = static_cast<std::byte>((meta.empty() ? 0 : kHasMeta) | (has_size ? kHasSize : 0) |
                                     (is_chunked ? kIsChunked : 0));
  std::byte* at = PutVarint(header + 1, id);
  if (!meta.empty()) *at++ = static_cast<std::byte>(meta.size());
  out->assign(header, at);
  auto append = [out](Bytes bytes) { out->insert(out->end(), bytes.begin(), bytes.end()); };
  append(AsBytes(meta));
  if (has_size) {
    std::byte numbers[3 * kMaxVarintBytes];
    at = PutVarint(numbers, size);
    if (is_chunked) at = PutVarint(PutVarint(at, content), allocated);
    append({numbers, at});
    if (!is_chunked) append(direct);
  }
  append(tail);
}

}  // namespace kvfs::format

// Between an entry's bytes and its decoded, mutable form.
#include "store/txn/mutable_entry.h"

namespace kvfs {

using format::ContentShape;
using format::Entry;

MutableEntry MutableEntry::Of(const Entry& entry, uint32_t inline_limit) {
  MutableEntry result;
  result.id = entry.id;
  result.size = entry.size;
  result.meta = entry.meta;
  result.tail.assign(entry.tail.begin(), entry.tail.end());
  result.content = entry.content;
  result.allocated = entry.allocated;
  const ContentShape shape = ContentShape::Of(entry.size, inline_limit);
  if (shape.IsDirect()) {
    format::DecodeBlockList(entry.direct, std::span(result.direct).first(shape.blocks));
  }
  return result;
}

std::vector<std::byte> MutableEntry::Encode(uint32_t inline_limit) const {
  const ContentShape shape = ContentShape::Of(size, inline_limit);
  std::vector<std::byte> list;
  if (shape.IsDirect()) format::AppendBlockList(std::span(direct).first(shape.blocks), &list);
  std::vector<std::byte> bytes;
  Entry{id, size, meta, tail, list, content, allocated}.Encode(inline_limit, &bytes);
  return bytes;
}

}  // namespace kvfs

// Between an entry's bytes and its draft.
#include "store/txn/draft.h"

namespace kvfs {

using format::ContentShape;
using format::Entry;

Draft Draft::Of(const Entry& entry, uint32_t inline_limit) {
  Draft draft;
  draft.id = entry.id;
  draft.size = entry.size;
  draft.meta = entry.meta;
  draft.tail.assign(entry.tail.begin(), entry.tail.end());
  draft.content = entry.content;
  draft.allocated = entry.allocated;
  const ContentShape shape = ContentShape::Of(entry.size, inline_limit);
  if (shape.IsDirect()) {
    format::DecodeBlockList(entry.direct, std::span(draft.direct).first(shape.blocks));
  }
  return draft;
}

std::vector<std::byte> Draft::Encode(uint32_t inline_limit) const {
  const ContentShape shape = ContentShape::Of(size, inline_limit);
  std::vector<std::byte> list;
  if (shape.IsDirect()) format::AppendBlockList(std::span(direct).first(shape.blocks), &list);
  std::vector<std::byte> bytes;
  Entry{id, size, meta, tail, list, content, allocated}.Encode(inline_limit, &bytes);
  return bytes;
}

}  // namespace kvfs

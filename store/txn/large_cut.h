// A Resize or Punch that frees much of a content and keeps much of it. If there are more chunks
// than one change can free or leave behind (content_editor.h), preliminary changes free parts, one
// after another, until the rest is small enough. A truncation goes from the end, so the content is
// a prefix of the old one all the while; a punch goes from the front of the range.
//
// Threads: safe from many. Takes shards' locks for moments.
#pragma once

#include <optional>

#include <kvfs/batch.h>
#include "store/shard/placement.h"
#include "store/shard/shard_set.h"

namespace kvfs {

class LargeCut {
 public:
  // Both must outlive it.
  LargeCut(const Shards& shards, const Placement& placement)
      : shards_(shards), placement_(placement) {}

  // Returns an operation that does a part of this one, whose key has this place, on the same key;
  // nothing if the operation is small enough.
  Result<std::optional<Batch::Operation>> PartOf(const Batch::Operation& operation,
                                                 const Place& place) const;

 private:
  struct Content {
    uint32_t owner = 0;
    uint64_t id = 0;
    uint64_t size = 0;
    uint64_t allocated = 0;  // blocks
  };
  struct Count {
    uint64_t chunks = 0;
    uint64_t end = 0;  // one past the last counted chunk
  };
  Result<std::optional<Content>> Find(const Place& place) const;
  // Counts the chunks in [from, end), from the first on, up to `most`.
  Result<Count> CountChunks(const Content& content, uint64_t from, uint64_t end,
                            uint64_t most) const;
  Result<uint64_t> LastPart(const Content& content, uint64_t from) const;

  const Shards& shards_;
  const Placement& placement_;
};

}  // namespace kvfs

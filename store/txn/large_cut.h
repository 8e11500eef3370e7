// A Resize or Punch that gives up much of a content and keeps much: of more chunks than one change
// can free, or leave behind (content_editor.h), a part is given up beforehand, and another, until
// the rest is small. A content is cut from its end, and so is a beginning of itself all the while;
// it is punched from the front of the range.
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

  // An operation that does a part of this one, on the same key; nothing if there is no need.
  Result<std::optional<Batch::Operation>> PartOf(const Batch::Operation& operation) const;

 private:
  struct Content {
    uint32_t owner = 0;
    uint64_t id = 0;
    uint64_t size = 0;
    uint64_t allocated = 0;  // blocks
  };
  struct Count {
    uint64_t chunks = 0;
    uint64_t end = 0;  // behind the last that was counted
  };
  Result<std::optional<Content>> Find(Key key) const;
  // Of the chunks [from, end) the first ones, up to `most`.
  Result<Count> CountChunks(const Content& content, uint64_t from, uint64_t end,
                            uint64_t most) const;
  Result<uint64_t> LastPart(const Content& content, uint64_t from) const;

  const Shards& shards_;
  const Placement& placement_;
};

}  // namespace kvfs

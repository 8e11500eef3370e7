// A batch of the store whose meta edits are attribute edits.
//
// A MetaEdit cannot report to the store that the current bytes are malformed. An AttributeBatch
// remembers it, and returns a meta above the limit, so that the store refuses the batch: damaged
// attributes are reported and never overwritten.
//
// Not movable, because its edits hold pointers to it.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <kvfs/store.h>
#include "fs/attributes.h"

namespace kvfs::fs {

// Decodes `meta`; `if_empty` if it is empty. kCorrupt.
Result<Attributes> ReadMeta(std::string_view meta, const Attributes& if_empty);

class AttributeBatch {
 public:
  // `if_empty` holds the attributes of an entry without meta; it must outlive the batch.
  explicit AttributeBatch(const Attributes& if_empty) : if_empty_(if_empty) {}

  AttributeBatch(const AttributeBatch&) = delete;
  AttributeBatch& operator=(const AttributeBatch&) = delete;

  Batch& batch() { return batch_; }

  // Makes a MetaEdit for the batch's operations. `edit` runs under a lock of the store: it must be
  // quick.
  MetaEdit Edit(std::function<void(Attributes&)> edit);

  // Keeps a name or content that the batch borrows, as long as the batch.
  std::string_view Keep(std::string text) { return kept_.emplace_back(std::move(text)); }

  // As Store::Apply, and kCorrupt for malformed attributes.
  Result<void> Apply(Store& store);
  // For edits that were passed to another call of the store: turns its result into kCorrupt if an
  // edit found malformed attributes.
  Result<void> Explain(Result<void> result) const;

 private:
  const Attributes& if_empty_;
  Batch batch_;
  std::deque<std::string> kept_;
  bool found_damage_ = false;
};

}  // namespace kvfs::fs

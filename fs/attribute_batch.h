// A batch of the store whose edits of meta are edits of attributes.
//
// The store cannot be told from inside a MetaEdit that the present bytes make no sense. An
// AttributeBatch remembers it, and answers with a meta above the limit, for which the store refuses
// the batch: so damaged attributes are reported and never overwritten.
//
// Not movable, because its edits point to it.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <kvfs/store.h>
#include "fs/attributes.h"

namespace kvfs::fs {

// The attributes that `meta` tells of; `if_empty` where there are none. kCorrupt.
Result<Attributes> ReadMeta(std::string_view meta, const Attributes& if_empty);

class AttributeBatch {
 public:
  // `if_empty` are the attributes of an entry without meta; it must outlive the change.
  explicit AttributeBatch(const Attributes& if_empty) : if_empty_(if_empty) {}

  AttributeBatch(const AttributeBatch&) = delete;
  AttributeBatch& operator=(const AttributeBatch&) = delete;

  Batch& batch() { return batch_; }

  // For the batch's operations. `edit` runs under a lock of the store: it must be short.
  MetaEdit Edit(std::function<void(Attributes&)> edit);

  // For names and contents that are made for the batch, which borrows them: keeps it as long.
  std::string_view Keep(std::string text) { return kept_.emplace_back(std::move(text)); }

  // As Store::Apply, and kCorrupt for attributes that make no sense.
  Result<void> Apply(Store& store);
  // For edits that were handed to another call of the store, with what it has returned.
  Result<void> Explain(Result<void> result) const;

 private:
  const Attributes& if_empty_;
  Batch batch_;
  std::deque<std::string> kept_;
  bool found_damage_ = false;
};

}  // namespace kvfs::fs

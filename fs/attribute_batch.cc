// Wraps edits of attributes into edits of meta.
#include "fs/attribute_batch.h"

#include <string>
#include <utility>

namespace kvfs::fs {

Result<Attributes> ReadMeta(std::string_view meta, const Attributes& if_empty) {
  if (meta.empty()) return if_empty;
  return DecodeAttributes(meta);
}

MetaEdit AttributeBatch::Edit(std::function<void(Attributes&)> edit) {
  return [this, edit = std::move(edit)](std::string& meta) {
    auto attributes = ReadMeta(meta, if_empty_);
    if (!attributes) {
      found_damage_ = true;
      meta.assign(kMaxMetaBytes + 1, '\0');
      return;
    }
    edit(*attributes);
    meta = EncodeAttributes(*attributes);
  };
}

Result<void> AttributeBatch::Apply(Store& store) { return Explain(store.Apply(batch_)); }

Result<void> AttributeBatch::Explain(Result<void> result) const {
  if (!result && found_damage_) {
    return Fail(ErrorCode::kCorrupt, "the attributes of an entry are malformed");
  }
  return result;
}

}  // namespace kvfs::fs

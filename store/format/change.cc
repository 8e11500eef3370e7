// Encoding and strict decoding of changes.
#include "store/format/change.h"

namespace kvfs::format {
namespace {

using Kind = Change::Kind;

// The number that takes the field `first`: each kind has at most one such.
uint64_t* First(Change& change) {
  switch (change.kind) {
    case Kind::kPut:
      return &change.id;
    case Kind::kMove:
      return &change.to_space;
    case Kind::kResize:
      return &change.size;
    default:
      return &change.offset;
  }
}

// The same for the field `second`.
uint64_t* Second(Change& change) {
  return change.kind == Kind::kWriteBlocks ? &change.id : &change.length;
}

bool IsKind(uint8_t kind) {
  return kind >= static_cast<uint8_t>(Kind::kPut) && kind <= static_cast<uint8_t>(Kind::kPunch);
}

void AppendBytes(std::vector<std::byte>* out, Bytes bytes) {
  out->insert(out->end(), bytes.begin(), bytes.end());
}

// Decodes the change at the front of `payload` and cuts it off.
Result<Change> TakeChange(Bytes* payload) {
  const std::byte* at = payload->data();
  if (payload->size() < kChangeHeaderBytes || !IsKind(LoadLittle<uint8_t>(at))) {
    return Fail(ErrorCode::kCorrupt, "a change has no sound header");
  }
  Change change;
  change.kind = static_cast<Kind>(LoadLittle<uint8_t>(at));
  bool has_meta = LoadLittle<uint8_t>(at + 1) != 0;
  size_t name_bytes = LoadLittle<uint8_t>(at + 2), to_name_bytes = LoadLittle<uint8_t>(at + 3);
  size_t meta_bytes = LoadLittle<uint8_t>(at + 4), data_bytes = LoadLittle<uint32_t>(at + 8);
  change.space = LoadLittle<uint64_t>(at + 12);
  *First(change) = LoadLittle<uint64_t>(at + 20);
  *Second(change) = LoadLittle<uint64_t>(at + 28);
  Bytes rest = payload->subspan(kChangeHeaderBytes);
  if (rest.size() < name_bytes + to_name_bytes + meta_bytes + data_bytes) {
    return Fail(ErrorCode::kCorrupt, "a change is cut off");
  }
  auto take = [&rest](size_t count) {
    Bytes taken = rest.first(count);
    rest = rest.subspan(count);
    return taken;
  };
  change.name = AsText(take(name_bytes));
  change.to_name = AsText(take(to_name_bytes));
  std::string_view meta = AsText(take(meta_bytes));
  if (has_meta) change.meta = meta;
  change.data = take(data_bytes);
  *payload = rest;
  return change;
}

}  // namespace

void Change::AppendTo(std::vector<std::byte>* out) const {
  Change copy = *this;
  std::byte header[kChangeHeaderBytes] = {};
  StoreLittle(header, static_cast<uint8_t>(kind));
  StoreLittle(header + 1, static_cast<uint8_t>(meta.has_value()));
  StoreLittle(header + 2, static_cast<uint8_t>(name.size()));
  StoreLittle(header + 3, static_cast<uint8_t>(to_name.size()));
  StoreLittle(header + 4, static_cast<uint8_t>(meta ? meta->size() : 0));
  StoreLittle(header + 8, static_cast<uint32_t>(data.size()));
  StoreLittle(header + 12, space);
  StoreLittle(header + 20, *First(copy));
  StoreLittle(header + 28, *Second(copy));
  AppendBytes(out, header);
  AppendBytes(out, AsBytes(name));
  AppendBytes(out, AsBytes(to_name));
  if (meta) AppendBytes(out, AsBytes(*meta));
  AppendBytes(out, data);
}

Result<std::vector<Change>> DecodeChanges(Bytes payload) {
  std::vector<Change> changes;
  while (!payload.empty()) {
    KVFS_ASSIGN(Change change, TakeChange(&payload));
    changes.push_back(change);
  }
  return changes;
}

}  // namespace kvfs::format

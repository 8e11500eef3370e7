// Encoding and strict decoding of changes.
#include "store/format/change.h"

namespace kvfs::format {
namespace {

using Kind = Change::Kind;
using Found = Change::Found;

// Flags: bits 0 and 1 say which metas are present, bits 2 and 3 are `found`.
constexpr uint8_t kHasMeta = 1, kHasToMeta = 2, kAllFlags = 0x0f;
constexpr int kFoundShift = 2;

// The member stored in the field `first`: each kind has one.
uint64_t* First(Change& change) {
  switch (change.kind) {
    case Kind::kPut:
      return &change.id;
    case Kind::kMove:
    case Kind::kExchange:
    case Kind::kTakeContent:
      return &change.to_directory;
    case Kind::kResize:
      return &change.size;
    case Kind::kReclaim:
      return &change.content;
    default:
      return &change.offset;
  }
}

// The same for the field `second`, which only some kinds have.
uint64_t* Second(Change& change) {
  switch (change.kind) {
    case Kind::kPunch:
    case Kind::kAllocate:
      return &change.length;
    case Kind::kWriteBlocks:
      return &change.owner;
    case Kind::kReclaim:
      return &change.end;
    default:
      return nullptr;
  }
}

bool IsKind(uint8_t kind) {
  return kind >= static_cast<uint8_t>(Kind::kPut) &&
         kind <= static_cast<uint8_t>(Kind::kTakeContent);
}

std::byte* Put(std::byte* at, Bytes bytes) {
  CopyBytes(at, bytes);
  return at + bytes.size();
}

// Takes pieces off the front of a payload.
class Reader {
 public:
  explicit Reader(Bytes rest) : rest_(rest) {}
  bool Has(size_t count) const { return rest_.size() >= count; }
  Bytes Take(size_t count) {
    const Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  bool empty() const { return rest_.empty(); }

 private:
  Bytes rest_;
};

tl::unexpected<Error> CutOff() { return Fail(ErrorCode::kCorrupt, "a change is cut off"); }

Result<Change> TakeChange(Reader* reader) {
  if (!reader->Has(kChangeHeaderBytes)) return CutOff();
  const std::byte* at = reader->Take(kChangeHeaderBytes).data();
  const auto kind = LoadLittle<uint8_t>(at), flags = LoadLittle<uint8_t>(at + 1);
  const int found = flags >> kFoundShift;
  if (!IsKind(kind) || flags > kAllFlags || found > static_cast<int>(Found::kWithoutBlocks)) {
    return Fail(ErrorCode::kCorrupt, "a change has an invalid header");
  }
  Change change;
  change.kind = static_cast<Kind>(kind);
  change.found = static_cast<Found>(found);
  const size_t name_bytes = LoadLittle<uint8_t>(at + 2), meta_bytes = LoadLittle<uint8_t>(at + 3);
  const size_t data_bytes = LoadLittle<uint32_t>(at + 4);
  change.directory = LoadLittle<uint64_t>(at + 8);
  *First(change) = LoadLittle<uint64_t>(at + 16);
  if (uint64_t* second = Second(change)) {
    if (!reader->Has(sizeof *second)) return CutOff();
    *second = LoadLittle<uint64_t>(reader->Take(sizeof *second).data());
  }
  size_t to_name_bytes = 0;
  if (HasSecondName(change.kind)) {
    if (!reader->Has(1)) return CutOff();
    to_name_bytes = static_cast<size_t>(reader->Take(1)[0]);
  }
  if (!reader->Has(name_bytes + to_name_bytes + meta_bytes + data_bytes)) return CutOff();
  change.name = AsText(reader->Take(name_bytes));
  change.to_name = AsText(reader->Take(to_name_bytes));
  const std::string_view meta = AsText(reader->Take(meta_bytes));
  if ((flags & kHasMeta) != 0) change.meta = meta;
  change.data = reader->Take(data_bytes);
  if ((flags & kHasToMeta) != 0) change.to_meta = AsText(change.data);
  return change;
}

}  // namespace

size_t Change::EncodedBytes() const {
  Change copy = *this;
  return kChangeHeaderBytes + (Second(copy) != nullptr ? sizeof(uint64_t) : 0) +
         (HasSecondName(kind) ? 1 + to_name.size() : 0) + name.size() + (meta ? meta->size() : 0) +
         (to_meta ? to_meta->size() : data.size());
}

void Change::AppendTo(std::vector<std::byte>* out) const {
  Change copy = *this;
  const Bytes last = to_meta ? AsBytes(*to_meta) : data;
  const size_t begin = out->size();
  out->resize(begin + EncodedBytes());
  std::byte* at = out->data() + begin;
  const int flags =
      (meta ? kHasMeta : 0) | (to_meta ? kHasToMeta : 0) | static_cast<int>(found) << kFoundShift;
  StoreLittle(at, static_cast<uint8_t>(kind));
  StoreLittle(at + 1, static_cast<uint8_t>(flags));
  StoreLittle(at + 2, static_cast<uint8_t>(name.size()));
  StoreLittle(at + 3, static_cast<uint8_t>(meta ? meta->size() : 0));
  StoreLittle(at + 4, static_cast<uint32_t>(last.size()));
  StoreLittle(at + 8, directory);
  StoreLittle(at + 16, *First(copy));
  at += kChangeHeaderBytes;
  if (const uint64_t* second = Second(copy)) {
    StoreLittle(at, *second);
    at += sizeof *second;
  }
  if (HasSecondName(kind)) *at++ = static_cast<std::byte>(to_name.size());
  at = Put(at, AsBytes(name));
  at = Put(at, AsBytes(to_name));
  if (meta) at = Put(at, AsBytes(*meta));
  Put(at, last);
}

Result<std::vector<Change>> DecodeChanges(Bytes payload) {
  std::vector<Change> changes;
  Reader reader(payload);
  while (!reader.empty()) {
    KVFS_ASSIGN(Change change, TakeChange(&reader));
    changes.push_back(change);
  }
  return changes;
}

}  // namespace kvfs::format

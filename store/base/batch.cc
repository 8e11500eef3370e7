// Collecting a batch's operations.
#include <utility>

#include <kvfs/batch.h>

namespace kvfs {

using Kind = Batch::Operation::Kind;

void Batch::Put(Key key, Bytes content, std::optional<std::string_view> meta, IfPresent if_present,
                uint64_t* id) {
  Operation& put = Add(Kind::kPut, key);
  put.data = content;
  put.meta = meta;
  put.if_present = if_present;
  put.id = id;
}

void Batch::PutAs(Key key, uint64_t id, Bytes content, std::string_view meta) {
  Put(key, content, meta, IfPresent::kRefuse);
  operations_.back().given_id = id;
}

void Batch::Restore(Key key, uint64_t id, std::string_view meta) {
  Operation& restore = Add(Kind::kRestore, key);
  restore.offset = id;
  restore.meta = meta;
}

void Batch::Erase(Key key) { Add(Kind::kErase, key); }

void Batch::Write(Key key, uint64_t offset, Bytes data, MetaEdit edit) {
  Operation& write = Add(Kind::kWrite, key);
  write.offset = offset;
  write.data = data;
  write.edit = std::move(edit);
}

void Batch::Append(Key key, uint64_t offset, Bytes data, MetaEdit edit) {
  Write(key, offset, data, std::move(edit));
  operations_.back().at_end = true;
}

void Batch::Resize(Key key, uint64_t size, MetaEdit edit) {
  Operation& resize = Add(Kind::kResize, key);
  resize.offset = size;
  resize.edit = std::move(edit);
}

void Batch::Punch(Key key, uint64_t offset, uint64_t length, MetaEdit edit) {
  Operation& punch = Add(Kind::kPunch, key);
  punch.offset = offset;
  punch.length = length;
  punch.edit = std::move(edit);
}

void Batch::Allocate(Key key, uint64_t offset, uint64_t length, MetaEdit edit) {
  Operation& allocate = Add(Kind::kAllocate, key);
  allocate.offset = offset;
  allocate.length = length;
  allocate.edit = std::move(edit);
}

void Batch::Move(Key from, Key to, MetaEdit edit, IfPresent if_present) {
  Operation& move = Add(Kind::kMove, from);
  move.to = to;
  move.edit = std::move(edit);
  move.if_present = if_present;
}

void Batch::Exchange(Key one, Key other, MetaEdit edit, MetaEdit other_edit) {
  Operation& exchange = Add(Kind::kExchange, one);
  exchange.to = other;
  exchange.edit = std::move(edit);
  exchange.to_edit = std::move(other_edit);
}

void Batch::TakeContent(Key key, Key from, MetaEdit edit) {
  Operation& take = Add(Kind::kTakeContent, key);
  take.to = from;
  take.edit = std::move(edit);
}

void Batch::Expect(Key key, uint64_t version) { Add(Kind::kExpect, key).offset = version; }

void Batch::EditMeta(Key key, MetaEdit edit) { Add(Kind::kEditMeta, key).edit = std::move(edit); }

Batch::Operation& Batch::Add(Operation::Kind kind, Key key) {
  Operation& added = operations_.emplace_back();
  added.kind = kind;
  added.key = key;
  return added;
}

}  // namespace kvfs

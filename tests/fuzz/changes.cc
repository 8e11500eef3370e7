// The payload of a log record: an accepted payload encodes to equal changes.
#include <algorithm>

#include "store/format/change.h"
#include "store/format/log_segment.h"
#include "tests/fuzz/target.h"
#include "tests/store/format/worked_example.h"

namespace kvfs::fuzz {
namespace {

using format::Change;

Input Encoded(const std::vector<Change>& changes) {
  Input out;
  for (const Change& change : changes) {
    const size_t begin = out.size();
    change.AppendTo(&out);
    Require(out.size() == begin + change.EncodedBytes(), "a change takes what it says");
  }
  return out;
}

bool AreEqual(const Change& one, const Change& other) {
  return one.kind == other.kind && one.found == other.found && one.directory == other.directory &&
         one.name == other.name && one.id == other.id && one.offset == other.offset &&
         one.size == other.size && one.length == other.length &&
         one.to_directory == other.to_directory && one.to_name == other.to_name &&
         one.owner == other.owner && one.content == other.content && one.end == other.end &&
         one.meta == other.meta && one.to_meta == other.to_meta &&
         std::ranges::equal(one.data, other.data);
}

void Run(Bytes input) {
  const Input payload = Resized(input, input.size());
  const auto changes = format::DecodeChanges(payload);
  if (!changes) return;
  for (const Change& change : *changes) {
    for (size_t i = 0; i < change.BlockCount(); ++i) static_cast<void>(change.Block(i));
  }
  const Input encoded = Encoded(*changes);
  const auto again = format::DecodeChanges(encoded);
  Require(again && std::ranges::equal(*changes, *again, AreEqual), "changes encode to equal ones");
}

// Each change alone, and all of them.
std::vector<Input> Seeds() {
  const Input record = format::WorkedExample().at("log-record");
  const Bytes payload = Bytes(record).subspan(format::kLogRecordHeaderBytes);
  std::vector<Input> seeds = {Resized(payload, payload.size())};
  const auto changes = format::DecodeChanges(payload).value();
  for (const Change& change : changes) seeds.push_back(Encoded({change}));
  return seeds;
}

}  // namespace

const Target kChanges = {"changes", Run, Seeds, 20'000};

}  // namespace kvfs::fuzz

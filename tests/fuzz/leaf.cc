// A leaf of a tree, under a correct checksum: a page that CheckPage accepts can be read, and in one
// that CheckOrder accepts every record can be found.
#include "store/format/leaf.h"

#include "store/format/name_hash.h"
#include "tests/fuzz/mapped_page.h"
#include "tests/fuzz/target.h"
#include "tests/store/format/worked_example.h"

namespace kvfs::fuzz {
namespace {

using format::LeafRecord;
using format::LeafView;
using format::RecordKey;

constexpr format::NameHash kHash{42, 0};

void LookUp(const LeafView& leaf, const RecordKey& key) {
  static_cast<void>(leaf.Find(key));
  static_cast<void>(leaf.LowerBound(key));
}

// The page may have changed since `count` was read from it.
void ReadAll(const LeafView& leaf, uint32_t count) {
  LookUp(leaf, {});
  LookUp(leaf, {~uint64_t{0}, ~uint64_t{0}, "name"});
  for (uint32_t i = 0; i < count; ++i) {
    const LeafRecord record = leaf.Record(i);
    const Input touched = Resized(record.value, record.value.size());
    const std::string name(record.key.name);
    LookUp(leaf, record.key);
    LookUp(leaf, {record.key.directory, record.key.position + 1, {}});
    LookUp(leaf, {record.key.directory + 1, record.key.position, name + "x"});
  }
}

void RequireAllFound(const LeafView& leaf) {
  for (uint32_t i = 0; i < leaf.count(); ++i) {
    const LeafRecord record = leaf.Record(i);
    Require(leaf.LowerBound(record.key) == i, "each record's lower bound is itself");
    const auto found = leaf.Find(record.key);
    Require(found && found->version == record.version && found->value.data() == record.value.data(),
            "each record of a leaf in order is found");
  }
}

void Run(Bytes input) {
  MappedPage page(input);
  const LeafView leaf(page.view(), kHash);
  static_cast<void>(leaf.KeysThatFit());  // for refused pages, too
  if (!page.Check() || !leaf.IsLeaf()) return;
  ReadAll(leaf, leaf.count());
  if (format::CheckOrder(leaf, kHash)) RequireAllFound(leaf);
  const uint32_t count = leaf.count();
  page.ForEachLostPart([&] { ReadAll(leaf, count); });
}

std::vector<Input> Seeds() {
  std::vector<LeafRecord> numbered, named;
  const Input value(40, std::byte{7});
  for (uint64_t i = 0; i < 50; ++i) numbered.push_back({{1 + i / 20, i * i, {}}, i, value});
  std::vector<std::string> names;
  for (int i = 0; i < 30; ++i) names.push_back(std::string(static_cast<size_t>(1 + i * 8), 'n'));
  for (const auto& name : names) named.push_back({{1, kHash.PositionOf(name), name}, 1, {}});
  std::ranges::sort(named, {}, &LeafRecord::key);
  std::vector<Input> seeds = {format::WorkedExample().at("leaf")};
  for (const auto& records : {numbered, named, std::vector<LeafRecord>{}}) {
    Input page(MappedPage::kBytes);
    const uint8_t flags = records.empty() ? format::kIncompleteLeaf : 0;
    format::EncodeLeaf(records, flags, {4, 3}, 0, page);
    seeds.push_back(page);
  }
  return seeds;
}

}  // namespace

const Target kLeaf = {"leaf", Run, Seeds, 4000};

}  // namespace kvfs::fuzz

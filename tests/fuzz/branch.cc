// A branch of a tree, under a correct checksum: a page that CheckPage accepts can be read, and one
// that CheckOrder accepts leads each key to its child.
#include "store/format/branch.h"

#include "tests/fuzz/mapped_page.h"
#include "tests/fuzz/target.h"
#include "tests/store/format/worked_example.h"

namespace kvfs::fuzz {
namespace {

using format::BranchRecord;
using format::BranchView;
using format::RecordKey;

// The page may have changed since `count` was read from it.
void ReadAll(const BranchView& branch, uint32_t count) {
  const RecordKey highest{~uint64_t{0}, ~uint64_t{0}, "name"};
  static_cast<void>(branch.ChildIndex({}));
  static_cast<void>(branch.ChildIndex(highest));
  for (uint32_t i = 0; i < count; ++i) {
    const RecordKey key = branch.Key(i);
    const std::string name(key.name);
    static_cast<void>(branch.Child(i));
    static_cast<void>(branch.ChildIndex({key.directory, key.position + 1, name}));
    const uint32_t index = branch.ChildIndex(key);
    Require(index == 0 || index < std::max(count, branch.count()), "an index is that of a child");
  }
}

void RequireAllFound(const BranchView& branch) {
  for (uint32_t i = 0; i < branch.count(); ++i) {
    Require(branch.ChildIndex(branch.Key(i)) == i, "each key leads to its own child");
  }
}

void Run(Bytes input) {
  MappedPage page(input);
  const BranchView branch(page.view());
  if (!page.Check() || branch.IsLeaf()) return;
  ReadAll(branch, branch.count());
  if (branch.CheckOrder()) RequireAllFound(branch);
  const uint32_t count = branch.count();
  page.ForEachLostPart([&] { ReadAll(branch, count); });
}

std::vector<Input> Seeds() {
  std::vector<BranchRecord> one_directory, directories, names;
  const std::string name(200, 'n');
  for (uint64_t i = 0; i < 100; ++i) {
    one_directory.push_back({{1, i << 55, {}}, {i + 1, 2}, 50});
    directories.push_back({{i, i * 7, {}}, {i + 1, 2}, 50});
  }
  for (uint64_t i = 0; i < 20; ++i) {
    names.push_back({{1, 1000, std::string_view(name).substr(0, 10 * i)}, {i + 1, 2}, 3});
  }
  std::vector<Input> seeds = {format::WorkedExample().at("branch")};
  for (const auto& records : {one_directory, directories, names}) {
    Input page(MappedPage::kBytes);
    format::EncodeBranch(records, {5, 3}, 0, page);
    seeds.push_back(page);
  }
  return seeds;
}

}  // namespace

const Target kBranch = {"branch", Run, Seeds, 4000};

}  // namespace kvfs::fuzz

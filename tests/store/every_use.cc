// Each use performs every operation, and checks the results.
#include "tests/store/every_use.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <kvfs/dump.h>
#include <kvfs/repair.h>

namespace kvfs {
namespace {

constexpr DirectoryId kDirectories[] = {kRootDirectory, kTransientDirectory, 100};
constexpr size_t kPieceBytes = 20'000;
constexpr size_t kMostListed = 1000;

// The errors permitted for malformed bytes: none that blames the disk, the machine or the store
// itself.
// machine or the store itself.
bool IsOfDamage(ErrorCode code) {
  return code == ErrorCode::kCorrupt || code == ErrorCode::kNotFound ||
         code == ErrorCode::kTooLarge || code == ErrorCode::kUnsupported;
}

std::unique_ptr<MemoryEnv> Copy(const MemoryEnv& disk) {
  return disk.CrashImage({CrashChoice::Kind::kAll, 0});
}

Key KeyOf(const EveryUse::Name& name) { return {name.first, name.second}; }

}  // namespace

template <typename T>
void EveryUse::Note(const Result<T>& done, const char* what) {
  if (done) return;
  const bool follows = done.error().code == ErrorCode::kReadOnly && has_failed_;
  has_failed_ = has_failed_ || done.error().code == ErrorCode::kCorrupt;
  EXPECT_TRUE(follows || IsOfDamage(done.error().code)) << what << ": " << done.error().message;
  EXPECT_TRUE(done.error().code == ErrorCode::kNotFound || !done.error().message.empty()) << what;
  refusals_ += done.error().code == ErrorCode::kCorrupt ? 1 : 0;
}

std::unique_ptr<Store> EveryUse::Open(MemoryEnv& disk, bool read_only) {
  OpenOptions options;
  options.read_only = read_only;
  options.idle_ms = 0;
  auto store = Store::Open(disk, path_, options);
  Note(store, read_only ? "opening for reading" : "opening");
  openings_ += store ? 1 : 0;
  return store ? *std::move(store) : nullptr;
}

std::set<EveryUse::Name> EveryUse::ListAll(const Reader& reader) {
  std::set<Name> names(names_.begin(), names_.end());
  for (const DirectoryId directory : kDirectories) {
    size_t count = 0;
    const auto listed = reader.List(directory, 0, [&](const ListedEntry& entry) {
      names.insert({directory, std::string(entry.name)});
      return ++count < kMostListed;
    });
    Note(listed, "list");
  }
  return names;
}

void EveryUse::ReadEntry(const Reader& reader, const Name& name) {
  const Key key = KeyOf(name);
  const auto info = reader.Stat(key);
  Note(info, "stat");
  const uint64_t size = info ? info->size_bytes : 0;
  std::vector<std::byte> piece(kPieceBytes);
  Note(reader.Read(key, 0, piece), "read");
  Note(reader.Read(key, size - std::min<uint64_t>(size, kPieceBytes), piece), "read of the end");
  if (size < (uint64_t{1} << 20)) {
    std::string content;
    Note(reader.ReadAll(key, &content), "read of all");
  }
  for (const uint64_t from : {uint64_t{0}, size / 2, size}) {
    Note(reader.FindData(key, from), "find data");
    Note(reader.FindHole(key, from), "find a hole");
  }
}

void EveryUse::Dump(MemoryEnv& disk) {
  const auto entered = disk.ListDirectory(path_);
  ASSERT_TRUE(entered);
  for (const std::string& name : *entered) {
    if (name == "log") continue;
    size_t lines = 0;
    Note(DumpFile(disk, path_ + "/" + name, [&](std::string_view) { return ++lines < 2000; }),
         "dump");
  }
}

void EveryUse::Read(MemoryEnv& disk) {
  Dump(disk);
  const auto store = Open(disk, /*read_only=*/true);
  if (!store) return;
  const size_t before = refusals_;
  for (const Name& name : ListAll(*store)) ReadEntry(*store, name);
  const bool is_damaged = refusals_ > before;
  const auto snapshot = store->TakeSnapshot();
  ASSERT_TRUE(snapshot);
  for (const Name& name : names_) ReadEntry(**snapshot, name);
  const auto report = store->Check({});
  Note(report, "check");
  if (!report) return;
  unsound_ += report->IsSound() ? 0 : 1;
  EXPECT_TRUE(!is_damaged || report->damages > 0) << "a check has not found what a read has met";
}

void EveryUse::Repair(MemoryEnv& disk) {
  uint64_t told = 0;
  RepairOptions options;
  options.on_loss = [&told](std::string_view loss) {
    EXPECT_FALSE(loss.empty());
    ++told;
  };
  const auto report = RepairStore(disk, path_, "repaired", options);
  Note(report, "repair");
  if (!report) return;
  EXPECT_EQ(report->losses, told);
  const auto store = Store::Open(disk, "repaired");
  ASSERT_TRUE(store) << store.error().message;
  CheckOptions check;
  check.on_finding = [](const CheckFinding& finding) { ADD_FAILURE() << finding.message; };
  EXPECT_TRUE((*store)->Check(check));
  EXPECT_EQ((*store)->GetStats().entries, report->entries);
}

void EveryUse::ChangeEntry(Store& store, const Name& name) {
  const Key key = KeyOf(name);
  const Key other{kRootDirectory, "another"};
  const std::string block(9000, 'w');
  const auto apply = [&](auto add, const char* what) {
    Batch batch;
    add(batch);
    const auto applied = store.Apply(batch);
    if (!applied && applied.error().code == ErrorCode::kInvalid) return;  // e.g. beyond its end
    Note(applied, what);
  };
  apply([&](Batch& it) { it.Write(key, 10, AsBytes(block)); }, "write");
  apply([&](Batch& it) { it.Punch(key, 4096, 8192); }, "punch");
  apply([&](Batch& it) { it.Allocate(key, 0, 20'000); }, "allocate");
  apply([&](Batch& it) { it.Move(key, other); }, "move");
  apply([&](Batch& it) { it.Resize(other, 70'000); }, "resize");
  apply([&](Batch& it) { it.Resize(other, 10); }, "cut");
  apply([&](Batch& it) { it.Put(other, AsBytes(block)); }, "put");
  apply([&](Batch& it) { it.Erase(other); }, "erase");
  apply([&](Batch& it) { it.Erase(key); }, "erase");
}

void EveryUse::Change(MemoryEnv& disk) {
  has_failed_ = false;
  {
    const auto store = Open(disk, /*read_only=*/false);
    if (!store) return;
    for (const Name& name : names_) ChangeEntry(*store, name);
    Note(store->Checkpoint(), "checkpoint");
    const std::string large(200'000, 'n');
    Note(store->Put("new", large), "put");
    Note(store->Compact(), "compact");
    Note(store->Close(), "close");
  }
  const auto store = Open(disk, /*read_only=*/true);
  if (!store) return;
  Note(store->Get("new"), "get");
  Note(store->Check({}), "check");
}

void EveryUse::All(MemoryEnv& disk) {
  Read(*Copy(disk));
  Repair(*Copy(disk));
  Change(*Copy(disk));
}

}  // namespace kvfs

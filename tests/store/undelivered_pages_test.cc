// A disk that temporarily fails to deliver pages of mapped files: they read as zeros until the file
// is read again. The zeros are never treated as stored data: no entry is absent, no listing
// incomplete, nothing damaged or lost in a repair; or the disk's failure is reported.
//
// A failure is reported with the number of the view in which a page was hidden.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include <kvfs/repair.h>
#include "store/env/memory_env.h"
#include "tests/fuzz/damaged_store.h"
#include "tests/store/model.h"
#include "tests/support/sanitized.h"

namespace kvfs {
namespace {

constexpr uint64_t kWindow = File::kLeastViewWindowBytes;

// Which pages are hidden, and when.
struct Hiding {
  const char* name;
  bool lasts = false;      // at each later view, too
  bool is_former = false;  // pages viewed before, instead of the requested ones
};

void PrintTo(const Hiding& hiding, std::ostream* out) { *out << hiding.name; }

// Counts the views of all files.
struct Clock {
  Hiding hiding;
  uint64_t nth = 0;
  uint64_t views = 0;
  bool Strikes() { return ++views == nth || (hiding.lasts && views > nth); }
};

struct Counted {
  std::atomic<uint64_t> faults{0};
};

// A read-only file with its own views.
class HidingFile final : private Counted, public File {
 public:
  HidingFile(std::unique_ptr<File> file, Clock* clock)
      : File(&faults), file_(std::move(file)), clock_(*clock) {}

  Result<const std::byte*> View(uint64_t offset, uint64_t length) const override {
    KVFS_TRY(file_->View(offset, length));
    KVFS_ASSIGN(std::byte* const window, WindowAt(offset));
    const MutableBytes asked(window + offset % kWindow, length);
    if (clock_.Strikes()) Hide(clock_.hiding.is_former && !former_.empty() ? former_ : asked);
    former_ = asked;
    return asked.data();
  }
  Result<void> RefreshView(uint64_t offset, uint64_t length) const override {
    KVFS_ASSIGN(std::byte* const window, WindowAt(offset));
    return file_->Read(offset, {window + offset % kWindow, length});
  }
  Result<void> Read(uint64_t offset, MutableBytes out) const override {
    return file_->Read(offset, out);
  }
  void MapForWriting(uint64_t) override {}
  Result<void> Write(uint64_t, Bytes) override { return ReadOnly(); }
  Result<void> Allocate(uint64_t, uint64_t) override { return ReadOnly(); }
  Result<void> PunchHole(uint64_t, uint64_t) override { return ReadOnly(); }
  Result<void> Shorten(uint64_t) override { return ReadOnly(); }
  Result<void> Sync() override { return ReadOnly(); }
  bool IsSuspect() const override { return false; }
  Result<uint64_t> SizeBytes() const override { return file_->SizeBytes(); }
  Result<uint64_t> AllocatedBytes() const override { return file_->AllocatedBytes(); }
  uint64_t ViewWindowBytes() const override { return kWindow; }
  std::string Residence() const override { return {}; }

 private:
  static Result<void> ReadOnly() { return Fail(ErrorCode::kPermission, "it is only read"); }

  void Hide(MutableBytes bytes) const {
    std::ranges::fill(bytes, std::byte{0});
    ++const_cast<HidingFile*>(this)->faults;
  }
  // The same memory for each view.
  Result<std::byte*> WindowAt(uint64_t offset) const {
    const uint64_t begin = offset / kWindow * kWindow;
    auto [window, is_new] = windows_.try_emplace(begin);
    if (is_new) {
      KVFS_ASSIGN(const uint64_t size, file_->SizeBytes());
      window->second.resize(kWindow);
      const uint64_t there = std::min(kWindow, size - std::min(size, begin));
      KVFS_TRY(file_->Read(begin, MutableBytes(window->second).first(there)));
    }
    return window->second.data();
  }

  const std::unique_ptr<File> file_;
  Clock& clock_;
  mutable std::map<uint64_t, std::vector<std::byte>> windows_;
  mutable MutableBytes former_;
};

// A disk on which the keys and values files of "store" are such files.
class HidingEnv final : public Env {
 public:
  HidingEnv(MemoryEnv& disk, Clock* clock) : disk_(disk), clock_(clock) {}

  Result<std::unique_ptr<File>> OpenFile(const std::string& path, Access access) override {
    KVFS_ASSIGN(auto file, disk_.OpenFile(path, access));
    const bool hides = path.starts_with("store/shard");
    if (hides) file = std::make_unique<HidingFile>(std::move(file), clock_);
    return file;
  }
  Result<std::unique_ptr<File>> CreateFile(const std::string& path) override {
    return disk_.CreateFile(path);
  }
  Result<void> RemoveFile(const std::string& path) override { return disk_.RemoveFile(path); }
  Result<void> RenameFile(const std::string& from, const std::string& to) override {
    return disk_.RenameFile(from, to);
  }
  Result<void> CreateDirectory(const std::string& path) override {
    return disk_.CreateDirectory(path);
  }
  Result<void> RemoveDirectory(const std::string& path) override {
    return disk_.RemoveDirectory(path);
  }
  Result<void> SyncDirectory(const std::string& path) override { return disk_.SyncDirectory(path); }
  Result<std::vector<std::string>> ListDirectory(const std::string& path) override {
    return disk_.ListDirectory(path);
  }
  Result<bool> Exists(const std::string& path) override { return disk_.Exists(path); }
  Result<DiskSpace> GetDiskSpace(const std::string& path) override {
    return disk_.GetDiskSpace(path);
  }
  uint64_t Seconds() const override { return disk_.Seconds(); }
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path,
                                             const std::string& holder) override {
    return disk_.LockFile(path, holder);
  }
  Result<std::unique_ptr<FileLock>> ShareLock(const std::string& path) override {
    return disk_.ShareLock(path);
  }

 private:
  MemoryEnv& disk_;
  Clock* const clock_;
};

class UndeliveredPages : public testing::TestWithParam<Hiding> {
 protected:
  static const fuzz::StoreImage& Image() { return fuzz::KilledStore(); }

  template <typename T>
  static bool IsWhole(const Result<T>& done, const char* what) {
    EXPECT_TRUE(done || done.error().code == ErrorCode::kUnavailable)
        << what << ": " << done.error().message;
    return done.has_value();
  }
  static void Use(Env& env) {
    OpenOptions options;
    options.read_only = true;
    const auto store = Store::Open(env, "store", options);
    if (!IsWhole(store, "open")) return;
    const Model& expected = Image().states.back();
    for (int round = 0; round < 2; ++round) {
      const auto held = ReadStore(**store);
      if (IsWhole(held, "read")) {
        EXPECT_EQ(Difference(expected, *held), "");
      }
      for (const auto& [key, entry] : expected) {
        const Key name{key.first, key.second};
        std::string content;
        const auto read = (*store)->ReadAll(name, &content);
        EXPECT_TRUE(!IsWhole(read, "read of all") || content == entry.content) << key.second;
        IsWhole((*store)->FindHole(name, 0), "find a hole");
        IsWhole((*store)->FindData(name, 0), "find data");
      }
    }
    CheckOptions check;
    check.on_finding = [](const CheckFinding& finding) {
      EXPECT_EQ(finding.kind, CheckFinding::Kind::kNote) << finding.message;
    };
    IsWhole((*store)->Check(check), "check");
  }
  static void Repair(MemoryEnv& disk, Env& env) {
    RepairOptions options;
    options.on_loss = [](std::string_view loss) { ADD_FAILURE() << loss; };
    if (!IsWhole(RepairStore(env, "store", "repaired", options), "repair")) return;
    const auto held = ReadStore(*Store::Open(disk, "repaired").value());
    ASSERT_TRUE(held);
    EXPECT_EQ(Difference(Image().states.back(), *held), "");
  }

  // Runs `use` with a page hidden at each view in turn.
  template <typename Try>
  void HideEach(Try use) {
    uint64_t nth = 1;
    for (bool has_more = true; has_more && !HasFailure(); nth += kRepeatsLess ? 5 : 1) {
      SCOPED_TRACE("view " + std::to_string(nth));
      const auto disk = fuzz::DiskOf(Image());
      Clock clock{GetParam(), nth};
      HidingEnv env(*disk, &clock);
      use(*disk, env);
      has_more = clock.views >= nth;
    }
    EXPECT_GT(nth, 20u);
  }
};

INSTANTIATE_TEST_SUITE_P(Hidings, UndeliveredPages,
                         testing::Values(Hiding{"Once"}, Hiding{"AgainAndAgain", true},
                                         Hiding{"BehindAReader", false, true},
                                         Hiding{"BehindAReaderAgainAndAgain", true, true}),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(UndeliveredPages, AreNotWhatIsStored) {
  HideEach([](MemoryEnv&, Env& env) { Use(env); });
}

TEST_P(UndeliveredPages, AreNoLossOfARepair) {
  HideEach([](MemoryEnv& disk, Env& env) { Repair(disk, env); });
}

}  // namespace
}  // namespace kvfs

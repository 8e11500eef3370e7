// A large directory, listed while other processes add and remove entries. KVFS_TEST_ENTRIES is the
// number of entries: 20,000 in tools/test, a million in :million_entries_test.
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <map>
#include <vector>

#include "fs/path_operation.h"
#include "tests/fs/fuse/mounted_calls.h"

namespace kvfs::fs {
namespace {

constexpr int kOthers = 500;

int EntryCount() {
  const char* const wanted = std::getenv("KVFS_TEST_ENTRIES");
  return wanted != nullptr ? std::atoi(wanted) : 20'000;
}

class MountedListing : public MountedCalls {
 protected:
  // Creates the entries without a mount, which is faster, and leaves nothing in memory.
  void SetUp() override {
    MountedCalls::SetUp();
    ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0);
    mounted().RemountAfter([this](FileSystem& fs) {
      std::vector<PathOperation> changes;
      for (int i = 0; i < count_; ++i) {
        changes.emplace_back().path = "d/stays" + std::to_string(i);
        if (changes.size() < 1000 && i + 1 < count_) continue;
        ASSERT_TRUE(fs.ApplyChanges(changes, {geteuid(), getegid()}));
        changes.clear();
      }
    });
  }

  // Adds and removes other names until the end of the test.
  void StartOthers() {
    others_ = fork();
    if (others_ != 0) return;
    for (int i = 0;; ++i) {
      const std::string name = Path("d/other" + std::to_string(i % kOthers));
      if (mknod(name.c_str(), S_IFREG | 0644, 0) != 0) unlink(name.c_str());
    }
  }
  void TearDown() override {
    if (others_ <= 0) return;
    kill(others_, SIGKILL);
    waitpid(others_, nullptr, 0);
  }

  pid_t others_ = 0;
  const int count_ = EntryCount();
};

struct Place {
  long place;
  std::string next;  // the name that is read at that offset
};

TEST_F(MountedListing, SkipsAndRepeatsNothingWhileOthersAddAndRemove) {
  StartOthers();
  DIR* const directory = opendir(Path("d").c_str());
  ASSERT_NE(directory, nullptr);
  std::vector<int> seen(static_cast<size_t>(count_));
  std::map<std::string, int> seen_others;
  std::vector<Place> places;
  long place = telldir(directory);
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name.starts_with("stays")) {
      const int number = std::atoi(name.c_str() + 5);
      ASSERT_LT(number, count_);
      ++seen[static_cast<size_t>(number)];
      if (number % 1000 == 0) places.push_back({place, name});
    } else {
      ++seen_others[name];
    }
    place = telldir(directory);
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), count_);
  // A temporary entry may be listed or not, but has one place in the listing.
  for (const auto& [name, times] : seen_others) EXPECT_EQ(times, 1) << name;
  for (const Place& known : places) {
    seekdir(directory, known.place);
    const dirent* entry = readdir(directory);
    // New entries may precede it.
    while (entry != nullptr && std::string_view(entry->d_name).starts_with("other")) {
      entry = readdir(directory);
    }
    ASSERT_NE(entry, nullptr) << known.next;
    EXPECT_EQ(entry->d_name, known.next);
  }
  closedir(directory);
}

TEST_F(MountedListing, TakesNoMemoryForEachName) {
  const uint64_t memory_before = mounted().ServerMemoryBytes();
  EXPECT_EQ(Run("find $M/d | wc -l"), std::to_string(count_ + 1) + "\n");
  const uint64_t referenced = mounted().CountReferencedInodes();
  EXPECT_LT(referenced, static_cast<uint64_t>(count_) / 10);
  std::printf("%d entries: the server had %lu KiB before and %lu KiB after, and referred to %lu\n",
              count_, memory_before >> 10, mounted().ServerMemoryBytes() >> 10, referenced);
}

}  // namespace
}  // namespace kvfs::fs

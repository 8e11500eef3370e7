// Directories of a repaired store in which entries are missing or duplicated: each gets exactly one
// name and the correct link count, and all their children are reachable.
#include "fs/lost_and_found.h"

#include <sys/stat.h>

#include <algorithm>

#include "fs/attributes.h"
#include "tests/fs/failing_store.h"
#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

constexpr Key kRootKey = {kAttributeDirectory, "root"};

class LostAndFound : public FileSystemFixture {
 protected:
  // a/b/c with a file in each, and a directory beside them.
  LostAndFound() {
    a_ = Directory("a").number;
    b_ = Directory("b", a_).number;
    c_ = Directory("c", b_).number;
    beside_ = Directory("beside").number;
    for (const InodeNumber directory : {a_, b_, c_}) File("f", "value", directory);
  }

  // An entry as in a store that was not written by a file system.
  void Lose(DirectoryId directory, const std::string& name) {
    Batch batch;
    batch.Erase({directory, name});
    ASSERT_TRUE(store().Apply(batch));
  }
  void Add(DirectoryId parent, const std::string& name, InodeNumber directory) {
    Attributes attributes;
    attributes.mode = S_IFDIR | 0755;
    attributes.links = 2;
    const std::string meta = EncodeAttributes(attributes);
    Batch batch;
    batch.Restore({parent, name}, directory, meta);
    ASSERT_TRUE(store().Apply(batch));
  }
  void SetMeta(Key key, const std::string& to) {
    Batch batch;
    batch.EditMeta(key, [&to](std::string& meta) { meta = to; });
    ASSERT_TRUE(store().Apply(batch));
  }

  std::set<DirectoryId> Directories() {
    std::set<DirectoryId> directories = {kAttributeDirectory, kRootDirectory};
    for (InodeNumber directory = kFirstId; directory < 1000; ++directory) {
      EXPECT_TRUE(store().List(directory, kFirstPosition, [&](const ListedEntry&) {
        directories.insert(directory);
        return true;
      }));
    }
    return directories;
  }
  Result<ReattachReport> TryReattach(Store& to) {
    reattached_.clear();
    ReattachOptions options;
    options.owner = kUser;
    options.now = now();
    options.on_reattached = [this](const std::string& path) { reattached_.push_back(path); };
    return ReattachLost(to, Directories(), options);
  }
  ReattachReport Reattach() {
    const auto report = TryReattach(store());
    EXPECT_TRUE(report) << report.error().message;
    Reopen();
    ExpectTree();
    return report.value_or(ReattachReport{});
  }

  // From the root down, each directory is found once, and its link count matches its
  // subdirectories.
  void ExpectTree() {
    std::set<InodeNumber> met = {kRootInode};
    std::vector<InodeNumber> waiting = {kRootInode};
    while (!waiting.empty()) {
      const InodeNumber directory = waiting.back();
      waiting.pop_back();
      uint32_t links = 2;
      for (const std::string& name : List(directory)) {
        const InodeInfo child = Find(name, directory);
        if (!child.attributes.IsDirectory()) continue;
        ++links;
        ASSERT_TRUE(met.insert(child.number).second) << name << " is met twice";
        waiting.push_back(child.number);
      }
      EXPECT_EQ(Stat(directory).attributes.links, links) << directory;
    }
    for (const InodeNumber directory : {a_, b_, c_}) {
      EXPECT_TRUE(met.contains(directory)) << directory;
      EXPECT_EQ(ReadName("f", directory), "value");
    }
  }
  static std::string NameOf(InodeNumber directory) { return "#" + std::to_string(directory); }

  InodeNumber a_ = 0, b_ = 0, c_ = 0, beside_ = 0;
  std::vector<std::string> reattached_;
};

TEST_F(LostAndFound, OfAWholeStoreNothingIsChanged) {
  const size_t entries = EntriesInStore();
  const ReattachReport report = Reattach();
  EXPECT_EQ(report.directories + report.corrected_links, 0u);
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(LostAndFound, OnlyTheUppermostOneIsReattached) {
  Lose(kRootDirectory, "a");
  EXPECT_EQ(Reattach().directories, 1u);
  EXPECT_EQ(reattached_, std::vector<std::string>{"lost+found/" + NameOf(a_)});
  const InodeInfo found = Find("lost+found");
  EXPECT_EQ(found.attributes.mode, S_IFDIR | 0700u);
  EXPECT_EQ(found.attributes.uid, kUser.uid);
}

TEST_F(LostAndFound, LostOnesOfSeveralPlaces) {
  Lose(kRootDirectory, "a");
  Lose(b_, "c");
  EXPECT_EQ(Reattach().directories, 2u);
  EXPECT_EQ(List(Find("lost+found").number).size(), 2u);
}

TEST_F(LostAndFound, ALaterRepairUsesTheSamePlace) {
  Lose(kRootDirectory, "a");
  Reattach();
  Lose(Find(NameOf(a_), Find("lost+found").number).number, "b");
  EXPECT_EQ(Reattach().directories, 1u);
  EXPECT_EQ(List(Find("lost+found").number).size(), 2u);
}

TEST_F(LostAndFound, NamesThatAreTakenAreLeftAlone) {
  File("lost+found", "mine");
  File("lost+found-2", "mine");
  Lose(kRootDirectory, "a");
  Reattach();
  const InodeNumber place = Find("lost+found-3").number;
  EXPECT_EQ(ReadName("lost+found"), "mine");
  File(NameOf(b_), "mine", place);
  File(NameOf(b_) + "-2", "mine", place);
  Lose(a_, "b");
  Reattach();
  EXPECT_EQ(reattached_, std::vector<std::string>{"lost+found-3/" + NameOf(b_) + "-3"});
  EXPECT_EQ(ReadName(NameOf(b_), place), "mine");
}

TEST_F(LostAndFound, DirectoriesThatContainEachOtherAreFound) {
  Lose(kRootDirectory, "a");
  Add(c_, "up", a_);
  EXPECT_EQ(Reattach().directories, 1u);
}

// Not the first directory found, but the loop from which it hangs.
TEST_F(LostAndFound, WhatLiesBelowALoopStaysThere) {
  const InodeNumber last = Directory("last").number;
  File("f", "value", last);
  Lose(kRootDirectory, "last");
  Lose(kRootDirectory, "a");
  Add(last, "b", b_);  // b, which was in a, is in last; and last in b
  Lose(a_, "b");
  Add(b_, "last", last);
  EXPECT_EQ(Reattach().directories, 2u) << "a, and b or last";
  EXPECT_TRUE(Exists("c", b_));
}

TEST_F(LostAndFound, ADirectoryThatContainsItselfIsFound) {
  Lose(a_, "b");
  Add(b_, "self", b_);
  EXPECT_EQ(Reattach().directories, 1u);
  EXPECT_FALSE(Exists("self", b_));
}

// As after a repair that found an old page of one place and the newest page of another.
TEST_F(LostAndFound, OfTwoNamesOneStays) {
  Add(beside_, "b", b_);
  EXPECT_EQ(Reattach().directories, 0u);
  EXPECT_NE(Exists("b", a_), Exists("b", beside_));
}

TEST_F(LostAndFound, LinksAreCorrected) {
  Add(kRootDirectory, "new", 1'000'000);
  Add(1'000'000, "below", 1'000'001);
  EXPECT_EQ(Reattach().corrected_links, 2u) << "of the new one, and of the root";
}

TEST_F(LostAndFound, WithoutTheRootsAttributesItGetsNewOnes) {
  Lose(kAttributeDirectory, "root");
  Reattach();
  EXPECT_EQ(Stat(kRootInode).attributes.uid, kUser.uid);
  SetMeta(kRootKey, "no attributes");
  Lose(kRootDirectory, "a");
  EXPECT_EQ(Reattach().directories, 1u);
}

TEST_F(LostAndFound, WhatHasNoAttributesIsNoDirectory) {
  SetMeta({kRootDirectory, "a"}, "no attributes");
  EXPECT_TRUE(TryReattach(store()));
  EXPECT_EQ(reattached_, std::vector<std::string>{"lost+found/" + NameOf(a_)});
}

// Each call of the store fails in turn; a second attempt completes the rest.
TEST_F(LostAndFound, EachErrorOfTheStoreIsTold) {
  Lose(kRootDirectory, "a");
  Add(c_, "up", a_);
  Add(beside_, "c", c_);
  Lose(kAttributeDirectory, "root");
  uint64_t nth = 1;
  for (FailingStore failing(store());; ++nth) {
    failing.FailCall(nth);
    const auto report = TryReattach(failing);
    if (!failing.HasFailed()) break;
    EXPECT_EQ(CodeOf(report), ErrorCode::kIo) << nth;
    failing.Heal();
  }
  EXPECT_GT(nth, 8u);
  Reattach();
}

}  // namespace
}  // namespace kvfs::fs

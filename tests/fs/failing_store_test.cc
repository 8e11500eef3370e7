// Each call of the file system, with each of its calls of the store failing in turn: the error
// reaches the caller, nothing has changed, not even a version or reference count, and a repeated
// call succeeds.
#include "tests/fs/failing_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <set>

#include "fs/access_list.h"
#include "fs/content_source.h"
#include "fs/file_system.h"
#include "fs/hard_link.h"
#include "fs/path.h"
#include "store/env/memory_env.h"
#include "tests/support/small_store.h"

namespace kvfs::fs {
namespace {

constexpr Caller kRoot = {0, 0}, kUser = {1000, 100};

// A list from which new files of a directory inherit.
std::string DefaultList() {
  std::string list("\2\0\0\0", 4);
  struct {
    uint16_t tag, permissions;
    uint32_t id;
  } const entries[] = {
      {1, 7, UINT32_MAX}, {2, 6, 7}, {4, 4, UINT32_MAX}, {16, 6, UINT32_MAX}, {32, 0, UINT32_MAX}};
  for (const auto& entry : entries) {
    std::byte bytes[8];
    StoreLittle(bytes, entry.tag);
    StoreLittle(bytes + 2, entry.permissions);
    StoreLittle(bytes + 4, entry.id);
    list += AsText(bytes);
  }
  return list;
}

// A small file system with one entry of each kind, created anew for each attempt.
class World {
 public:
  World() {
    EXPECT_TRUE(Store::Create(disk_, "store", SmallStore(2)));
    real_ = Store::Open(disk_, "store").value();
    store_ = std::make_unique<FailingStore>(*real_);
    FileSystemOptions options;
    options.clock = [] { return Timespec{1'700'000'000, 5}; };
    fs_ = FileSystem::Open(*store_, options).value();
    Fill();
  }

  FileSystem& fs() { return *fs_; }
  FailingStore& store() { return *store_; }
  InodeNumber operator[](const std::string& name) const { return numbers_.at(name); }

  // All entries of all directories, with their versions; except entries that never had a name,
  // which may remain until the next opening.
  std::string State() const {
    std::string state;
    std::set<DirectoryId> directories = {kAttributeDirectory, kTransientDirectory, kSharedDirectory,
                                         kXattrDirectory, kRootDirectory};
    std::set<DirectoryId> visited;
    while (!directories.empty()) {
      const DirectoryId directory = *directories.begin();
      directories.erase(directory);
      visited.insert(directory);
      EXPECT_TRUE(real_->List(directory, kFirstPosition, [&](const ListedEntry& entry) {
        const bool is_unnamed =
            entry.name.starts_with("unnamed") || entry.name.starts_with("xattrs");
        if (directory == kTransientDirectory && is_unnamed) return true;
        const EntryInfo info = real_->Stat({directory, entry.name}).value();
        state += std::to_string(directory) + "/" + std::string(entry.name) + " " +
                 std::to_string(info.id) + " " + std::to_string(info.version) + "\n";
        if (!visited.contains(info.id)) directories.insert(info.id);
        return true;
      }));
    }
    return state;
  }

 private:
  void Note(const std::string& name, const Result<InodeInfo>& made) {
    ASSERT_TRUE(made) << name << ": " << made.error().message;
    numbers_[name] = made->number;
  }
  void MakeFile(const std::string& name, std::string_view content,
                InodeNumber parent = kRootInode) {
    Note(name, fs_->CreateFile(parent, name, S_IFREG | 06755, 0, kRoot));
    if (!content.empty()) {
      ASSERT_TRUE(fs_->Write(numbers_[name], 0, AsBytes(content), kRoot));
    }
  }
  void SetXattr(const std::string& name, std::string_view xattr, std::string_view value) {
    ASSERT_TRUE(fs_->SetXattr(numbers_.at(name), xattr, value, XattrMode::kAny, kRoot));
  }

  void Fill() {
    MakeFile("file", std::string(50'000, 'f'));
    MakeFile("small", "small");
    MakeFile("sparse", "s");
    ASSERT_TRUE(fs_->Write(numbers_["sparse"], 2 << 20, AsBytes("end"), kRoot));
    MakeFile("with xattrs", "x");
    SetXattr("with xattrs", "user.a", "b");
    MakeFile("with a list", "l");
    SetXattr("with a list", kAccessListXattr, DefaultList());
    MakeFile("two names", "h");
    ASSERT_TRUE(fs_->Link(numbers_["two names"], kRootInode, "second name"));
    MakeFile("three names", "h");
    SetXattr("three names", "user.a", "b");
    ASSERT_TRUE(fs_->Link(numbers_["three names"], kRootInode, "three 2"));
    ASSERT_TRUE(fs_->Link(numbers_["three names"], kRootInode, "three 3"));
    Note("link", fs_->MakeSymbolicLink(kRootInode, "link", "target", kRoot));
    Note("empty", fs_->MakeDirectory(kRootInode, "empty", 0755, kRoot));
    Note("full", fs_->MakeDirectory(kRootInode, "full", 02755, kRoot));
    MakeFile("child", "c", numbers_["full"]);
    Note("inheriting", fs_->MakeDirectory(kRootInode, "inheriting", 0755, kRoot));
    SetXattr("inheriting", kDefaultListXattr, DefaultList());
    MakeFile("unlinked", "u");
    SetXattr("unlinked", "user.a", "b");
    ASSERT_TRUE(fs_->Unlink(kRootInode, "unlinked"));
    Note("unnamed", fs_->CreateUnnamedFile(kRootInode, 0644, kRoot));
    SetXattr("unnamed", "user.a", "b");
    Note("staged", fs_->CreateStagedFile(numbers_["small"]));
    ASSERT_TRUE(fs_->Write(numbers_["staged"], 0, AsBytes("staged"), kRoot));
    // An entry without references is erased with its last name at once.
    MakeFile("unreferenced", std::string(9000, 'u'));
    fs_->Forget(numbers_["unreferenced"], 1);
  }

  MemoryEnv disk_;
  std::unique_ptr<Store> real_;
  std::unique_ptr<FailingStore> store_;
  std::unique_ptr<FileSystem> fs_;
  std::map<std::string, InodeNumber> numbers_;
};

template <typename T>
std::optional<ErrorCode> CodeOf(const Result<T>& result) {
  if (result) return {};
  return result.error().code;
}

using Call = std::function<std::optional<ErrorCode>(World&)>;

enum class Steps { kOne, kPieces };  // how much of a call is atomic

// Runs `call` once for each of its store calls, with that one failing.
void ExpectEachErrorTold(const std::string& name, const Call& call, Steps steps = Steps::kOne) {
  World whole;
  EXPECT_EQ(call(whole), std::nullopt) << name << ", without a failure";
  const std::string after = whole.State();
  for (uint64_t nth = 1; nth < 200; ++nth) {
    SCOPED_TRACE(name + ", call " + std::to_string(nth) + " of the store fails");
    World world;
    const std::string before = world.State();
    const size_t referenced = world.fs().CountReferencedInodes();
    world.store().FailCall(nth);
    const auto code = call(world);
    if (!world.store().HasFailed()) {
      EXPECT_GT(nth, 1u) << "it asks the store for something";
      return;
    }
    const std::string state = world.State();
    if (!code) {
      EXPECT_TRUE(steps == Steps::kPieces || state == after) << "it is said to have happened";
      EXPECT_EQ(world.fs().CountReferencedInodes(), whole.fs().CountReferencedInodes());
    } else {
      EXPECT_EQ(code, ErrorCode::kIo);
      EXPECT_TRUE(steps == Steps::kPieces || state == before || state == after)
          << "nothing has happened, or all: " << state;
      EXPECT_EQ(world.fs().CountReferencedInodes(), referenced);
    }
    world.store().Heal();
    if (state == before) {
      EXPECT_EQ(call(world), std::nullopt) << "asked again";
    }
    if (testing::Test::HasFailure()) return;
  }
}

PathOperation Change(PathOperation::Kind kind, const std::string& path, const std::string& to = {},
                     const std::string& data = {}) {
  PathOperation change;
  change.kind = kind;
  change.path = path;
  change.to = to;
  change.data = data;
  return change;
}

Call Apply(std::vector<PathOperation> changes) {
  return [changes](World& world) { return CodeOf(world.fs().ApplyChanges(changes, kUser)); };
}

TEST(FailingStoreTest, NamesAreMade) {
  ExpectEachErrorTold("create", [](World& w) {
    return CodeOf(w.fs().CreateFile(kRootInode, "new", S_IFREG | 0644, 0, kUser));
  });
  ExpectEachErrorTold("create below", [](World& w) {
    return CodeOf(w.fs().CreateFile(w["full"], "new", S_IFREG | 0644, 0, kUser));
  });
  ExpectEachErrorTold("create, inheriting", [](World& w) {
    return CodeOf(w.fs().CreateFile(w["inheriting"], "new", S_IFREG | 0644, 0, kUser));
  });
  ExpectEachErrorTold("mkdir, inheriting", [](World& w) {
    return CodeOf(w.fs().MakeDirectory(w["inheriting"], "new", 0755, kUser));
  });
  ExpectEachErrorTold("symlink", [](World& w) {
    return CodeOf(w.fs().MakeSymbolicLink(w["full"], "new", "target", kUser));
  });
  ExpectEachErrorTold("unnamed, inheriting", [](World& w) {
    return CodeOf(w.fs().CreateUnnamedFile(w["inheriting"], 0644, kUser));
  });
  ExpectEachErrorTold("staged",
                      [](World& w) { return CodeOf(w.fs().CreateStagedFile(w["small"])); });
}

TEST(FailingStoreTest, NamesAreFound) {
  for (const char* name : {"file", "two names", "link", "with xattrs", "full"}) {
    ExpectEachErrorTold(name, [&](World& w) { return CodeOf(w.fs().Lookup(kRootInode, name)); });
  }
  ExpectEachErrorTold("below", [](World& w) { return CodeOf(w.fs().Lookup(w["full"], "child")); });
}

TEST(FailingStoreTest, FilesGetFurtherNames) {
  for (const char* name : {"file", "two names", "link", "with xattrs", "unnamed"}) {
    ExpectEachErrorTold(name,
                        [&](World& w) { return CodeOf(w.fs().Link(w[name], w["full"], "new")); });
  }
}

TEST(FailingStoreTest, NamesAreTakenAway) {
  for (const char* name :
       {"file", "two names", "three names", "second name", "link", "with xattrs", "unreferenced"}) {
    ExpectEachErrorTold(name, [&](World& w) { return CodeOf(w.fs().Unlink(kRootInode, name)); });
  }
  ExpectEachErrorTold("rmdir",
                      [](World& w) { return CodeOf(w.fs().RemoveDirectory(kRootInode, "empty")); });
}

TEST(FailingStoreTest, NamesAreMoved) {
  const auto rename = [](const char* from, const char* to, RenameMode mode) -> Call {
    return [=](World& w) { return CodeOf(w.fs().Rename(kRootInode, from, kRootInode, to, mode)); };
  };
  const std::pair<const char*, const char*> kReplaced[] = {
      {"file", "new"},       {"file", "small"},          {"two names", "small"},
      {"file", "two names"}, {"file", "with xattrs"},    {"with xattrs", "unreferenced"},
      {"full", "empty"},     {"three names", "three 2"}, {"link", "second name"}};
  for (const auto& [from, to] : kReplaced) {
    ExpectEachErrorTold(std::string(from) + " to " + to, rename(from, to, RenameMode::kReplace));
  }
  ExpectEachErrorTold("to a new name only", rename("file", "new", RenameMode::kNoReplace));
  ExpectEachErrorTold("exchange", rename("file", "full", RenameMode::kExchange));
  ExpectEachErrorTold("exchange of names",
                      rename("two names", "with xattrs", RenameMode::kExchange));
  ExpectEachErrorTold("between directories", [](World& w) {
    return CodeOf(w.fs().Rename(w["full"], "child", w["empty"], "new", RenameMode::kReplace));
  });
}

TEST(FailingStoreTest, AttributesAreReadAndChanged) {
  for (const char* name : {"file", "two names", "with a list", "unlinked", "full"}) {
    ExpectEachErrorTold(name, [&](World& w) { return CodeOf(w.fs().GetAttributes(w[name])); });
    ExpectEachErrorTold(name, [&](World& w) {
      return CodeOf(w.fs().SetAttributes(w[name], {.permissions = 0600, .uid = 5}, kUser));
    });
  }
  ExpectEachErrorTold("size", [](World& w) {
    return CodeOf(w.fs().SetAttributes(w["file"], {.size_bytes = 70'000}, kUser));
  });
  ExpectEachErrorTold("root", [](World& w) {
    return CodeOf(w.fs().SetAttributes(kRootInode, {.permissions = 0700}, kRoot));
  });
}

TEST(FailingStoreTest, ExtendedAttributesAreReadAndChanged) {
  for (const char* name : {"file", "two names", "with xattrs", "unlinked", "unnamed", "full"}) {
    ExpectEachErrorTold(name, [&](World& w) {
      return CodeOf(w.fs().SetXattr(w[name], "user.new", "v", XattrMode::kAny, kUser));
    });
    ExpectEachErrorTold(name, [&](World& w) { return CodeOf(w.fs().ListXattrs(w[name])); });
  }
  for (const char* name : {"with xattrs", "unlinked", "three names"}) {
    ExpectEachErrorTold(name, [&](World& w) { return CodeOf(w.fs().GetXattr(w[name], "user.a")); });
    ExpectEachErrorTold(name,
                        [&](World& w) { return CodeOf(w.fs().RemoveXattr(w[name], "user.a")); });
  }
  for (const std::string_view name : {kVersionXattr, kChecksumXattr}) {
    ExpectEachErrorTold(std::string(name),
                        [&](World& w) { return CodeOf(w.fs().GetXattr(w["file"], name)); });
  }
  ExpectEachErrorTold("a list", [](World& w) {
    return CodeOf(
        w.fs().SetXattr(w["file"], kAccessListXattr, DefaultList(), XattrMode::kAny, kUser));
  });
  ExpectEachErrorTold("whether there are any", [](World& w) { return CodeOf(w.fs().HasXattrs()); });
}

TEST(FailingStoreTest, ContentsAreReadAndWritten) {
  std::vector<std::byte> out(100);
  for (const char* name : {"file", "two names", "unlinked", "unnamed"}) {
    ExpectEachErrorTold(name, [&](World& w) { return CodeOf(w.fs().Read(w[name], 0, out)); });
    ExpectEachErrorTold(
        name, [&](World& w) { return CodeOf(w.fs().Write(w[name], 9, AsBytes("x"), kUser)); });
  }
  ExpectEachErrorTold("readlink", [](World& w) { return CodeOf(w.fs().ReadLink(w["link"])); });
}

TEST(FailingStoreTest, RangesOfContentsAreChangedFoundAndCopied) {
  for (const RangeChange change :
       {RangeChange::kAllocate, RangeChange::kAllocateKeepingSize, RangeChange::kPunch,
        RangeChange::kZero, RangeChange::kZeroKeepingSize}) {
    ExpectEachErrorTold(
        "range change " + std::to_string(static_cast<int>(change)),
        [&](World& w) {
          return CodeOf(w.fs().ChangeRange(w["file"], 4096, 60'000, change, kUser));
        },
        Steps::kPieces);
  }
  for (const RangeKind kind : {RangeKind::kData, RangeKind::kHole}) {
    ExpectEachErrorTold("find",
                        [&](World& w) { return CodeOf(w.fs().FindRange(w["file"], 0, kind)); });
  }
  ExpectEachErrorTold(
      "copy",
      [](World& w) { return CodeOf(w.fs().CopyRange(w["file"], 0, w["small"], 0, 20'000, kUser)); },
      Steps::kPieces);
}

TEST(FailingStoreTest, DirectoriesAreListed) {
  const PageLimit limit{4096, [](size_t name_bytes) { return name_bytes + 24; }};
  for (const InodeNumber number : {kRootInode, InodeNumber{0}}) {
    ExpectEachErrorTold("list", [&](World& w) {
      return CodeOf(w.fs().ListDirectory(number != 0 ? number : w["full"], 0, limit));
    });
  }
  // An entry that could not be read is listed without its attributes, or the listing fails.
  World world;
  EXPECT_TRUE(world.fs().ListDirectoryPlus(kRootInode, 0, limit));
}

TEST(FailingStoreTest, ChangesByPathAreMade) {
  using Kind = PathOperation::Kind;
  const std::string large(70'000, 'v');
  const std::pair<const char*, std::vector<PathOperation>> kAll[] = {
      {"put", {Change(Kind::kPut, "new", {}, large)}},
      {"put over", {Change(Kind::kPut, "file", {}, large)}},
      {"put over a second name", {Change(Kind::kPut, "second name", {}, "v")}},
      {"put below", {Change(Kind::kPut, "full/new", {}, "v")}},
      {"put, inheriting", {Change(Kind::kPut, "inheriting/new", {}, "v")}},
      {"append", {Change(Kind::kAppend, "file", {}, "v")}},
      {"append to a new one", {Change(Kind::kAppend, "new", {}, "v")}},
      {"delete", {Change(Kind::kDelete, "with xattrs")}},
      {"delete a name", {Change(Kind::kDelete, "three 2")}},
      {"delete the last but one", {Change(Kind::kDelete, "second name")}},
      {"delete what is not in use", {Change(Kind::kDelete, "unreferenced")}},
      {"move", {Change(Kind::kMove, "file", "full/new")}},
      {"move over", {Change(Kind::kMove, "file", "with xattrs")}},
      {"move a name over a name", {Change(Kind::kMove, "two names", "three 3")}},
      {"move a directory over one", {Change(Kind::kMove, "full", "empty")}},
      {"link", {Change(Kind::kLink, "file", "full/new")}},
      {"link over", {Change(Kind::kLink, "with xattrs", "small")}},
      {"mkdir", {Change(Kind::kMakeDirectory, "new"), Change(Kind::kPut, "new/file", {}, "v")}},
      {"mkdir, inheriting", {Change(Kind::kMakeDirectory, "inheriting/new")}},
      {"ensure", {Change(Kind::kEnsureDirectory, "full")}},
      {"rmdir", {Change(Kind::kRemoveDirectory, "empty")}},
      {"expect", {Change(Kind::kExpect, "new"), Change(Kind::kPut, "new", {}, "v")}}};
  for (const auto& [name, changes] : kAll) ExpectEachErrorTold(name, Apply(changes));
}

TEST(FailingStoreTest, ChangesByPathSetAttributes) {
  PathOperation set = Change(PathOperation::Kind::kSetAttributes, "with xattrs");
  set.attributes = Attributes{};
  set.attributes->mode = S_IFREG | 0600;
  set.xattrs = XattrMap{{"user.new", "v"}};
  ExpectEachErrorTold("set", Apply({set}));
  set.xattrs = XattrMap{};
  ExpectEachErrorTold("remove", Apply({set}));
  set.path = "two names";
  set.xattrs = XattrMap{{"user.new", "v"}};
  ExpectEachErrorTold("of a second name", Apply({set}));
  PathOperation put = Change(PathOperation::Kind::kPut, "new", {}, "v");
  put.attributes = set.attributes;
  put.xattrs = set.xattrs;
  ExpectEachErrorTold("put with all", Apply({put}));
}

TEST(FailingStoreTest, StagedContentsAreTaken) {
  ExpectEachErrorTold("staged", [](World& w) {
    PathOperation put = Change(PathOperation::Kind::kPut, "small");
    put.staged = w["staged"];
    return CodeOf(w.fs().ApplyChanges(std::span(&put, 1), kUser));
  });
}

// A source larger than one put is written to a staged file first.
TEST(FailingStoreTest, ContentsOfASourceArePut) {
  for (const size_t bytes : {size_t{10}, size_t{3} << 20}) {
    for (const char* path : {"new", "small", "second name"}) {
      ExpectEachErrorTold(
          std::string(path) + " of " + std::to_string(bytes) + " bytes",
          [&](World& w) {
            size_t left = bytes;
            bool has_hole = true;
            const ContentSource source = [&](MutableBytes buffer) -> Result<ContentPiece> {
              if (left == 0) return ContentPiece{};
              const size_t count = std::min(buffer.size(), left);
              std::ranges::fill(buffer.first(count), std::byte{'s'});
              left -= count;
              return ContentPiece{std::exchange(has_hole, false) ? 70'000u : 0u, count};
            };
            return CodeOf(
                ApplyWithContent(w.fs(), {Change(PathOperation::Kind::kPut, path)}, source, kUser));
          },
          Steps::kPieces);
    }
  }
}

TEST(FailingStoreTest, InodesAreFoundByTheirNumbers) {
  for (const char* name : {"unreferenced", "file", "two names", "child", "empty"}) {
    ExpectEachErrorTold(name, [&](World& w) { return CodeOf(w.fs().LookupNumber(w[name])); });
  }
  for (const char* name : {"full", "empty"}) {
    ExpectEachErrorTold(name, [&](World& w) { return CodeOf(w.fs().LookupParent(w[name])); });
  }
}

TEST(FailingStoreTest, ContentsAreAppendedTo) {
  for (const char* name : {"file", "two names", "unnamed"}) {
    for (const uint64_t believed_end : {uint64_t{0}, uint64_t{50'000}}) {
      ExpectEachErrorTold(name, [&](World& w) {
        return CodeOf(w.fs().Append(w[name], believed_end, AsBytes("x"), kUser));
      });
    }
  }
}

TEST(FailingStoreTest, PathsAreFollowed) {
  const auto sink = [](uint64_t, Bytes) -> Result<void> { return {}; };
  const auto visit = [](std::string_view, const InodeInfo&) -> Result<void> { return {}; };
  for (const bool has_way : {false, true}) {
    const auto follow = [&](const char* path, auto call) {
      ExpectEachErrorTold(path, [&](World& w) {
        PathWay way(w.fs());
        return CodeOf(call(w.fs(), path, has_way ? &way : nullptr));
      });
    };
    for (const char* path : {"", "file", "full/child", "two names"}) {
      follow(path, [](auto& fs, auto at, auto* way) { return StatPath(fs, at, way); });
    }
    follow("link", [](auto& fs, auto at, auto* way) { return ReadLinkPath(fs, at, way); });
    for (const char* path : {"file", "full/child", "sparse"}) {
      follow(path, [&](auto& fs, auto at, auto* way) { return GetData(fs, at, sink, way); });
      follow(path, [](auto& fs, auto at, auto* way) { return GetDataRanges(fs, at, way); });
    }
    for (const char* path : {"with xattrs", "three names", "full/child"}) {
      follow(path, [](auto& fs, auto at, auto* way) { return GetXattrs(fs, at, way); });
    }
    for (const char* path : {"full", "full/child"}) {
      follow(path, [&](auto& fs, auto at, auto* way) { return ListPath(fs, at, visit, way); });
    }
  }
}

TEST(FailingStoreTest, TheWholeIsAskedFor) {
  ExpectEachErrorTold("sync", [](World& w) { return CodeOf(w.fs().Sync()); });
  ExpectEachErrorTold("space", [](World& w) { return CodeOf(w.fs().GetSpace()); });
}

// A process has died, and the next one could not erase what it had left behind.
TEST(FailingStoreTest, UnnamedFilesOfAnEarlierLifeAreInNobodysWay) {
  MemoryEnv disk;
  ASSERT_TRUE(Store::Create(disk, "store"));
  const auto store = Store::Open(disk, "store").value();
  std::vector<std::unique_ptr<FileSystem>> lives;
  for (int life = 0; life < 3; ++life) {
    lives.push_back(FileSystem::Open(*store).value());
    EXPECT_TRUE(lives.back()->CreateStagedFile(0)) << life;
    EXPECT_TRUE(lives.back()->CreateUnnamedFile(kRootInode, 0600, kUser)) << life;
  }
}

TEST(FailingStoreTest, AFileSystemIsOpened) {
  MemoryEnv disk;
  ASSERT_TRUE(Store::Create(disk, "store"));
  const auto real = Store::Open(disk, "store").value();
  FailingStore store(*real);
  for (uint64_t nth = 1;; ++nth) {
    store.FailCall(nth);
    const auto opened = FileSystem::Open(store);
    if (!store.HasFailed()) break;
    EXPECT_EQ(CodeOf(opened), ErrorCode::kIo) << "call " << nth;
  }
  store.Heal();
  EXPECT_TRUE(FileSystem::Open(store));
}

}  // namespace
}  // namespace kvfs::fs

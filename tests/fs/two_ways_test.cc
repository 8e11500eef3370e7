// One rule for two ways: operations by path have the same effects on names, attributes and contents
// as the kernel's calls, with the same results, including errors.
//
// Random calls are made on one file system as by the kernel, and on another one by path; then the
// contents of both must be equal. A failure is reported with its step.
#include <sys/stat.h>

#include <random>

#include "fs/access_list.h"
#include "fs/new_entry.h"
#include "fs/path.h"
#include "store/env/memory_env.h"
#include "tests/fs/file_system_fixture.h"
#include "tests/support/sanitized.h"

namespace kvfs::fs {
namespace {

using Kind = PathOperation::Kind;

constexpr Timespec kStart = {1'700'000'000, 123};

struct World {
  explicit World(const Timespec* now) {
    EXPECT_TRUE(Store::Create(env, "/store"));
    store = Store::Open(env, "/store").value();
    FileSystemOptions options;
    options.clock = [now] { return *now; };
    fs = FileSystem::Open(*store, options).value();
  }

  MemoryEnv env;
  std::unique_ptr<Store> store;
  std::unique_ptr<FileSystem> fs;
};

// The possible operations. Each way carries them out in its own manner.
struct Deed {
  enum class What {
    kMakeFile,
    kMakeDirectory,
    kMakeLink,
    kName,
    kRemove,
    kRemoveDirectory,
    kMove,
    kAppend,
    kSetMode,
    kSetXattr,
  };
  static constexpr int kWhats = 10;

  What what;
  std::string path;
  std::string to;    // a path, or a link's target
  std::string text;  // a content, or an attribute's value
  std::string name;  // of an attribute
  uint32_t mode = 0;
};

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}
std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Like the kernel: looks up a path name by name, and passes the last name on.
class KernelsWay {
 public:
  KernelsWay(World& world, const Caller& caller) : fs_(*world.fs), way_(fs_), caller_(caller) {}

  Result<void> Do(const Deed& deed) {
    using What = Deed::What;
    KVFS_ASSIGN(const InodeNumber parent, ParentOf(deed.path));
    const std::string name = NameOf(deed.path);
    switch (deed.what) {
      case What::kMakeFile:
        return MakeFile(parent, name, deed.text);
      case What::kMakeDirectory:
        return Forgotten(fs_.MakeDirectory(parent, name, 0777, caller_));
      case What::kMakeLink:
        return Forgotten(fs_.MakeSymbolicLink(parent, name, deed.to, caller_));
      case What::kRemove:
        return fs_.Unlink(parent, name);
      case What::kRemoveDirectory:
        return fs_.RemoveDirectory(parent, name);
      case What::kMove:
        return Move(parent, name, deed);
      default:
        return DoWithFile(parent, name, deed);
    }
  }

 private:
  Result<InodeNumber> ParentOf(const std::string& path) {
    PathWay way(fs_);
    KVFS_ASSIGN(const InodeInfo parent, way.FindDirectory(DirectoryOf(path)));
    // Referenced until its name is removed, or it is looked up again.
    KVFS_ASSIGN(const InodeInfo kept, way_.FindDirectory(DirectoryOf(path)));
    EXPECT_EQ(kept.number, parent.number);
    return kept.number;
  }
  Result<void> Forgotten(const Result<InodeInfo>& made) {
    if (!made) return tl::unexpected(made.error());
    fs_.Forget(made->number, 1);
    return {};
  }
  Result<void> MakeFile(InodeNumber parent, const std::string& name, const std::string& text) {
    KVFS_ASSIGN(const InodeInfo made, fs_.CreateFile(parent, name, S_IFREG | 0666, 0, caller_));
    const auto written = fs_.Write(made.number, 0, AsBytes(text), caller_);
    fs_.Forget(made.number, 1);
    if (!written) return tl::unexpected(written.error());
    return {};
  }
  Result<void> Move(InodeNumber parent, const std::string& name, const Deed& deed) {
    KVFS_ASSIGN(const InodeInfo moved, fs_.Lookup(parent, name));
    fs_.Forget(moved.number, 1);
    // A check that the kernel makes itself before its request.
    if (moved.attributes.IsDirectory() && deed.to.starts_with(deed.path + "/")) {
      PathWay way(fs_);
      KVFS_TRY(way.FindDirectory(DirectoryOf(deed.to)));
      return Fail(ErrorCode::kInvalid);
    }
    PathWay way(fs_);
    KVFS_ASSIGN(const InodeInfo receiver, way.FindDirectory(DirectoryOf(deed.to)));
    return fs_.Rename(parent, name, receiver.number, NameOf(deed.to), RenameMode::kReplace);
  }
  Result<void> DoWithFile(InodeNumber parent, const std::string& name, const Deed& deed) {
    KVFS_ASSIGN(const InodeInfo file, fs_.Lookup(parent, name));
    auto done = DoWith(file, deed);
    fs_.Forget(file.number, 1);
    return done;
  }
  Result<void> DoWith(const InodeInfo& file, const Deed& deed) {
    using What = Deed::What;
    if (deed.what == What::kName) {
      if (file.attributes.IsDirectory()) return Fail(ErrorCode::kIsDirectory);
      PathWay way(fs_);
      KVFS_ASSIGN(const InodeInfo receiver, way.FindDirectory(DirectoryOf(deed.to)));
      return Forgotten(fs_.Link(file.number, receiver.number, NameOf(deed.to)));
    }
    if (deed.what == What::kAppend) {
      if (file.attributes.IsSymbolicLink()) return Fail(ErrorCode::kInvalid);
      return fs_.Append(file.number, file.size_bytes, AsBytes(deed.text), caller_).map([](auto) {});
    }
    if (deed.what == What::kSetMode) {
      AttributeChange change;
      change.permissions = deed.mode;
      return fs_.SetAttributes(file.number, change, caller_).map([](auto) {});
    }
    // A rule of the kernel's.
    const Attributes& a = file.attributes;
    if (deed.name.starts_with("user.") && !a.IsRegular() && !a.IsDirectory()) {
      return Fail(ErrorCode::kUnsupported);
    }
    return fs_.SetXattr(file.number, deed.name, deed.text, XattrMode::kAny, caller_);
  }

  FileSystem& fs_;
  PathWay way_;
  const Caller& caller_;
};

class CommandsWay {
 public:
  CommandsWay(World& world, const Caller& caller, const Timespec* now)
      : fs_(*world.fs), caller_(caller), now_(*now) {}

  Result<void> Do(const Deed& deed) {
    using What = Deed::What;
    std::vector<PathOperation> changes(1);
    PathOperation& change = changes.back();
    change.path = deed.path;
    switch (deed.what) {
      case What::kMakeFile:
        change.kind = Kind::kPut;
        change.data = deed.text;
        return Make(changes, deed.path);
      case What::kMakeDirectory:
        change.kind = Kind::kMakeDirectory;
        break;
      case What::kMakeLink:
        return MakeLink(changes, deed);
      case What::kName: {
        // The kernel checks the file first; here the name's expectation matters.
        KVFS_ASSIGN(const InodeInfo file, StatPath(fs_, deed.path));
        if (file.attributes.IsDirectory()) return Fail(ErrorCode::kIsDirectory);
        change.kind = Kind::kLink;
        change.to = deed.to;
        return Make(changes, deed.to);
      }
      case What::kRemove:
        change.kind = Kind::kDelete;
        break;
      case What::kRemoveDirectory:
        change.kind = Kind::kRemoveDirectory;
        break;
      case What::kMove:
        change.kind = Kind::kMove;
        change.to = deed.to;
        break;
      case What::kAppend: {
        change.kind = Kind::kAppend;
        change.data = deed.text;
        KVFS_TRY(StatPath(fs_, deed.path));  // which would create it
        break;
      }
      default:
        return Set(changes, deed);
    }
    return Apply(changes);
  }

 private:
  Result<void> Apply(const std::vector<PathOperation>& changes) {
    return fs_.ApplyChanges(changes, caller_).map([](const auto&) {});
  }
  // A creation replaces an existing file, unless told otherwise.
  Result<void> Make(std::vector<PathOperation> changes, const std::string& path) {
    PathOperation absent;
    absent.kind = Kind::kExpect;
    absent.path = path;
    absent.version = PathOperation::kAbsent;
    changes.insert(changes.begin(), absent);
    auto made = Apply(changes);
    if (!made && made.error().code == ErrorCode::kConflict) return Fail(ErrorCode::kExists);
    return made;
  }
  Result<void> MakeLink(std::vector<PathOperation> changes, const Deed& deed) {
    // In the order of the kernel's checks.
    PathWay way(fs_);
    KVFS_ASSIGN(const InodeInfo parent, way.FindDirectory(DirectoryOf(deed.path)));
    KVFS_TRY(CheckSymlinkTarget(deed.to));
    PathOperation& change = changes.back();
    change.kind = Kind::kPut;
    change.data = deed.to;
    change.attributes.emplace();
    change.attributes->mode = S_IFLNK | 0777;
    TakeOwnership(*change.attributes, parent.attributes, caller_);
    change.attributes->atime = change.attributes->mtime = change.attributes->ctime = now_;
    return Make(changes, deed.path);
  }
  Result<void> Set(std::vector<PathOperation> changes, const Deed& deed) {
    PathOperation& change = changes.back();
    change.kind = Kind::kSetAttributes;
    KVFS_ASSIGN(const InodeInfo file, StatPath(fs_, deed.path));
    change.attributes = file.attributes;
    change.attributes->ctime = now_;
    if (deed.what == Deed::What::kSetMode) {
      change.attributes->mode = (file.attributes.mode & S_IFMT) | deed.mode;
    } else {
      KVFS_ASSIGN(change.xattrs, GetXattrs(fs_, deed.path));
      change.xattrs->insert_or_assign(deed.name, deed.text);
    }
    return Apply(changes);
  }

  FileSystem& fs_;
  const Caller& caller_;
  const Timespec& now_;
};

std::string Describe(const InodeInfo& inode) {
  const Attributes& a = inode.attributes;
  std::string text = std::to_string(a.mode) + " " + std::to_string(a.links) + " " +
                     std::to_string(a.uid) + ":" + std::to_string(a.gid) + " " +
                     std::to_string(inode.size_bytes) + (a.has_xattrs ? " x" : "");
  for (const Timespec& time : {a.atime, a.mtime, a.ctime}) {
    text += " " + std::to_string(time.seconds) + "." + std::to_string(time.nanoseconds);
  }
  return text;
}

// The complete contents of a file system, one line per name.
void Tell(FileSystem& fs, const std::string& path, std::map<std::string, std::string>& lines) {
  const auto inode = StatPath(fs, path);
  ASSERT_TRUE(inode) << path << ": " << inode.error().message;
  std::string& line = lines[path];
  line = Describe(*inode);
  const auto xattrs = GetXattrs(fs, path);
  ASSERT_TRUE(xattrs) << path;
  for (const auto& [name, value] : *xattrs) line += " " + name + "=" + value;
  if (inode->attributes.IsSymbolicLink()) line += " -> " + ReadLinkPath(fs, path).value();
  if (inode->attributes.IsRegular()) {
    ASSERT_TRUE(GetData(fs, path, [&](uint64_t, Bytes piece) -> Result<void> {
      line += " " + std::string(AsText(piece));
      return {};
    }));
  }
  if (!inode->attributes.IsDirectory()) return;
  std::vector<std::string> names;
  ASSERT_TRUE(ListPath(fs, path, [&](std::string_view name, const InodeInfo&) -> Result<void> {
    names.emplace_back(name);
    return {};
  }));
  for (const std::string& name : names) Tell(fs, path.empty() ? name : path + "/" + name, lines);
}

class Deeds {
 public:
  explicit Deeds(uint64_t seed) : random_(seed) {}

  Deed Next() {
    Deed deed;
    deed.what = static_cast<Deed::What>(random_() % Deed::kWhats);
    deed.path = Path();
    deed.to = deed.what == Deed::What::kMakeLink ? Target() : Path();
    deed.text = std::string(random_() % 40, static_cast<char>('a' + random_() % 26));
    deed.mode = random_() % 010000;
    if (deed.what != Deed::What::kSetXattr) return deed;
    constexpr const char* kNames[] = {"user.a", "user.b", "security.c"};
    deed.name = kNames[random_() % std::size(kNames)];
    return deed;
  }
  Caller AnyCaller() { return random_() % 2 == 0 ? kRoot : kUser; }

 private:
  // Some hundred names in three levels; some of them are invalid.
  std::string Path() {
    if (random_() % 200 == 0) return std::string(300, 'n');
    std::string path;
    for (uint64_t level = random_() % 3 + 1; level > 0; --level) {
      path += std::string(path.empty() ? "" : "/") + static_cast<char>('a' + random_() % 5);
    }
    return path;
  }
  std::string Target() {
    switch (random_() % 20) {
      case 0:
        return "";
      case 1:
        return std::string(4096, 't');
      case 2:
        return std::string("a\0b", 3);
      default:
        return "target";
    }
  }

  std::mt19937_64 random_;
};

class TwoWays : public testing::TestWithParam<uint64_t> {};

TEST_P(TwoWays, ComeToTheSame) {
  Timespec now = kStart;
  World kernel(&now), commands(&now);
  Deeds deeds(GetParam());
  size_t done = 0;
  constexpr int kSteps = kRepeatsLess ? 800 : 5'000;
  for (int step = 0; step < kSteps; ++step) {
    ++now.seconds;
    const Deed deed = deeds.Next();
    const Caller caller = deeds.AnyCaller();
    const std::string what = "step " + std::to_string(step) + ": " +
                             std::to_string(static_cast<int>(deed.what)) + " " + deed.path + " " +
                             deed.to;
    const auto by_kernel = KernelsWay(kernel, caller).Do(deed);
    const auto by_command = CommandsWay(commands, caller, &now).Do(deed);
    ASSERT_EQ(CodeOf(by_kernel), CodeOf(by_command)) << what;
    if (by_kernel) ++done;
    if (step % 10 != 0) continue;
    std::map<std::string, std::string> held, expected;
    Tell(*kernel.fs, "", expected);
    Tell(*commands.fs, "", held);
    for (const auto& [path, line] : expected) ASSERT_EQ(held[path], line) << path << ", " << what;
    ASSERT_EQ(held.size(), expected.size()) << what;
  }
  EXPECT_GT(done, kSteps / 10u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TwoWays, testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace kvfs::fs

// Each cause has the same exit status in all commands of the program's table. Exceptions are
// listed, with the reason.

#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <kvfs/store.h>
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

constexpr int kUsage = 1;
constexpr int kNoStore = 2;
constexpr int kInUse = 3;
constexpr int kCorrupt = 4;
constexpr int kMountPointBad = 5;
constexpr int kNoSpace = 9;
constexpr int kVersion = 10;
constexpr int kNoSuchKey = 11;
constexpr int kIoFailed = 12;
constexpr int kLeftOut = 13;

// Runs in a directory with the files below; S is the path of the store.
struct Use {
  const char* command;
  std::string line;
};
const std::vector<Use>& Uses() {
  static const std::vector<Use> uses = {
      {"create", "create S"},
      {"mount", "mount S mnt"},
      {"unmount", "unmount S"},
      {"status", "status S"},
      {"get", "get S key"},
      {"put", "put S key new"},
      {"append", "append S key more"},
      {"del", "del S key"},
      {"mv", "mv S key other"},
      {"mkdir", "mkdir S made"},
      {"ls", "ls S"},
      {"stat", "stat S key"},
      {"find", "find S"},
      {"batch", "batch S < puts"},
      {"import", "import tree S"},
      {"export", "export S out.tar"},
      {"check", "check S"},
      {"repair", "repair S repaired"},
      {"compact", "compact S"},
      {"stats", "stats S"},
      {"top", "top --times 1 --every 0.01 S"},
      {"bench", "bench --values 3 S"},
      {"dump", "dump S/superblock"},
      {"doctor", "doctor S"},
      {"completion", "completion bash"},
      {"manual", "manual"},
      {"version", "version"},
  };
  return uses;
}

// `kvfs check` has the exit status of fsck(8).
int StatusOf(const std::string& command, int status) {
  if (command != "check" || status == 0 || status == kCorrupt) return status;
  return status == kUsage ? 16 : 8;
}

// The exceptions of a command, by its name.
using Exceptions = std::map<std::string, int>;

// These take a mount point, and ignore the directory's contents.
const Exceptions kOfMountPoints = {{"unmount", kMountPointBad}, {"top", kMountPointBad}};
// These open no store: they examine its holder, one file, or the machine; a new store is created
// elsewhere.
const Exceptions kLookOnly = {{"status", 0}, {"dump", 0}, {"doctor", 0}};
const Exceptions kWithoutStore = {{"completion", 0}, {"manual", 0}, {"version", 0}};

Exceptions Together(std::initializer_list<Exceptions> lists) {
  Exceptions all = kWithoutStore;
  for (const Exceptions& list : lists) {
    for (const auto& [command, status] : list) all.insert_or_assign(command, status);
  }
  return all;
}

class ExitCodes : public StoreFixture {
 protected:
  void SetUp() override {
    Create();
    Put("key", "value");
    Sh("mkdir tree tree.shard0; echo 1 > tree/a; echo 'put key v' > puts; echo 'del absent' > "
       "dels; mv store kept");
  }

  ~ExitCodes() override { ::umount2(Path("disk").c_str(), MNT_DETACH); }

  ProgramRun Sh(const std::string& script) const {
    return RunShell("cd '" + directory() + "' && { " + script + "\n}");
  }
  // Contains the program's arguments.
  int Run(const std::string& line) const {
    std::string with_place = line;
    for (size_t at = 0; (at = with_place.find('S', at)) != std::string::npos;) {
      with_place.replace(at, 1, "store");
    }
    last_ = Sh("exec timeout 60 '" + ProgramPath() + "' " + with_place);
    return last_.status;
  }
  void ExpectOfEach(const std::string& cause, const std::string& make, int status,
                    const Exceptions& exceptions) {
    for (const Use& use : Uses()) {
      Sh("rm -rf store repaired out.tar mnt; mkdir mnt; " + make);
      const auto exception = exceptions.find(use.command);
      const int expected =
          StatusOf(use.command, exception == exceptions.end() ? status : exception->second);
      EXPECT_EQ(Run(use.line), expected) << cause << ": " << use.line << ": " << last_.err;
      EXPECT_TRUE(expected == 0 || last_.err.starts_with("kvfs: ")) << use.line << last_.err;
      Sh("'" + ProgramPath() + "' unmount mnt");
    }
  }
  void ExpectOfLines(int status, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      Sh("rm -rf store; cp -a kept store");
      EXPECT_EQ(Run(line), status) << line << ": " << last_.err;
      EXPECT_EQ(last_.err.rfind("kvfs: ", 0), 0u) << line << ": " << last_.err;
    }
  }

  mutable ProgramRun last_;
};

TEST_F(ExitCodes, TheTableIsTheProgramsOwn) {
  std::istringstream help(RunKvfs({"--help"}).out);
  std::vector<std::string> names, expected;
  for (std::string line; std::getline(help, line);) {
    if (line.starts_with("  ") && line[2] != ' ')
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  for (const Use& use : Uses()) expected.emplace_back(use.command);
  EXPECT_EQ(names, expected);
}

TEST_F(ExitCodes, EachCommandOfTheTableWorks) {
  ExpectOfEach("a sound store", "cp -a kept store", 0,
               Together({kOfMountPoints, {{"create", kNoStore}}}));
}

TEST_F(ExitCodes, WhereThereIsNoStore) {
  ExpectOfEach("nothing", "true", kNoStore,
               Together({kOfMountPoints, {{"create", 0}, {"dump", kIoFailed}, {"doctor", 0}}}));
  ExpectOfEach("a plain file", "echo > store", kNoStore,
               Together({kOfMountPoints, {{"dump", kIoFailed}, {"doctor", 0}}}));
  ExpectOfEach("an empty directory", "mkdir store", kNoStore,
               Together({kOfMountPoints,
                         {{"create", 0}, {"bench", 0}, {"dump", kIoFailed}, {"doctor", 0}}}));
  ExpectOfEach("below a plain file", "echo > file; ln -sf file/store store", kNoStore,
               Together({kOfMountPoints, {{"dump", kIoFailed}, {"doctor", 0}}}));
}

TEST_F(ExitCodes, OfANewerFormat) {
  ExpectOfEach("a newer format",
               "cp -a kept store; for at in 16 77840; do printf '\\143' | "
               "dd of=store/superblock bs=1 seek=$at conv=notrunc status=none; done",
               kVersion, Together({kOfMountPoints, kLookOnly, {{"create", kNoStore}}}));
}

TEST_F(ExitCodes, OfADamagedSuperblock) {
  const std::string make =
      "cp -a kept store; tr '\\0-\\377' x < kept/superblock > store/superblock";
  ExpectOfEach("a damaged superblock", make, kCorrupt,
               // A repair uses the copy.
               Together({kOfMountPoints, kLookOnly, {{"create", kNoStore}, {"repair", 0}}}));
  ExpectOfEach("and no copy of it", make + "; rm store/identity", kCorrupt,
               Together({kOfMountPoints, kLookOnly, {{"create", kNoStore}}}));
}

// All pages are damaged, so every command that needs one fails.
TEST_F(ExitCodes, OfDamagedPages) {
  ExpectOfEach(
      "damaged pages",
      "cp -a kept store; for f in store/*.keys; do head -c 4096 $f > f; tail -c +4097 $f | "
      "tr '\\1-\\377' x >> f; cat f > $f; done",
      kCorrupt,
      Together(
          {kOfMountPoints, kLookOnly, {{"create", kNoStore}, {"stats", 0}, {"repair", kLeftOut}}}));
}

TEST_F(ExitCodes, OfAStoreInUse) {
  Sh("cp -a kept store");
  OpenOptions options;
  options.purpose = "another program";
  const auto held = Store::Open(GetPosixEnv(), store(), options);
  ASSERT_TRUE(held);
  for (const Use& use : Uses()) {
    const Exceptions exceptions = Together({kOfMountPoints, kLookOnly, {{"create", kNoStore}}});
    const auto exception = exceptions.find(use.command);
    const int expected =
        StatusOf(use.command, exception == exceptions.end() ? kInUse : exception->second);
    EXPECT_EQ(Run(use.line), expected) << use.line << ": " << last_.err;
  }
}

TEST_F(ExitCodes, OfTheCommandLine) {
  for (const Use& use : Uses()) {
    for (const char* option : {" --frob", " --timeout=frob", " --json=frob"}) {
      EXPECT_EQ(Run(use.command + std::string(option)), StatusOf(use.command, kUsage))
          << use.command << option << ": " << last_.err;
    }
  }
  ExpectOfLines(kUsage, {"create --shards 0 new",
                         "create --page-size 5 new",
                         "create --log-limit x new",
                         "mount -o threads=x S mnt",
                         "mount -o frob S mnt",
                         "put --if-version x S key v",
                         "ls S ../up",
                         "get S ''",
                         "import --from frob tree S",
                         "import --from tree - S",
                         "import --into .. tree S",
                         "import kept/superblock S",
                         "export --to frob S",
                         "export --to tree S -",
                         "export --shards 0 S",
                         "find --kind frob S",
                         "stats --every 0 S",
                         "top --every x mnt",
                         "bench --values 0 S",
                         "completion frob",
                         "frob",
                         "--frob",
                         "help frob",
                         "batch S < kept/superblock",

                         "import --from tar kept/superblock S",
                         "import --from lmdb kept/superblock S"});
}

TEST_F(ExitCodes, OfAMissingKey) {
  ExpectOfLines(kNoSuchKey,
                {"get S absent", "stat S absent", "ls S absent", "ls -R S absent", "del S absent",
                 "del -r S absent", "mv S absent other", "mv S key absent/x", "put S absent/x v",
                 "append S absent/x v", "mkdir S absent/x", "export --path absent S",
                 "export --path absent --to jsonl S", "export --path absent --to lmdb S",
                 "export --path absent --to tree S new", "export --path absent --to smkv S new",
                 "batch S < dels"});
}

TEST_F(ExitCodes, OfInputThatIsMissing) {
  ExpectOfLines(kIoFailed, {"put S key --file absent", "append S key --file absent",
                            "import absent S", "import --from tree absent S",
                            "import --from tar absent S", "import --from jsonl absent S",
                            "import --from lmdb absent S", "import --from smkv absent S",
                            "import --from smkv absent/x S", "dump absent", "dump S/lock/x"});
}

// A directory cannot be read as a file.
TEST_F(ExitCodes, OfInputThatCannotBeRead) {
  ExpectOfLines(
      kIoFailed,
      {"put S key --file tree", "put S key < tree", "put S key <&-", "append S key --file tree",
       "append S key < tree", "append S key <&-", "batch S < tree", "batch S <&-",
       "import --from tar tree S", "import --from tar - S < tree", "import --from tar - S <&-",
       "import --from jsonl tree S", "import --from jsonl - S <&-", "import --from lmdb tree S",
       "import --from smkv tree S", "dump S/log"});
}

TEST_F(ExitCodes, OfOutputThatCannotBeMade) {
  ExpectOfLines(
      kIoFailed,
      {"export S absent/x", "export --to jsonl S absent/x", "export --to lmdb S absent/x",
       "export --to tree S absent/x", "export --to smkv S absent/x", "export --to tree S kept",
       "export S tree", "export --to tree S puts", "get S key >&-", "mount --log absent/x S mnt"});
}

TEST_F(ExitCodes, OfAFullDisk) {
  stdfs::create_directory(Path("disk"));
  ASSERT_EQ(::mount("none", Path("disk").c_str(), "tmpfs", 0, "size=20M,nr_inodes=100"), 0);
  Sh("'" + ProgramPath() +
     "' create --shards 1 disk/store; head -c 2000000 /dev/urandom > tree/b; '" + ProgramPath() +
     "' import tree kept; mkdir disk/tree; touch disk/log; cat /dev/zero > disk/filler");
  ExpectOfLines(kNoSpace, {"create disk/new",
                           "put disk/store new --file tree/b",
                           "append disk/store new --file tree/b",
                           "import tree disk/store",
                           "export S disk/out",
                           "export S - > disk/out",
                           "export --to jsonl S disk/out",
                           "export --to lmdb S disk/out",
                           "export --to tree S disk/tree",
                           "get S b > disk/out",
                           "repair S disk/repaired",
                           "bench --bytes 1000000 disk",
                           "bench --bytes 1000000 disk/store",
                           "ls S > /dev/full",
                           "find S > /dev/full",
                           "stat S b > /dev/full",
                           "stats S > /dev/full",
                           "dump S/superblock > /dev/full",
                           "manual > /dev/full",
                           "completion zsh > /dev/full",
                           "version > /dev/full",
                           "status S > /dev/full",
                           "compact S > /dev/full",
                           "doctor > /dev/full",
                           "--help > /dev/full",
                           "repair S new > /dev/full"});
  EXPECT_EQ(Run("check S > /dev/full"), 8) << last_.err;
  Sh("rm disk/filler; for i in $(seq 100); do touch disk/file$i; done");
  ExpectOfLines(kNoSpace, {"create disk/new", "export S disk/out", "export --to tree S disk/new",
                           "export --to smkv S disk/out", "bench disk", "repair S disk/repaired",
                           "mount --log disk/new S mnt"});
}

}  // namespace
}  // namespace kvfs::cli

// Root uses another user's store: the owner's files in it cannot mislead root, and files that root
// creates there belong to the owner.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/cli/ordinary_user.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

constexpr uid_t kOwner = 65534;
constexpr int kIoFailed = 12;
constexpr char kPrecious[] = "precious";

class ForeignStore : public OrdinaryUser {
 protected:
  void SetUp() override {
    OrdinaryUser::SetUp();
    if (IsSkipped()) return;
    MakeAnew();
    std::ofstream(victim()) << kPrecious;
    ASSERT_EQ(::chmod(victim().c_str(), 0600), 0);
    stdfs::create_directory(Path("victims"));
    std::ofstream(Path("victims/mark")) << kPrecious;
  }

  std::string theirs() const { return home() + "/s"; }
  std::string victim() const { return Path("victim"); }

  // Killed while mounted, so that there is a log to replay.
  void MakeAnew() {
    stdfs::remove_all(theirs());
    const ProgramRun run = As("$K create --shards 1 s && $K put s key value && $K put s big x");
    ASSERT_EQ(run.status, 0) << run.err;
  }

  ProgramRun AsRoot(const std::string& command) const {
    return RunShell("cd '" + directory() + "' && K='" + ProgramPath() + "' S='" + theirs() +
                    "' && timeout 60 sh -c \"" + command + "\"");
  }

  static std::string TextOf(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void ExpectVictimsUntouched() const {
    EXPECT_EQ(TextOf(victim()), kPrecious);
    EXPECT_EQ(TextOf(Path("victims/mark")), kPrecious);
    EXPECT_EQ(std::distance(stdfs::directory_iterator(Path("victims")), {}), 1);
    EXPECT_FALSE(stdfs::exists(Path("absent")));
  }
  void ExpectAllTheirs(const std::string& top) const {
    for (const auto& entry : stdfs::recursive_directory_iterator(top)) {
      struct stat status {};
      ASSERT_EQ(::lstat(entry.path().c_str(), &status), 0);
      if (S_ISSOCK(status.st_mode)) continue;
      EXPECT_EQ(status.st_uid, kOwner) << entry.path();
      EXPECT_EQ(status.st_gid, kOwner) << entry.path();
    }
  }

  std::string OneSegment() const {
    for (const auto& entry : stdfs::directory_iterator(theirs() + "/log")) {
      const std::string name = entry.path().filename();
      if (name.starts_with("segment-")) return "log/" + name;
    }
    return "log/segment-0";
  }
};

const std::vector<std::string>& Commands() {
  static const std::vector<std::string> commands = {
      "$K get $S key",       "$K put $S key new", "$K append $S key x",    "$K del $S key",
      "$K mkdir $S d",       "$K ls $S",          "$K stat $S key",        "$K find $S",
      "$K mv $S key other",  "$K check $S",       "$K repair $S repaired", "$K compact $S",
      "$K stats $S",         "$K mount $S mnt",   "$K export $S out",      "$K status $S",
      "$K import victims $S"};
  return commands;
}

TEST_F(ForeignStore, NoCommandOfRootFollowsALink) {
  const std::string segment = OneSegment();
  for (const std::string& name :
       {std::string("lock"), std::string("superblock"), std::string("shard-00.keys"),
        std::string("shard-00.values"), std::string("log/mark"), segment, std::string("log"),
        std::string("identity")}) {
    for (const char* target : {"victim", "victims", "absent", "hard"}) {
      for (const std::string& command : Commands()) {
        // Commands open a store in only a few ways; all of them take the lock.
        const bool is_own_way = command.find("get") == 3 || command.find("put") == 3 ||
                                command.find("repair") == 3 || command.find("mount") == 3;
        if (name != "lock" && !is_own_way) continue;
        SCOPED_TRACE(command + ": " + name + " is " + target);
        const std::string path = theirs() + "/" + name;
        MakeAnew();
        stdfs::remove_all(path);
        if (std::string(target) == "hard") {
          stdfs::create_hard_link(victim(), path);
        } else {
          stdfs::create_symlink(Path(target), path);
        }
        const ProgramRun run = AsRoot(command);
        EXPECT_NE(run.status, 124) << "it hangs";
        ExpectVictimsUntouched();
        AsRoot("$K unmount mnt; rm -rf repaired out");
        // A log without its mark proves less, nothing else; only a repair needs the identity file.
        const bool may_do_without =
            name == "log/mark" || name == "identity" || command.find("status") == 3;
        if (may_do_without) continue;
        EXPECT_NE(run.status, 0);
        EXPECT_NE(run.err.find("will not use " + path + ": "), std::string::npos) << run.err;
      }
    }
  }
}

TEST_F(ForeignStore, TheErrorIsNoDamage) {
  stdfs::remove(theirs() + "/lock");
  stdfs::create_symlink(victim(), theirs() + "/lock");
  const ProgramRun run = AsRoot("$K get $S key");
  EXPECT_EQ(run.status, kIoFailed);
  EXPECT_NE(run.err.find("it is a symbolic link, where a file belongs"), std::string::npos)
      << run.err;
  stdfs::remove(theirs() + "/lock");
  std::ofstream(theirs() + "/lock") << "";
  EXPECT_NE(AsRoot("$K get $S key").err.find("it belongs to user 0, and the directory to user"),
            std::string::npos);
}

TEST_F(ForeignStore, AFifoInPlaceOfAFileKeepsNobodyWaiting) {
  for (const char* name : {"lock", "superblock", "shard-00.keys"}) {
    MakeAnew();
    stdfs::remove(theirs() + "/" + name);
    ASSERT_EQ(::mkfifo((theirs() + "/" + name).c_str(), 0666), 0);
    ASSERT_EQ(::chown((theirs() + "/" + name).c_str(), kOwner, kOwner), 0);
    for (const char* command : {"$K get $S key", "$K status $S", "$K check $S"}) {
      EXPECT_NE(AsRoot(command).status, 124) << command << ": " << name;
    }
  }
}

TEST_F(ForeignStore, RootSpeaksToNoOtherSocket) {
  const ProgramRun mounted = RunKvfs({"create", store()});
  ASSERT_EQ(mounted.status, 0) << mounted.err;
  Mount();
  std::ofstream(theirs() + "/lock") << "pid " << DaemonPid() << "\nmount " << mount_point() << "\n";
  ASSERT_EQ(::chown((theirs() + "/lock").c_str(), kOwner, kOwner), 0);
  stdfs::create_symlink(store() + "/socket", theirs() + "/socket");
  const ProgramRun run = AsRoot("flock $S/lock $K put $S key intruder");
  EXPECT_EQ(run.status, kIoFailed) << run.err;
  EXPECT_NE(run.err.find("does not belong to its daemon"), std::string::npos) << run.err;
  Unmount();
  EXPECT_NE(RunKvfs({"get", store(), "key"}).status, 0);
}

TEST_F(ForeignStore, WhatRootDoesLeavesTheOwnerTheirs) {
  stdfs::remove(theirs() + "/lock");
  stdfs::remove(theirs() + "/log/mark");
  for (const char* command :
       {"$K ls $S", "$K put $S key new", "head -c 20000000 /dev/urandom | $K put $S large",
        "$K compact $S", "$K check $S",
        "$K mount $S mnt && echo there > mnt/file && sync mnt/file && $K unmount mnt",
        "mkdir empty && chown 65534:65534 empty && $K create --shards 2 empty && $K put empty a b",
        "mkdir new && chown 65534:65534 new && $K repair $S new"}) {
    const ProgramRun run = AsRoot(command);
    EXPECT_EQ(run.status, 0) << command << ": " << run.err;
    ExpectAllTheirs(theirs());
    const ProgramRun put = As("$K put s own value && $K get s own");
    EXPECT_EQ(put.status, 0) << command << ": " << put.err;
  }
  ExpectAllTheirs(Path("empty"));
  ExpectAllTheirs(Path("new"));
}

// Like a volume that root has created for a service.
TEST_F(ForeignStore, InADirectoryOfRootsAServiceHasItsOwnFiles) {
  stdfs::create_directory(home() + "/volume");
  ASSERT_EQ(::chmod((home() + "/volume").c_str(), 0777), 0);
  const ProgramRun run = As("$K create volume && $K put volume key value && $K get volume key");
  EXPECT_EQ(run.out, "value") << run.err;
}

}  // namespace
}  // namespace kvfs::cli

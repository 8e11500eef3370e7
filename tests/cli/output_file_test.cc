// The output files of commands: a target that a redirection would write into is not replaced, a
// link that another user has put there is not followed, and a file gets its contents atomically.

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

class OutputFiles : public StoreFixture, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    Create();
    Put("key", "value");
  }
  ProgramRun Export(const std::string& target) {
    return RunKvfs({"export", "--to", GetParam(), store(), target});
  }
  std::string Expected() { return Output({"export", "--to", GetParam(), store()}); }
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string Sh(const std::string& command) {
    const ProgramRun run = RunShell("cd '" + directory() + "' && " + command);
    EXPECT_EQ(run.status, 0) << command << ": " << run.err;
    return run.out;
  }
  void ExpectNothingLeft() { EXPECT_EQ(Sh("ls -A | grep partial | wc -l"), "0\n"); }
};
INSTANTIATE_TEST_SUITE_P(Formats, OutputFiles, testing::Values("tar", "jsonl", "lmdb"));

TEST_P(OutputFiles, ADeviceIsWrittenInto) {
  EXPECT_EQ(Export("/dev/null").status, 0);
  EXPECT_TRUE(stdfs::is_character_file("/dev/null"));
  const ProgramRun full = Export("/dev/full");
  EXPECT_EQ(full.status, 9) << full.err;
  EXPECT_TRUE(stdfs::is_character_file("/dev/full"));
}

TEST_P(OutputFiles, AFifoIsWrittenInto) {
  Sh("mkfifo fifo");
  Sh("{ cat fifo > got & '" + ProgramPath() + "' export --to " + GetParam() + " '" + store() +
     "' fifo && wait; }");
  EXPECT_TRUE(stdfs::is_fifo(Path("fifo")));
  EXPECT_TRUE(Read(Path("got")) == Expected());
}

TEST_P(OutputFiles, StandardOutputByNameIsTheSameAsADash) {
  const std::string command =
      "'" + ProgramPath() + "' export --to " + GetParam() + " '" + store() + "' ";
  for (const char* name : {"/dev/stdout", "/proc/self/fd/1", "/dev/fd/1", "-"}) {
    Sh("{ echo before; " + command + name + "; echo after; } > got");
    EXPECT_TRUE(Read(Path("got")) == "before\n" + Expected() + "after\n") << name;
    Sh(command + name + " | cat > got");
    EXPECT_TRUE(Read(Path("got")) == Expected()) << name;
  }
}

TEST_P(OutputFiles, ALinkIsWrittenThrough) {
  Sh("mkdir d && echo old > d/file && ln -s d/file link && ln -s ../link d/other && "
     "ln -s d/absent dangling");
  for (const char* link : {"link", "d/other", "dangling"}) {
    EXPECT_EQ(Export(Path(link)).status, 0) << link;
    EXPECT_TRUE(stdfs::is_symlink(Path(link))) << link;
    EXPECT_TRUE(Read(Path(link)) == Expected()) << link;
  }
  EXPECT_FALSE(stdfs::is_symlink(Path("d/absent")));
  Sh("ln -s loop loop");
  EXPECT_EQ(Export(Path("loop")).status, 12);
  ExpectNothingLeft();
}

TEST_P(OutputFiles, AllNamesOfAFileSeeTheNewContents) {
  Sh("echo old > a && ln a b");
  EXPECT_EQ(Export(Path("a")).status, 0);
  EXPECT_TRUE(Read(Path("b")) == Expected());
  EXPECT_EQ(Sh("stat -c %h a"), "2\n");
  ExpectNothingLeft();
}

TEST_P(OutputFiles, AFileKeepsItsModeAndOwner) {
  Sh("echo old > a && chmod 640 a && (chown 1234:5678 a 2> /dev/null || true)");
  const std::string before = Sh("stat -c '%a %u %g' a");
  EXPECT_EQ(Export(Path("a")).status, 0);
  EXPECT_EQ(Sh("stat -c '%a %u %g' a"), before);
  EXPECT_TRUE(Read(Path("a")) == Expected());
}

TEST_P(OutputFiles, AnotherFileBesideItStaysAsItIs) {
  Sh("echo precious > victim && ln -s victim out.partial && ln -s victim out.tmp");
  EXPECT_EQ(Export(Path("out")).status, 0);
  EXPECT_EQ(Read(Path("victim")), "precious\n");
  EXPECT_TRUE(stdfs::is_symlink(Path("out.partial")));
  EXPECT_FALSE(stdfs::is_symlink(Path("out")));
}

TEST_P(OutputFiles, AFailureLeavesTheFileAsItWas) {
  Sh("echo old > a && ln a b && echo old > c");
  for (const char* name : {"a", "c"}) {
    EXPECT_EQ(
        RunKvfs({"export", "--to", GetParam(), "--path", "absent", store(), Path(name)}).status,
        11);
    EXPECT_EQ(Read(Path(name)), "old\n");
  }
  EXPECT_EQ(Export(Path("")).status, 12) << "a directory";
  ExpectNothingLeft();
}

TEST_P(OutputFiles, SomebodyElsesLinkInAPublicDirectoryIsNotFollowed) {
  if (::geteuid() != 0) return;
  Sh("mkdir -m 1777 public && echo precious > victim && ln -s ../victim public/out && "
     "mkfifo public/fifo && echo theirs > public/file");
  if (RunShell("chown -h 1234:1234 '" + Path("public") + "'/*").status != 0) return;
  for (const char* name : {"public/out", "public/fifo", "public/file"}) {
    const ProgramRun run = Export(Path(name));
    EXPECT_EQ(run.status, 12) << name;
    EXPECT_NE(run.err.find("another user"), std::string::npos) << run.err;
  }
  EXPECT_EQ(Read(Path("victim")), "precious\n");
  EXPECT_EQ(Read(Path("public/file")), "theirs\n");
}

using OtherOutputs = OutputFiles;
INSTANTIATE_TEST_SUITE_P(Any, OtherOutputs, testing::Values("smkv"));

TEST_P(OtherOutputs, FilesOfSmkvAreNew) {
  Sh("echo precious > victim && ln -s victim base.shard1");
  EXPECT_EQ(Export(Path("base")).status, 12);
  EXPECT_EQ(Read(Path("victim")), "precious\n");
  EXPECT_FALSE(stdfs::exists(Path("base.shard0"))) << "all of them, or none";
  ExpectNothingLeft();
  EXPECT_EQ(Export(Path("other")).status, 0);
  EXPECT_TRUE(stdfs::exists(Path("other.shard1.val")));
  EXPECT_FALSE(stdfs::exists(Path("other.shard2"))) << "the script loads two shards";
  ExpectNothingLeft();
  ExpectFailure({"export", "--to", "smkv", "--shards", "17", store(), Path("more")}, 1, {"16"});
}

}  // namespace
}  // namespace kvfs::cli

// An import over existing entries has the result of tar -x: each kind of entry over each kind, in
// mounted and unmounted stores.

#include "tests/cli/either_way.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

struct KindOfEntry {
  const char* name;
  const char* make;  // for sh: $1 is the name, $2 the content
};
constexpr KindOfEntry kKinds[] = {
    {"absent", ":"},
    {"file", "echo $2 > $1; chmod 640 $1"},
    {"hardlink", "echo $2 > $1; ln $1 $1.other"},
    {"empty", "mkdir -m 750 $1"},
    {"full", "mkdir -m 711 $1; echo $2 > $1/inside"},
    {"link", "ln -s target-$2 $1"},
    {"dirlink", "ln -s elsewhere $1"},
    {"linkedlink", "ln -s target-$2 $1; ln $1 $1.other"},
    {"fifo", "mkfifo -m 600 $1"},
    {"device", "mknod -m 600 $1 c 1 $(printf $2 | wc -c) 2> /dev/null || mkfifo $1"},
};

class ImportOver : public StoreFixture {
 protected:
  void SetUp() override { Create(); }
  std::string Sh(const std::string& command) {
    const ProgramRun run = RunShell("cd '" + directory() + "' && " + command);
    EXPECT_EQ(run.status, 0) << command << ": " << run.err;
    return run.out;
  }
  // An existing entry of each kind below `where`, for each kind that is imported over it.
  void Make(const std::string& where, const std::string& content, bool is_first) {
    std::string script = "make() { shift; eval \"$1\"; }; mkdir -p " + where + " && cd " + where +
                         " && mkdir -p elsewhere\n";
    for (const KindOfEntry& there : kKinds) {
      for (const KindOfEntry& coming : kKinds) {
        const std::string name = std::string(there.name) + "-" + coming.name;
        script +=
            "set -- " + name + " " + content + "; " + (is_first ? there.make : coming.make) + "\n";
      }
    }
    script += "find . -depth -exec touch -hd '2001-09-09T01:46:40Z' {} +\n";
    Sh(script);
  }
  // Names, kinds, modes, links, targets, devices and contents. No times of directories, which
  // depend on the order in which entries are created.
  std::string Describe(const std::string& where) {
    return Sh("cd " + where +
              " && find . \\( -type d -printf '%p d %m\\n' \\) -o -printf '%p %y %m %n %T@ %l\\n' "
              "| sort; "
              "find . -type c -exec stat -c '%n %t %T' {} + | sort; "
              "find . -type f -print0 | sort -z | xargs -0 cksum");
  }
};

using ImportOverEitherWay = EitherWay<ImportOver>;
INSTANTIATE_TEST_SUITE_P(MountedOrNot, ImportOverEitherWay, testing::Bool(), NameOfWay);

TEST_P(ImportOverEitherWay, AnArchiveGivesWhatTarGives) {
  Make("there", "one", true);
  Make("coming", "three", false);
  // Only root can export a device.
  Sh("cd coming && tar --sort=name -cf ../coming.tar .");
  RunShell("cd '" + Path("there") + "' && tar -xpf ../coming.tar");
  Make("before", "one", true);
  Run({"import", Path("before"), store()});
  MountIfAsked();
  const ProgramRun run = RunKvfs({"import", "--from", "tar", Path("coming.tar"), store()});
  EXPECT_EQ(run.status, 13) << run.err;
  EXPECT_NE(run.err.find("left out full-file"), std::string::npos) << run.err;
  Run({"export", "--to", "tree", store(), Path("back")});
  EXPECT_EQ(Describe("back"), Describe("there"));
  if (GetParam()) {
    EXPECT_EQ(Describe("mnt"), Describe("there"));
  }
  EXPECT_EQ(RunKvfs({"check", store()}).status, 0);
}

TEST_P(ImportOverEitherWay, ATreeGivesWhatRsyncGives) {
  Make("there", "one", true);
  Make("before", "one", true);
  Make("coming", "three", false);
  // If the first name is excluded, rsync creates a file for the second one, and tar does not.
  Sh("rm coming/full-hardlink.other coming/full-linkedlink.other");
  RunShell("cd '" + directory() + "' && rsync -aH --ignore-times coming/ there/");
  Run({"import", Path("before"), store()});
  MountIfAsked();
  EXPECT_EQ(RunKvfs({"import", Path("coming"), store()}).status, 13);
  Run({"export", "--to", "tree", store(), Path("back")});
  EXPECT_EQ(Describe("back"), Describe("there"));
}

TEST_P(ImportOverEitherWay, TheOtherNamesOfAFileKeepWhatTheyHave) {
  Sh("mkdir tree && echo one > tree/a && chmod 640 tree/a && ln tree/a tree/b && ln tree/a tree/c");
  Run({"import", Path("tree"), store()});
  MountIfAsked();
  const std::string large(9 << 20, 'x');
  Run({"import", "--from", "jsonl", "-", store()}, R"({"path":"a","value":"json"})");
  ExpectValue("a", "json");
  ExpectValue("b", "one\n");
  EXPECT_NE(Output({"stat", "--json", store(), "a"}).find("\"mode\":\"0640\""), std::string::npos);
  Run({"import", "--from", "jsonl", "-", store()}, R"({"path":"b","value":")" + large + "\"}");
  ExpectValue("b", large);
  ExpectValue("c", "one\n");
  EXPECT_EQ(RunKvfs({"check", store()}).status, 0);
}

}  // namespace
}  // namespace kvfs::cli

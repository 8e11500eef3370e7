// import and export preserve everything about a file: hard links, extended attributes, holes,
// owners and times; an export shows one moment; and whatever ends it, the result is intact.

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/cli/either_way.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

class Faithful : public StoreFixture {
 protected:
  void SetUp() override { Create(); }
  // In the directory that contains the store and all other files.
  std::string Sh(const std::string& command) {
    const ProgramRun run = RunShell("cd '" + directory() + "' && " + command);
    EXPECT_EQ(run.status, 0) << command << ": " << run.err;
    return run.out;
  }
  void MakeTree() {
    Sh("mkdir -p tree/d/e && cd tree && echo one > a && ln a d/a2 && ln a d/e/a3 && "
       "ln -s a link && ln link link2 && mkfifo fifo && ln fifo fifo2 && "
       "head -c 300000 /dev/urandom > random && head -c 9000000 /dev/urandom > large && "
       "truncate -s 40M sparse && printf end >> sparse && "
       "printf mid | dd of=sparse bs=1 seek=20000000 conv=notrunc status=none && "
       "truncate -s 100000 zeros && setfattr -n user.text -v value a && "
       "setfattr -n user.bytes -v 0x00ff0a d && setfattr -n user.empty d/e && "
       "setfattr -n user.large -v $(head -c 3000 /dev/zero | tr '\\0' x) random && "
       "setfacl -m u:0:r random && setfacl -d -m g:0:rx d/e && chmod 4751 large && "
       "chmod 2775 d && chmod 0 zeros && touch -d '1969-12-31T23:59:58.123456789Z' a && "
       "touch -hd '2033-05-18T03:33:20.5Z' link && touch -d '2001-09-09T01:46:40.000000001Z' d/e "
       "d");
    // Not permitted to every user, nor in every user namespace.
    RunShell("cd '" + Path("tree") +
             "' && chown 1234:5678 random; chown -h 7:8 link; "
             "setfattr -n trusted.t -v x random; setfattr -h -n trusted.l -v y link; "
             "setfacl -m u:1234:r random; touch -d '2001-09-09T01:46:40.000000001Z' . d");
  }
  // rsync finds no difference, and times are equal to the nanosecond.
  void ExpectSame(const std::string& one, const std::string& other, const std::string& how) {
    EXPECT_EQ(Sh("rsync " + how + " --dry-run --itemize-changes --checksum --delete '" + one +
                 "/' '" + other + "/'"),
              "");
    const auto times = [&](const std::string& tree) {
      return Sh("cd '" + tree + "' && find . -printf '%p %y %m %U %G %n %T@ %l\n' | sort");
    };
    EXPECT_EQ(times(one), times(other));
  }
  uint64_t BlocksOf(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return static_cast<uint64_t>(status.st_blocks);
  }
};

using FaithfulEitherWay = EitherWay<Faithful>;
INSTANTIATE_TEST_SUITE_P(MountedOrNot, FaithfulEitherWay, testing::Bool(), NameOfWay);

TEST_P(FaithfulEitherWay, ATreeComesBackWithAllThatItHas) {
  MakeTree();
  MountIfAsked();
  Run({"import", Path("tree"), store()});
  Run({"export", "--to", "tree", store(), Path("back")});
  ExpectSame("tree", "back", "-aHAX");
  EXPECT_LT(BlocksOf(Path("back/sparse")), 100u);
  if (GetParam()) ExpectSame("tree", mount_point(), "-aHX --filter='-x system.posix_acl_*'");
  if (GetParam()) {
    EXPECT_LT(BlocksOf(mount_point() + "/sparse"), 100u);
  }
}

TEST_P(FaithfulEitherWay, AnArchiveOfGnuTarComesBackWithAllThatItHas) {
  MakeTree();
  Sh("rm tree/fifo2");  // GNU tar does not support hard links of a fifo
  MountIfAsked();
  for (const char* how : {"", "--sparse"}) {
    Sh("cd tree && tar --format=pax --xattrs --xattrs-include='*' " + std::string(how) +
       " -cf ../in.tar .");
    Run({"import", "--from", "tar", Path("in.tar"), store()});
    Run({"export", store(), Path("out.tar")});
    Sh("rm -rf back && mkdir back && cd back && "
       "tar --xattrs --xattrs-include='*' -xpf ../out.tar");
    ExpectSame("tree", "back", "-aHAX");
    EXPECT_LT(stdfs::file_size(Path("out.tar")), 11'000'000u);
  }
  EXPECT_EQ(RunKvfs({"check", store()}).status, 0);
}

TEST_P(FaithfulEitherWay, JsonLinesKeepLinksAndAttributes) {
  MakeTree();
  Sh("rm tree/sparse");
  MountIfAsked();
  Run({"import", Path("tree"), store()});
  Run({"export", "--to", "jsonl", store(), Path("out.jsonl")});
  Run({"import", "--create", "--from", "jsonl", Path("out.jsonl"), Path("other")});
  Run({"export", "--to", "tree", Path("other"), Path("back")});
  ExpectSame("tree", "back", "-aHAX");
}

TEST_F(Faithful, ZerosOfAnArchiveTakeNoSpace) {
  Sh("mkdir tree && cd tree && head -c 20000000 /dev/zero > zeros && head -c 100000 /dev/zero > "
     "few "
     "&& tar -cf ../in.tar .");
  Run({"import", "--from", "tar", Path("in.tar"), store()});
  Mount();
  EXPECT_EQ(BlocksOf(mount_point() + "/zeros"), 0u);
  EXPECT_LE(BlocksOf(mount_point() + "/few"), 4u);  // the bytes after the last whole block
  Sh("cmp tree/zeros mnt/zeros && cmp tree/few mnt/few");
}

TEST_F(Faithful, HolesOfAnyLengthPassInAMoment) {
  Sh("mkdir tree && cd tree && truncate -s 3T huge && printf x >> huge");
  Run({"import", Path("tree"), store()});
  Run({"export", "--to", "tree", store(), Path("back")});
  EXPECT_EQ(stdfs::file_size(Path("back/huge")), (uint64_t{3} << 40) + 1);
  EXPECT_EQ(Sh("tail -c 2 back/huge | od -An -c | tr -d ' '"), "\\0x\n");
}

TEST_F(Faithful, AFurtherNameIsNoFileOfItsOwn) {
  Sh("mkdir tree && cd tree && echo bar > foo && ln foo foo2 && tar -cf ../in.tar .");
  Run({"import", "--from", "tar", Path("in.tar"), store()});
  Mount();
  Sh("echo new > mnt/foo && test \"$(cat mnt/foo2)\" = new && test $(stat -c %h mnt/foo) = 2");
}

TEST_F(Faithful, ALinkToWhatIsNotThereIsNamed) {
  Sh("mkdir tree && cd tree && echo bar > foo && ln foo foo2 && "
     "tar --sort=name -cf ../in.tar foo foo2 && tar --delete -f ../in.tar foo");
  ExpectFailure({"import", "--from", "tar", Path("in.tar"), store()}, 13, {"foo", "in.tar"});
}

TEST_F(Faithful, MoreThanTheLogTakesAtOnceIsCut) {
  Sh("mkdir tree && head -c 5000000 /dev/urandom | split -b 2000 -a 3 - tree/");
  Run({"import", Path("tree"), store()});
  Run({"export", "--to", "tree", store(), Path("back")});
  Sh("diff -r tree back");
}

TEST_F(Faithful, AnExportIsOfOneMoment) {
  Sh("mkdir tree && head -c 9000 /dev/zero | tr '\\0' o > old && "
     "for i in $(seq 100 399); do cp old tree/$i; done");
  Run({"import", Path("tree"), store()});
  Mount();
  // The first bytes have been read, and at most what a pipe holds: now everything changes.
  Sh("'" + ProgramPath() + "' export '" + store() +
     "' | (head -c 1000 > head.tar; cd mnt; for i in *; do echo new > $i; done; rm 3*; mkdir d; "
     "mv 2* d; cd ..; cat > tail.tar)");
  Sh("cat head.tar tail.tar > all.tar; mkdir back; tar -xf all.tar -C back && diff -r tree back");
  EXPECT_EQ(RunKvfs({"get", store(), "100"}).out, "new\n");
}

class Interrupted : public Faithful, public testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Signals, Interrupted, testing::Values(SIGINT, SIGTERM));

TEST_P(Interrupted, AnImportTellsHowFarItGot) {
  Sh("mkdir tree && for i in $(seq 100 199); do head -c 3000 /dev/urandom > tree/$i; done && "
     "chmod 640 tree/* && tar --sort=name -cf in.tar -C tree . && mkfifo pipe");
  const pid_t import = StartKvfs({"import", "--from", "tar", Path("pipe"), store()});
  std::ofstream pipe(Path("pipe"), std::ios::binary);
  const std::string archive = Sh("cat in.tar");
  // More than a pipe holds, so when it has been written, a part has been read.
  pipe.write(archive.data(), 200'000);
  pipe.flush();
  ::kill(import, GetParam());
  EXPECT_EQ(AwaitExit(import), 15);
  pipe.close();
  Run({"export", "--to", "tree", store(), Path("back")});
  const std::string names = Sh("ls back");
  EXPECT_NE(names, "");
  Sh("cd back && for i in *; do cmp $i ../tree/$i && test $(stat -c %a $i) = 640 || exit 1; done");
  EXPECT_EQ(Sh("ls tree | head -n $(ls back | wc -l)"), names);
}

TEST_F(Faithful, AKilledImportLeavesWholeEntries) {
  Sh("mkdir tree && cd tree && for d in $(seq 20); do mkdir -m 750 $d; "
     "for i in $(seq 300); do echo $d $i > $d/$i; done; done; chmod 640 */*; "
     "for i in 1 2 3; do setfattr -n user.x -v $i $i/300; done");
  for (const char* pause : {"0.02", "0.05", "0.1"}) {
    Sh("rm -rf killed back; '" + ProgramPath() + "' create killed; ('" + ProgramPath() +
       "' import tree killed 2> /dev/null & import=$!; sleep " + pause +
       "; kill -9 $import; wait $import || true) 2> /dev/null");
    Run({"export", "--to", "tree", Path("killed"), Path("back")});
    Sh("cd back && find . -type f -printf '%P %m\n' | while read f m; do cmp $f ../tree/$f && "
       "test $m = 640 || exit 1; done && "
       "find . -mindepth 1 -type d -printf '%m\n' | grep -v 750 | wc -l | grep -x 0");
    EXPECT_EQ(RunKvfs({"check", Path("killed")}).status, 0);
  }
}

TEST_F(Faithful, AnInterruptedExportLeavesNoHalfFile) {
  Sh("mkdir tree && for i in $(seq 100 199); do head -c 30000 /dev/urandom > tree/$i; done");
  Run({"import", Path("tree"), store()});
  for (const char* pause : {"0.005", "0.02", "0.05"}) {
    Sh(":; '" + ProgramPath() + "' export '" + store() + "' out.tar 2> err & export=$!; sleep " +
       pause +
       "; kill -TERM $export; wait $export; status=$?; "
       "test $status = 0 || test $status = 15 || test $status = 143");
  }
  EXPECT_FALSE(stdfs::exists(Path("out.tar.partial")));
}

TEST_P(FaithfulEitherWay, ALargeValueKeepsTheInodeOfItsKey) {
  MountIfAsked();
  const std::string large(9 << 20, 'x');
  Put("foo", "small");
  const auto inode = [&] {
    return RunShell("'" + ProgramPath() + "' stat --json '" + store() +
                    "' foo | grep -o '\"inode\":[0-9]*'")
        .out;
  };
  const std::string before = inode();
  EXPECT_NE(before, "");
  Run({"put", store(), "foo"}, large);
  EXPECT_EQ(inode(), before);
  Run({"put", store(), "foo"}, large + "y");
  EXPECT_EQ(inode(), before);
  EXPECT_TRUE(RunKvfs({"get", store(), "foo"}).out == large + "y");
}

TEST_P(FaithfulEitherWay, AValueUnderAConditionMayBeLarge) {
  MountIfAsked();
  const std::string large(9 << 20, 'x');
  Run({"put", store(), "foo", "--if-absent"}, large);
  EXPECT_EQ(RunKvfs({"put", store(), "foo", "--if-absent"}, large + "y").status, 14);
  EXPECT_TRUE(RunKvfs({"get", store(), "foo"}).out == large);
}

TEST_F(Faithful, ALargeValueIsSeenByAllNamesOfTheFile) {
  Mount();
  Sh("echo small > mnt/a && ln mnt/a mnt/b && setfattr -n user.x -v 1 mnt/a && chmod 600 mnt/a");
  Run({"put", store(), "a"}, std::string(9 << 20, 'x'));
  Sh("test $(stat -c %s mnt/b) = 9437184 && test $(stat -c %h%a mnt/b) = 2600 && "
     "test $(getfattr --only-values -n user.x mnt/b) = 1");
}

}  // namespace
}  // namespace kvfs::cli

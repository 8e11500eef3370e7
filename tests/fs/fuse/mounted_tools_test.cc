// Everyday tools on a mounted store.
#include "tests/fs/fuse/mounted_fixture.h"

namespace kvfs::fs {
namespace {

class MountedTools : public MountedFixture {};

TEST_F(MountedTools, EchoPutsAndCatGets) {
  Run("echo bar > $M/foo");
  EXPECT_EQ(Run("cat $M/foo"), "bar\n");
  Run("echo much longer > $M/foo; echo x > $M/foo; echo y >> $M/foo");
  EXPECT_EQ(Run("cat $M/foo"), "x\ny\n");
  EXPECT_EQ(Run("ls $M"), "foo\n");
}

TEST_F(MountedTools, ValuesOutliveRemounting) {
  Run("echo bar > $M/foo; mkdir -p $M/a/b; echo deep > $M/a/b/c");
  const std::string before = Run("stat -c '%n %i %s %y %z %a' $M/foo $M/a/b/c $M/a $M");
  mounted().Remount();
  EXPECT_EQ(Run("cat $M/foo $M/a/b/c"), "bar\ndeep\n");
  EXPECT_EQ(Run("stat -c '%n %i %s %y %z %a' $M/foo $M/a/b/c $M/a $M"), before);
}

TEST_F(MountedTools, KillingTheServerLosesNothing) {
  Run("mkdir $M/d; seq 500 | while read i; do echo $i > $M/d/$i; done");
  Run("mv $M/d/1 $M/d/one; rm $M/d/2; echo again > $M/d/3; truncate -s 1 $M/d/444; echo x >> "
      "$M/d/5");
  mounted().KillAndRemount();
  EXPECT_EQ(Run("ls $M/d | wc -l"), "499\n");
  EXPECT_EQ(Run("cd $M/d; cat one 3 444 5 500"), "1\nagain\n45\nx\n500\n");
}

// A tree of every kind of file, with odd modes, times, names and owners.
constexpr char kMakeTree[] = R"(
  mkdir -p tree/a/b tree/empty
  seq 1 10000 > tree/a/numbers
  head -c 3000000 /dev/urandom > tree/a/b/large
  : > tree/nothing
  printf 'no newline' > 'tree/a name with directories'
  ln -s a/numbers tree/link
  ln -s /does/not/exist tree/dangling
  mkfifo tree/pipe
  for i in $(seq 300); do echo $i > tree/a/b/$i; done
  chmod 4711 tree/nothing
  chmod 0 tree/a/b/1
  chmod 1777 tree/empty
  touch -d '1969-12-31 23:59:58.123456789 UTC' tree/nothing
  touch -h -d '2040-02-03 04:05:06.000000001 UTC' tree/dangling
  touch -d '2001-02-03 04:05:06.7 UTC' tree/a
)";
constexpr char kListTree[] =
    "find . -printf '%P %y %m %U %G %s %T@ %l\\n' | grep -v ' d ' | sort; "
    "find . -type d -printf '%P %y %m %U %G %T@\\n' | sort";

TEST_F(MountedTools, CpKeepsEverything) {
  Run(kMakeTree);
  Run("cp -a tree $M/; diff -r --no-dereference tree $M/tree || test -p tree/pipe");
  const std::string list = kListTree;
  const std::string original = Run("cd tree; " + list);
  EXPECT_EQ(Run("cd $M/tree; " + list), original);
  mounted().Remount();
  EXPECT_EQ(Run("cd $M/tree; " + list), original);
  Run("cmp tree/a/b/large $M/tree/a/b/large");
}

TEST_F(MountedTools, TarOfACopyIsTheSame) {
  Run(kMakeTree);
  Run("cp -a tree $M/");
  Run("tar --sort=name -cf one -C $S tree; tar --sort=name -cf two -C $M tree; cmp one two");
  Run("mkdir $M/out; tar -xpf one -C $M/out; tar --sort=name -cf three -C $M/out tree");
  Run("cmp one three");
}

TEST_F(MountedTools, MvMovesFilesAndDirectories) {
  Run("mkdir -p $M/d/e $M/f; echo 1 > $M/d/e/x; mv $M/d/e $M/f/; mv $M/f/e/x $M/y; ls -R $M");
  EXPECT_EQ(Run("cat $M/y"), "1\n");
  EXPECT_EQ(Run("cd $M; find . | sort"), ".\n./d\n./f\n./f/e\n./y\n");
}

TEST_F(MountedTools, MvReplacesAndKeepsTheInode) {
  Run("echo old > $M/b; echo new > $M/a");
  const std::string inode = Run("stat -c %i $M/a");
  Run("mv $M/a $M/b");
  EXPECT_EQ(Run("cat $M/b"), "new\n");
  EXPECT_EQ(Run("stat -c %i $M/b"), inode);
}

TEST_F(MountedTools, MvRefusesWhatLinuxRefuses) {
  Run("mkdir -p $M/d/e $M/full/x; echo 1 > $M/f");
  RunAndFail("mv $M/d $M/d/e/");
  RunAndFail("mv -T $M/d $M/full");
  RunAndFail("mv -T $M/f $M/d");
  RunAndFail("mv -T $M/d $M/f");
}

TEST_F(MountedTools, RmRemovesTrees) {
  Run(kMakeTree);
  Run("cp -a tree $M/; rm -rf $M/tree");
  EXPECT_EQ(Run("ls -A $M"), "");
}

TEST_F(MountedTools, RmRefusesDirectoriesAndRmdirFullOnes) {
  Run("mkdir $M/d; echo 1 > $M/d/f");
  EXPECT_NE(RunAndFail("rm $M/d").find("Is a directory"), std::string::npos);
  EXPECT_NE(RunAndFail("rmdir $M/d").find("not empty"), std::string::npos);
  EXPECT_NE(RunAndFail("rmdir $M/d/f").find("Not a directory"), std::string::npos);
  EXPECT_NE(RunAndFail("cat $M/nothing").find("No such file"), std::string::npos);
}

TEST_F(MountedTools, FindDeletesTenThousandFiles) {
  Run("mkdir $M/d; cd $M/d; seq 10000 | xargs touch");
  EXPECT_EQ(Run("ls $M/d | wc -l"), "10000\n");
  EXPECT_EQ(Run("ls -f $M/d | sort -u | wc -l"), "10002\n");
  Run("find $M/d -type f -delete");
  EXPECT_EQ(Run("ls -A $M/d | wc -l"), "0\n");
  Run("rmdir $M/d");
}

TEST_F(MountedTools, RmWorksWhileOthersList) {
  Run("mkdir $M/d; cd $M/d; seq 3000 | xargs touch");
  Run("(while ls -l $M/d > /dev/null 2>&1; do :; done) & rm -rf $M/d; wait; test ! -e $M/d");
}

TEST_F(MountedTools, TimesAreKeptToTheNanosecond) {
  Run("touch -d '2020-01-02 03:04:05.123456789 UTC' $M/f");
  EXPECT_EQ(Run("TZ=UTC stat -c '%x|%y' $M/f"),
            "2020-01-02 03:04:05.123456789 +0000|2020-01-02 03:04:05.123456789 +0000\n");
}

TEST_F(MountedTools, TruncateCutsAndExtends) {
  Run("printf 0123456789 > $M/f; truncate -s 4 $M/f");
  EXPECT_EQ(Run("cat $M/f"), "0123");
  Run("truncate -s 6 $M/f");
  EXPECT_EQ(Run("od -An -c $M/f | tr -d ' \\n'"), "0123\\0\\0");
  Run("truncate -s 1T $M/f");
  EXPECT_EQ(Run("stat -c %s $M/f; head -c 5 $M/f | tail -c 2 | tr '\\0' z"), "1099511627776\n3z");
}

TEST_F(MountedTools, DdWritesIntoTheMiddle) {
  Run("head -c 5000000 /dev/urandom > one; cp one $M/f");
  Run("for at in 0 1 4095 4096 70000 4999999; do"
      "  printf Hello | dd of=one bs=1 seek=$at conv=notrunc status=none;"
      "  printf Hello | dd of=$M/f bs=1 seek=$at conv=notrunc status=none;"
      "done; cmp one $M/f");
  mounted().Remount();
  Run("cmp one $M/f");
}

TEST_F(MountedTools, SymbolicLinksLead) {
  Run("mkdir $M/d; echo 1 > $M/d/f; ln -s d/f $M/link; ln -s d $M/dirlink");
  EXPECT_EQ(Run("cat $M/link $M/dirlink/f; readlink $M/link"), "1\n1\nd/f\n");
  Run("rm $M/link; test -e $M/d/f");
}

TEST_F(MountedTools, PipesCarry) {
  EXPECT_EQ(Run("mkfifo $M/p; echo through > $M/p & cat $M/p; wait"), "through\n");
}

TEST_F(MountedTools, EditorsSavePatternWorks) {
  Run("echo old > $M/f; python3 - <<'END'\n"
      "import os\n"
      "m = os.environ['M']\n"
      "t = os.open(m + '/.f.tmp', os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)\n"
      "os.write(t, b'new\\n'); os.fsync(t); os.close(t)\n"
      "os.rename(m + '/.f.tmp', m + '/f')\n"
      "d = os.open(m, os.O_DIRECTORY); os.fsync(d); os.close(d)\n"
      "END");
  EXPECT_EQ(Run("cat $M/f; ls -A $M"), "new\nf\n");
}

TEST_F(MountedTools, DfTellsTheDisksSpace) {
  const std::string disk = Run("df --output=size -B1M $S | tail -1");
  EXPECT_EQ(Run("df --output=size -B1M $M | tail -1"), disk);
  EXPECT_EQ(Run("stat -f -c '%l %s' $M"), "255 4096\n");
}

TEST_F(MountedTools, LongestNamesWork) {
  Run("n=$(printf '%0255d' 7); echo 1 > $M/$n; cat $M/$n; test $(ls $M | wc -c) = 256");
  EXPECT_NE(RunAndFail("echo 1 > $M/$(printf '%0256d' 7)").find("too long"), std::string::npos);
}

}  // namespace
}  // namespace kvfs::fs

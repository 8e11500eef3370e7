// Programs with high demands on a file system, on a mounted store. Only those that take seconds;
// tools/suites runs the external suites.
#include "tests/fs/fuse/mounted_fixture.h"

namespace kvfs::fs {
namespace {

class MountedPrograms : public MountedFixture {};

TEST_F(MountedPrograms, GitKeepsAHistory) {
  Run("export HOME=$S; git config --global user.email a@b; git config --global user.name a;"
      "git config --global init.defaultBranch main; cd $M; git init -q one; cd one;"
      "for i in 1 2 3 4 5; do seq $((i * 100)) > f$i; git add .; git commit -qm $i; done;"
      "git mv f1 g1; git commit -qam moved; git tag t; git gc -q --prune=now; git fsck --strict;"
      "cd ..; git clone -q one two; cd two; test $(git log --oneline | wc -l) = 6;"
      "git checkout -q HEAD~3; git checkout -q main; git status --short; cmp g1 ../one/g1");
  mounted().Remount();
  EXPECT_EQ(Run("cd $M/two; HOME=$S git fsck; HOME=$S git status --short"), "");
}

TEST_F(MountedPrograms, SqliteWorksInEveryJournalMode) {
  for (const char* mode : {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "WAL", "OFF"}) {
    const std::string database = std::string("$M/") + mode + ".db";
    Run("sqlite3 " + database + " \"PRAGMA journal_mode=" + mode +
        "; CREATE TABLE t(a INTEGER PRIMARY KEY, b); BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 "
        "UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i, hex(i) FROM n; "
        "COMMIT; UPDATE t SET b = b || 'x' WHERE a % 3 = 0; DELETE FROM t WHERE a % 7 = 0; "
        "VACUUM;\"");
  }
  mounted().KillAndRemount();
  EXPECT_EQ(Run("for f in $M/*.db; do sqlite3 $f 'PRAGMA integrity_check; SELECT count(*) FROM t';"
                " done | sort -u"),
            "1715\nok\n");
}

TEST_F(MountedPrograms, SqlitesWritersWaitForEachOther) {
  Run("sqlite3 $M/d 'PRAGMA journal_mode=WAL; CREATE TABLE t(a)'");
  Run("for i in 1 2 3 4; do (for j in $(seq 10); do sqlite3 -cmd '.timeout 20000' $M/d "
      "\"INSERT INTO t VALUES($j)\"; done) & done; wait");
  EXPECT_EQ(Run("sqlite3 $M/d 'SELECT count(*) FROM t; PRAGMA integrity_check'"), "40\nok\n");
}

TEST_F(MountedPrograms, EditingInPlaceWorks) {
  Run("seq 100 > $M/f; sed -i 's/^5$/five/' $M/f; test $(sed -n 5p $M/f) = five");
  Run("sort -rn -o $M/f $M/f; test $(head -1 $M/f) = 100");
  Run("echo more | tee -a $M/f > /dev/null; test $(tail -1 $M/f) = more");
  Run("vim -es -u NONE -N -c '%s/more/vim/' -c 'wq' $M/f; test $(tail -1 $M/f) = vim");
  EXPECT_EQ(Run("ls -A $M"), "f\n");
}

TEST_F(MountedPrograms, FlockKeepsScriptsApart) {
  Run("echo 0 > $M/n; for i in $(seq 20); do"
      "  flock $M/lock sh -c 'echo $(($(cat $M/n) + 1)) > $M/n' & done; wait");
  EXPECT_EQ(Run("cat $M/n"), "20\n");
}

TEST_F(MountedPrograms, ChangesAreWatched) {
  Run("inotifywait -qm -t 20 -e create,moved_to,delete --format '%e %f' -o events $M & w=$!;"
      "for i in $(seq 100); do touch $M/probe$i; sleep 0.1; test -s events && break; done;"
      "echo 1 > $M/a; mv $M/a $M/b; rm $M/b; sleep 0.3; kill $w; wait $w || true");
  EXPECT_EQ(Run("grep -v probe events"), "CREATE a\nMOVED_TO b\nDELETE b\n");
}

TEST_F(MountedPrograms, RsyncCopiesBothWays) {
  Run("mkdir -p tree/d; seq 1000 > tree/d/numbers; ln tree/d/numbers tree/linked; ln -s d tree/s;"
      "mkfifo tree/p; truncate -s 1M tree/sparse; printf x >> tree/sparse; chmod 4755 tree/linked;"
      "touch -d '2001-02-03 04:05:06.789' tree/d/numbers");
  Run("rsync -aHS tree/ $M/tree/; rsync -aHS --checksum $M/tree/ back/");
  EXPECT_EQ(Run("rsync -aHin --checksum --delete tree/ $M/tree/; "
                "rsync -aHin --checksum --delete tree/ back/"),
            "");
  EXPECT_EQ(Run("stat -c %h $M/tree/linked back/linked"), "2\n2\n");
}

class MountedProgramsWithLists : public MountedPrograms {
 protected:
  MountedProgramsWithLists() { options_.access_lists = true; }
};

TEST_F(MountedProgramsWithLists, RsyncCopiesListsAndAttributesBothWays) {
  Run("mkdir -p $M/tree/d; seq 1000 > $M/tree/d/numbers; ln $M/tree/d/numbers $M/tree/linked;"
      "setfacl -m u:$(id -u):rwx $M/tree/linked; setfacl -d -m g:$(id -g):r $M/tree/d;"
      "setfattr -n user.a -v one $M/tree/linked; setfattr -n user.b -v two $M/tree/d");
  Run("rsync -aHAX --checksum $M/tree/ out/; rsync -aHAX --checksum out/ $M/back/");
  EXPECT_EQ(Run("rsync -aHAXin --checksum --delete $M/tree/ out/;"
                "rsync -aHAXin --checksum --delete out/ $M/back/"),
            "");
  const std::string list = "; getfacl -nR . ; getfattr -Rd . ; stat -c '%n %h' linked";
  const std::string original = Run("cd $M/tree" + list);
  EXPECT_EQ(Run("cd $M/back" + list), original);
  EXPECT_NE(original.find("user.b=\"two\""), std::string::npos);
  EXPECT_NE(original.find("default:group:"), std::string::npos);
  EXPECT_NE(original.find("\nmask::rwx"), std::string::npos);
}

TEST_F(MountedPrograms, TarKeepsHardLinks) {
  Run("mkdir tree; seq 1000 > tree/a; ln tree/a tree/b; tar -cf t tree; tar -xf t -C $M");
  EXPECT_EQ(Run("stat -c %h $M/tree/a; tar -cf - -C $M tree | tar -tvf - | grep -c 'link to'"),
            "2\n1\n");
}

TEST_F(MountedPrograms, PythonsShelveAndMappingsWork) {
  Run("cd $M; python3 - <<'END'\n"
      "import mmap, shelve, os\n"
      "with shelve.open('shelf') as s:\n"
      "    for i in range(200): s[str(i)] = list(range(i))\n"
      "with shelve.open('shelf') as s:\n"
      "    assert all(s[str(i)] == list(range(i)) for i in range(200))\n"
      "with open('m', 'w+b') as f:\n"
      "    f.truncate(100000)\n"
      "    with mmap.mmap(f.fileno(), 0) as m:\n"
      "        m[50000:50005] = b'value'\n"
      "        m.flush()\n"
      "    f.seek(50000)\n"
      "    assert f.read(5) == b'value'\n"
      "END");
}

TEST_F(MountedPrograms, AProjectIsBuilt) {
  Run("mkdir $M/p; cd $M/p; printf '#include \"a.h\"\\nint main() { return f(); }\\n' > main.cc;"
      "printf 'int f();\\n' > a.h; printf '#include \"a.h\"\\nint f() { return 0; }\\n' > a.cc;"
      "printf 'p: main.o a.o\\n\\tg++ -o $@ $^\\n%%.o: %%.cc a.h\\n\\tg++ -c -o $@ $<\\n' > "
      "Makefile;"
      "make -s -j2; ./p; make -q; sleep 0.01; touch a.h; ! make -q; make -s; ./p");
}

}  // namespace
}  // namespace kvfs::fs

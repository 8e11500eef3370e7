// Archives and dumps made by other programs, some of them invalid: what a store cannot hold is
// reported by name, with a separate status, and everything else is imported.

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/cli/either_way.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

class ForeignArchives : public StoreFixture {
 protected:
  void SetUp() override { Create(); }
  std::string Sh(const std::string& command) {
    const ProgramRun run = RunShell("cd '" + directory() + "' && " + command);
    EXPECT_EQ(run.status, 0) << command << ": " << run.err;
    return run.out;
  }
  // Python's tarfile writes archives that no tar would: `statements` fill the archive `t`, with
  // `add(name, content, **attributes)`.
  void MakeArchive(const std::string& statements) {
    std::ofstream(Path("make.py")) << "import io, os, tarfile\n"
                                      "t = tarfile.open('x.tar', 'w', format=tarfile.PAX_FORMAT)\n"
                                      "def add(name, content=b'x', **attributes):\n"
                                      "    i = tarfile.TarInfo(name); i.size = len(content)\n"
                                      "    for k, v in attributes.items(): setattr(i, k, v)\n"
                                      "    t.addfile(i, io.BytesIO(content))\n"
                                   << statements << "\nt.close()\n";
    Sh("python3 make.py");
  }
  ProgramRun ImportTar() { return RunKvfs({"import", "--from", "tar", Path("x.tar"), store()}); }
  // The listing of the whole store.
  std::string Lines() { return RunKvfs({"export", "--to", "jsonl", store(), "-"}).out; }
  // Between two valid entries there is one that is reported with each of `words`; the valid ones
  // are imported.
  void ExpectLeftOut(const std::string& statement, const std::vector<std::string>& words) {
    MakeArchive("add('before')\n" + statement + "\nadd('behind')");
    const ProgramRun run = ImportTar();
    EXPECT_EQ(run.status, 13) << statement << run.err;
    for (const std::string& word : words) {
      EXPECT_NE(run.err.find(word), std::string::npos) << statement << run.err;
    }
    ExpectValue("before", "x");
    ExpectValue("behind", "x");
    // Whatever was imported, the store can be listed and exported.
    EXPECT_EQ(RunKvfs({"ls", "-lR", store()}).status, 0) << statement;
    EXPECT_EQ(RunKvfs({"export", store(), Path("out.tar")}).status, 0) << statement;
  }
};

using ForeignEitherWay = EitherWay<ForeignArchives>;
INSTANTIATE_TEST_SUITE_P(MountedOrNot, ForeignEitherWay, testing::Bool(), NameOfWay);

TEST_P(ForeignEitherWay, AnEntryThatCannotBeIsToldAndTheOthersComeIn) {
  MountIfAsked();
  const std::string link = "add('bad', b'', type=tarfile.SYMTYPE, linkname=";
  ExpectLeftOut(link + "'x/' * 2600)", {"bad", "5200"});
  ExpectLeftOut(link + "'')", {"bad", "target"});
  ExpectLeftOut("add('bad', uid=2**33, mode=0o4755)", {"bad", "owner"});
  ExpectLeftOut("add('bad', gid=2**32 - 1)", {"bad", "owner"});
  ExpectLeftOut("add('bad', b'', type=tarfile.LNKTYPE, linkname='missing')", {"bad", "missing"});
  ExpectLeftOut("add('n' * 256)", {"nnn", "255"});
  ExpectLeftOut("add('a/../bad')", {"bad", ".."});
  ExpectLeftOut("add('before/bad')", {"before/bad"});
  ExpectLeftOut("add('bad', pax_headers={'SCHILY.xattr.user.big': 'x' * 70000})", {"user.big"});
  ExpectLeftOut("add('bad', pax_headers={'SCHILY.xattr.foreign.x': 'x'})", {"foreign.x"});
  ExpectLeftOut("add('bad', pax_headers={'SCHILY.xattr.security.capability': 'x'})",
                {"security.capability"});
  ExpectLeftOut("add('bad', pax_headers={'SCHILY.xattr.system.posix_acl_access': 'x'})",
                {"posix_acl_access"});
  EXPECT_EQ(RunKvfs({"check", store()}).status, 0);
}

TEST_P(ForeignEitherWay, ManyThatCannotBeDoNotStopTheOthers) {
  MountIfAsked();
  MakeArchive(
      "for i in range(3000):\n"
      "    add('good%d' % i)\n"
      "    add('bad%d' % i, b'', type=tarfile.LNKTYPE, linkname='missing')");
  const ProgramRun run = ImportTar();
  EXPECT_EQ(run.status, 13);
  EXPECT_NE(run.err.find("3000 entries are in the store, 3000 were left out"), std::string::npos);
  EXPECT_EQ(Output({"stats", "--json", store()}).empty(), false);
  ExpectValue("good2999", "x");
}

// libarchive skips entries of a list that it does not understand, and adds a missing mask.
TEST_F(ForeignArchives, AnAccessListThatIsNoneIsLeftOutWhole) {
  struct {
    const char* text;
    const char* why;
  } const kLists[] = {
      {"user::rw-,junk", "\"junk\" is not a valid entry"},
      {"user::rw-,user:1000:rwx,group::r--,mask::rwx,other::---,foo:1:rwx", "foo:1:rwx"},
      {"user::rw-,user:7:rwx,group::r--,other::---", "no mask"},
      {"user::rw-,group::r--", "no entry for the others"},
      {"user::rw-,user::r--,group::r--,other::---", "is repeated"},
      {"user::rwz,group::r--,other::---", "user::rwz"},
      {"user::rw-,group::r--,other::---,other:1:r--", "other:1:r--"},
      {"user::rw-,user:1:r-x:one,group::r--,mask::r-x,other::---", "user:1:r-x:one"},
  };
  for (const auto& list : kLists) {
    ExpectLeftOut("add('listed', mode=0o644, pax_headers={'SCHILY.acl.access': '" +
                      std::string(list.text) + "'})",
                  {"an access control list", list.why});
    EXPECT_EQ(Lines().find("posix_acl"), std::string::npos) << list.text;
    EXPECT_NE(RunKvfs({"ls", "-l", store()}).out.find("-rw-r--r--"), std::string::npos);
  }
}

// As written by acl_to_text(3), star and bsdtar.
TEST_F(ForeignArchives, AccessListsInEachFormOfTextComeIn) {
  for (const std::string text : {"user::rw-\\nuser:7:rwx\\ngroup::r--\\nmask::rwx\\nother::---\\n",
                                 "user::rw-,user:7:rwx,group::r--,mask::rwx,other::---",
                                 "user::rw-, user:root:rwx:0, group::r--, mask::rwx, other::---",
                                 "u::rw-,u:7:rwx,g::r--,m:rwx,o:---",
                                 "user::rw-,user:7:rwx #effective:rwx\\n"
                                 "group::r--,mask::rwx,other::---"}) {
    MakeArchive("add('listed', pax_headers={'SCHILY.acl.access': '" + text + "'})");
    const ProgramRun run = ImportTar();
    EXPECT_EQ(run.status, 0) << text << run.err;
    EXPECT_NE(Lines().find("posix_acl"), std::string::npos) << text;
    ASSERT_EQ(RunKvfs({"del", store(), "listed"}).status, 0);
  }
}

// The cost of a name with many levels is linear in its length.
TEST_F(ForeignArchives, ANameOfManyThousandLevelsComesIn) {
  MakeArchive("add('d/' * 20000 + 'deep')");
  const ProgramRun run = ImportTar();
  EXPECT_EQ(run.status, 0) << run.err;
}

TEST_F(ForeignArchives, NamesAreTakenAsTarTakesThem) {
  Sh("mkdir src && echo a > src/a && tar -cf x.tar src/. && tar -rf x.tar src//a ./src/./a");
  EXPECT_EQ(ImportTar().status, 0);
  ExpectValue("src/a", "a\n");
  EXPECT_EQ(Output({"ls", "-R", store()}), "src\nsrc/a\n");
}

TEST_F(ForeignArchives, TimesBefore1970ComeAsTheyAre) {
  MakeArchive(
      "for s in ('-100.25', '-1.5', '-86400', '-7.000000001', '12.75'):\n"
      "    add('t' + s, mtime=float(s), pax_headers={'mtime': s})");
  EXPECT_EQ(ImportTar().status, 0);
  Run({"export", "--to", "tree", store(), Path("back")});
  EXPECT_EQ(Sh("cd back && stat -c '%n %.9Y' t*"),
            "t-1.5 -1.500000000\nt-100.25 -100.250000000\nt-7.000000001 -7.000000001\n"
            "t-86400 -86400.000000000\nt12.75 12.750000000\n");
  // GNU tar can read them in our archive, too.
  Run({"export", store(), Path("out.tar")});
  Sh("mkdir again && tar -xpf out.tar -C again");
  EXPECT_EQ(Sh("cd again && stat -c '%n %.9Y' t*"), Sh("cd back && stat -c '%n %.9Y' t*"));
}

TEST_P(ForeignEitherWay, AListInTextComesInAndTheModeAgrees) {
  Sh("mkdir tree tree/d && echo x > tree/f && chmod 644 tree/f && setfacl -m u:0:rw tree/f && "
     "setfacl -m g:0:r tree/f && setfacl -d -m u:0:rwx tree/d");
  for (const char* how : {"--acls", "--acls --xattrs", "--xattrs --xattrs-include='*'"}) {
    SCOPED_TRACE(how);
    Sh("rm -rf back* x.tar other; tar " + std::string(how) + " -H posix -cf x.tar -C tree .");
    Run({"import", "--create", "--from", "tar", Path("x.tar"), Path("other")});
    Run({"export", "--to", "tree", Path("other"), Path("back")});
    const std::string lists = "getfacl -Rn . | grep -v '^# owner'";
    EXPECT_EQ(Sh("cd back && " + lists), Sh("cd tree && " + lists));
    Run({"export", Path("other"), Path("out.tar")});
    for (const char* program : {"tar --xattrs --xattrs-include='*'", "tar --acls",
                                "tar --acls --xattrs --xattrs-include='*'", "bsdtar --acls"}) {
      SCOPED_TRACE(program);
      Sh("rm -rf back2 && mkdir back2 && cd back2 && " + std::string(program) + " -xpf ../out.tar");
      EXPECT_EQ(Sh("cd back2 && " + lists), Sh("cd tree && " + lists));
    }
  }
}

TEST_F(ForeignArchives, AListNamesSomebodyByName) {
  MakeArchive(
      "h = 'SCHILY.acl.access'\n"
      "add('known', pax_headers={h: 'user::rw-,user:nobody:r--,group::r--,mask::r--,other::---'})\n"
      "add('unknown', pax_headers={h: "
      "'user::rw-,user:no-such:r--,group::r--,mask::r--,other::---'})");
  const ProgramRun run = ImportTar();
  EXPECT_EQ(run.status, 13) << run.err;
  EXPECT_NE(run.err.find("no-such"), std::string::npos) << run.err;
  EXPECT_EQ(run.err.find("of known"), std::string::npos) << run.err;
}

TEST_F(ForeignArchives, DuplicatesOfAnLmdbDatabaseAreTold) {
  const std::string dump =
      "VERSION=3\nformat=bytevalue\ntype=btree\nduplicates=1\ndupsort=1\nHEADER=END\n"
      " 61\n 31\n 61\n 32\n 61\n 33\n 62\n 34\nDATA=END\n";
  const ProgramRun run = RunKvfs({"import", "--from", "lmdb", "-", store()}, dump);
  EXPECT_EQ(run.status, 13);
  EXPECT_NE(run.err.find("another value of a"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("2 entries are in the store, 2 were left out"), std::string::npos);
  ExpectValue("a", "1");
  ExpectValue("b", "4");
}

TEST_F(ForeignArchives, KeysThatBecomeEqualAreTold) {
  // a, /a, c/d, c//d, e/
  const ProgramRun run =
      RunKvfs({"import", "--from", "lmdb", "-", store()},
              "format=bytevalue\nHEADER=END\n 61\n 31\n 2f61\n 32\n 632f64\n 33\n"
              " 632f2f64\n 34\n 652f\n 35\nDATA=END\n");
  EXPECT_EQ(run.status, 13);
  for (const char* word : {"/a", "c//d", "e/", "3 entries are in the store"}) {
    EXPECT_NE(run.err.find(word), std::string::npos) << run.err;
  }
  ExpectValue("a", "1");
  ExpectValue("c/d", "3");
  ExpectValue("e", "5");
  const ProgramRun lines =
      RunKvfs({"import", "--from", "jsonl", "-", store()},
              "{\"path\":\"j\",\"value\":\"1\"}\n{\"path\":\"/j\",\"value\":\"2\"}\n");
  EXPECT_EQ(lines.status, 13);
  ExpectValue("j", "2");
}

TEST_F(ForeignArchives, AnLmdbDumpNamesAMapThatHoldsIt) {
  Sh("mkdir tree tree/d && for i in $(seq 100 999); do head -c 100 /dev/urandom > tree/d/$i; "
     "head -c 1900 /dev/urandom > tree/m$i; done; head -c 3000000 /dev/urandom > tree/large; "
     "head -c 2100 /dev/urandom > tree/page; : > tree/none");
  Run({"import", Path("tree"), store()});
  const std::string long_path = std::string(255, 'k') + "/" + std::string(255, 'k') + "/k";
  Run({"import", "--from", "jsonl", "-", store()},
      "{\"path\":\"" + long_path + "\",\"value\":\"\"}");
  const ProgramRun run = RunKvfs({"export", "--to", "lmdb", store(), Path("dump")});
  EXPECT_EQ(run.status, 13);
  EXPECT_NE(run.err.find("511"), std::string::npos) << run.err;
  Sh("mkdir map && mdb_load -f dump map");
  Sh("mdb_dump map > again");
  Run({"import", "--create", "--from", "lmdb", Path("again"), Path("other")});
  Run({"export", "--to", "tree", Path("other"), Path("back")});
  Sh("diff -r tree back");
}

TEST_F(ForeignArchives, AFileWithoutAFormatIsNoKeyInSilence) {
  Sh("echo value > file && tar -cf x.tar file");
  ExpectFailure({"import", Path("x.tar"), store()}, 1, {"x.tar", "--from"});
  EXPECT_EQ(Output({"ls", store()}), "");
  Run({"import", "--from", "tree", Path("file"), store()});
  ExpectValue("file", "value\n");
}

TEST_P(ForeignEitherWay, AFileThatCannotBeReadIsToldAndPassedOver) {
  // Reading a directory as a file fails, and so does reading a file of /proc that does not refer to
  // memory.
  MountIfAsked();
  Sh("mkdir -p tree/d && echo a > tree/a && echo z > tree/z");
  const ProgramRun run =
      RunShell("unshare -m sh -c \"mount --bind /proc/self/mem '" + Path("tree/a") + "' && '" +
               ProgramPath() + "' import '" + Path("tree") + "' '" + store() + "'\"");
  EXPECT_EQ(run.status, 13) << run.err;
  EXPECT_NE(run.err.find("tree/a"), std::string::npos) << run.err;
  ExpectValue("z", "z\n");
}

TEST_P(ForeignEitherWay, AttributesOfAMegabyteComeBackOutOfAnArchive) {
  Sh("python3 -c \"import json, base64\n"
     "x = [{'name': 'user.n%02d' % i, 'value': 'v' * 65536} for i in range(14)]\n"
     "x += [{'name': 'user.a=b%c', 'value': 'coded'}]\n"
     "print(json.dumps({'path': 'a', 'value': 'x', 'xattrs': x}))\n"
     "print(json.dumps({'path': 'z', 'value': 'y'}))\" > lines");
  MountIfAsked();
  Run({"import", "--from", "jsonl", Path("lines"), store()});
  Run({"export", store(), Path("x.tar")});
  Run({"import", "--create", "--from", "tar", Path("x.tar"), Path("other")});
  EXPECT_EQ(Output({"get", Path("other"), "z"}), "y");
  Run({"export", "--to", "jsonl", Path("other"), Path("again")});
  Run({"export", "--to", "jsonl", store(), Path("first")});
  Sh("grep '\"path\":\"a\"' first > f && grep '\"path\":\"a\"' again > a && cmp f a");
}

TEST_P(ForeignEitherWay, ATreeOfManyLevelsPasses) {
  const std::string levels = "400";
  Sh("python3 -c \"import os\nos.mkdir('tree'); os.chdir('tree')\n"
     "for i in range(" +
     levels +
     "):\n"
     "    os.mkdir('d'); os.chdir('d')\nopen('leaf', 'w').write('x')\"");
  MountIfAsked();
  const std::string kvfs = "ulimit -n 64; ulimit -s 256; '" + ProgramPath() + "' ";
  Sh(kvfs + "import tree store");
  EXPECT_EQ(Sh(kvfs + "find store leaf | wc -c"), "805\n");
  EXPECT_EQ(Sh(kvfs + "ls -R store | wc -l"), "401\n");
  for (const char* format : {"tree", "tar", "jsonl", "lmdb"}) {
    const ProgramRun run = RunShell("cd '" + directory() + "'; " + kvfs + "export --to " + format +
                                    " store out-" + format);
    EXPECT_EQ(run.status, std::string(format) == "lmdb" ? 13 : 0) << run.err;
  }
  EXPECT_EQ(Sh("cd out-tree && find . -name leaf | wc -c"), "807\n");
  Sh(kvfs + "import --create --from tar out-tar other && " + kvfs +
     "import --create --from jsonl out-jsonl third");
  EXPECT_EQ(Sh(kvfs + "find third leaf | wc -c"), "805\n");
  Sh(kvfs + "del -r store d && rm -rf tree out-tree");
  EXPECT_EQ(Output({"ls", store()}), "");
}

}  // namespace
}  // namespace kvfs::cli

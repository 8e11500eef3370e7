// Archives, lines and dumps with contents that no program should write: each between two valid
// entries, which are always imported. What cannot be imported is reported and counted: whole
// entries, and parts of entries; and a stored value is never a truncated one.
//
// The headers are built by hand, since libraries refuse to write invalid ones.

#include <fstream>
#include <string>
#include <vector>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

constexpr const char* kHeaders = R"(
import gzip, sys

def record(key, value):
    rest = len(key) + len(value) + 3
    length = rest + 1
    while len(str(length)) + rest != length: length = len(str(length)) + rest
    return b'%d %s=%s\n' % (length, key, value)

def header(name, size, kind=b'0', mode=b'0000644\0', uid=b'0000000\0', size_field=None,
           mtime=b'00000000005\0', link=b''):
    h = bytearray(512)
    def put(at, bytes): h[at:at + len(bytes)] = bytes
    put(0, name); put(100, mode); put(108, uid); put(116, b'0000000\0')
    put(124, size_field or b'%011o\0' % size); put(136, mtime); put(156, kind); put(157, link)
    put(257, b'ustar\00000'); put(148, b' ' * 8); put(148, b'%06o\0 ' % sum(h))
    return bytes(h)

def padded(body): return body + b'\0' * (-len(body) % 512)
def extended(body, kind=b'x'): return header(b'x', len(body), kind) + padded(body)
def entry(name=b'it', content=b'x', **fields):
    return header(name, len(content), **fields) + padded(content)
def with_record(key, value, **fields): return extended(record(key, value)) + entry(**fields)

before, after, end = entry(b'before'), entry(b'after'), b'\0' * 1024
)";

// All in one directory, with a new store for each.
class HostileArchives : public StoreFixture {
 protected:
  // The contents of the store after an import of the bytes that the Python expression yields.
  struct Imported {
    ProgramRun run;
    std::string names;
  };
  Imported Import(const std::string& format, const std::string& expression) {
    std::ofstream(Path("make.py"))
        << kHeaders << "open(sys.argv[1], 'wb').write(" << expression << ")\n";
    Shell("rm -rf '" + store() + "' && python3 '" + Path("make.py") + "' '" + Path("in") + "'");
    Imported imported{RunKvfs({"import", "--create", "--from", format, Path("in"), store()}), ""};
    imported.names = Output({"find", store()});
    return imported;
  }
  void ExpectWords(const ProgramRun& run, const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      EXPECT_NE(run.err.find(word), std::string::npos) << word << " in: " << run.err;
    }
  }
  // `it` is left out, and reported with the words.
  void ExpectLeftOut(const std::string& entry, const std::vector<std::string>& words) {
    SCOPED_TRACE(entry);
    const Imported imported = Import("tar", "before + " + entry + " + after + end");
    EXPECT_EQ(imported.run.status, 13) << imported.run.err;
    ExpectWords(imported.run, words);
    ExpectWords(imported.run, {"2 entries are in the store, 1 were left out\n"});
    EXPECT_EQ(imported.names, "after\nbefore\n");
  }
  // `it` is imported without a part, which is reported with the words.
  void ExpectWithout(const std::string& entry, const std::vector<std::string>& words) {
    SCOPED_TRACE(entry);
    const Imported imported = Import("tar", "before + " + entry + " + after + end");
    EXPECT_EQ(imported.run.status, 13) << imported.run.err;
    ExpectWords(imported.run, words);
    ExpectWords(imported.run,
                {"3 entries are in the store, 0 were left out, and 1 part of others"});
    EXPECT_EQ(imported.names, "after\nbefore\nit\n");
  }
  void ExpectTime(const std::string& entry, const std::string& mtime) {
    SCOPED_TRACE(entry);
    Import("tar", "before + " + entry + " + after + end");
    const std::string told = Output({"stat", "--json", store(), "it"});
    EXPECT_NE(told.find("\"mtime\":\"" + mtime), std::string::npos) << told;
  }
  // Of three lines or pairs, the middle one is left out.
  void ExpectLineLeftOut(const std::string& format, const std::string& line,
                         const std::string& reason) {
    SCOPED_TRACE(line);
    const std::string begin = format == "jsonl" ? R"({"path":"before","value":"x"}\n)"
                                                : R"(format=print\nHEADER=END\n before\n x\n)";
    const std::string end =
        format == "jsonl" ? R"({"path":"after","value":"x"}\n)" : R"( after\n x\nDATA=END\n)";
    const Imported imported =
        Import(format, "b'''" + begin + "''' + b'''" + line + "\\n''' + b'''" + end + "'''");
    EXPECT_EQ(imported.run.status, 13) << imported.run.err;
    ExpectWords(imported.run, {"left out line ", reason, "2 entries are in the store, 1 were"});
    EXPECT_EQ(imported.names, "after\nbefore\n");
  }
};

TEST_F(HostileArchives, AValueThatEndsAtANulIsNotTakenForAWhole) {
  ExpectLeftOut(R"(with_record(b'path', b'na\0me'))", {"NUL"});
  ExpectLeftOut(R"(with_record(b'linkpath', b'na\0me', kind=b'2', content=b''))", {"NUL"});
  ExpectLeftOut(R"(with_record(b'SCHILY.xattr.user.a\0b', b'v'))", {"record"});
  ExpectLeftOut(R"(extended(b'na\0me\0', b'L') + entry())", {"NUL"});
  ExpectWithout(R"(with_record(b'SCHILY.acl.access', )"
                R"(b'user::rwx,user:5:rwx,group::r--,mask::rwx,other::---\0x'))",
                {"access control list", "NUL"});
  for (const char* id : {"4294967293", "-3", "99999999999999999999"}) {
    ExpectWithout("with_record(b'SCHILY.acl.access', b'user::rw-,user:" + std::string(id) +
                      ":rwx,group::r--,mask::rwx,other::---')",
                  {"access control list", "2^31"});
  }
  // If it is also present as an extended attribute, that takes precedence.
  EXPECT_EQ(Import("tar",
                   "extended(record(b'SCHILY.acl.access', b'user::rw-,user:4294967293:r--,"
                   "group::r--,mask::r--,other::---') + "
                   "record(b'SCHILY.xattr.system.posix_acl_access', "
                   "bytes.fromhex('0200000001000600ffffffff02000400fdffffff04000400ffffffff"
                   "10000400ffffffff20000000ffffffff'))) + entry() + end")
                .run.status,
            0);
  ExpectWithout(R"(with_record(b'SCHILY.acl.access', )"
                R"(b'user::rwx,user:5:rwx,group::r--,mask::rwx,other::---\0x'))",
                {"access control list", "NUL"});
  // The list's mode is not applied either.
  EXPECT_NE(Output({"stat", "--json", store(), "it"}).find("\"mode\":\"0644\""), std::string::npos);
}

TEST_F(HostileArchives, ANumberThatIsNoneIsNotTakenForItsBeginning) {
  for (const char* key : {"uid", "gid", "size"}) {
    ExpectLeftOut("with_record(b'" + std::string(key) + "', b'1x')", {key, "not a number"});
  }
  ExpectLeftOut(R"(entry(b'it', uid=b'12x\0\0\0\0\0'))", {"owner is not a number"});
  ExpectLeftOut(R"(entry(b'it', mode=b'64x\0\0\0\0\0'))", {"mode is not a number"});
  ExpectWithout(R"(entry(b'it', mtime=b'12x\0\0\0\0\0\0\0\0\0'))", {"mtime of it"});
  ExpectWithout("with_record(b'mtime', b'12x')", {"mtime of it", "12x"});
  ExpectWithout("with_record(b'LIBARCHIVE.xattr.user.x', b'@@')", {"user.x of it"});
}

TEST_F(HostileArchives, TimesHaveTheirSignAndTheirFraction) {
  ExpectTime("with_record(b'mtime', b'-0.9')", "1969-12-31T23:59:59.100000000Z");
  ExpectTime("with_record(b'mtime', b'-1.25')", "1969-12-31T23:59:58.750000000Z");
  ExpectTime("with_record(b'mtime', b'')", "1970-01-01T00:00:05.000000000Z");
  ExpectWithout("with_record(b'mtime', b'1.1234567891')", {"mtime of it", "1.1234567891"});
  ExpectTime("with_record(b'mtime', b'1.1234567891')", "1970-01-01T00:00:01.123456789Z");
  // "-0.9" is preserved by export and import.
  ExpectTime("with_record(b'mtime', b'-0.9') + with_record(b'atime', b'-0.25', name=b'b')",
             "1969-12-31T23:59:59.1");
  Run({"export", store(), Path("out.tar")});
  Run({"import", "--create", "--from", "tar", Path("out.tar"), Path("other")});
  Run({"export", "--to", "jsonl", store(), Path("one")});
  Run({"export", "--to", "jsonl", Path("other"), Path("two")});
  Shell("grep '\"path\":\"[ib]' '" + Path("one") + "' > a; grep '\"path\":\"[ib]' '" + Path("two") +
        "' > b; cmp a b; e=$?; rm a b; exit $e");
}

TEST_F(HostileArchives, WhatAHeaderOfAllEntriesSaysCountsOrIsTold) {
  ExpectTime("extended(record(b'mtime', b'77.5') + record(b'uid', b'9'), b'g') + entry()",
             "1970-01-01T00:01:17.500000000Z");
  EXPECT_NE(Output({"stat", "--json", store(), "after"}).find("\"uid\":9"), std::string::npos);
  EXPECT_NE(Output({"stat", "--json", store(), "before"}).find("\"uid\":0"), std::string::npos);
  ExpectWithout("extended(record(b'SCHILY.xattr.user.x', b'9'), b'g') + entry()", {"user.x of it"});
  ExpectWithout("with_record(b'ACME.colour', b'red')", {"ACME.colour of it"});
  ExpectWithout("with_record(b'SCHILY.fflags', b'nodump')", {"SCHILY.fflags of it"});
  ExpectWithout("entry(b'it', kind=b'Z')", {"'Z' of it"});
  ExpectLeftOut("entry(b'it', kind=b'M')", {"another volume"});
}

TEST_F(HostileArchives, WhatHasNoGoodHeaderIsPassedOver) {
  ExpectLeftOut(R"(b'\xff' * 512 + padded(b'content' * 100))", {"bytes 1024 to"});
  ExpectLeftOut("entry(b'it')[:300] + b'!' + entry(b'it')[301:]", {"bytes 1024 to 2048"});
  ExpectLeftOut("extended(b'99 path=x\\n') + entry()", {"left out it", "damaged"});
}

TEST_F(HostileArchives, TheEndOfAnArchiveIsLookedAt) {
  struct Case {
    std::string bytes;
    int status;
    std::vector<std::string> words;
    std::string names;
  };
  const std::vector<Case> cases = {
      {"before + after", 13, {"no mark of its end", "byte 2048", "2 entries"}, "after\nbefore\n"},
      {"before + end + after + end", 13, {"byte 2048", "second archive"}, "before\n"},
      {"gzip.compress(before + after)", 13, {"no mark of its end"}, "after\nbefore\n"},
      {"before + entry(b'it', b'q' * 5000)[:3000]", 1, {"it:", "the first 1 entries"}, "before\n"},
      {"before + after[:512]", 1, {"after: ", "the first 1 entries"}, "before\n"},
      {"before + after[:700]", 1, {"byte 1724", "the first 2 entries"}, "after\nbefore\n"},
      {"before + after[:100]", 1, {"byte 1024", "the first 1 entries"}, "before\n"},
      {"b''", 1, {"it is empty"}, ""},
      {"gzip.compress(b'')", 1, {"it is empty"}, ""},
      {"end * 10", 0, {"is empty: no entry"}, ""},
      {"before + end", 0, {}, "before\n"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.bytes);
    const Imported imported = Import("tar", one.bytes);
    EXPECT_EQ(imported.run.status, one.status) << imported.run.err;
    ExpectWords(imported.run, one.words);
    EXPECT_EQ(imported.names, one.names);
  }
}

TEST_F(HostileArchives, TheEntryIsNamedAndNotTheDirectoryAboveIt) {
  for (const char* path : {"before/it", "before/a/b/it"}) {
    const std::string entry = "entry(b'" + std::string(path) + "')";
    ExpectLeftOut(entry, {"left out " + std::string(path) + ": "});
  }
  ExpectLeftOut("entry(b'before/a/b/it')", {"the directory before cannot be created"});
  ExpectLeftOut("with_record(b'path', b'n' * 256 + b'/a/it')", {"/a/it: ", "255"});
}

TEST_F(HostileArchives, AnEmptySourceIsNoSilentSuccess) {
  for (const auto& [format, status] :
       {std::pair("tar", 1), std::pair("lmdb", 1), std::pair("jsonl", 0)}) {
    const Imported imported = Import(format, "b''");
    EXPECT_EQ(imported.run.status, status) << format;
    EXPECT_NE(imported.run.err, "") << format;
  }
}

TEST_F(HostileArchives, ALineThatIsNoEntryIsPassedOver) {
  for (const char* line :
       {R"({"path":)", "[1]", "text", R"({"path":"\xff","value":"x"})",
        R"({"path":"\\ud800","value":"x"})", R"({"path":"a","value":"x","uid":1e400})"}) {
    ExpectLineLeftOut("jsonl", line, "JSON");
  }
  ExpectLineLeftOut("jsonl", R"({"path":"a","path":"b","value":"x"})", "two fields \"path\"");
  const std::string a = R"({"path":"a","value":"x",)";
  ExpectLineLeftOut("jsonl", a + R"("value":"y"})", "two fields \"value\"");
  ExpectLineLeftOut("jsonl", a + R"("xattrs":[{"name":"user.a","name":"user.b","value":""}]})",
                    "two fields \"name\"");
  ExpectLineLeftOut("jsonl",
                    a + R"("xattrs":[{"name":"user.a","value":"1"},{"name":"user.a","value":""}]})",
                    "user.a");
  for (const char* mode : {"\"644 \"", "\"0x1ff\"", "\"10644\"", "\"\"", "420"}) {
    ExpectLineLeftOut("jsonl", a + "\"mode\":" + mode + "}", "octal");
  }
  for (const char* time : {"2026-02-31T00:00:00Z", "2026-01-31T00:00:00\\\\u0000Z", "@-0.5",
                           "2026-1-31T00:00:00Z", "2026-01-31T24:00:00Z", "@1.0123456789"}) {
    ExpectLineLeftOut("jsonl", a + "\"mtime\":\"" + time + "\"}", "mtime");
  }
  for (const char* coded : {"QR==", "A=AA", "====", "A", "QQ=", "@@@@"}) {
    ExpectLineLeftOut("jsonl", R"({"path":"a","value_base64":")" + std::string(coded) + "\"}",
                      "base64");
  }
}

TEST_F(HostileArchives, TextThatIsNoJsonAtAllEndsTheImport) {
  const Imported imported = Import("jsonl", "b'text\\n' * 200");
  EXPECT_EQ(imported.run.status, 1);
  ExpectWords(imported.run, {"left out line 99:", "none of its first 100 lines"});
  EXPECT_EQ(imported.run.err.find("line 101"), std::string::npos);
  EXPECT_EQ(Import("jsonl", "b'{\"path\":\"a\",\"value\":\"\"}\\n' + b'text\\n' * 200").run.status,
            13);
}

TEST_F(HostileArchives, APairThatIsNoneIsPassedOver) {
  ExpectLineLeftOut("lmdb", R"( a\\g0\n v)", "does not follow");
  ExpectLineLeftOut("lmdb", R"( a\n v\\0)", "does not follow");
  const Imported imported = Import(
      "lmdb",
      R"(b'format=print\nHEADER=END\n a\nDATA=END\nformat=print\nHEADER=END\n b\n x\nDATA=END\n')");
  EXPECT_EQ(imported.run.status, 13) << imported.run.err;
  ExpectWords(imported.run, {"line 3: a key has no value"});
  EXPECT_EQ(imported.names, "b\n");
}

}  // namespace
}  // namespace kvfs::cli

// import and export: every format in both directions, and truncated or malformed sources.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/either_way.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

class Transfer : public StoreFixture {
 protected:
  void SetUp() override { Create(); }
  void ShellIn(const std::string& where, const std::string& command) {
    const ProgramRun run = RunShell("mkdir -p '" + where + "' && cd '" + where + "' && " + command);
    ASSERT_EQ(run.status, 0) << command << ": " << run.err;
  }
  // "bad" is the exported `from` with another byte at `at` of its index.
  void MakeBadFrom(const std::string& from, size_t at, char byte) {
    for (const char* part : {".shard0", ".shard0.val"}) {
      stdfs::copy_file(Path(from + part), Path(std::string("bad") + part),
                       stdfs::copy_options::overwrite_existing);
    }
    std::fstream file(Path("bad.shard0"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }
  // A tree with one entry of each kind, and unusual names, modes and times.
  void MakeTree(const std::string& where) {
    ShellIn(where,
            "mkdir -p d/e empty && printf 'one' > d/one && printf '\\000\\377' > d/e/bytes && "
            "printf '' > none && head -c 6000000 /dev/urandom > large && "
            "printf x > \"$(printf 'odd \\377\\n name')\" && ln -s d/one link && mkfifo fifo && "
            "chmod 4751 d/one && chmod 2770 d/e && chmod 0 none && chmod 1777 empty && "
            "touch -d '1969-12-31T23:59:58.123456789Z' d/one && "
            "touch -hd '2033-05-18T03:33:20.5Z' link && touch -d '2001-09-09T01:46:40Z' d/e d .");
  }
  // Names, kinds, modes, modification times, targets and contents of all entries of a tree.
  std::string Describe(const std::string& where) {
    const ProgramRun run = RunShell("cd '" + where +
                                    "' && find . -printf '%p %y %m %U %G %T@ %l\\n' | sort && "
                                    "find . -type f -print0 | sort -z | xargs -0 cksum");
    EXPECT_EQ(run.status, 0) << run.err;
    return run.out;
  }
  void ExpectSameTree(const std::string& one, const std::string& other) {
    EXPECT_EQ(Describe(one), Describe(other));
  }
  // The contents of a store, as text; without inode numbers, versions and change times.
  std::string StoreText(const std::string& path) {
    std::istringstream lines(Output({"export", "--to", "jsonl", path}));
    std::string text;
    for (std::string line; std::getline(lines, line);) {
      auto object = nlohmann::json::parse(line);
      object.erase("ctime");
      object.erase("atime");
      text += object.dump() + "\n";
    }
    return text;
  }
};

using RoundTrip = EitherWay<Transfer>;
INSTANTIATE_TEST_SUITE_P(MountedOrNot, RoundTrip, testing::Bool(), NameOfWay);

TEST_P(RoundTrip, ATreeComesBackAsItWent) {
  MakeTree(Path("tree"));
  MountIfAsked();
  Run({"import", Path("tree"), store()});
  Run({"export", "--to", "tree", store(), Path("back")});
  ExpectSameTree(Path("tree"), Path("back"));
  if (GetParam()) ExpectSameTree(Path("tree"), mount_point());
}

TEST_P(RoundTrip, ATarArchiveComesBackAsItWent) {
  MakeTree(Path("tree"));
  MountIfAsked();
  ShellIn(Path("tree"), "tar --format=pax -cf ../in.tar .");
  Run({"import", "--from", "tar", Path("in.tar"), store()});
  Run({"export", "--to", "tar", store(), Path("out.tar")});
  ShellIn(Path("back"), "tar -xpf ../out.tar");
  ExpectSameTree(Path("tree"), Path("back"));
}

TEST_P(RoundTrip, JsonLinesMakeTheSameStore) {
  MakeTree(Path("tree"));
  MountIfAsked();
  Run({"import", Path("tree"), store()});
  Run({"export", "--to", "jsonl", store(), Path("out.jsonl")});
  Run({"import", "--create", "--from", "jsonl", Path("out.jsonl"), Path("other")});
  EXPECT_EQ(StoreText(store()), StoreText(Path("other")));
  Run({"export", "--to", "tree", Path("other"), Path("back")});
  ExpectSameTree(Path("tree"), Path("back"));
}

TEST_P(RoundTrip, ManyEntriesComeBack) {
  ShellIn(Path("tree"),
          "for d in a b c; do mkdir $d; for i in $(seq 3000); do echo $i > $d/$i; "
          "done; done");
  MountIfAsked();
  Run({"import", Path("tree"), store(), "--into", "x/y"});
  Run({"export", "--to", "tree", "--path", "x/y", store(), Path("back")});
  ExpectSameTree(Path("tree"), Path("back"));
  EXPECT_EQ(RunKvfs({"check", store()}).status, 0);
}

TEST_F(Transfer, StreamsComeFromStandardInputAndGoToStandardOutput) {
  Put("foo", "bar");
  const std::string other = Path("other");
  for (const char* format : {"tar", "jsonl", "lmdb"}) {
    const std::string stream = Output({"export", "--to", format, store()});
    Run({"import", "--create", "--from", format, "-", other + format}, stream);
    EXPECT_EQ(Output({"get", other + format, "foo"}), "bar") << format;
  }
}

TEST_F(Transfer, TarArchivesMayBeCompressed) {
  ShellIn(Path("tree"), "echo bar > foo && tar -czf ../in.tar.gz .");
  Run({"import", "--from", "tar", Path("in.tar.gz"), store()});
  ExpectValue("foo", "bar\n");
}

TEST_F(Transfer, HalfATarLeavesWholeEntries) {
  ShellIn(Path("tree"),
          "echo one > a && head -c 100000 /dev/urandom > b && "
          "tar --sort=name -cf - . | head -c 50000 > ../half.tar");
  ExpectFailure({"import", "--from", "tar", Path("half.tar"), store()}, 1,
                {"half.tar", "the first 2 entries are in the store"});
  ExpectValue("a", "one\n");
  ExpectFailure({"get", store(), "b"}, 11, {"b"});
}

TEST_F(Transfer, WhatIsNoArchiveIsRefused) {
  std::ofstream(Path("text")) << std::string(2000, 'x');
  ExpectFailure({"import", "--from", "tar", Path("text"), store()}, 1, {"text"});
  ExpectFailure({"import", "--from", "tar", Path("absent"), store()}, 12, {"absent"});
  EXPECT_EQ(Output({"ls", store()}), "");
}

TEST_F(Transfer, ArchivesCannotLeadOutOfTheStore) {
  ShellIn(Path("tree/d"), "echo bar > foo && tar -cPf ../../in.tar ../d/foo");
  ExpectFailure({"import", "--from", "tar", Path("in.tar"), store()}, 13, {".."});
  EXPECT_EQ(Output({"ls", store()}), "");
}

TEST_F(Transfer, JsonLinesNeedLittle) {
  Run({"import", "--from", "jsonl", "-", store()},
      R"({"path":"a/b","value":"text"})"
      "\n\n"
      R"({"path_base64":"/w==","value_base64":"AP8="})");
  ExpectValue("a/b", "text");
  ExpectValue("\xff", std::string("\0\xff", 2));
}

TEST_F(Transfer, AJsonLineThatTellsNoEntryIsNamedAndPassedOver) {
  for (const char* line :
       {R"({"value":"x"})", R"({"path":"b"})", R"({"path":"b","value":"x","mode":"9"})",
        R"({"path":"b","value":"x","mode":"0644","mtime":"noon"})",
        R"({"path":"b","value":"x","uid":8589934592})", R"({"path":"b","value":"x","gid":-1})",
        R"({"path":"b","value":"x","uid":4294967295})", R"({"path":"b","value":"x","device":3})",
        R"({"path":"b","kind":"thing","value":"x"})", R"({"path":"../b","value":"x"})",
        R"({"path":"b","kind":"link","target":""})", R"({"path":"b","same_as":"absent"})",
        R"({"path":"b","kind":"link","target":"a\u0000b"})"}) {
    const std::string text = std::string(R"({"path":"a","value":"x"})") + "\n" + line + "\n" +
                             R"({"path":"c","value":"x"})" + "\n";
    const ProgramRun run = RunKvfs({"import", "--from", "jsonl", "-", store()}, text);
    EXPECT_EQ(run.status, 13) << line << run.err;
    EXPECT_NE(run.err.find("left out"), std::string::npos) << run.err;
    EXPECT_NE(run.err.find("2 entries are in the store, 1 were"), std::string::npos) << run.err;
    EXPECT_EQ(Output({"ls", store()}), "a\nc\n") << line;
  }
}

TEST_F(Transfer, EachFieldOfAJsonLineIsHonouredOrTold) {
  Run({"import", "--from", "jsonl", "-", store()},
      R"({"path":"a","value":"x","uid":1234,"gid":5678})"
      "\n"
      R"({"path":"b","value":"x","mtime":"2001-09-09T01:46:40.000000001Z"})");
  const std::string owner = Output({"stat", "--json", store(), "a"});
  EXPECT_NE(owner.find("\"uid\":1234"), std::string::npos) << owner;
  EXPECT_NE(owner.find("\"gid\":5678"), std::string::npos) << owner;
  EXPECT_NE(owner.find("\"mode\":\"0644\""), std::string::npos) << owner;
  EXPECT_NE(Output({"stat", "--json", store(), "b"}).find("01:46:40.000000001Z"),
            std::string::npos);
  for (const char* field : {R"("mtim":"x")", R"("target":"x")", R"("size":1)"}) {
    const ProgramRun run = RunKvfs({"import", "--from", "jsonl", "-", store()},
                                   std::string(R"({"path":"c","value":"x",)") + field + "}");
    EXPECT_EQ(run.status, 13) << field;
    EXPECT_NE(run.err.find("field"), std::string::npos) << run.err;
    ExpectValue("c", "x");
  }
}

TEST_F(Transfer, AnLmdbDumpComesBack) {
  const std::string values("\0\xff\n\\ x", 6);
  Run({"put", store(), "foo"}, values);
  Run({"put", store(), "bar", ""});
  const std::string dump = Output({"export", "--to", "lmdb", store()});
  EXPECT_EQ(dump,
            "VERSION=3\nformat=bytevalue\ntype=btree\nmapsize=2097152\nHEADER=END\n"
            " 626172\n \n 666f6f\n 00ff0a5c2078\nDATA=END\n");
  Run({"import", "--create", "--from", "lmdb", "-", Path("other")}, dump);
  EXPECT_EQ(Output({"get", Path("other"), "foo"}), values);
}

TEST_F(Transfer, LmdbItselfReadsAndWritesTheDump) {
  Run({"put", store(), "foo"}, std::string("\0\xff", 2));
  Put("plain", "text");
  ShellIn(Path("lmdb"), "true");
  const std::string dump = Output({"export", "--to", "lmdb", store(), Path("dump")});
  ASSERT_EQ(RunShell("mdb_load -f '" + Path("dump") + "' '" + Path("lmdb") + "'").status, 0);
  for (const char* option : {"", "-p"}) {
    const std::string other = Path(std::string("other") + option);
    const std::string text =
        RunShell("mdb_dump " + std::string(option) + " '" + Path("lmdb") + "'").out;
    Run({"import", "--create", "--from", "lmdb", "-", other}, text);
    EXPECT_EQ(Output({"get", other, "foo"}), std::string("\0\xff", 2)) << text;
    EXPECT_EQ(Output({"get", other, "plain"}), "text");
  }
}

TEST_F(Transfer, AnLmdbDumpThatIsCutOffIsTold) {
  const std::string header = "VERSION=3\nformat=bytevalue\nHEADER=END\n";
  for (const std::string& rest :
       {std::string(" 61\n 62\n"), std::string(" 61\n 62\n 63\n"), std::string(" 61\n 62\nxx\n")}) {
    const ProgramRun run = RunKvfs({"import", "--from", "lmdb", "-", store()}, header + rest);
    EXPECT_EQ(run.status, 1) << rest << run.err;
    EXPECT_NE(run.err.find("the first 1 entries"), std::string::npos) << run.err;
    ExpectValue("a", "b");
  }
  EXPECT_EQ(RunKvfs({"import", "--from", "lmdb", "-", store()}, "").status, 1);
}

// As the script would write and read it; the hash is of the key's SHA-256.
TEST_F(Transfer, SmkvFilesComeBack) {
  for (int i = 0; i < 200; ++i) Put("key" + std::to_string(i), "value" + std::to_string(i));
  Put("empty", "");
  Run({"export", "--to", "smkv", "--shards", "3", store(), Path("base")});
  EXPECT_EQ(stdfs::file_size(Path("base.shard0")) % 4096, 0u);
  EXPECT_EQ(stdfs::file_size(Path("base.shard2.val")) % 4096, 0u);
  Run({"import", "--create", "--from", "smkv", Path("base"), Path("other")});
  EXPECT_EQ(Output({"ls", "-R", Path("other")}), Output({"ls", "-R", store()}));
  EXPECT_EQ(Output({"get", Path("other"), "key123"}), "value123");
  EXPECT_EQ(Output({"get", Path("other"), "empty"}), "");
}

TEST_F(Transfer, SmkvFilesHaveTheLayoutThatTheScriptReads) {
  Put("foo", "bar");
  Run({"export", "--to", "smkv", "--shards", "1", store(), Path("base")});
  // sha256("foo") begins with 2c26b46b68ffc68f: bucket (hash >> 8) mod 16 = 6.
  const size_t slot = 16 + 6 * (8 + 32 * 32) + 8;
  std::ifstream file(Path("base.shard0"), std::ios::binary);
  const std::string keys{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(keys.substr(0, 16), std::string("\x10\0\0\0\x20\0\0\0\x10\0\0\0\x01\0\0\0", 16));
  EXPECT_EQ(keys.substr(slot - 8, 8), std::string("\x01\0\0\0\x01\0\0\0", 8));
  EXPECT_EQ(keys.substr(slot, 32), std::string("foo\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                               "\x8f\xc6\xff\x68\x6b\xb4\x26\x2c\0\0\0\0\x03\0\0\0",
                                               32));
  std::ifstream values(Path("base.shard0.val"), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(values), {}};
  EXPECT_EQ(text.substr(0, 11), std::string("\x03\0\0\0\0\0\0\0bar", 11));
}

TEST_F(Transfer, OfAnSmkvKeyThatWasPutTwiceTheNewerValueCounts) {
  Put("foo", "old");
  Run({"export", "--to", "smkv", "--shards", "1", store(), Path("base")});
  // A second slot after the first, whose value has a higher offset.
  const size_t bucket = 16 + 6 * (8 + 32 * 32);
  std::fstream keys(Path("base.shard0"), std::ios::in | std::ios::out | std::ios::binary);
  std::string slot(32, '\0');
  keys.seekg(static_cast<std::streamoff>(bucket + 8));
  keys.read(slot.data(), 32);
  slot[24] = 3;
  keys.seekp(static_cast<std::streamoff>(bucket + 8 + 32));
  keys.write(slot.data(), 32);
  keys.seekp(static_cast<std::streamoff>(bucket));
  keys.put('\x02');
  keys.close();
  std::fstream values(Path("base.shard0.val"), std::ios::in | std::ios::out | std::ios::binary);
  values.seekp(11);
  values.write("new", 3);
  values.close();
  Run({"import", "--from", "smkv", Path("base"), store()});
  ExpectValue("foo", "new");
}

TEST_F(Transfer, WhatSmkvCannotHoldIsLeftOutByName) {
  Put("short", "fits");
  Put("a-key-of-17-bytes", "x");
  Put("long-value", std::string(33, 'x'));
  const ProgramRun run = RunKvfs({"export", "--to", "smkv", store(), Path("base")});
  EXPECT_EQ(run.status, 13);
  for (const char* word : {"a-key-of-17-bytes", "long-value", "left out 2 entries"}) {
    EXPECT_NE(run.err.find(word), std::string::npos) << run.err;
  }
  EXPECT_EQ(RunKvfs({"export", "--to", "smkv", store(), Path("base")}).status, 12)
      << "files that are there must not be written over";
}

TEST_F(Transfer, ADamagedSlotOfSmkvIsNamedAndTheOthersComeIn) {
  Put("foo", "bar");
  Put("other", "value");
  Run({"export", "--to", "smkv", "--shards", "1", store(), Path("base")});
  const std::vector<std::pair<size_t, char>> damages = {
      {16 + 6 * 1032, 99}, {16 + 6 * 1032 + 8, 'g'}, {16 + 6 * 1032 + 8 + 27, 127}};
  for (const auto& [at, byte] : damages) {
    MakeBadFrom("base", at, byte);
    ExpectFailure({"import", "--create", "--from", "smkv", Path("bad"), Path("back")}, 13,
                  {"bad.shard0", "1 entries are in the store, 1 were left out"});
    EXPECT_EQ(Output({"ls", Path("back")}), "other\n");
  }
}

TEST_F(Transfer, ADamagedSmkvFileIsNamedAndChangesNothing) {
  Put("foo", "bar");
  Run({"export", "--to", "smkv", "--shards", "1", store(), Path("base")});
  ASSERT_EQ(RunKvfs({"del", store(), "foo"}).status, 0);
  const std::vector<std::pair<size_t, char>> damages = {
      {8, 17}, {12, 0}, {0, 127}, {16 + 6 * 1032, 99}, {16 + 6 * 1032 + 8, 'g'}};
  for (const auto& [at, byte] : damages) {
    MakeBadFrom("base", at, byte);
    ExpectFailure({"import", "--from", "smkv", Path("bad"), store()}, 1, {"bad.shard0", "smkv"});
    EXPECT_EQ(Output({"ls", store()}), "");
  }
}

TEST_F(Transfer, ExportLeavesNoHalfFile) {
  Put("foo", "bar");
  ExpectFailure({"export", store(), Path("absent/out.tar")}, 12, {"absent"});
  ExpectFailure({"export", "--path", "absent", store(), Path("out.tar")}, 11, {"absent"});
  EXPECT_FALSE(stdfs::exists(Path("out.tar")));
  Run({"export", store(), Path("out.tar")});
  EXPECT_FALSE(stdfs::exists(Path("out.tar.partial")));
}

TEST_F(Transfer, ExportIntoADirectoryThatHoldsFilesIsRefused) {
  Put("foo", "bar");
  ShellIn(Path("full"), "echo x > foo");
  ExpectFailure({"export", "--to", "tree", store(), Path("full")}, 12, {"not empty"});
  ExpectFailure({"export", "--to", "tree", store()}, 1, {"TARGET"});
  ExpectFailure({"export", "--to", "frob", store()}, 1, {"frob"});
}

TEST_F(Transfer, AnUnwritableOutputIsAnError) {
  Put("foo", std::string(100'000, 'x'));
  const ProgramRun run =
      RunShell("'" + ProgramPath() + "' export --to jsonl '" + store() + "' > /dev/full");
  EXPECT_EQ(run.status, 9) << run.err;
}

}  // namespace
}  // namespace kvfs::cli

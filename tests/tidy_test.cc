// Checks the tree against tests/tidy_rules.h, and shows that each rule can fail.
//
// The tree is found through WORKSPACE, a link to the real file: this test reads the files beside
// it, not copies, and so runs each time (it is tagged "external" in BUILD.bazel).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "tests/tidy_rules.h"

namespace kvfs::tidy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

constexpr const char* kOpening = "// What this is.\n";

// The findings for one line of code in a file with that path.
std::vector<std::string> CheckLine(std::string_view path, std::string_view line) {
  return Check(path, kOpening + std::string(line) + "\n");
}

TEST(Tidy, IncludesMayPointDown) {
  EXPECT_THAT(CheckLine("cli/commands/mount.cc", "#include \"fs/fuse/server.h\""), IsEmpty());
  EXPECT_THAT(CheckLine("fs/rename.cc", "#include <kvfs/store.h>"), IsEmpty());
  EXPECT_THAT(CheckLine("store/wal/redo_log.cc", "#include \"store/format/page.h\""), IsEmpty());
  EXPECT_THAT(CheckLine("include/kvfs/store.h", "#include <kvfs/env.h>"), IsEmpty());
  EXPECT_THAT(CheckLine("store/env/posix_env.cc", "#include <kvfs/env.h>"), IsEmpty());
}

TEST(Tidy, IncludesMayNotPointUpward) {
  const std::pair<const char*, const char*> kUpward[] = {
      {"fs/rename.cc", "cli/commands/command.h"}, {"fs/rename.cc", "fs/fuse/server.h"},
      {"store/wal/redo_log.cc", "fs/names.h"},    {"store/wal/redo_log.cc", "store/shard/shard.h"},
      {"include/kvfs/store.h", "store/base/a.h"}, {"store/alloc/a.cc", "store/btree/tree.h"},
      {"cli/mounts/a.cc", "cli/client/keys.h"},   {"store/new_folder/a.cc", "store/base/a.h"}};
  for (const auto& [from, to] : kUpward) {
    EXPECT_THAT(CheckLine(from, "#include \"" + std::string(to) + "\""),
                ElementsAre(HasSubstr(":2: includes " + std::string(to))));
  }
}

TEST(Tidy, AboveTheStoreOnlyItsPublicHeadersAreSeen) {
  EXPECT_THAT(CheckLine("fs/read.cc", "#include \"store/btree/tree.h\""), testing::SizeIs(1));
  EXPECT_THAT(CheckLine("cli/commands/get.cc", "#include \"store/format/page.h\""),
              testing::SizeIs(1));
}

TEST(Tidy, EnvAndFormatDoNotKnowEachOther) {
  EXPECT_THAT(CheckLine("store/env/file.cc", "#include \"store/format/page.h\""),
              testing::SizeIs(1));
  EXPECT_THAT(CheckLine("store/format/page.cc", "#include <kvfs/env.h>"), testing::SizeIs(1));
}

TEST(Tidy, TestSupportStaysInTests) {
  EXPECT_THAT(CheckLine("store/wal/log.cc", "#include \"tests/support/disk.h\""),
              testing::SizeIs(1));
  EXPECT_THAT(CheckLine("tests/store/log_test.cc", "#include \"tests/support/disk.h\""), IsEmpty());
}

TEST(Tidy, TheSystemIsCalledInEnvOnly) {
  for (const char* line : {"#include <unistd.h>", "#include <sys/mman.h>", "  ::pread(fd);"}) {
    EXPECT_THAT(CheckLine("store/btree/tree.cc", line), testing::SizeIs(1)) << line;
    EXPECT_THAT(CheckLine("fs/rename.cc", line), testing::SizeIs(1)) << line;
    EXPECT_THAT(CheckLine("store/env/posix_env.cc", line), IsEmpty()) << line;
    EXPECT_THAT(CheckLine("cli/main.cc", line), IsEmpty()) << line;
  }
  EXPECT_THAT(CheckLine("store/btree/tree.cc", "  return std::move(a), Tree::find(b);"), IsEmpty());
}

TEST(Tidy, LibfuseIsNamedInFuseFilesOnly) {
  const char* kLine = "#include <fuse_lowlevel.h>";
  EXPECT_THAT(CheckLine("fs/file_system.cc", kLine), ElementsAre(HasSubstr("libfuse")));
  EXPECT_THAT(CheckLine("cli/commands/mount.cc", kLine), ElementsAre(HasSubstr("libfuse")));
  EXPECT_THAT(CheckLine("fs/fuse/server.cc", kLine), IsEmpty());
}

// Concatenated at run time, so that this file does not contain it.
std::string Joined(const char* head, const char* tail) { return std::string(head) + tail; }

TEST(Tidy, DroppedResultsThatAnOptimisedBuildRefusesAreFound) {
  const std::string dropped = Joined("static_cast<void>(::wri", "te(1, text, 1));");
  EXPECT_THAT(CheckLine("cli/main.cc", dropped), ElementsAre(HasSubstr("the result of write")));
  EXPECT_THAT(CheckLine("cli/main.cc", "static_cast<void>(::fsync(directory));"), IsEmpty());
  EXPECT_THAT(CheckLine("cli/main.cc", "static_cast<void>(Write(text));"), IsEmpty());
}

TEST(Tidy, NotesToOneselfAreFound) {
  for (const std::string& note :
       {Joined("TO", "DO: later"), Joined("FIX", "ME"), Joined("X", "XX: why"),
        Joined("a place", "holder"), Joined("not ", "implemented"), Joined("un", "implemented")}) {
    EXPECT_THAT(CheckLine("docs/design.md", note), ElementsAre(HasSubstr("note to oneself")));
    EXPECT_THAT(CheckLine("fs/rename.cc", "// " + note), testing::SizeIs(1)) << note;
  }
  EXPECT_THAT(CheckLine("tests/a.cc", "// mkdtemp wants " + std::string(6, 'X')), IsEmpty());
}

TEST(Tidy, MachinesAreNotNamed) {
  EXPECT_THAT(CheckLine("docs/design.md", Joined("see /wo", "rk/main")), testing::SizeIs(1));
  EXPECT_THAT(CheckLine("MODULE.bazel", Joined("https://regi", "stry.example")),
              testing::Contains(HasSubstr("one machine")));
  EXPECT_THAT(CheckLine("docs/design.md", Joined("the frame/wo", "rk/loop")), IsEmpty());
}

TEST(Tidy, RetiredWordsAreFound) {
  const std::string word = Joined("Space", "Map");
  EXPECT_THAT(CheckLine("store/alloc/a.cc", "  " + word + " map;"),
              testing::Contains(HasSubstr(word)));
  EXPECT_THAT(CheckLine("docs/design.md", Joined("the space ", "maps")), testing::SizeIs(1));
  EXPECT_THAT(CheckLine("docs/design.md", Joined("space", "maps")), IsEmpty());
  EXPECT_THAT(CheckLine("CHANGELOG.md", word), IsEmpty());
}

TEST(Tidy, FilesOpenWithAComment) {
  EXPECT_THAT(Check("fs/a.cc", "#include \"fs/a.h\"\n"), testing::SizeIs(1));
  EXPECT_THAT(Check("fs/a.cc", ""), testing::SizeIs(1));
  EXPECT_THAT(Check("tools/a", "#!/bin/sh\nset -e\n"), testing::SizeIs(1));
  EXPECT_THAT(Check("tools/a", "#!/bin/sh\n# Does it.\n"), IsEmpty());
  EXPECT_THAT(Check("fs/BUILD.bazel", "# The file system.\n"), IsEmpty());
  EXPECT_THAT(Check("README.md", "kvfs\n"), IsEmpty());
}

TEST(Tidy, LongFilesAreFound) {
  std::string text = kOpening;
  for (int line = 1; line < 700; ++line) text += "\n";
  EXPECT_THAT(Check("fs/a.cc", text), IsEmpty());
  EXPECT_THAT(Check("fs/a.cc", text + "\n"), ElementsAre(HasSubstr("fs/a.cc:701:")));
}

fs::path Top() {
  return fs::canonical(fs::path(std::getenv("TEST_SRCDIR")) / std::getenv("TEST_WORKSPACE") /
                       "WORKSPACE")
      .parent_path();
}

std::string TextOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool IsOutside(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename();
  return entry.is_symlink() || name == ".git" || name == "user.bazelrc" || name.ends_with(".swp");
}

// Files with a prescribed form, or which contain bytes and not lines.
bool IsText(const fs::path& path) {
  static const std::set<std::string> kNamed = {"WORKSPACE", "LICENSE", ".bazelrc",
                                               "run",       "test",    "bazel"};
  static const std::set<std::string> kEnding = {".cc", ".h", ".md", ".bazel", ".bzl", ".sh"};
  return kNamed.contains(path.filename()) || kEnding.contains(path.extension());
}

std::vector<fs::path> FilesOfTree(const fs::path& top) {
  std::vector<fs::path> files;
  for (auto at = fs::recursive_directory_iterator(top); at != fs::end(at); ++at) {
    if (IsOutside(*at)) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file() && IsText(at->path())) {
      files.push_back(at->path());
    }
  }
  return files;
}

TEST(Tidy, EveryFileOfTheTreeIsTidy) {
  const fs::path top = Top();
  const std::vector<fs::path> files = FilesOfTree(top);
  EXPECT_THAT(files, testing::Contains(top / "include" / "kvfs" / "store.h"));
  for (const fs::path& file : files) {
    for (const std::string& finding : Check(fs::relative(file, top).string(), TextOf(file))) {
      ADD_FAILURE() << finding;
    }
  }
}

// A document names a file by its path from the top, a test also without its extension.
TEST(Tidy, DocumentsNameFilesThatAreThere) {
  const fs::path top = Top();
  const std::regex path("`((include/kvfs|store|fs|cli|bench|tests|tools|docs)/[a-z_./]+)(`|: )");
  size_t found = 0;
  for (const fs::path& file : FilesOfTree(top)) {
    if (file.extension() != ".md" || file.filename() == "CHANGELOG.md") continue;
    const std::string text = TextOf(file);
    for (std::sregex_iterator at(text.begin(), text.end(), path), end; at != end; ++at) {
      const std::string name = at->str(1);
      const bool is_there = fs::exists(top / name) || fs::exists(top / (name + ".cc")) ||
                            fs::exists(top / (name + ".h"));
      EXPECT_TRUE(is_there) << file << " names " << name;
      ++found;
    }
  }
  EXPECT_GT(found, 100U);
}

// A comment refers to a file of the tree by its last name.
TEST(Tidy, CommentsNameFilesThatAreThere) {
  const fs::path top = Top();
  std::set<std::string> names;
  std::vector<fs::path> sources;
  for (const fs::path& file : FilesOfTree(top)) {
    names.insert(file.filename());
    const std::string kind = file.extension();
    if ((kind == ".h" || kind == ".cc") && file.filename() != "tidy_test.cc") {
      sources.push_back(file);
    }
  }
  names.insert("lmdb.h");  // of another library
  const std::regex name("//[^\n]*[ (]([a-z_]+[.](?:h|cc|md))\\b");
  size_t found = 0;
  for (const fs::path& file : sources) {
    const std::string text = TextOf(file);
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at) {
      EXPECT_TRUE(names.contains(at->str(1))) << file << " names " << at->str(1);
      ++found;
    }
  }
  EXPECT_GT(found, 20U);
}

// docs/security.md names, for each attack, the test that shows the defence.
TEST(Tidy, TheTestsThatSecurityRestsOnAreThere) {
  const fs::path top = Top();
  std::string tests;
  for (const fs::path& file : FilesOfTree(top / "tests")) {
    if (file.extension() == ".cc") tests += TextOf(file);
  }
  const std::string document = TextOf(top / "docs" / "security.md");
  const std::regex name("`([A-Z][A-Za-z]+)[.]([A-Z][A-Za-z0-9]+)`");
  size_t found = 0;
  for (std::sregex_iterator at(document.begin(), document.end(), name), end; at != end; ++at) {
    ++found;
    EXPECT_NE(tests.find("(" + at->str(1) + ", " + at->str(2) + ") {"), std::string::npos)
        << at->str();
  }
  EXPECT_GT(found, 20U);
}

}  // namespace
}  // namespace kvfs::tidy

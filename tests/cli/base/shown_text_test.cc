// How names are shown on a terminal: quoted as by ls(1), and without control sequences.

#include "cli/base/shown_text.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <vector>

#include "cli/daemon/log.h"
#include "tests/cli/program.h"
#include "tests/support/temporary_directory.h"

namespace kvfs::cli {
namespace {

TEST(ShownText, NamesAreQuotedAsByLs) {
  const TemporaryDirectory directory;
  std::set<std::string> names = {"it's", "it's $x", "'", "a'b\"c", "#it's", "a#it's", "{", "a{b"};
  for (int byte = 1; byte < 256; ++byte) {
    if (byte == '/') continue;
    const std::string one(1, static_cast<char>(byte));
    names.insert({one + "x", "x" + one, "x" + one + "y", "'" + one + "'", one + one});
  }
  std::mt19937 random(7);
  const std::string letters = "ab'\"$ #~\n\033\\={}?0\xc3\xa9";
  for (int i = 0; i < 300; ++i) {
    std::string name = "n";
    for (int k = 0; k < 6; ++k) name += letters[random() % letters.size()];
    names.insert(name);
  }
  for (const std::string& name : names) {
    if (name == "..") continue;
    ASSERT_TRUE(std::ofstream(directory.path() + "/" + name).good()) << name;
  }
  for (const bool is_utf8 : {true, false}) {
    const ProgramRun run =
        RunShell("cd '" + directory.path() + "' && LC_ALL=" + (is_utf8 ? "C.UTF-8" : "C") +
                 " ls -1A --quoting-style=shell-escape");
    std::multiset<std::string> expected, shown;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      shown.insert(QuotedName(entry.path().filename().string(), is_utf8));
    }
    for (size_t at = 0, end; at < run.out.size(); at = end + 1) {
      end = run.out.find('\n', at);
      const std::string line = run.out.substr(at, end - at);
      // Equivalent, with an empty word before it, as ls has for some names that end with an escape.
      expected.insert(line.starts_with("'''n") ? line.substr(2) : line);
    }
    std::vector<std::string> ours, theirs;
    std::ranges::set_difference(shown, expected, std::back_inserter(ours));
    std::ranges::set_difference(expected, shown, std::back_inserter(theirs));
    EXPECT_EQ(ours, theirs);
  }
}

TEST(ShownText, WhatDeceivesTheEyeIsEscaped) {
  EXPECT_EQ(EscapedText("a\u202egpj.exe"), "a\\342\\200\\256gpj.exe");
  EXPECT_EQ(EscapedText("a\u2066b\u200bc\u009b1m"),
            "a\\342\\201\\246b\\342\\200\\213c\\302\\2331m");
  EXPECT_EQ(EscapedText("one\nkvfs: two\033[2J\x7f"), "one\\nkvfs: two\\033[2J\\177");
  EXPECT_EQ(EscapedText("\xc3\xa9\xff\xc0\x80\xed\xa0\x80"),
            "\u00e9\\377\\300\\200\\355\\240\\200");
  EXPECT_EQ(EscapedText("\u00e9 it's \\ $x", /*is_utf8=*/false), "\\303\\251 it's \\ $x");
  EXPECT_EQ(QuotedName("a\u202eb", true), "'a'$'\\342\\200\\256''b'");
}

TEST(ShownText, WhatNoTerminalGetsStaysAsItIs) {
  std::FILE* const file = std::tmpfile();
  EXPECT_EQ(ShownName(file, "a\033b c"), "a\033b c");
  EXPECT_EQ(ShownText(file, "a\033b"), "a\033b");
  std::fclose(file);
}

TEST(ShownText, ALineOfALogIsOneLine) {
  const TemporaryDirectory directory;
  Log::ToFile(directory.path() + "/log")->Line("name a\n2026-01-01T00:00:00Z kvfs[1]: b\033[2J");
  std::ifstream file(directory.path() + "/log");
  std::string line, second;
  std::getline(file, line);
  EXPECT_TRUE(line.ends_with("name a\\n2026-01-01T00:00:00Z kvfs[1]: b\\033[2J")) << line;
  EXPECT_FALSE(std::getline(file, second));
}

TEST(ShownText, CharactersAreThoseOfUtf8) {
  EXPECT_EQ(FirstCharacter("\u20ac!").code, 0x20acU);
  EXPECT_EQ(FirstCharacter("\U0010ffff").code, 0x10ffffU);
  for (const char* bad : {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf8\x88\x80\x80", "\xe2\x82"}) {
    EXPECT_EQ(FirstCharacter(bad).bytes, 0U) << bad;
  }
}

}  // namespace
}  // namespace kvfs::cli

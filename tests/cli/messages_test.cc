// How the program speaks: in colours on a terminal, plainly elsewhere, with priorities to the
// journal.

#include <gmock/gmock.h>

#include <fstream>
#include <string>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

constexpr char kEscape = '\033';

class Terminal : public StoreFixture {
 protected:
  void SetUp() override { Create(); }

  // What the command line writes to a terminal, to both of its streams.
  static std::string Show(const std::string& command, const std::string& settings = "TERM=xterm") {
    return RunShell("env -u NO_COLOR " + settings + " script -qec \"" + command + "\" /dev/null")
        .out;
  }
  std::string Kvfs(const std::string& arguments) const { return ProgramPath() + " " + arguments; }
  static bool IsColoured(const std::string& text) {
    return text.find(kEscape) != std::string::npos;
  }
};

TEST_F(Terminal, AnErrorIsColoured) {
  const std::string text = Show(Kvfs("get " + store() + " absent"));
  EXPECT_NE(text.find("\033[1;31mkvfs:\033[0m cannot get absent"), std::string::npos) << text;
}

TEST_F(Terminal, LsTellsKindsByColours) {
  Mount();
  Shell("mkdir d; ln -s d link; mkfifo fifo; echo 1 > file; echo 1 > program; chmod +x program");
  const std::string text = Show(Kvfs("ls " + store()));
  EXPECT_EQ(text,
            "\033[1;34md\033[0m\r\n\033[33mfifo\033[0m\r\nfile\r\n\033[36mlink\033[0m\r\n"
            "\033[32mprogram\033[0m\r\n");
  EXPECT_NE(Show(Kvfs("ls -l " + store())).find("\033[36mlink\033[0m -> d"), std::string::npos);
  EXPECT_FALSE(IsColoured(Show(Kvfs("ls -0 " + store()))));
  EXPECT_FALSE(IsColoured(Show(Kvfs("ls --json " + store()))));
}

TEST_F(Terminal, CheckAndDoctorColourTheirVerdicts) {
  EXPECT_NE(Show(Kvfs("check " + store())).find("\033[32msound\033[0m"), std::string::npos);
  EXPECT_NE(Show(Kvfs("doctor")).find("\033[32mgood   \033[0m  "), std::string::npos);
  Put("key", std::string(100'000, 'x'));
  RunShell("for f in '" + store() +
           "'/shard-*.values; do printf y | dd of=$f bs=1 seek=9000 "
           "conv=notrunc; done");
  const std::string damaged = Show(Kvfs("check " + store()));
  EXPECT_NE(damaged.find("\033[1;31mdamage:\033[0m "), std::string::npos) << damaged;
  EXPECT_NE(damaged.find("\033[1;31mnot sound\033[0m"), std::string::npos) << damaged;
}

TEST_F(Terminal, NobodyGetsColoursWhoDoesNotWantThem) {
  const std::string commands =
      Kvfs("get " + store() + " absent; ") + Kvfs("doctor; ") + Kvfs("check " + store());
  EXPECT_TRUE(IsColoured(Show(commands, "TERM=xterm NO_COLOR=")));
  for (const char* settings : {"TERM=xterm NO_COLOR=1", "TERM=dumb", "-u TERM", "TERM="}) {
    const std::string text = Show(commands, settings);
    EXPECT_FALSE(IsColoured(text)) << settings << ": " << text;
    EXPECT_NE(text.find("cannot get absent"), std::string::npos) << text;
  }
}

TEST_F(Terminal, APipeGetsNoColours) {
  const ProgramRun run =
      RunShell("export TERM=xterm; exec 2>&1; " + Kvfs("get " + store() + " absent; ") +
               Kvfs("doctor; ") + Kvfs("check " + store()));
  EXPECT_NE(run.out.find("good     "), std::string::npos);
  EXPECT_FALSE(IsColoured(run.out)) << run.out;
}

TEST_F(Terminal, LongWorkTellsHowFarItHasCome) {
  std::ofstream lines(Path("lines"));
  for (int i = 0; i < 20'000; ++i)
    lines << R"({"path":")" << i << R"(","value":"x"})"
          << "\n";
  lines.close();
  const std::string source =
      "(head -n 9000 " + Path("lines") + "; sleep 0.3; tail -n +9001 " + Path("lines") + ") | ";
  const std::string text = Show(source + Kvfs("import --from jsonl - " + store()));
  EXPECT_THAT(text, testing::ContainsRegex("importing -: [0-9]+ entries"));
  EXPECT_TRUE(text.ends_with("\r\033[K")) << "the line is wiped at the end";
  EXPECT_EQ(RunShell(source + Kvfs("import --from jsonl - " + store())).err, "");
}

// Standard error as systemd gives it to a service: a stream that JOURNAL_STREAM names.
class Journal : public Terminal {
 protected:
  std::string log() const { return directory() + "/journal"; }
  // Runs kvfs with standard error in the journal, and returns what that got.
  std::string TellJournal(const std::string& arguments) const {
    RunShell(": > '" + log() + "'; JOURNAL_STREAM=$(stat -c %d:%i '" + log() + "') " +
             Kvfs(arguments) + " 2>> '" + log() + "'");
    return RunShell("cat '" + log() + "'").out;
  }
};

TEST_F(Journal, AnErrorHasItsPriority) {
  EXPECT_EQ(TellJournal("get " + store() + " absent").rfind("<3>kvfs: cannot get absent", 0), 0u);
}

TEST_F(Journal, ADaemonInTheForegroundTellsWhatItDoes) {
  Mount();
  KillDaemon();
  const std::string text = TellJournal("mount -f -o idle=1 " + store() + " " + mount_point());
  EXPECT_EQ(text.rfind("<5>kvfs: took away the mount on " + mount_point(), 0), 0u) << text;
}

TEST_F(Journal, AStreamElsewhereIsToldPlainly) {
  const ProgramRun run = RunShell("JOURNAL_STREAM=1:1 " + Kvfs("get " + store() + " absent"));
  EXPECT_EQ(run.err.rfind("kvfs: cannot get absent", 0), 0u) << run.err;
}

TEST(Version, NamesAllThatHasToDoWithAMount) {
  const ProgramRun run = RunKvfs({"version"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, testing::MatchesRegex("kvfs 0\\.1\\.0\n"
                                             "libfuse 3\\.[0-9.]+, speaks FUSE 7\\.[0-9]+\n"
                                             "fusermount3 3\\.[0-9.]+\n"
                                             "Linux [^\n]+, speaks FUSE 7\\.[0-9]+\n"));
  EXPECT_EQ(RunKvfs({"--version"}).out, run.out);
  EXPECT_EQ(RunKvfs({"-V"}).out, run.out);
}

TEST(Version, IsThereForScriptsToo) {
  EXPECT_THAT(RunKvfs({"version", "--json"}).out,
              testing::MatchesRegex(".\"kvfs\":\"0\\.1\\.0\",\"libfuse\":\"3[^,]*\","
                                    "\"libfuse_protocol\":\"7[^,]*\",\"fusermount3\":\"3[^,]*\","
                                    "\"system\":\"Linux\",\"kernel\":\"[^,]*\","
                                    "\"kernel_protocol\":\"7[^,]*\".\n"));
}

}  // namespace
}  // namespace kvfs::cli

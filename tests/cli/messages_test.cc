// The form of messages: coloured on a terminal, plain elsewhere, with priorities in the journal.

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

  // The output of the command line on a terminal, of both streams.
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

// Every output that contains text chosen by others. In each line, $K is the program and S the
// store.
constexpr char kHostile[] = R"(
T=$(printf 'a\033]0;title\007b'); R=$(printf 'red\033[2Jname'); B=$(printf 'x\342\200\256gpj.exe')
D=$(printf 'dir\033[1mbold\033c'); N=$(printf 'one\nkvfs: two')
for name in "$T" "$R" "$B" "$N" "$D/below"; do $K put S "$name" value 2>&1; done; $K mkdir S "$D"
$K put S "$D/$T" value; mkdir "$D" mnt; echo x > "$D/$T"; ln -s "$R" "$D/link"; mkfifo "$D/$B"
$K import "$D" S --into "$D"
$K ls S; $K ls -l S "$D"; $K ls -R S; $K ls -0 S; $K ls --json S
$K find S; $K find -0 S '*name'; $K find --json S; $K stat S "$T" "$R"; $K stat --json S "$B"
$K get S "$T$R"; $K get S "$D"; $K del S "$T$T"; $K del S "$D"; $K mv S "$R$R" x; $K mkdir S "$T"; $K append S "$D" x
printf 'del %s\n' "$R$R" | $K batch S; printf '%s x\n' "$T" | $K batch S; $K import --from tar "$D" S; $K import "$T" S
$K export --to lmdb S - | cat > /dev/null; $K export S "$D"; $K export S "$T/$R"; $K lss "$T"; $K "$R"; $K ls "$T"; $K get S
$K ls S "--$T"; $K create "$D"; $K create "$T"; $K status "$T"; $K status S; $K doctor "$T"; $K check "$T"; $K compact "$T"; $K stats "$T"
$K mount "$T" mnt; $K mount S "$D"; $K mount S "$T$R"; $K mount -o "$R" S mnt; $K unmount "$D"; $K top "$D"; $K bench "$R/$T"; $K dump "$D/$T"
for file in S/shard-*.keys S/superblock S/lock S/log/*; do $K dump $file; done
$K mount S mnt; $K ls S; $K get S "$R$R"; $K stat S "$T"; $K find S; echo 'pid 1' > own; $K status S
printf 'x\033[2J' > mnt/own; $K unmount mnt
for file in S/shard-*.keys; do printf y | dd of=$file bs=1 seek=16500 conv=notrunc 2> /dev/null; done
$K check S; $K check --json S; $K ls S; $K repair S "$D$R"; $K repair S "$T" --json; $K ls "$D$R"
printf 'pid 1\nmount /x\033[2J\n' > "$T/lock"; $K status "$T"; $K status --json "$T"
)";

TEST_F(Terminal, NothingThatOthersHaveChosenIsObeyed) {
  std::ofstream(Path("all.sh")) << "cd '" << directory() << "'; mv store S; K='" << ProgramPath()
                                << "'\n"
                                << kHostile;
  const std::string text = Show("timeout 200 sh " + Path("all.sh"), "TERM=xterm LC_ALL=C.UTF-8");
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    // The program's own sequences: colours, and the end of a progress line.
    const size_t end = text.find_first_not_of("0123456789;", at + 2);
    const bool is_own = byte == kEscape && text.compare(at + 1, 1, "[") == 0 &&
                        end != std::string::npos && (text[end] == 'm' || text[end] == 'K');
    // NUL, which -0 prints after names, has no effect.
    const bool is_control =
        (byte != 0 && byte < 0x20 && byte != '\r' && byte != '\n') || byte == 0x7f;
    if (is_control && !is_own) {
      ADD_FAILURE() << testing::PrintToString(text.substr(at < 80 ? 0 : at - 80, 160));
    }
  }
  EXPECT_EQ(text.find("\u202e"), std::string::npos);
  for (const char* line : {"\nkvfs: two", "\ntwo"}) EXPECT_EQ(text.find(line), std::string::npos);
  for (const char* shown :
       {"'a'$'\\033'']0;title'$'\\a''b'", "'red'$'\\033''[2Jname'", "\\u202egpj.exe",
        "'x'$'\\342\\200\\256''gpj.exe'", "'one'$'\\n''kvfs: two'", "red\\033[2Jname"}) {
    EXPECT_NE(text.find(shown), std::string::npos) << shown << "\n" << text;
  }
}

TEST_F(Terminal, WhoReadsAPipeGetsNamesAsTheyAre) {
  Put("it's\033[1m", "x");
  EXPECT_EQ(Output({"ls", store()}), "it's\033[1m\n");
  EXPECT_EQ(Output({"find", "-0", store()}), std::string("it's\033[1m\0", 9));
  EXPECT_NE(Output({"ls", "--json", store()}).find("\"it's\\u001b[1m\""), std::string::npos);
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

// Standard error as systemd sets it up for a service: a stream that JOURNAL_STREAM names.
class Journal : public Terminal {
 protected:
  std::string log() const { return directory() + "/journal"; }
  // Runs kvfs with standard error in the journal, and returns the text received there.
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
  EXPECT_EQ(text.rfind("<5>kvfs: removed the mount on " + mount_point(), 0), 0u) << text;
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

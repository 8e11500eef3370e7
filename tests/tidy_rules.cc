// Each rule is a function of one line (or of the whole file) that returns the violation, or
// nothing. The patterns of forbidden words have an empty group, (), in each word, since the rules
// apply to this file, too.
#include "tests/tidy_rules.h"

#include <algorithm>
#include <array>
#include <optional>
#include <regex>
#include <sstream>

namespace kvfs::tidy {
namespace {

using Finding = std::optional<std::string>;

constexpr size_t kMaxLines = 700;

constexpr std::string_view kFace = "include/kvfs";

// A folder, and those whose files its own may include: the ones below it. The order is that of
// docs/design.md, from the bottom.
struct Folder {
  std::string_view path;
  std::vector<std::string_view> below;
};

const std::vector<Folder>& Folders() {
  static const std::vector<Folder> kFolders = {
      {kFace, {}},
      {"store/format", {kFace}},
      {"store/base", {kFace}},
      {"store/env", {kFace, "store/base"}},
      {"store/wal", {kFace, "store/base", "store/format"}},
      {"store/alloc", {kFace, "store/base", "store/format"}},
      {"store/btree", {kFace, "store/base", "store/format", "store/alloc"}},
      {"store/shard", {kFace, "store/base", "store/format", "store/alloc", "store/btree"}},
      {"store/txn",
       {kFace, "store/base", "store/format", "store/wal", "store/alloc", "store/shard"}},
      {"store/engine",
       {kFace, "store/base", "store/format", "store/wal", "store/alloc", "store/btree",
        "store/shard", "store/txn"}},
      {"store", {kFace, "store/base", "store/format", "store/shard", "store/engine"}},
      {"fs", {kFace}},
      {"fs/fuse", {kFace, "fs"}},
      {"cli/base", {kFace, "fs/fuse"}},
      {"cli/mounts", {kFace, "fs/fuse", "cli/base"}},
      {"cli/client", {kFace, "fs", "fs/fuse", "cli/base", "cli/mounts"}},
      {"cli/transfer", {kFace, "fs", "cli/base", "cli/client"}},
      {"cli/daemon", {kFace, "fs/fuse", "cli/base", "cli/mounts", "cli/client"}},
      {"cli/commands",
       {kFace, "fs", "fs/fuse", "cli/base", "cli/mounts", "cli/client", "cli/transfer",
        "cli/daemon"}},
      {"cli", {"cli/base", "cli/commands"}},
      {"bench", {kFace}},
  };
  return kFolders;
}

// Headers that every folder may include: locks like those of the standard library.
constexpr std::array<std::string_view, 2> kLocks = {"store/base/fair_shared_mutex.h",
                                                    "store/base/mutex.h"};
// The disk's interface, of which the format of bytes on disk is independent.
constexpr std::string_view kEnv = "include/kvfs/env.h";

bool Contains(const auto& list, std::string_view path) {
  return std::find(list.begin(), list.end(), path) != list.end();
}

bool IsCode(std::string_view path) { return path.ends_with(".cc") || path.ends_with(".h"); }

std::string_view FolderOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

bool LiesIn(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.substr(folder.size()).starts_with("/");
}

bool IsFuseFile(std::string_view path) {
  return LiesIn(path, "fs/fuse") || LiesIn(path, "tests/fs/fuse");
}

// The target of an #include: the path of a file of the tree, or the name of a system header.
struct Include {
  std::string target;
  bool ours;
};

std::optional<Include> IncludeOf(const std::string& line) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  std::smatch match;
  if (!std::regex_search(line, match, kInclude)) return std::nullopt;
  const std::string target = match[2];
  if (target.starts_with("kvfs/")) return Include{"include/" + target, true};
  return Include{target, match[1] == "\""};
}

const Folder* FindFolder(std::string_view path) {
  for (const Folder& folder : Folders()) {
    if (folder.path == FolderOf(path)) return &folder;
  }
  return nullptr;
}

bool PointsDown(std::string_view path, std::string_view target) {
  const Folder* const from = FindFolder(path);
  if (LiesIn(path, "tests") || LiesIn(path, "examples")) return true;
  if (from == nullptr) return false;
  if (LiesIn(path, "store/format") && target == kEnv) return false;
  if (Contains(kLocks, target)) return true;
  return FolderOf(target) == from->path || Contains(from->below, FolderOf(target));
}

Finding IncludeDirection(std::string_view path, const std::string& line) {
  const std::optional<Include> include = IncludeOf(line);
  if (!include || !include->ours || PointsDown(path, include->target)) return std::nullopt;
  return "includes " + include->target + ", which is not below it";
}

bool MayCallTheSystem(std::string_view path) {
  if (IsFuseFile(path)) return true;
  for (const char* folder : {"store/env", "cli", "bench", "tests", "examples"}) {
    if (LiesIn(path, folder)) return true;
  }
  return false;
}

Finding SystemHeaders(std::string_view path, const std::string& line) {
  static const std::regex kSystem(
      R"(^(unistd|fcntl|dirent|poll|dlfcn|pthread|sched|syslog|signal|spawn|termios)\.h$)"
      R"(|^(sys|linux|asm|net|netinet|arpa)/)");
  const std::optional<Include> include = IncludeOf(line);
  if (!include || include->ours || MayCallTheSystem(path)) return std::nullopt;
  // The bits of a file's mode are the file system's vocabulary, not a call.
  if (LiesIn(path, "fs") && include->target == "sys/stat.h") return std::nullopt;
  if (!std::regex_search(include->target, kSystem)) return std::nullopt;
  return "includes <" + include->target + ">: the system is called in store/env only";
}

// A system call is written ::name( in this tree.
Finding SystemCalls(std::string_view path, const std::string& line) {
  static const std::regex kCall(R"((^|[^\w:>])::([a-z]\w*)\s*\()");
  std::smatch match;
  if (MayCallTheSystem(path) || !std::regex_search(line, match, kCall)) return std::nullopt;
  return "calls ::" + match[2].str() + ": the system is called in store/env only";
}

Finding Libfuse(std::string_view path, const std::string& line) {
  const std::optional<Include> include = IncludeOf(line);
  if (!include || include->ours || IsFuseFile(path)) return std::nullopt;
  if (!include->target.starts_with("fuse")) return std::nullopt;
  return "includes <" + include->target + ">: libfuse is spoken to in fs/fuse only";
}

// Optimised, the compiler refuses to drop the result of these calls of the C library, cast or not.
// The tests are built less optimised, and would not notice.
Finding DroppedResults(std::string_view, const std::string& line) {
  static const std::regex kDropped(
      R"(static_cast<void>\((::)?(p?write|p?read|readlink|readlinkat|realpath|getcwd|f?chdir)"
      R"(|[fl]?chown|fchownat|f?truncate|dup|pipe2?|symlink|link|linkat|nice|system)"
      R"(|set(e|res|re)?[ug]id)\()");
  std::smatch match;
  if (!std::regex_search(line, match, kDropped)) return std::nullopt;
  return "drops the result of " + match[2].str() + ", which an optimised build refuses";
}

// Six X in a row are a template for mkdtemp, three are a note.
Finding LeftoverNotes(std::string_view, const std::string& line) {
  static const std::regex kNote(
      R"(\b(TO()DO|FIX()ME|X{3})\b|[Pp]lace()holder|\b([Nn]ot |[Uu]n)implemented)");
  std::smatch match;
  if (!std::regex_search(line, match, kNote)) return std::nullopt;
  return "a note to oneself: " + match.str();
}

// Former names: docs/glossary.md has the current words.
Finding RetiredWords(std::string_view path, const std::string& line) {
  static const std::regex kRetired(
      R"(\b(Space()Map|Space()Checker|Sync()Group|Exe()cutor|Verified()Set|Run()Writer|Page()Filler)"
      R"(|Page()Maker|Record()Look|Look()ahead|Fuse()Wire|Fuse()Probe|File()Change|Serving()Daemon)"
      R"(|Daemon()Service|[Ss]pace ()maps?|k(Root|Transient|Shared|Xattr)()Space|Home()Of|home ()shard)\b)");
  std::smatch match;
  // The public header keeps the former names, for existing programs.
  if (path == "CHANGELOG.md" || path == "include/kvfs/batch.h" ||
      !std::regex_search(line, match, kRetired))
    return std::nullopt;
  return "a word that was given up: " + match.str();
}

Finding MachineNames(std::string_view, const std::string& line) {
  static const std::regex kMachine(R"((^|[^\w./])/wor()k/|://(deb|registry)\.)");
  if (!std::regex_search(line, kMachine)) return std::nullopt;
  return "names a path or host of one machine";
}

using LineRule = Finding (*)(std::string_view path, const std::string& line);
constexpr std::array<LineRule, 5> kCodeRules = {IncludeDirection, SystemHeaders, SystemCalls,
                                                Libfuse, DroppedResults};
constexpr std::array<LineRule, 3> kTextRules = {LeftoverNotes, MachineNames, RetiredWords};

bool OpensWithComment(std::string_view path, const std::vector<std::string>& lines) {
  if (path.ends_with(".md") || path == "LICENSE") return true;
  if (lines.empty()) return false;
  if (IsCode(path)) return lines[0].starts_with("// ");
  if (lines[0].starts_with(".\\\" ")) return true;  // a manual page
  const size_t first = lines[0].starts_with("#!") ? 1 : 0;
  return lines.size() > first && lines[first].starts_with("# ");
}

std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

std::vector<std::string> Check(std::string_view path, std::string_view text) {
  const std::vector<std::string> lines = LinesOf(text);
  std::vector<std::string> findings;
  const auto report = [&](size_t line, const Finding& what) {
    if (what) findings.push_back(std::string(path) + ":" + std::to_string(line) + ": " + *what);
  };
  if (!OpensWithComment(path, lines)) report(1, "does not open with a comment");
  for (size_t i = 0; i < lines.size(); ++i) {
    for (LineRule rule : kTextRules) report(i + 1, rule(path, lines[i]));
    if (!IsCode(path)) continue;
    for (LineRule rule : kCodeRules) report(i + 1, rule(path, lines[i]));
  }
  if (lines.size() > kMaxLines) report(lines.size(), "more lines than one idea needs");
  return findings;
}

}  // namespace kvfs::tidy

// Each rule is a function of one line (or of the whole file) that says what is wrong with it, or
// nothing. The patterns of what no file may contain have an empty group, (), in each word: this
// file is held to its own rules.
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

constexpr std::array kVocabularyHeaders = {"store/status.h", "store/bytes.h",
                                           "store/fair_shared_mutex.h"};
// What a user of the store includes; options.h and store.h name the Env.
constexpr std::array kPublicHeaders = {"store/store.h",        "store/batch.h",  "store/options.h",
                                       "store/check.h",        "store/dump.h",   "store/repair.h",
                                       "store/frozen_store.h", "store/env/env.h"};

bool Contains(const auto& list, std::string_view path) {
  return std::find(list.begin(), list.end(), path) != list.end();
}

bool IsCode(std::string_view path) { return path.ends_with(".cc") || path.ends_with(".h"); }

bool IsFuseFile(std::string_view path) {
  return path.starts_with("fs/fuse_") || path.starts_with("tests/fs/fuse_");
}

// What an #include names: the path of one of ours, or the name of a system header.
struct Include {
  std::string target;
  bool ours;
};

std::optional<Include> IncludeOf(const std::string& line) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  std::smatch match;
  if (!std::regex_search(line, match, kInclude)) return std::nullopt;
  return Include{match[2], match[1] == "\""};
}

bool MayInclude(Layer from, Layer to) {
  switch (from) {
    case Layer::kVocabulary:
      return to == Layer::kVocabulary;
    case Layer::kFormat:
      return to == Layer::kFormat || to == Layer::kVocabulary;
    case Layer::kEnv:
      return to == Layer::kEnv || to == Layer::kVocabulary;
    case Layer::kEngine:
      return to <= Layer::kPublic;  // all of store/
    case Layer::kPublic:
      return to == Layer::kPublic || to == Layer::kVocabulary;
    case Layer::kFs:
      return to == Layer::kFs || to == Layer::kPublic || to == Layer::kVocabulary;
    case Layer::kCli:
      return to == Layer::kCli || MayInclude(Layer::kFs, to);
    case Layer::kBench:
      return to == Layer::kBench || MayInclude(Layer::kFs, to);
    case Layer::kTests:
      return true;
    case Layer::kOther:
      return false;
  }
  return false;
}

// store/env/env.h is public to those above the store, and part of env to those beside it.
bool PointsDown(std::string_view path, std::string_view target) {
  const Layer from = LayerOf(path);
  if (from == Layer::kEnv && target == "store/env/env.h") return true;
  if (path == "store/env/env.h") return LayerOf(target) == Layer::kVocabulary;
  return MayInclude(from, LayerOf(target));
}

Finding IncludeDirection(std::string_view path, const std::string& line) {
  const std::optional<Include> include = IncludeOf(line);
  if (!include || !include->ours || PointsDown(path, include->target)) return std::nullopt;
  return "includes " + include->target + ", which is not below it";
}

bool MayCallTheSystem(std::string_view path) {
  const Layer layer = LayerOf(path);
  return path.starts_with("store/env/") || IsFuseFile(path) || layer == Layer::kCli ||
         layer == Layer::kBench || layer == Layer::kTests;
}

Finding SystemHeaders(std::string_view path, const std::string& line) {
  static const std::regex kSystem(
      R"(^(unistd|fcntl|dirent|poll|dlfcn|pthread|sched|syslog|signal|spawn|termios)\.h$)"
      R"(|^(sys|linux|asm|net|netinet|arpa)/)");
  const std::optional<Include> include = IncludeOf(line);
  if (!include || include->ours || MayCallTheSystem(path)) return std::nullopt;
  // The bits of a file's mode are vocabulary of the file system, not a call.
  if (LayerOf(path) == Layer::kFs && include->target == "sys/stat.h") return std::nullopt;
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
  return "includes <" + include->target + ">: libfuse is spoken to in fs/fuse_* only";
}

// Six X in a row are a template of mkdtemp, three are a note.
Finding LeftoverNotes(std::string_view, const std::string& line) {
  static const std::regex kNote(
      R"(\b(TO()DO|FIX()ME|X{3})\b|[Pp]lace()holder|\b([Nn]ot |[Uu]n)implemented)");
  std::smatch match;
  if (!std::regex_search(line, match, kNote)) return std::nullopt;
  return "a note to oneself: " + match.str();
}

Finding MachineNames(std::string_view, const std::string& line) {
  static const std::regex kMachine(R"((^|[^\w./])/wor()k/|://(deb|registry)\.)");
  if (!std::regex_search(line, kMachine)) return std::nullopt;
  return "names a path or host of one machine";
}

using LineRule = Finding (*)(std::string_view path, const std::string& line);
constexpr std::array<LineRule, 4> kCodeRules = {IncludeDirection, SystemHeaders, SystemCalls,
                                                Libfuse};
constexpr std::array<LineRule, 2> kTextRules = {LeftoverNotes, MachineNames};

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

Layer LayerOf(std::string_view path) {
  if (Contains(kVocabularyHeaders, path)) return Layer::kVocabulary;
  if (Contains(kPublicHeaders, path)) return Layer::kPublic;
  if (path.starts_with("store/format/")) return Layer::kFormat;
  if (path.starts_with("store/env/")) return Layer::kEnv;
  if (path.starts_with("store/")) return Layer::kEngine;
  if (path.starts_with("fs/")) return Layer::kFs;
  if (path.starts_with("cli/")) return Layer::kCli;
  if (path.starts_with("bench/")) return Layer::kBench;
  if (path.starts_with("tests/")) return Layer::kTests;
  return Layer::kOther;
}

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

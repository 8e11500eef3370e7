// Checks the entries one by one, and then the required ones.

#include "cli/transfer/access_list_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace kvfs::cli {
namespace {

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string_view> Split(std::string_view text, std::string_view marks) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = std::min(text.find_first_of(marks), text.size());
    parts.push_back(Trimmed(text.substr(0, end)));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

// 'u', 'g', 'm' or 'o'; nothing for other words.
std::optional<char> TagOf(std::string_view word) {
  for (const std::string_view tag : {"user", "group", "mask", "other"}) {
    if (word == tag || word == tag.substr(0, 1)) return tag[0];
  }
  return std::nullopt;
}

bool ArePermissions(std::string_view word) {
  std::set<char> seen;
  for (const char c : word) {
    if (std::string_view("rwx-").find(c) == std::string_view::npos) return false;
    if (c != '-' && !seen.insert(c).second) return false;
  }
  return !word.empty() && word.size() <= 3;
}

bool IsNumber(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

// libarchive stores user and group ids in an int, and garbles larger ones.
bool IsPlainId(std::string_view word) {
  const bool is_negative = word.starts_with('-') && IsNumber(word.substr(1));
  if (!IsNumber(word)) return !is_negative;  // a name
  int64_t id = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
  return error == std::errc() && id <= INT32_MAX;
}

class Reader {
 public:
  // False for an invalid entry.
  bool Take(std::string_view entry) {
    std::vector<std::string_view> fields = Split(entry, ":");
    if (fields.front() == "default" || fields.front() == "d") fields.erase(fields.begin());
    const auto tag = fields.empty() ? std::nullopt : TagOf(fields[0]);
    if (!tag) return false;
    // "mask:rwx" and "other:---" are taken for "mask::rwx" and so on.
    const bool is_short = fields.size() == 2 && (*tag == 'm' || *tag == 'o');
    if (is_short) fields.insert(fields.begin() + 1, std::string_view());
    if (fields.size() < 3 || fields.size() > 4 || !ArePermissions(fields[2])) return false;
    const bool names_somebody = !fields[1].empty();
    if (names_somebody && (*tag == 'm' || *tag == 'o')) return false;
    if (fields.size() == 4 && (!names_somebody || !IsNumber(fields[3]))) return false;
    has_plain_ids_ =
        has_plain_ids_ && IsPlainId(fields[1]) && (fields.size() < 4 || IsPlainId(fields[3]));
    needs_mask_ = needs_mask_ || names_somebody;
    return names_somebody || seen_.insert(*tag).second;
  }

  std::optional<std::string> Flaw() const {
    if (!has_plain_ids_) return "a user or group in it has no number below 2^31";
    for (const auto& [tag, name] :
         {std::pair('u', "owner"), std::pair('g', "owning group"), std::pair('o', "others")}) {
      if (!seen_.contains(tag)) return fmt::format("it has no entry for the {}", name);
    }
    if (needs_mask_ && !seen_.contains('m')) return "it names users or groups, but has no mask";
    return std::nullopt;
  }

 private:
  std::set<char> seen_;  // tags without a name
  bool needs_mask_ = false;
  bool has_plain_ids_ = true;
};

}  // namespace

std::optional<std::string> FlawOfAccessListText(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return "it has a NUL";
  Reader reader;
  for (std::string_view entry : Split(text, ",\n")) {
    entry = Trimmed(entry.substr(0, entry.find('#')));
    if (entry.empty() || reader.Take(entry)) continue;
    return fmt::format("\"{}\" is not a valid entry, or is repeated", entry);
  }
  return reader.Flaw();
}

}  // namespace kvfs::cli

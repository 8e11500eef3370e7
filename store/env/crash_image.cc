// Chooses the operations that reached the disk, and applies them to a copy of the synced state.

#include "store/env/crash_image.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <set>
#include <unordered_map>

namespace kvfs {
namespace {

using Kind = CrashChoice::Kind;

constexpr uint64_t kSectorBytes = 512;
constexpr std::array<std::pair<Kind, std::string_view>, 5> kKindNames = {{
    {Kind::kAll, "all"},
    {Kind::kNone, "none"},
    {Kind::kPrefix, "prefix"},
    {Kind::kRandom, "random"},
    {Kind::kTorn, "torn"},
}};

// Seeded random numbers that are the same with every standard library.
class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {
    // Disks with nearly all or nearly none of the operations find as many bugs as those in between.
    constexpr std::array<uint64_t, 5> kKeptOfHundred = {10, 30, 50, 70, 90};
    kept_of_hundred_ = kKeptOfHundred[engine_() % kKeptOfHundred.size()];
  }
  bool Keeps() { return engine_() % 100 < kept_of_hundred_; }
  bool Flips() { return engine_() % 2 == 0; }

 private:
  std::mt19937_64 engine_;
  uint64_t kept_of_hundred_;
};

class Builder {
 public:
  Builder(const MemoryNames& synced_names, CrashChoice choice)
      : names_(synced_names), choice_(choice), dice_(choice.value) {}

  void Consider(const UnsyncedOperation& operation, size_t index) {
    if (ChangesNames(operation.record.kind)) {
      ConsiderName(operation, index);
    } else if (choice_.kind == Kind::kTorn) {
      Tear(operation, ContentOf(operation.node));
    } else if (Chosen(index)) {
      ApplyToContent(operation, ContentOf(operation.node));
    } else if (choice_.kind == Kind::kRandom) {
      LoseData(operation, ContentOf(operation.node));
    }
  }

  MemoryNames Finish() {
    MemoryNames result;
    for (const auto& [path, entry] : names_) {  // parents come first
      const std::string parent = ParentOf(path);
      if (!parent.empty() && !result.contains(parent)) continue;
      result[path] = MemoryEntry{entry.node ? CopyOf(entry.node) : nullptr};
    }
    return result;
  }

 private:
  bool Chosen(size_t index) {
    switch (choice_.kind) {
      case Kind::kAll:
        return true;
      case Kind::kNone:
        return false;
      case Kind::kPrefix:
        return index < choice_.value;
      case Kind::kRandom:
      case Kind::kTorn:
        return dice_.Keeps();
    }
    return false;
  }

  void ConsiderName(const UnsyncedOperation& operation, size_t index) {
    const OperationRecord& record = operation.record;
    const bool possible = !lost_names_.contains(record.path) && !lost_names_.contains(record.to);
    if (Chosen(index) && possible) {
      ApplyToNames(operation, names_);
      return;
    }
    lost_names_.insert(record.path);
    if (!record.to.empty()) lost_names_.insert(record.to);
  }

  // The size may have grown although the data is lost.
  void LoseData(const UnsyncedOperation& operation, MemoryContent& content) {
    const OperationRecord& record = operation.record;
    const bool may_grow =
        record.kind == OperationKind::kWrite || record.kind == OperationKind::kAllocate;
    if (may_grow && dice_.Flips()) {
      content.Grow(record.offset + record.length);
    }
  }

  // Keeps some of the operation's sectors, at the disk's sector boundaries.
  void Tear(const UnsyncedOperation& operation, MemoryContent& content) {
    const OperationRecord& record = operation.record;
    if (record.kind == OperationKind::kAllocate || record.kind == OperationKind::kShorten) {
      if (dice_.Keeps()) ApplyToContent(operation, content);
      return;
    }
    const uint64_t end = record.offset + record.length;
    for (uint64_t at = record.offset; at < end;) {
      const uint64_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
      if (dice_.Keeps()) ApplyPart(operation, at, next, content);
      at = next;
    }
    LoseData(operation, content);
  }

  static void ApplyPart(const UnsyncedOperation& operation, uint64_t begin, uint64_t end,
                        MemoryContent& content) {
    if (operation.record.kind == OperationKind::kPunchHole) {
      content.Punch(begin, end - begin);
    } else {
      const uint64_t skipped = begin - operation.record.offset;
      content.Write(begin, Bytes(operation.data).subspan(skipped, end - begin));
    }
  }

  // After a power failure readers see what is on disk.
  std::shared_ptr<MemoryNode> CopyOf(const std::shared_ptr<MemoryNode>& node) {
    auto copy = std::make_shared<MemoryNode>();
    copy->synced = ContentOf(node);
    copy->written = copy->synced;
    return copy;
  }

  MemoryContent& ContentOf(const std::shared_ptr<MemoryNode>& node) {
    return contents_.try_emplace(node.get(), node->synced).first->second;
  }

  MemoryNames names_;
  std::unordered_map<const MemoryNode*, MemoryContent> contents_;
  std::set<std::string> lost_names_;
  CrashChoice choice_;
  Dice dice_;
};

}  // namespace

std::string CrashChoice::ToText() const {
  const auto name = std::ranges::find(kKindNames, kind, &std::pair<Kind, std::string_view>::first);
  return std::string(name->second) + ":" + std::to_string(value);
}

std::optional<CrashChoice> CrashChoice::FromText(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto name = std::ranges::find(kKindNames, text.substr(0, colon),
                                      &std::pair<Kind, std::string_view>::second);
  if (name == kKindNames.end()) return std::nullopt;
  CrashChoice choice{.kind = name->first};
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, choice.value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return choice;
}

MemoryNames BuildCrashImage(const MemoryNames& synced_names,
                            const std::vector<UnsyncedOperation>& unsynced, CrashChoice choice) {
  Builder builder(synced_names, choice);
  for (size_t index = 0; index < unsynced.size(); ++index) {
    builder.Consider(unsynced[index], index);
  }
  return builder.Finish();
}

}  // namespace kvfs

// Gathers entries for a store, and creates thousands of them in one step.
//
// Entries are created in the order of the source; directories that the source omits are created
// before their children. So if an import is cut short, the store holds a prefix of the source, of
// whole entries with all attributes. Only the times of directories are set at the very end, since
// creating entries changes them.
//
// An existing entry with the same name is replaced as by tar(1): see PathOperation::replaces. An
// entry that cannot be created is reported and left out, and the import goes on: one that is
// invalid by fs/new_entry.h, a hard link to a missing file, one whose name a non-empty directory
// has. Only failures that concern all entries end the import: a full disk, a damaged store, a
// signal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/base/progress.h"
#include "cli/transfer/path_table.h"
#include "cli/transfer/transfer.h"

namespace kvfs::cli {

class ImportBatch final : public EntrySink {
 public:
  // Entries go below `directory`, which is created if needed; "" is the root.
  ImportBatch(Keys& keys, const std::string& directory, Progress& progress);

  // After an error, earlier entries may not be created yet: Flush does that, as far as possible.
  Result<void> Add(IncomingEntry entry) override;
  Result<void> AddLink(const std::string& path, const std::string& target) override;
  void LeaveOut(std::string_view what, std::string_view reason) override;
  void LeaveOutPart(std::string_view what, std::string_view reason) override;
  // Creates the gathered entries, and sets the times of directories.
  Result<void> Finish();
  // After an error of the source: creates the gathered entries, which are complete.
  Result<void> Flush();

  // Number of entries created.
  uint64_t applied() const { return applied_; }
  const Losses& losses() const { return losses_; }

 private:
  struct Gathered {
    fs::PathOperation change;
    bool is_entry;  // not a directory that the source omits
  };
  using Changes = std::vector<Gathered>;

  std::string PathOf(const std::string& path) const;
  bool CheckPath(const std::string& path);
  bool MakeValid(IncomingEntry& entry, const std::string& path);
  Result<void> NeedParents(const std::string& path);
  void Gather(fs::PathOperation change, bool is_entry);
  void AddDirectory(const std::string& path, IncomingEntry entry);
  Result<void> ApplyTimes();

  // In import_apply.cc, like Flush.
  Result<void> FlushIfFull();
  Result<void> ApplyLarge(fs::PathOperation put, const fs::ContentSource& source);
  Result<void> Apply(Changes changes);
  Result<void> ApplyInParts(Changes changes, size_t part);
  Result<void> ApplyUpTo(Changes& changes, size_t end);
  void LeaveOutFailed(const Gathered& gathered, const Error& error);
  std::optional<std::string> CauseAbove(const fs::PathOperation& change) const;

  Keys& keys_;
  const std::string directory_;
  Progress& progress_;
  PathTable made_;  // directories that exist, or that changes_ creates
  // Directories omitted by the source that cannot be created, and why: reported with their
  // children.
  std::unordered_map<std::string, std::string> refused_;
  Changes changes_;
  size_t gathered_bytes_ = 0;
  struct DirectoryTimes {
    size_t number;  // in made_
    std::optional<fs::Attributes> attributes;
  };
  std::vector<DirectoryTimes> times_;  // for the end
  bool is_at_end_ = false;             // only times are left
  uint64_t applied_ = 0;
  Losses losses_;
};

}  // namespace kvfs::cli

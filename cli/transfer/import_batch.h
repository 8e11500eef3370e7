// Entries for a store, gathered until some thousand can be made in one step.
//
// They are made in the order in which they come, directories that nobody mentions before what is in
// them; so whatever ends an import, what is in the store is a beginning of the source, whole
// entries with all attributes. Only the times of directories come last of all, since making entries
// changes them.
//
// What has an entry's name in the store gives way as it does for tar(1): see
// PathOperation::replaces. An entry that cannot be made is told and left out, and the others go on:
// one that breaks the rule of fs/new_entry.h, a link to what is not there, one where a full
// directory has the name. Only what would stop all others ends the import: a full disk, a damaged
// store, a signal.
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
  // Entries go below `directory`, which is made if need be; "" is the root.
  ImportBatch(Keys& keys, const std::string& directory, Progress& progress);

  // On an error entries before this one may not be made yet: Flush does that, as far as it goes.
  Result<void> Add(IncomingEntry entry) override;
  Result<void> AddLink(const std::string& path, const std::string& target) override;
  void LeaveOut(std::string_view what, std::string_view reason) override;
  void LeaveOutPart(std::string_view what, std::string_view reason) override;
  // Makes what is gathered, and gives directories their times.
  Result<void> Finish();
  // Makes what is gathered after an error of the source: entries before it are whole.
  Result<void> Flush();

  // Entries that are in the store.
  uint64_t applied() const { return applied_; }
  const Losses& losses() const { return losses_; }

 private:
  struct Gathered {
    fs::PathOperation change;
    bool is_entry;  // and not a directory that nobody mentioned
  };
  using Changes = std::vector<Gathered>;

  std::string PathOf(const std::string& path) const;
  bool CheckPath(const std::string& path);
  bool MakeValid(IncomingEntry& entry, const std::string& path);
  Result<void> NeedParents(const std::string& path);
  void Gather(fs::PathOperation change, bool is_entry);
  void AddDirectory(const std::string& path, IncomingEntry entry);
  Result<void> AddLarge(const std::string& path, IncomingEntry entry);
  Result<void> FlushIfFull();
  Result<void> Apply(Changes changes);
  Result<void> ApplyInParts(Changes changes, size_t part);
  Result<void> ApplyUpTo(Changes& changes, size_t end);
  Result<void> ApplyTimes();
  void LeaveOutFailed(const Gathered& gathered, const Error& error);
  std::optional<std::string> CauseAbove(const fs::PathOperation& change) const;

  Keys& keys_;
  const std::string directory_;
  Progress& progress_;
  PathTable made_;  // directories that are there, or will be by changes_
  // Directories that nobody mentioned and that cannot be made, and why: told with what is in them.
  std::unordered_map<std::string, std::string> refused_;
  Changes changes_;
  size_t gathered_bytes_ = 0;
  struct DirectoryTimes {
    size_t number;  // in made_
    std::optional<fs::Attributes> attributes;
  };
  std::vector<DirectoryTimes> times_;  // for the end
  bool is_at_end_ = false;             // nothing but times is left
  uint64_t applied_ = 0;
  Losses losses_;
};

}  // namespace kvfs::cli

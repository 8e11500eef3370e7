// Entries for a store, gathered until some thousand can be made in one step.
//
// They are made in the order in which they come, directories that nobody mentions before what is in
// them; so whatever ends an import, what is in the store is a beginning of the source, whole
// entries with all attributes. Only the times of directories come last of all, since making entries
// changes them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "cli/progress.h"
#include "cli/transfer.h"

namespace kvfs::cli {

class ImportBatch final : public EntrySink {
 public:
  // Entries go below `directory`, which is made if need be; "" is the root.
  ImportBatch(Keys& keys, const std::string& directory, Progress& progress);

  // On an error all entries before this one may be in the store or not, each whole: see applied().
  Result<void> Add(IncomingEntry entry) override;
  Result<void> AddLink(const std::string& path, const std::string& target) override;
  // Makes what is gathered, and gives directories their times.
  Result<void> Finish();
  // Makes what is gathered after an error of the source: entries before it are whole.
  Result<void> Flush();

  // Entries that are in the store.
  uint64_t applied() const { return applied_; }

 private:
  std::string PathOf(const std::string& path) const;
  void NeedParents(const std::string& path);
  void AddDirectory(const std::string& path, IncomingEntry entry);
  Result<void> AddLarge(const std::string& path, IncomingEntry entry);
  Result<void> FlushIfFull();
  // A batch that is more than the store's log takes at once is cut in two.
  Result<void> Apply(const std::vector<fs::FileChange>& changes);

  Keys& keys_;
  const std::string directory_;
  Progress& progress_;
  std::set<std::string> made_;  // directories that are there, or will be by changes_
  std::vector<fs::FileChange> changes_;
  size_t gathered_bytes_ = 0;
  std::vector<fs::FileChange> times_;  // of directories, for the end
  uint64_t gathered_ = 0;              // entries, not parents that were not mentioned
  uint64_t applied_ = 0;
};

}  // namespace kvfs::cli

// Entries for a store, gathered until some thousand can be made in one step.
//
// A directory must be there before a batch can use it: so the directories of the gathered entries
// are made first, those nearest the root before the others, and then all other entries at once. The
// attributes of directories are set last of all, since making entries in them changes their times.
#pragma once

#include <cstdint>
#include <map>
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
  // Makes what is gathered, and gives directories their attributes.
  Result<void> Finish();
  // Makes what is gathered after an error of the source: entries before it are whole.
  Result<void> Flush();

  // Entries that are in the store.
  uint64_t applied() const { return applied_; }
  // Hard links that became entries of their own.
  uint64_t copied_links() const { return copied_links_; }

 private:
  Result<void> NeedDirectories(const std::string& path);
  Result<void> AddLarge(const std::string& path, const IncomingEntry& entry);
  Result<void> MakeDirectories();
  Result<void> Apply(const std::vector<fs::FileChange>& changes);

  Keys& keys_;
  const std::string directory_;
  Progress& progress_;
  std::set<std::string> made_;                                 // directories that are there
  std::map<size_t, std::vector<fs::FileChange>> directories_;  // to be made, by depth
  std::vector<fs::FileChange> others_;
  size_t gathered_bytes_ = 0;
  std::vector<fs::FileChange> attributes_;  // of directories, for the end
  uint64_t gathered_ = 0;                   // entries, not parents that were not mentioned
  uint64_t applied_ = 0;
  uint64_t copied_links_ = 0;
};

}  // namespace kvfs::cli

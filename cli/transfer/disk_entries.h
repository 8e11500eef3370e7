// Passes files on disk to a sink, one by one, as entries. Files with several names become hard
// links.
//
// A file is opened relative to its directory's descriptor, so that a planted link leads nowhere
// else. An unreadable one is reported and left out, like in tar(1).
#pragma once

#include <sys/stat.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "cli/transfer/path_table.h"
#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// Whether the error is a shortage of this process, and not a fault of an entry.
bool IsOfMachine(int error_number);

class DiskEntries {
 public:
  // `top` is the place on disk to which the entries' paths are relative.
  DiskEntries(std::string top, EntrySink& sink) : top_(std::move(top)), sink_(sink) {}

  // The directory of the descriptor itself, without what is in it.
  Result<void> AddDirectory(int directory, const std::string& path, const struct stat& status);
  // A file of any other kind, with that name in the directory.
  Result<void> AddOther(int directory, const std::string& name, const std::string& path,
                        const struct stat& status);
  // Leaves an entry out because of errno, so that the others can be read.
  Result<void> PassOver(const std::string& path, std::string_view what = "");
  std::string OnDisk(const std::string& path) const;

 private:
  using Inode = std::pair<dev_t, ino_t>;

  Result<void> AddFile(int directory, const std::string& name, IncomingEntry entry,
                       const Inode& inode, const struct stat& named);
  Result<void> LeaveOutUnreadable(const std::string& path, const Error& error);
  Result<std::optional<fs::XattrMap>> XattrsOf(int directory, const std::string& name,
                                               const std::string& path, const struct stat& status);

  const std::string top_;
  EntrySink& sink_;
  PathTable paths_;
  std::map<Inode, size_t> links_;  // the first path of each
  std::set<dev_t> without_xattrs_;
};

}  // namespace kvfs::cli

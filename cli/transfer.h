// Entries on their way into a store and out of one, whatever the format at the other end.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cli/key_walk.h"
#include "cli/keys.h"

namespace kvfs::cli {

// Contents above this go in and out in pieces.
inline constexpr uint64_t kLargeContentBytes = uint64_t{4} << 20;

struct IncomingEntry {
  std::string path;                          // normalized
  std::optional<fs::Attributes> attributes;  // with the type; without, a file of mode 0644
  std::optional<fs::XattrMap> xattrs;        // all of them, if the source tells them
  std::string data;                          // content, or a link's target
  fs::ContentSource large;                   // the content instead, if it is large
};

// Takes entries in; see cli/import_batch.h.
class EntrySink {
 public:
  virtual ~EntrySink() = default;
  virtual Result<void> Add(IncomingEntry entry) = 0;
  // A further name of an entry that has been added: a hard link.
  virtual Result<void> AddLink(const std::string& path, const std::string& target) = 0;
};

// Writes entries in some format; directories come before what is in them.
class EntryWriter {
 public:
  virtual ~EntryWriter() = default;
  // `path` is that of the key as it is to be called. What the format cannot hold is left out, and
  // told by `skipped`.
  virtual Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) = 0;
  virtual Result<void> Finish() = 0;

  uint64_t skipped() const { return skipped_; }

 protected:
  // Says on standard error that, and why, an entry (or a part of it) is left out.
  void Skip(const std::string& path, std::string_view reason);
  // Of what has several names: the path of the first that was written, if this is a further one.
  std::optional<std::string> FirstNameOf(const fs::InodeInfo& inode, const std::string& path);

 private:
  uint64_t skipped_ = 0;
  std::map<fs::InodeNumber, std::string> names_;
};

// The value, all of it in memory; kTooLarge above `limit`.
Result<std::string> GetWhole(Keys& keys, const std::string& path, uint64_t limit);

}  // namespace kvfs::cli

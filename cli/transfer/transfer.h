// Entries on their way into or out of a store, independent of the external format.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/client/key_walk.h"
#include "cli/client/keys.h"
#include "cli/transfer/path_table.h"

namespace kvfs::cli {

// Larger contents are transferred in pieces.
inline constexpr uint64_t kLargeContentBytes = uint64_t{4} << 20;

struct IncomingEntry {
  std::string path;                          // normalized
  std::optional<fs::Attributes> attributes;  // with the type; default: as by `kvfs put`
  std::optional<fs::XattrMap> xattrs;        // all of them, if the source has them
  std::string data;                          // content, or a link's target
  fs::ContentSource large;                   // instead of `data`, for large contents
};

// Counts of what was not transferred: whole entries, and parts (an attribute, a time) of
// transferred ones. Each has been reported by name on standard error.
struct Losses {
  uint64_t entries = 0;
  uint64_t parts = 0;

  bool any() const { return entries > 0 || parts > 0; }
};
// ", and 2 parts of others"; "" without any.
std::string OfParts(const Losses& losses);

// Receives entries; see cli/transfer/import_batch.h.
class EntrySink {
 public:
  virtual ~EntrySink() = default;
  // An entry that cannot be created is reported and left out; an error ends the import.
  virtual Result<void> Add(IncomingEntry entry) = 0;
  // Another name of an added entry: a hard link.
  virtual Result<void> AddLink(const std::string& path, const std::string& target) = 0;
  // Reports on standard error that an entry is left out, and why. The exit status will reflect it,
  // too.
  virtual void LeaveOut(std::string_view what, std::string_view reason) = 0;
  // The same for a part of an entry, of which the rest is imported.
  virtual void LeaveOutPart(std::string_view what, std::string_view reason) = 0;
};

// Writes entries in some format; directories come before their children.
class EntryWriter {
 public:
  virtual ~EntryWriter() = default;
  // `path` is the entry's path in the output. What the format cannot represent is left out. An
  // error without HasFailed() concerns only this entry, which was not, or only partly, written.
  virtual Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) = 0;
  virtual Result<void> Finish() = 0;

  // Report on standard error that an entry, or a part of a written one, is left out, and why.
  void LeaveOut(std::string_view what, std::string_view reason);
  void LeaveOutPart(std::string_view what, std::string_view reason);
  const Losses& losses() const { return losses_; }
  // Whether something was left out because the store is damaged.
  bool has_met_damage() const { return has_met_damage_; }
  // The entry was not written after all: its other names must not link to this one.
  void ForgetName(const fs::InodeInfo& inode, const std::string& path);
  // Whether the output has failed for good.
  bool HasFailed() const { return has_failed_; }

 protected:
  void NoteFailure() { has_failed_ = true; }
  void NoteDamage() { has_met_damage_ = true; }
  // The extended attributes; if they are damaged, reports that and returns none.
  Result<fs::XattrMap> XattrsOf(Keys& keys, const WalkedKey& key, const std::string& path);
  // For a file with several names: the path of the first one written, if this is another one.
  std::optional<std::string> FirstNameOf(const fs::InodeInfo& inode, const std::string& path);

 private:
  Losses losses_;
  bool has_failed_ = false;
  bool has_met_damage_ = false;
  PathTable paths_;
  std::map<fs::InodeNumber, size_t> names_;  // the first, of files with several
};

// The keys seen so far, for formats whose different keys may become equal paths.
class SeenKeys {
 public:
  // False if the key has been added before.
  bool Add(std::string_view key);

 private:
  void Grow();

  // Open addressing; 0 is a free slot. With 64-bit hashes, a collision among ten million keys
  // occurs once in 300,000 imports, and only causes a message.
  std::vector<uint64_t> hashes_ = std::vector<uint64_t>(1024);
  size_t count_ = 0;
};

// The path for a key of any bytes from another store. A changed key is reported. Nothing if the
// path has occurred before, which is reported, too: the first value stays.
std::optional<std::string> PathOfForeignKey(const std::string& key, SeenKeys& seen,
                                            EntrySink& sink);

// Reads the whole value into memory; kTooLarge above `limit`.
Result<std::string> GetWhole(Keys& keys, const std::string& path, uint64_t limit);

}  // namespace kvfs::cli

// Entries on their way into a store and out of one, whatever the format at the other end.
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

// Contents above this go in and out in pieces.
inline constexpr uint64_t kLargeContentBytes = uint64_t{4} << 20;

struct IncomingEntry {
  std::string path;                          // normalized
  std::optional<fs::Attributes> attributes;  // with the type; without, a file as by `kvfs put`
  std::optional<fs::XattrMap> xattrs;        // all of them, if the source tells them
  std::string data;                          // content, or a link's target
  fs::ContentSource large;                   // the content instead, if it is large
};

// What did not come over, each told by name on standard error: whole entries, and parts (an
// attribute, a time) of entries that did.
struct Losses {
  uint64_t entries = 0;
  uint64_t parts = 0;

  bool any() const { return entries > 0 || parts > 0; }
};
// ", and 2 parts of others"; "" without any.
std::string OfParts(const Losses& losses);

// Takes entries in; see cli/transfer/import_batch.h.
class EntrySink {
 public:
  virtual ~EntrySink() = default;
  // An entry that cannot be made is told and left out; an error ends the import.
  virtual Result<void> Add(IncomingEntry entry) = 0;
  // A further name of an entry that has been added: a hard link.
  virtual Result<void> AddLink(const std::string& path, const std::string& target) = 0;
  // Says on standard error that, and why, an entry is left out. The exit status will say so, too.
  virtual void LeaveOut(std::string_view what, std::string_view reason) = 0;
  // The same of a part of an entry, whose rest comes in.
  virtual void LeaveOutPart(std::string_view what, std::string_view reason) = 0;
};

// Writes entries in some format; directories come before what is in them.
class EntryWriter {
 public:
  virtual ~EntryWriter() = default;
  // `path` is that of the key as it is to be called. What the format cannot hold is left out. An
  // error without HasFailed() is of this entry alone, of which nothing, or not all, was written.
  virtual Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) = 0;
  virtual Result<void> Finish() = 0;

  // Says on standard error that, and why, an entry, or a part of one that is written, is left out.
  void LeaveOut(std::string_view what, std::string_view reason);
  void LeaveOutPart(std::string_view what, std::string_view reason);
  const Losses& losses() const { return losses_; }
  // Whether something of the store was damaged, and so a part was left out.
  bool has_met_damage() const { return has_met_damage_; }
  // The entry was not written after all: a further name of it is no link to this one.
  void ForgetName(const fs::InodeInfo& inode, const std::string& path);
  // Whether the output takes no more.
  bool HasFailed() const { return has_failed_; }

 protected:
  void NoteFailure() { has_failed_ = true; }
  void NoteDamage() { has_met_damage_ = true; }
  // The extended attributes; none, which is told, where they are damaged.
  Result<fs::XattrMap> XattrsOf(Keys& keys, const WalkedKey& key, const std::string& path);
  // Of what has several names: the path of the first that was written, if this is a further one.
  std::optional<std::string> FirstNameOf(const fs::InodeInfo& inode, const std::string& path);

 private:
  Losses losses_;
  bool has_failed_ = false;
  bool has_met_damage_ = false;
  PathTable paths_;
  std::map<fs::InodeNumber, size_t> names_;  // of what has several, the first
};

// Keys that have come, of formats whose keys may become equal on the way in.
class SeenKeys {
 public:
  // False if the same has come before.
  bool Add(std::string_view key);

 private:
  void Grow();

  // Open addressing; 0 is a free slot. With 64 bits, two of ten million keys have the same hash
  // once in 300,000 imports, and all that comes of it is a message.
  std::vector<uint64_t> hashes_ = std::vector<uint64_t>(1024);
  size_t count_ = 0;
};

// The path of a key of bytes, as other stores have them. What is changed about it is told. Nothing
// if the path has come before, which is told, too: the value that came first stays.
std::optional<std::string> PathOfForeignKey(const std::string& key, SeenKeys& seen,
                                            EntrySink& sink);

// The value, all of it in memory; kTooLarge above `limit`.
Result<std::string> GetWhole(Keys& keys, const std::string& path, uint64_t limit);

}  // namespace kvfs::cli

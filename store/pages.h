// The pages of one shard: clean ones in the mapped keys file, changed ones in memory.
//
// A page is never changed in place on disk. Its first change in an epoch copies it to a new
// number, into a frame in memory; later changes of that epoch go into the frame. Closing the epoch
// freezes the frames; the checkpoint writes them to the file, where the mapping shows them at once,
// and drops them.
//
// INVARIANT: a frame whose epoch is not the open one is never written to.
//
// Threads: Read is safe while the shard's lock is held shared; everything else needs it exclusive,
// but for WriteFrozen, which needs none, since nobody changes frozen frames.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/env/env.h"
#include "store/format/page.h"
#include "store/space_map.h"
#include "store/verified_set.h"

namespace kvfs {

struct PagesConfig {
  uint32_t page_bytes = 0;
  uint64_t checksum_seed = 0;
  std::string name;  // of the file, for messages
  std::function<void(std::string_view)> log;
};

class Pages {
 public:
  // `file` and `space` must outlive the pages.
  Pages(File* file, SpaceMap* space, PagesConfig config, uint64_t open_epoch);

  uint32_t page_bytes() const { return config_.page_bytes; }

  // kCorrupt, and a log line, if the page is damaged. The view is valid while the lock is held.
  Result<format::PageView> Read(format::PagePointer page) const;

  // An editor for the page, copied first if it was not born in this epoch; `page` then points to
  // the copy. A copy takes one ready number of the space map; that there is one is the caller's
  // care (SpaceMap::Reserve).
  Result<format::PageEditor> Writable(format::PagePointer* page);
  format::PageEditor New(format::PageKind kind, format::PagePointer* page);
  void Free(format::PagePointer page);

  // Bytes in frames, of the open and of the closed epoch.
  uint64_t dirty_bytes() const { return frames_.size() * uint64_t{config_.page_bytes}; }

  // Freezes the open epoch's frames and opens the next epoch.
  void CloseEpoch();
  // Writes the frozen frames to the file, in ascending order and long runs. They stay in memory.
  Result<void> WriteFrozen() const;
  // The frozen frames are in the file.
  void DropFrozen();

 private:
  struct Frame {
    uint64_t epoch = 0;
    std::unique_ptr<std::byte[]> bytes;
  };

  Frame& AddFrame(uint64_t number);

  File* file_;
  SpaceMap* space_;
  const PagesConfig config_;
  uint64_t open_epoch_;
  std::unordered_map<uint64_t, Frame> frames_;
  std::vector<std::pair<uint64_t, const std::byte*>> frozen_;
  VerifiedSet verified_;
};

}  // namespace kvfs

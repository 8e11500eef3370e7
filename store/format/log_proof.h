// What the records of a log segment prove of others, wherever they lie: for a log that cannot be
// read from its beginning to its end. Pure.
//
// The work grows with the segment, and not with what its payloads look like. In a segment of the
// new version a front proves itself by 16 bytes. In one of the old version only whole records do:
// those are looked at that another one follows, or for which the bytes to be checksummed last.
#pragma once

#include <cstdint>

#include "store/format/log_segment.h"

namespace kvfs::format {

struct LogProof {
  uint64_t durable = 0;         // the highest sequence that a record says was durable; 0: none says
  uint64_t first_sequence = 0;  // of the first record that was found; 0 if there is none
  uint64_t first_offset = 0;    // where it begins
  uint64_t bytes_hashed = 0;
};

// `segment` is the file, as far as it can be read, `header` what it has or should have. Only
// records with sequences from header.first_sequence on and below `end` count.
LogProof ProveByRecords(Bytes segment, const SegmentHeader& header, uint64_t end,
                        const StoreId& store);

}  // namespace kvfs::format

// What the readable records of a log segment, wherever they are, prove about the unreadable ones:
// for a log that cannot be read from beginning to end. Pure.
//
// The work is bounded by the size of the segment, whatever its payloads contain. In a segment of
// the new version a record front is proven by its own checksum over 16 bytes. In the old version
// only a whole record is: candidates are checked if another record follows, or as long as a budget
// of bytes to checksum lasts.
#pragma once

#include <cstdint>

#include "store/format/log_segment.h"

namespace kvfs::format {

struct LogProof {
  uint64_t durable = 0;         // the highest sequence that some record declares durable; 0: none
  uint64_t first_sequence = 0;  // of the first record found; 0 if there is none
  uint64_t first_offset = 0;    // where it begins
  uint64_t bytes_hashed = 0;
};

// `segment` is the readable part of the file, `header` the header that it has or should have. Only
// records with sequences in [header.first_sequence, end) count.
LogProof ProveByRecords(Bytes segment, const SegmentHeader& header, uint64_t end,
                        const StoreId& store);

}  // namespace kvfs::format

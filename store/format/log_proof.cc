// Tries every offset; after a found record, continues at its end.
#include "store/format/log_proof.h"

#include <algorithm>

namespace kvfs::format {
namespace {

// For an old segment: how many times its bytes may be checksummed for records without a follower.
constexpr uint64_t kHashesPerByte = 256;

class Prover {
 public:
  Prover(Bytes segment, const SegmentHeader& header, uint64_t end, const StoreId& store)
      : segment_(segment),
        version_(header.version),
        first_(header.first_sequence),
        end_(std::min(end, first_ + segment.size() / LogRecordHeaderBytes(version_))),
        seed_(SegmentSeed(store, header.number)),
        hashes_left_(segment.size() * kHashesPerByte) {}

  LogProof Run() {
    for (size_t at = kSegmentHeaderBytes; at < segment_.size();) {
      const Bytes rest = segment_.subspan(at);
      const auto front = PeekFront(rest, version_);
      const bool is_record = front && IsPossible(*front) && IsRecord(rest, *front);
      if (is_record) Note(*front, at);
      at += is_record ? LogRecordHeaderBytes(version_) + front->payload_bytes
                      : NextRecordOffset(rest);
    }
    return proof_;
  }

 private:
  bool IsPossible(const LogRecordFront& front) const {
    return front.sequence >= first_ && front.sequence < end_;
  }

  bool IsRecord(Bytes rest, const LogRecordFront& front) {
    if (version_ == SegmentVersion::kNew) {
      proof_.bytes_hashed += kLogRecordHeaderBytes;
      return IsProvenFront(rest, seed_);
    }
    const uint64_t bytes = LogRecordHeaderBytes(version_) + front.payload_bytes;
    const auto next = PeekFront(rest.subspan(bytes), version_);
    const bool is_followed = next && next->sequence == front.sequence + 1;
    if (!is_followed && hashes_left_ < bytes) return false;
    if (!is_followed) hashes_left_ -= bytes;
    proof_.bytes_hashed += bytes;
    return DecodeLogRecord(rest, front.sequence, seed_, version_).has_value();
  }

  void Note(const LogRecordFront& front, size_t at) {
    proof_.durable = std::max(proof_.durable, front.durable);
    if (proof_.first_sequence != 0) return;
    proof_.first_sequence = front.sequence;
    proof_.first_offset = at;
  }

  const Bytes segment_;
  const SegmentVersion version_;
  const uint64_t first_, end_, seed_;
  uint64_t hashes_left_;
  LogProof proof_;
};

}  // namespace

LogProof ProveByRecords(Bytes segment, const SegmentHeader& header, uint64_t end,
                        const StoreId& store) {
  return Prover(segment, header, end, store).Run();
}

}  // namespace kvfs::format

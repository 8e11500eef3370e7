// The ids in the kernel's headers match replies to messages.
#include "fs/fuse/clock.h"

#include <linux/fuse.h>

#include <chrono>
#include <cstring>
#include <utility>

namespace kvfs::fs {
namespace {

using Clock = std::chrono::steady_clock;

struct MessageInHand {
  uint64_t id = 0;  // 0: none
  MessageKind kind{};
  Clock::time_point arrival;
};
thread_local MessageInHand in_hand;

}  // namespace

void NoteMessage(const void* message, size_t length) {
  fuse_in_header header;
  if (length < sizeof header) return;
  std::memcpy(&header, message, sizeof header);
  in_hand = {header.unique, MessageKind{}, Clock::now()};
}

void NoteKind(MessageKind kind) { in_hand.kind = kind; }

void NoteAnswer(const iovec* parts, int count, MessageCounts& counts) {
  fuse_out_header header;
  if (count < 1 || parts[0].iov_len < sizeof header) return;
  std::memcpy(&header, parts[0].iov_base, sizeof header);
  if (header.unique == 0 || header.unique != in_hand.id) return;
  in_hand.id = 0;
  if (in_hand.kind != MessageKind{})
    counts.AddLatency(in_hand.kind, Clock::now() - in_hand.arrival);
}

}  // namespace kvfs::fs

// How long each message of the kernel waits for its answer.
//
// A message is read, handled and answered by one thread, so what is known of the one in hand is the
// thread's own, and costs no lock. What a thread writes that is no answer to its message (the news
// that a name has changed, say) has another id.
#pragma once

#include <sys/uio.h>

#include <cstddef>

#include "fs/fuse/message_counts.h"

namespace kvfs::fs {

// This thread has read a message from the kernel.
void NoteMessage(const void* message, size_t length);
// Its handler tells of what kind it is.
void NoteKind(MessageKind kind);
// This thread is about to write to the kernel: the first answer to its message is counted.
void NoteAnswer(const iovec* parts, int count, MessageCounts& counts);

}  // namespace kvfs::fs

// Measures how long each message of the kernel waits for its reply.
//
// A message is read, handled and answered by one thread, so the state of the current message is
// thread-local, without locks. Writes that are not the reply to the current message (a notification
// of a changed name, for example) have another id.
#pragma once

#include <sys/uio.h>

#include <cstddef>

#include "fs/fuse/message_counts.h"

namespace kvfs::fs {

// Notes that this thread has read a message from the kernel.
void NoteMessage(const void* message, size_t length);
// Notes the kind of that message; called by its handler.
void NoteKind(MessageKind kind);
// Notes that this thread is about to write to the kernel: records the latency at the first reply to
// its message.
void NoteAnswer(const iovec* parts, int count, MessageCounts& counts);

}  // namespace kvfs::fs

// The system's cache of a file after a failed sync.
//
// The pages stay cached, marked clean, although they are not on disk. Writing the same bytes again
// does not always help: ext4 then considers the page written, though its extent is still marked
// unwritten, and it reads as zeros once the cache is dropped. So the process that sees the failure
// marks the file for the next opener, with the inode's sticky bit: it has no meaning for files, and
// it lives in the same cache, as long as the pages it warns of. The next opener has the system drop
// the file's pages, and sees the bytes on disk.
//
// Pages that another process has mapped stay; so, in addition, the store rewrites the blocks that
// it replays.
#pragma once

namespace kvfs {

// Marks the file. Best effort: a file system that has become read-only takes no mark, but cannot be
// opened for writing either until it is mounted anew.
void MarkCacheUntrue(int descriptor);

// For a file that has just been opened for writing and is not mapped: if it is marked, drops its
// cached pages and removes the mark.
void ForgetUntrueCache(int descriptor);

}  // namespace kvfs

// What the system's cache keeps of a file after a sync of it has failed.
//
// The pages stay, marked clean, and are not on the disk. Writing the same bytes again is not always
// a remedy: ext4 then takes the place of a page that it has failed to write for one that is
// written, though its extent is not, and it reads as zeros once the cache is gone. So who meets the
// failure leaves a mark for who opens the file next: the inode's sticky bit, which means nothing
// for a file, and which lives in the same cache, as long as what it warns of. The next opener then
// has the system forget the file's pages, and sees what the disk has.
//
// Pages that another process has mapped stay; so the store writes again what it replays, besides.
#pragma once

namespace kvfs {

// As far as it goes: a disk that has become read-only takes no mark, and cannot be opened for
// writing until it is mounted anew.
void MarkCacheUntrue(int descriptor);

// Of a file that has just been opened for writing, and that nobody has mapped: where it is marked,
// the cache is emptied, and the mark taken away.
void ForgetUntrueCache(int descriptor);

}  // namespace kvfs

// The exit statuses of `kvfs`. Scripts depend on them: numbers are added, never changed.
//
//   0  done
//   1  usage: the command line is invalid; nothing was tried
//   2  no store at the path; for create: a store exists already; for bench: no such directory
//   3  the store is in use by another process, which the message names
//   4  the store is damaged
//   5  the mount point cannot be used: missing, not a directory, not empty, inside the store, busy
//   6  FUSE is not available: no /dev/fuse, no fusermount3, no permission
//   7  the kernel did not accept the mount
//   8  not everything could be written when the store was closed; or this is unknown, because its
//      daemon died, perhaps in the middle of a change, or cannot be found
//   9  no space on the disk
//  10  the store's format has a version that this program does not know
//  11  no such key (an empty value is 0)
//  12  a read or write failed, or is not permitted; or this process lacks memory, address space or
//      file descriptors; or an input file, or the directory of an output file, is missing
//  13  the key is not of the kind that the command needs: a directory, one that is not empty or has
//      something mounted inside, a symbolic link, ...; or import, export, ls or repair left out
//      some entries, naming each, and did the rest
//  14  a condition does not hold: --if-absent, --if-version, an expectation of a batch
//  15  ended by a signal (SIGINT, SIGTERM, SIGHUP); the message tells how far the work got
//
// One cause has one number in all commands. Commands that only examine who holds a store (status,
// doctor), or one of its files (dump), do not detect faults in the rest of it.
//
// `kvfs check` uses fsck(8)'s codes: 0 sound, 4 not sound, 8 could not be checked, 16 usage, 32
// ended by a signal. As mount.kvfs, called by mount(8), the program uses mount's codes: see
// mount_helper.cc.
#pragma once

#include <kvfs/status.h>

namespace kvfs::cli {

enum class ExitCode {
  kOk = 0,
  kUsage = 1,
  kNoStore = 2,
  kStoreInUse = 3,
  kStoreCorrupt = 4,
  kMountPointBad = 5,
  kFuseUnavailable = 6,
  kMountFailed = 7,
  kFlushFailed = 8,
  kNoSpace = 9,
  kVersionUnsupported = 10,
  kNoSuchKey = 11,
  kIoFailed = 12,
  kWrongKind = 13,
  kConditionFailed = 14,
  kInterrupted = 15,
};

// The status for an error in opening or creating a store, in using its keys, or in reading or
// writing another file. They differ in the meaning of "not found".
ExitCode ExitCodeOfStore(ErrorCode code);
ExitCode ExitCodeOfKey(ErrorCode code);
ExitCode ExitCodeOfFile(ErrorCode code);

// The exit status of the program: by its own table, or by fsck(8)'s.
int OwnStatus(ExitCode code);
int FsckStatus(ExitCode code);

}  // namespace kvfs::cli

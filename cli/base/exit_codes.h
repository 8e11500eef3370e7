// What the exit status of `kvfs` says. Scripts depend on it: numbers are added, never changed.
//
//   0  done
//   1  usage: the command line makes no sense, nothing was tried
//   2  there is no store at the path, or what is there is not one; for create: there is one
//   already;
//      for bench: there is no such directory
//   3  the store is in use by another process, which the message names
//   4  the store is damaged
//   5  the mount point cannot be used: missing, no directory, not empty, inside the store, busy
//   6  FUSE is not available: no /dev/fuse, no fusermount3, no permission
//   7  the kernel did not accept the mount
//   8  not everything could be written when the store was closed, or its daemon had died, also in
//      the middle of a change, or cannot be found, so that nobody knows
//   9  no space on the disk
//  10  the store's format is of a version that this program does not know
//  11  no such key: told apart from an empty value, which is 0
//  12  the operating system failed a read or write, or forbids it, or has too little memory or
//      address space or too few file descriptors for this process; or a file that was named as
//      input, or the directory of one that is output, is missing
//  13  the key is not of the kind that the command needs: a directory, one that is not empty or has
//      something mounted inside, a symbolic link, ...; or
//      some entries were left out, each of which was named, and the rest is done: by import,
//      export, ls or repair
//  14  a condition does not hold: --if-absent, --if-version, an expectation of a batch
//  15  ended by a signal (SIGINT, SIGTERM, SIGHUP) while it worked; the message tells how far it
//      got
//
// The same cause has the same number, whichever command meets it. Commands that only look at what
// holds a store (status, doctor), or at one file of it (dump), do not meet what is amiss with the
// rest of it.
//
// `kvfs check` ends as fsck(8) does: 0 sound, 4 not sound, 8 it could not be checked, 16 usage, 32
// ended by a signal.
// As mount.kvfs, called by mount(8), the program uses mount's own codes: see mount_helper.cc.
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

// The status for an error met while opening or creating a store, while using its keys, or with a
// file that is read or written besides. They differ in what "not found" means.
ExitCode ExitCodeOfStore(ErrorCode code);
ExitCode ExitCodeOfKey(ErrorCode code);
ExitCode ExitCodeOfFile(ErrorCode code);

// The exit status of the program: by its own table, and by fsck(8)'s.
int OwnStatus(ExitCode code);
int FsckStatus(ExitCode code);

}  // namespace kvfs::cli

// How the handlers of FUSE messages end: kvfs's types as the kernel's.
#pragma once

#include <sys/stat.h>

#include "fs/fuse/context.h"

namespace kvfs::fs {

// Owner and permissions as the mount shows them; the control directory's are its own.
struct stat ToStat(const FuseContext& context, const InodeInfo& inode);
fuse_entry_param ToEntry(const FuseContext& context, const InodeInfo& inode);

// Replies. A failed reply to a message that added a reference takes the reference back, since the
// kernel does not know of it.
void ReplyError(fuse_req_t request, const Error& error);
void ReplyDone(fuse_req_t request, const Result<void>& result);
void ReplyAttributes(fuse_req_t request, const Result<InodeInfo>& inode);
void ReplyEntry(fuse_req_t request, const Result<InodeInfo>& inode);

}  // namespace kvfs::fs

// Replies to FUSE messages, and conversions of kvfs's types to libfuse's.
#pragma once

#include <sys/stat.h>

#include "fs/fuse/context.h"

namespace kvfs::fs {

// With owner and permissions as the mount shows them; those of the control directory are unchanged.
struct stat ToStat(const FuseContext& context, const InodeInfo& inode);
fuse_entry_param ToEntry(const FuseContext& context, const InodeInfo& inode);

// Replies. If the reply to a message that added a reference fails, the reference is dropped, since
// the kernel does not know of it.
void ReplyError(fuse_req_t request, const Error& error);
void ReplyDone(fuse_req_t request, const Result<void>& result);
void ReplyAttributes(fuse_req_t request, const Result<InodeInfo>& inode);
void ReplyEntry(fuse_req_t request, const Result<InodeInfo>& inode);

}  // namespace kvfs::fs

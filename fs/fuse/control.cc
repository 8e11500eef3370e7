// Refusals are EPERM, even for root. Each lookup makes a new snapshot, whose attributes never
// change.
#include "fs/fuse/control.h"

#include <cerrno>
#include <vector>

#include "fs/fuse/replies.h"

namespace kvfs::fs {
namespace {

// The handlers of everything else.
const fuse_lowlevel_ops& Plain() {
  static const fuse_lowlevel_ops operations = MakeFuseOperations({.extended_attributes = true});
  return operations;
}

bool IsControl(fuse_ino_t inode) { return ControlDirectory::Owns(inode); }

void Refuse(fuse_req_t request) { fuse_reply_err(request, EPERM); }

void LookUpDirectory(fuse_req_t request, fuse_ino_t parent, const char* name) {
  FuseContext& context = ContextOf(request, MessageKind::kLookup);
  const auto users = context.file_system.Lookup(parent, name);
  if (users || users.error().code != ErrorCode::kNotFound) {
    return ReplyEntry(request, users);
  }
  const fuse_entry_param entry =
      ToEntry(context, context.control.Directory(context.file_system.Now()));
  fuse_reply_entry(request, &entry);
}

void LookUpFile(fuse_req_t request, const char* name) {
  FuseContext& context = ContextOf(request, MessageKind::kLookup);
  const auto inode = context.control.Lookup(name, context.file_system.Now());
  if (!inode) {
    fuse_reply_err(request, ENOENT);
    return;
  }
  fuse_entry_param entry = ToEntry(context, *inode);
  entry.entry_timeout = 0;
  if (fuse_reply_entry(request, &entry) != 0) context.control.Forget(inode->number, 1);
}

void HandleLookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  if (IsControl(parent)) return LookUpFile(request, name);
  if (ContextBehind(request).control.IsNamed(parent, name)) {
    return LookUpDirectory(request, parent, name);
  }
  Plain().lookup(request, parent, name);
}

void HandleForget(fuse_req_t request, fuse_ino_t inode, uint64_t count) {
  if (!IsControl(inode)) return Plain().forget(request, inode, count);
  ContextBehind(request).control.Forget(inode, count);
  fuse_reply_none(request);
}

// The file system ignores unknown numbers.
void HandleForgetMulti(fuse_req_t request, size_t count, fuse_forget_data* forgets) {
  for (size_t i = 0; i < count; ++i) {
    if (IsControl(forgets[i].ino)) {
      ContextBehind(request).control.Forget(forgets[i].ino, forgets[i].nlookup);
    }
  }
  Plain().forget_multi(request, count, forgets);
}

void HandleGetattr(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  if (!IsControl(inode)) return Plain().getattr(request, inode, file);
  FuseContext& context = ContextOf(request, MessageKind::kGetattr);
  const auto found = context.control.Find(inode);
  if (!found) {
    fuse_reply_err(request, ESTALE);
    return;
  }
  ReplyAttributes(request, Result<InodeInfo>(*found));
}

void HandleRead(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                fuse_file_info* file) {
  if (!IsControl(inode)) return Plain().read(request, inode, size, offset, file);
  FuseContext& context = ContextOf(request, MessageKind::kRead);
  std::vector<char> buffer(size);
  const size_t count = context.control.Read(inode, static_cast<uint64_t>(offset),
                                            std::as_writable_bytes(std::span(buffer)));
  fuse_reply_buf(request, buffer.data(), count);
}

// Names only: attributes need a lookup, which makes a snapshot.
void List(fuse_req_t request, size_t size, off_t offset, bool is_plus) {
  const FuseContext& context =
      ContextOf(request, is_plus ? MessageKind::kReaddirplus : MessageKind::kReaddir);
  std::vector<std::string> names = {".", ".."};
  for (const ControlFile& file : context.control.files()) names.push_back(file.name);
  std::vector<char> buffer(size);
  size_t used = 0;
  for (auto i = static_cast<size_t>(offset); i < names.size(); ++i) {
    fuse_entry_param entry = {};
    entry.attr.st_ino = ControlDirectory::kNumber;
    entry.attr.st_mode = i < 2 ? S_IFDIR : S_IFREG;
    char* const at = buffer.data() + used;
    const auto next = static_cast<off_t>(i + 1);
    const size_t length =
        is_plus ? fuse_add_direntry_plus(request, at, size - used, names[i].c_str(), &entry, next)
                : fuse_add_direntry(request, at, size - used, names[i].c_str(), &entry.attr, next);
    if (length > size - used) break;
    used += length;
  }
  fuse_reply_buf(request, buffer.data(), used);
}

void HandleReaddir(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                   fuse_file_info* file) {
  if (!IsControl(inode)) return Plain().readdir(request, inode, size, offset, file);
  List(request, size, offset, /*is_plus=*/false);
}

void HandleReaddirplus(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                       fuse_file_info* file) {
  if (!IsControl(inode)) return Plain().readdirplus(request, inode, size, offset, file);
  List(request, size, offset, /*is_plus=*/true);
}

// Wraps a handler whose second argument is the inode, or the directory, that it would change.
template <auto kHandler, typename... Rest>
void RefuseControl(fuse_req_t request, fuse_ino_t inode, Rest... rest) {
  if (IsControl(inode)) return Refuse(request);
  (Plain().*kHandler)(request, inode, rest...);
}

void HandleRename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
                  const char* new_name, unsigned flags) {
  if (IsControl(parent) || IsControl(new_parent)) return Refuse(request);
  Plain().rename(request, parent, name, new_parent, new_name, flags);
}

void HandleSymlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  if (IsControl(parent)) return Refuse(request);
  Plain().symlink(request, target, parent, name);
}

void HandleLink(fuse_req_t request, fuse_ino_t inode, fuse_ino_t parent, const char* name) {
  if (IsControl(inode) || IsControl(parent)) return Refuse(request);
  Plain().link(request, inode, parent, name);
}

void HandleCopyFileRange(fuse_req_t request, fuse_ino_t from, off_t from_offset,
                         fuse_file_info* from_file, fuse_ino_t to, off_t to_offset,
                         fuse_file_info* to_file, size_t length, int flags) {
  if (IsControl(from) || IsControl(to)) return Refuse(request);
  Plain().copy_file_range(request, from, from_offset, from_file, to, to_offset, to_file, length,
                          flags);
}

// Files of the control directory have no holes.
void HandleSeek(fuse_req_t request, fuse_ino_t inode, off_t offset, int whence,
                fuse_file_info* file) {
  if (!IsControl(inode)) return Plain().lseek(request, inode, offset, whence, file);
  fuse_reply_err(request, EINVAL);
}

// They have no extended attributes.
template <auto kHandler, typename... Rest>
void WithoutXattrs(fuse_req_t request, fuse_ino_t inode, Rest... rest) {
  if (!IsControl(inode)) return (Plain().*kHandler)(request, inode, rest...);
  fuse_reply_err(request, EOPNOTSUPP);
}

}  // namespace

void AddControlOperations(const MountOptions& options, fuse_lowlevel_ops& operations) {
  using Ops = fuse_lowlevel_ops;
  operations.lookup = HandleLookup;
  operations.forget = HandleForget;
  operations.forget_multi = HandleForgetMulti;
  operations.getattr = HandleGetattr;
  operations.read = HandleRead;
  operations.readdir = HandleReaddir;
  operations.readdirplus = HandleReaddirplus;
  operations.rename = HandleRename;
  operations.symlink = HandleSymlink;
  operations.setattr = RefuseControl<&Ops::setattr>;
  operations.write = RefuseControl<&Ops::write>;
  operations.mknod = RefuseControl<&Ops::mknod>;
  operations.create = RefuseControl<&Ops::create>;
  operations.mkdir = RefuseControl<&Ops::mkdir>;
  operations.unlink = RefuseControl<&Ops::unlink>;
  operations.rmdir = RefuseControl<&Ops::rmdir>;
  operations.fallocate = RefuseControl<&Ops::fallocate>;
  operations.link = HandleLink;
  operations.copy_file_range = HandleCopyFileRange;
  operations.lseek = HandleSeek;
  if (!options.extended_attributes) return;
  operations.getxattr = WithoutXattrs<&Ops::getxattr>;
  operations.listxattr = WithoutXattrs<&Ops::listxattr>;
  operations.setxattr = WithoutXattrs<&Ops::setxattr>;
  operations.removexattr = WithoutXattrs<&Ops::removexattr>;
}

}  // namespace kvfs::fs

// Messages that list directories. FileSystem chooses the entries of a page; here they are packed.
#include <vector>

#include "fs/fuse/operations.h"
#include "fs/fuse/replies.h"

namespace kvfs::fs {
namespace {

// Sizes as libfuse packs them: a fixed part and the name, rounded up to 8.
constexpr size_t kPlainHeaderBytes = 24;
constexpr size_t kPlusHeaderBytes = 152;

template <size_t kHeaderBytes>
size_t PackedBytes(size_t name_bytes) {
  return (kHeaderBytes + name_bytes + 7) / 8 * 8;
}

class Packer {
 public:
  Packer(fuse_req_t request, size_t size) : request_(request), buffer_(size) {}

  void Add(const DirectoryEntry& entry) {
    const struct stat attributes = ToStat(ContextBehind(request_), entry.inode);
    used_ += fuse_add_direntry(request_, end(), room(), entry.name.c_str(), &attributes,
                               static_cast<off_t>(entry.next_offset));
  }

  void AddPlus(const DirectoryEntry& entry) {
    fuse_entry_param parameters = ToEntry(ContextBehind(request_), entry.inode);
    if (!entry.IsReferable()) parameters.ino = 0;
    used_ += fuse_add_direntry_plus(request_, end(), room(), entry.name.c_str(), &parameters,
                                    static_cast<off_t>(entry.next_offset));
  }

  int Reply() { return fuse_reply_buf(request_, buffer_.data(), used_); }

 private:
  char* end() { return buffer_.data() + used_; }
  size_t room() const { return buffer_.size() - used_; }

  fuse_req_t request_;
  std::vector<char> buffer_;
  size_t used_ = 0;
};

void HandleReaddir(fuse_req_t request, fuse_ino_t directory, size_t size, off_t offset,
                   fuse_file_info*) {
  FuseContext& context = ContextOf(request, MessageKind::kReaddir);
  const PageLimit limit = {size, PackedBytes<kPlainHeaderBytes>};
  const auto page =
      context.file_system.ListDirectory(directory, static_cast<uint64_t>(offset), limit);
  if (!page) return ReplyError(request, page.error());
  Packer packer(request, size);
  for (const DirectoryEntry& entry : *page) packer.Add(entry);
  packer.Reply();
}

void ForgetAll(FileSystem& file_system, const std::vector<DirectoryEntry>& page) {
  for (const DirectoryEntry& entry : page) {
    if (entry.IsReferable()) file_system.Forget(entry.inode.number, 1);
  }
}

void HandleReaddirplus(fuse_req_t request, fuse_ino_t directory, size_t size, off_t offset,
                       fuse_file_info*) {
  FuseContext& context = ContextOf(request, MessageKind::kReaddirplus);
  const PageLimit limit = {size, PackedBytes<kPlusHeaderBytes>};
  const auto page =
      context.file_system.ListDirectoryPlus(directory, static_cast<uint64_t>(offset), limit);
  if (!page) return ReplyError(request, page.error());
  Packer packer(request, size);
  for (const DirectoryEntry& entry : *page) packer.AddPlus(entry);
  if (packer.Reply() != 0) ForgetAll(context.file_system, *page);
}

}  // namespace

void AddDirectoryOperations(fuse_lowlevel_ops& operations) {
  operations.readdir = HandleReaddir;
  operations.readdirplus = HandleReaddirplus;
}

}  // namespace kvfs::fs

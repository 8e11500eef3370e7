// A kernel's side of the conversation without a kernel: it sends raw FUSE messages, one at a time,
// over a socket pair to a session with the handlers that a mount has, and keeps the books that the
// kernel keeps: how often it was told of each inode.
//
// What a handler answers is read before the call returns, so nothing here needs a thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/file_system.h"
#include "fs/fuse/control_directory.h"

namespace kvfs::fs {

class FakeKernel {
 public:
  // Greets the session (FUSE_INIT). `file_system` must live longer.
  explicit FakeKernel(FileSystem& file_system);
  ~FakeKernel();

  FakeKernel(const FakeKernel&) = delete;
  FakeKernel& operator=(const FakeKernel&) = delete;

  // These return the inode that the answer tells of; 0 for an error, and for an absent name.
  InodeNumber Lookup(std::string_view name, InodeNumber parent = kRootInode);
  InodeNumber Create(std::string_view name, InodeNumber parent = kRootInode);
  InodeNumber CreateUnnamed(InodeNumber parent = kRootInode);
  InodeNumber Mknod(std::string_view name, InodeNumber parent = kRootInode);
  InodeNumber Mkdir(std::string_view name, InodeNumber parent = kRootInode);
  InodeNumber Symlink(std::string_view name, std::string_view target);
  InodeNumber Link(InodeNumber inode, std::string_view name);
  // The answer's error, 0 if there is none.
  int Unlink(std::string_view name);
  int Rmdir(std::string_view name);
  int Rename(std::string_view from, std::string_view to, uint32_t flags = 0);
  int Getattr(InodeNumber inode);
  int Allocate(InodeNumber inode, uint64_t length);
  // Of any message: what follows its header is `body`.
  int ErrorOf(uint32_t opcode, InodeNumber inode, std::vector<std::byte> body) {
    return Ask(opcode, inode, std::move(body)).error;
  }
  // Lists the directory with attributes, in pages of `page_bytes`; returns how many names there
  // were, the dots among them.
  size_t ListPlus(InodeNumber directory, uint32_t page_bytes = 4096);

  // Of each inode in the books, one reference by a message of its own.
  void ForgetOne();
  // All that is left of each: by a message for each, or by one for all.
  void ForgetSingly();
  void ForgetTogether();
  // More than once was told of one.
  void ForgetTooOften(InodeNumber inode);

  // Who sends the next message is interrupted while it is answered.
  void InterruptNext();

  // The answer to the next message does not arrive, because who asked was killed.
  void LoseNextReply();

  const std::map<InodeNumber, uint64_t>& told() const { return told_; }
  const ControlDirectory& control() const;

 private:
  struct Session;
  struct Answer {
    int error = 0;
    std::vector<std::byte> body;
  };
  Answer Ask(uint32_t opcode, InodeNumber inode, std::vector<std::byte> body);
  InodeNumber AskForEntry(uint32_t opcode, InodeNumber inode, std::vector<std::byte> body);
  void Note(InodeNumber inode);
  void SendForget(InodeNumber inode, uint64_t count);

  std::unique_ptr<Session> session_;
  std::map<InodeNumber, uint64_t> told_;  // without what was forgotten
  uint64_t next_id_ = 1;
};

}  // namespace kvfs::fs

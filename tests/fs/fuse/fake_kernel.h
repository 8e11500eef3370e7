// Plays the kernel's role without a kernel: sends raw FUSE messages, one at a time, over a socket
// pair to a session with the handlers of a mount, and keeps the kernel's lookup count of each
// inode.
//
// The reply is read before each call returns, so no thread is needed.
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
  // Initializes the session (FUSE_INIT). `file_system` must outlive it.
  explicit FakeKernel(FileSystem& file_system);
  ~FakeKernel();

  FakeKernel(const FakeKernel&) = delete;
  FakeKernel& operator=(const FakeKernel&) = delete;

  // These return the inode in the reply; 0 for an error, and for an absent name.
  InodeNumber Lookup(std::string_view name, InodeNumber parent = kRootInode);
  InodeNumber Create(std::string_view name, InodeNumber parent = kRootInode);
  InodeNumber CreateUnnamed(InodeNumber parent = kRootInode);
  InodeNumber Mknod(std::string_view name, InodeNumber parent = kRootInode);
  InodeNumber Mkdir(std::string_view name, InodeNumber parent = kRootInode);
  InodeNumber Symlink(std::string_view name, std::string_view target);
  InodeNumber Link(InodeNumber inode, std::string_view name);
  // The reply's error, 0 if there is none.
  int Unlink(std::string_view name);
  int Rmdir(std::string_view name);
  int Rename(std::string_view from, std::string_view to, uint32_t flags = 0);
  int Getattr(InodeNumber inode);
  int Allocate(InodeNumber inode, uint64_t length);
  // For any message: `body` follows its header.
  int ErrorOf(uint32_t opcode, InodeNumber inode, std::vector<std::byte> body) {
    return Ask(opcode, inode, std::move(body)).error;
  }
  // Lists the directory with attributes, in pages of `page_bytes`; returns the number of names,
  // including the dots.
  size_t ListPlus(InodeNumber directory, uint32_t page_bytes = 4096);

  // Drops one reference of each counted inode, with a message each.
  void ForgetOne();
  // Drops all remaining references: with a message each, or with one for all.
  void ForgetSingly();
  void ForgetTogether();
  // Whether any inode has a count above one.
  void ForgetTooOften(InodeNumber inode);

  // The sender of the next message is interrupted while it is processed.
  void InterruptNext();

  // The reply to the next message is not delivered, because the sender was killed.
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
  std::map<InodeNumber, uint64_t> told_;  // without forgotten ones
  uint64_t next_id_ = 1;
};

}  // namespace kvfs::fs

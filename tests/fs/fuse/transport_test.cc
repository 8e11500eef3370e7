// The changes to messages between libfuse and the kernel, over a socket pair in place of /dev/fuse.
#include "fs/fuse/transport.h"

#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

namespace kvfs::fs {
namespace {

constexpr uint32_t kTmpfile = 51;
constexpr uint32_t kKillprivV2 = 1u << 28;
constexpr uint32_t kWriteKillSuidgid = 1u << 2;
constexpr uint32_t kSetattrKillSuidgid = 1u << 11;
constexpr uint64_t kInitId = 2;

class Transport : public testing::Test {
 protected:
  Transport() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets_.data()), 0);
  }
  ~Transport() override {
    close(sockets_[0]);
    close(sockets_[1]);
  }

  // What libfuse receives for a message from the kernel.
  std::string Arriving(uint32_t opcode, uint64_t id, const std::string& body) {
    fuse_in_header header = {};
    header.opcode = opcode;
    header.unique = id;
    const std::string message = std::string(reinterpret_cast<char*>(&header), sizeof header) + body;
    EXPECT_EQ(write(sockets_[1], message.data(), message.size()),
              static_cast<ssize_t>(message.size()));
    std::string read(4096, '\0');
    read.resize(static_cast<size_t>(transport_.Read(sockets_[0], read.data(), read.size())));
    return read;
  }
  uint32_t OpcodeOf(const std::string& message) {
    fuse_in_header header;
    std::memcpy(&header, message.data(), sizeof header);
    return header.opcode;
  }

  void ArriveInit(uint32_t offers) {
    fuse_init_in init = {};
    init.flags = offers;
    Arriving(FUSE_INIT, kInitId, std::string(reinterpret_cast<char*>(&init), sizeof init));
  }
  void ArriveWrite(uint32_t flags) {
    fuse_write_in write = {};
    write.write_flags = flags;
    Arriving(FUSE_WRITE, 7, std::string(reinterpret_cast<char*>(&write), sizeof write));
  }
  void ArriveSetattr(uint32_t valid) {
    fuse_setattr_in set = {};
    set.valid = valid;
    Arriving(FUSE_SETATTR, 7, std::string(reinterpret_cast<char*>(&set), sizeof set));
  }
  // The flags that reach the kernel when libfuse replies with `flags`.
  uint32_t Leaving(uint64_t id, uint32_t flags, int32_t error = 0) {
    fuse_out_header header = {};
    header.unique = id;
    header.error = error;
    fuse_init_out reply = {};
    reply.flags = flags;
    const iovec parts[] = {{&header, sizeof header}, {&reply, sizeof reply}};
    EXPECT_EQ(transport_.Write(sockets_[0], parts, 2),
              static_cast<ssize_t>(sizeof header + sizeof reply));
    struct {
      fuse_out_header header;
      fuse_init_out reply;
    } written;
    EXPECT_EQ(read(sockets_[1], &written, sizeof written), static_cast<ssize_t>(sizeof written));
    EXPECT_EQ(written.header.unique, id);
    return written.reply.flags;
  }

  FuseTransport transport_;

 private:
  std::array<int, 2> sockets_;
};

TEST_F(Transport, AFileWithoutANameArrivesAsOneWithAnOddName) {
  const std::string message = Arriving(kTmpfile, 7, "body");
  EXPECT_EQ(OpcodeOf(message), uint32_t{FUSE_CREATE});
  EXPECT_EQ(message.substr(sizeof(fuse_in_header)), "body");
}

TEST_F(Transport, OtherMessagesArriveAsTheyAre) {
  EXPECT_EQ(OpcodeOf(Arriving(FUSE_LOOKUP, 7, "name")), uint32_t{FUSE_LOOKUP});
  EXPECT_EQ(OpcodeOf(Arriving(FUSE_CREATE, 7, "name")), uint32_t{FUSE_CREATE});
}

TEST_F(Transport, ErrorsOfTheDeviceAreHandedOn) {
  char message[64];
  EXPECT_EQ(transport_.Read(-1, message, sizeof message), -1);
  EXPECT_EQ(errno, EBADF);
}

TEST_F(Transport, KillprivIsAskedForWhereItIsWantedAndOffered) {
  transport_.WantKillpriv();
  ArriveInit(kKillprivV2 | 1);
  EXPECT_EQ(Leaving(kInitId, 8), kKillprivV2 | 8);
  EXPECT_EQ(Leaving(kInitId + 2, 8), 8u);
  EXPECT_EQ(Leaving(kInitId, 8, -EPROTO), 8u);
}

TEST_F(Transport, KillprivIsNotAskedForOtherwise) {
  ArriveInit(kKillprivV2);
  EXPECT_EQ(Leaving(kInitId, 8), 8u);
  transport_.WantKillpriv();
  ArriveInit(1);
  EXPECT_EQ(Leaving(kInitId, 8), 8u);
}

TEST_F(Transport, WritesAndChangesOfTheSizeTellWhetherSetIdBitsStay) {
  transport_.WantKillpriv();
  ArriveInit(kKillprivV2);
  ArriveWrite(0);
  EXPECT_EQ(transport_.CallerHasFsetid(), true);
  ArriveWrite(kWriteKillSuidgid);
  EXPECT_EQ(transport_.CallerHasFsetid(), false);
  ArriveSetattr(FATTR_SIZE);
  EXPECT_EQ(transport_.CallerHasFsetid(), true);
  ArriveSetattr(FATTR_SIZE | kSetattrKillSuidgid);
  EXPECT_EQ(transport_.CallerHasFsetid(), false);
}

// A change of the owner clears them on files of all users.
TEST_F(Transport, OtherMessagesDoNotTell) {
  transport_.WantKillpriv();
  ArriveInit(kKillprivV2);
  ArriveWrite(0);
  ArriveSetattr(FATTR_UID | kSetattrKillSuidgid);
  EXPECT_EQ(transport_.CallerHasFsetid(), std::nullopt);
  ArriveSetattr(0);
  EXPECT_EQ(transport_.CallerHasFsetid(), std::nullopt);
  Arriving(FUSE_FALLOCATE, 7, std::string(sizeof(fuse_fallocate_in), '\0'));
  EXPECT_EQ(transport_.CallerHasFsetid(), std::nullopt);
}

TEST_F(Transport, AKernelThatWasNotAskedDoesNotTell) {
  ArriveInit(kKillprivV2);
  ArriveWrite(0);
  EXPECT_EQ(transport_.CallerHasFsetid(), std::nullopt);
  transport_.WantKillpriv();
  ArriveInit(1);
  ArriveWrite(0);
  EXPECT_EQ(transport_.CallerHasFsetid(), std::nullopt);
}

}  // namespace
}  // namespace kvfs::fs

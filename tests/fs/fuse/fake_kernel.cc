// Messages are built and parsed with the layouts of <linux/fuse.h>.
#include "tests/fs/fuse/fake_kernel.h"

#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "fs/fuse/control.h"
#include "fs/fuse/operations.h"

namespace kvfs::fs {
namespace {

constexpr uint32_t kOpcodeTmpfile = 51;
constexpr size_t kLargestMessage = 128 << 10;

using Body = std::vector<std::byte>;

void Append(Body& body, const void* bytes, size_t size) {
  const auto* const begin = static_cast<const std::byte*>(bytes);
  body.insert(body.end(), begin, begin + size);
}

template <typename T>
Body BodyOf(const T& fixed) {
  Body body;
  Append(body, &fixed, sizeof fixed);
  return body;
}

// As in the protocol, with a byte 0 at the end.
Body&& WithName(Body&& body, std::string_view name) {
  Append(body, name.data(), name.size());
  body.push_back(std::byte{0});
  return std::move(body);
}

template <typename T>
T Take(const Body& body, size_t offset = 0) {
  T value = {};
  if (offset + sizeof value <= body.size()) {
    std::memcpy(&value, body.data() + offset, sizeof value);
  }
  return value;
}

ssize_t Lose() {
  errno = ENOENT;
  return -1;
}

}  // namespace

// The session and both ends of the socket pair.
struct FakeKernel::Session : FuseContext {
  explicit Session(FileSystem& served)
      : FuseContext{served, {}, {},
                    {},     {}, {".kvfs", {{"config", [] { return std::string("text"); }}}, 0, 0}} {}
  ~Session() {
    if (session != nullptr) fuse_session_destroy(session);
    close(kernel_end);
  }

  void Begin();
  void Serve();

  int kernel_end = -1;  // the session closes its own end
  bool loses_reply = false;
};

void FakeKernel::Session::Begin() {
  std::array<int, 2> ends;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  kernel_end = ends[0];
  fuse_lowlevel_ops operations = MakeFuseOperations(options);
  AddControlOperations(options, operations);
  std::string program = "kvfs";
  char* arguments[] = {program.data(), nullptr};
  fuse_args args = FUSE_ARGS_INIT(1, arguments);
  session =
      fuse_session_new(&args, &operations, sizeof operations, static_cast<FuseContext*>(this));
  fuse_opt_free_args(&args);
  ASSERT_NE(session, nullptr);
  const fuse_custom_io io = {
      .writev =
          [](int device, iovec* parts, int count, void* at) {
            auto& self = static_cast<Session&>(*static_cast<FuseContext*>(at));
            if (std::exchange(self.loses_reply, false)) return Lose();
            return self.transport.Write(device, parts, count);
          },
      .read =
          [](int device, void* message, size_t size, void* at) {
            return static_cast<FuseContext*>(at)->transport.Read(device, message, size);
          },
      .splice_receive = nullptr,
      .splice_send = nullptr,
  };
  ASSERT_EQ(fuse_session_custom_io(session, &io, ends[1]), 0);
}

// One message.
void FakeKernel::Session::Serve() {
  fuse_buf message = {};
  ASSERT_GT(fuse_session_receive_buf(session, &message), 0);
  fuse_session_process_buf(session, &message);
  std::free(message.mem);
}

FakeKernel::FakeKernel(FileSystem& file_system) : session_(std::make_unique<Session>(file_system)) {
  session_->Begin();
  fuse_init_in greeting = {};
  greeting.major = FUSE_KERNEL_VERSION;
  greeting.minor = FUSE_KERNEL_MINOR_VERSION;
  greeting.flags = FUSE_DO_READDIRPLUS | FUSE_BIG_WRITES | FUSE_MAX_PAGES;
  EXPECT_EQ(Ask(FUSE_INIT, 0, BodyOf(greeting)).error, 0);
}

FakeKernel::~FakeKernel() = default;

FakeKernel::Answer FakeKernel::Ask(uint32_t opcode, InodeNumber inode, Body body) {
  fuse_in_header header = {};
  header.len = static_cast<uint32_t>(sizeof header + body.size());
  header.opcode = opcode;
  header.unique = next_id_++;
  header.nodeid = inode;
  Body message = BodyOf(header);
  Append(message, body.data(), body.size());
  EXPECT_EQ(send(session_->kernel_end, message.data(), message.size(), 0),
            static_cast<ssize_t>(message.size()));
  session_->Serve();
  Body reply(kLargestMessage);
  const ssize_t length = recv(session_->kernel_end, reply.data(), reply.size(), MSG_DONTWAIT);
  if (length < 0) return {ENOENT, {}};
  reply.resize(static_cast<size_t>(length));
  const auto answered = Take<fuse_out_header>(reply);
  EXPECT_EQ(answered.unique, header.unique);
  reply.erase(reply.begin(), reply.begin() + sizeof answered);
  return {-answered.error, std::move(reply)};
}

void FakeKernel::Note(InodeNumber inode) {
  if (inode != 0) ++told_[inode];
}

InodeNumber FakeKernel::AskForEntry(uint32_t opcode, InodeNumber inode, Body body) {
  const Answer answer = Ask(opcode, inode, std::move(body));
  if (answer.error != 0) return 0;
  const InodeNumber found = Take<fuse_entry_out>(answer.body).nodeid;
  Note(found);
  return found;
}

InodeNumber FakeKernel::Lookup(std::string_view name, InodeNumber parent) {
  return AskForEntry(FUSE_LOOKUP, parent, WithName({}, name));
}

InodeNumber FakeKernel::Create(std::string_view name, InodeNumber parent) {
  fuse_create_in how = {};
  how.mode = S_IFREG | 0644;
  return AskForEntry(FUSE_CREATE, parent, WithName(BodyOf(how), name));
}

InodeNumber FakeKernel::CreateUnnamed(InodeNumber parent) {
  fuse_create_in how = {};
  how.mode = S_IFREG | 0644;
  return AskForEntry(kOpcodeTmpfile, parent, WithName(BodyOf(how), "/"));
}

InodeNumber FakeKernel::Mknod(std::string_view name, InodeNumber parent) {
  fuse_mknod_in how = {};
  how.mode = S_IFIFO | 0644;
  return AskForEntry(FUSE_MKNOD, parent, WithName(BodyOf(how), name));
}

InodeNumber FakeKernel::Mkdir(std::string_view name, InodeNumber parent) {
  fuse_mkdir_in how = {};
  how.mode = 0755;
  return AskForEntry(FUSE_MKDIR, parent, WithName(BodyOf(how), name));
}

InodeNumber FakeKernel::Symlink(std::string_view name, std::string_view target) {
  return AskForEntry(FUSE_SYMLINK, kRootInode, WithName(WithName({}, name), target));
}

InodeNumber FakeKernel::Link(InodeNumber inode, std::string_view name) {
  return AskForEntry(FUSE_LINK, kRootInode, WithName(BodyOf(fuse_link_in{inode}), name));
}

int FakeKernel::Unlink(std::string_view name) {
  return Ask(FUSE_UNLINK, kRootInode, WithName({}, name)).error;
}

int FakeKernel::Rmdir(std::string_view name) {
  return Ask(FUSE_RMDIR, kRootInode, WithName({}, name)).error;
}

int FakeKernel::Rename(std::string_view from, std::string_view to, uint32_t flags) {
  fuse_rename2_in how = {};
  how.newdir = kRootInode;
  how.flags = flags;
  return Ask(FUSE_RENAME2, kRootInode, WithName(WithName(BodyOf(how), from), to)).error;
}

int FakeKernel::Getattr(InodeNumber inode) {
  return Ask(FUSE_GETATTR, inode, BodyOf(fuse_getattr_in{})).error;
}

int FakeKernel::Allocate(InodeNumber inode, uint64_t length) {
  fuse_fallocate_in how = {};
  how.length = length;
  return Ask(FUSE_FALLOCATE, inode, BodyOf(how)).error;
}

size_t FakeKernel::ListPlus(InodeNumber directory, uint32_t page_bytes) {
  fuse_read_in how = {};
  how.size = page_bytes;
  size_t names = 0;
  while (true) {
    const Answer answer = Ask(FUSE_READDIRPLUS, directory, BodyOf(how));
    if (answer.error != 0 || answer.body.empty()) return names;
    for (size_t at = 0; at < answer.body.size(); ++names) {
      const auto entry = Take<fuse_direntplus>(answer.body, at);
      Note(entry.entry_out.nodeid);
      how.offset = entry.dirent.off;
      at += FUSE_DIRENTPLUS_SIZE(&entry);
    }
  }
}

void FakeKernel::SendForget(InodeNumber inode, uint64_t count) {
  Ask(FUSE_FORGET, inode, BodyOf(fuse_forget_in{count}));
}

void FakeKernel::ForgetOne() {
  for (auto& [inode, count] : told_) {
    SendForget(inode, 1);
    --count;
  }
  std::erase_if(told_, [](const auto& inode) { return inode.second == 0; });
}

void FakeKernel::ForgetSingly() {
  for (const auto& [inode, count] : std::exchange(told_, {})) SendForget(inode, count);
}

void FakeKernel::ForgetTogether() {
  Body body = BodyOf(fuse_batch_forget_in{static_cast<uint32_t>(told_.size()), 0});
  for (const auto& [inode, count] : std::exchange(told_, {})) {
    const fuse_forget_one one = {inode, count};
    Append(body, &one, sizeof one);
  }
  Ask(FUSE_BATCH_FORGET, 0, std::move(body));
}

void FakeKernel::ForgetTooOften(InodeNumber inode) {
  SendForget(inode, UINT64_MAX);
  told_.erase(inode);
}

// An interrupt may arrive before the request it interrupts: libfuse keeps it until then.
void FakeKernel::InterruptNext() {
  const uint64_t id = next_id_ + 1;
  Ask(FUSE_INTERRUPT, 0, BodyOf(fuse_interrupt_in{id}));
}

void FakeKernel::LoseNextReply() { session_->loses_reply = true; }

const ControlDirectory& FakeKernel::control() const { return session_->control; }

}  // namespace kvfs::fs

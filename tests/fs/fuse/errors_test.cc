// Every message that needs the store, with each of its store calls failing in turn: the reply is
// EIO, and the next message is handled as if there had been no failure. Also the error number of
// each error code.
#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "fs/file_system.h"
#include "fs/fuse/errno.h"
#include "store/env/memory_env.h"
#include "tests/fs/failing_store.h"
#include "tests/fs/fuse/fake_kernel.h"

namespace kvfs::fs {
namespace {

using Body = std::vector<std::byte>;

template <typename T>
Body BodyOf(const T& fixed, std::string_view text = {}) {
  Body body(sizeof fixed + text.size());
  std::memcpy(body.data(), &fixed, sizeof fixed);
  if (!text.empty()) std::memcpy(body.data() + sizeof fixed, text.data(), text.size());
  return body;
}

constexpr std::string_view kXattr("user.a\0", 7);

class FuseErrors : public testing::Test {
 protected:
  FuseErrors() {
    EXPECT_TRUE(Store::Create(disk_, "store"));
    real_ = Store::Open(disk_, "store").value();
    store_ = std::make_unique<FailingStore>(*real_);
    fs_ = FileSystem::Open(*store_).value();
    kernel_ = std::make_unique<FakeKernel>(*fs_);
    file_ = kernel_->Create("file");
    other_ = kernel_->Create("other");
    link_ = kernel_->Symlink("link", "target");
    directory_ = kernel_->Mkdir("directory");
    EXPECT_TRUE(fs_->Write(file_, 0, AsBytes(std::string(20'000, 'f')), {0, 0}));
    EXPECT_TRUE(fs_->SetXattr(file_, "user.a", "b", XattrMode::kAny, {0, 0}));
  }

  void ExpectEachErrorTold(const char* name, uint32_t opcode, InodeNumber inode, const Body& body,
                           bool may_look_again = false) {
    for (uint64_t nth = 1; nth < 100; ++nth) {
      SCOPED_TRACE(std::string(name) + ", call " + std::to_string(nth) + " of the store fails");
      store_->FailCall(nth);
      const int error = kernel_->ErrorOf(opcode, inode, body);
      const bool has_failed = store_->HasFailed();
      store_->Heal();
      if (!has_failed) {
        EXPECT_EQ(error, 0);
        EXPECT_GT(nth, 1u);
        return;
      }
      // A read that is retried after a concurrent change hides the error.
      ASSERT_TRUE(error == EIO || (may_look_again && error == 0)) << error;
    }
  }

  MemoryEnv disk_;
  std::unique_ptr<Store> real_;
  std::unique_ptr<FailingStore> store_;
  std::unique_ptr<FileSystem> fs_;
  std::unique_ptr<FakeKernel> kernel_;
  InodeNumber file_ = 0, other_ = 0, link_ = 0, directory_ = 0;
};

TEST_F(FuseErrors, OfContents) {
  fuse_read_in read = {};
  read.size = 4096;
  ExpectEachErrorTold("read", FUSE_READ, file_, BodyOf(read));
  fuse_write_in write = {};
  write.size = 4;
  ExpectEachErrorTold("write", FUSE_WRITE, file_, BodyOf(write, "data"));
  ExpectEachErrorTold("readlink", FUSE_READLINK, link_, {});
  ExpectEachErrorTold("fsync", FUSE_FSYNC, file_, BodyOf(fuse_fsync_in{}));
}

TEST_F(FuseErrors, OfAttributes) {
  ExpectEachErrorTold("getattr", FUSE_GETATTR, file_, BodyOf(fuse_getattr_in{}));
  fuse_setattr_in set = {};
  set.valid = FATTR_MODE | FATTR_SIZE;
  set.mode = S_IFREG | 0600;
  set.size = 30'000;
  ExpectEachErrorTold("setattr", FUSE_SETATTR, file_, BodyOf(set), true);
  ExpectEachErrorTold("statfs", FUSE_STATFS, kRootInode, {});
}

TEST_F(FuseErrors, OfListings) {
  fuse_read_in read = {};
  read.size = 4096;
  ExpectEachErrorTold("readdir", FUSE_READDIR, kRootInode, BodyOf(read));
  ExpectEachErrorTold("readdirplus", FUSE_READDIRPLUS, directory_, BodyOf(read));
}

TEST_F(FuseErrors, OfRanges) {
  fuse_lseek_in seek = {};
  seek.whence = SEEK_HOLE;
  ExpectEachErrorTold("lseek", FUSE_LSEEK, file_, BodyOf(seek));
  fuse_copy_file_range_in copy = {};
  copy.nodeid_out = other_;
  copy.len = 10'000;
  ExpectEachErrorTold("copy", FUSE_COPY_FILE_RANGE, file_, BodyOf(copy));
  fuse_fallocate_in allocate = {};
  allocate.length = 50'000;
  ExpectEachErrorTold("fallocate", FUSE_FALLOCATE, file_, BodyOf(allocate));
}

TEST_F(FuseErrors, OfExtendedAttributes) {
  fuse_getxattr_in get = {};
  get.size = 1000;
  ExpectEachErrorTold("getxattr", FUSE_GETXATTR, file_, BodyOf(get, kXattr), true);
  ExpectEachErrorTold("listxattr", FUSE_LISTXATTR, file_, BodyOf(get), true);
}

TEST(ToErrno, GivesEachCodeANumberAndTellsDamageFromAbsence) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kStale); ++code) {
    EXPECT_GT(ToErrno(static_cast<ErrorCode>(code)), 0) << code;
  }
  EXPECT_EQ(ToErrno(ErrorCode::kCorrupt), EIO);
  EXPECT_EQ(ToErrno(ErrorCode::kIo), EIO);
  EXPECT_EQ(ToErrno(ErrorCode::kNotFound), ENOENT);
  EXPECT_EQ(ToErrno(ErrorCode::kExists), EEXIST);
  EXPECT_EQ(ToErrno(ErrorCode::kInUse), EBUSY);
  EXPECT_EQ(ToErrno(ErrorCode::kUnsupported), EOPNOTSUPP);
  EXPECT_EQ(ToErrno(ErrorCode::kStale), ESTALE);
  EXPECT_EQ(ToErrno(ErrorCode::kTooManyLinks), EMLINK);
}

}  // namespace
}  // namespace kvfs::fs

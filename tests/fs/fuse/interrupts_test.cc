// Long operations stop when the kernel reports that their caller no longer waits.
#include "tests/fs/file_system_fixture.h"
#include "tests/fs/fuse/fake_kernel.h"

namespace kvfs::fs {
namespace {

constexpr uint64_t kTwoPieces = uint64_t{130} << 20;

class Interrupts : public FileSystemFixture {
 protected:
  FakeKernel kernel_{fs()};
};

TEST_F(Interrupts, EndALongAllocationAndLeaveTheSize) {
  const InodeNumber file = kernel_.Create("file");
  kernel_.InterruptNext();
  EXPECT_EQ(kernel_.Allocate(file, kTwoPieces), EINTR);
  EXPECT_EQ(Stat(file).size_bytes, 0u);
  EXPECT_EQ(kernel_.Allocate(file, kTwoPieces), 0);
  EXPECT_EQ(Stat(file).size_bytes, kTwoPieces);
}

TEST_F(Interrupts, DoNotDisturbWhatIsShort) {
  const InodeNumber file = kernel_.Create("file");
  kernel_.InterruptNext();
  EXPECT_EQ(kernel_.Allocate(file, 4096), 0);
  kernel_.InterruptNext();
  EXPECT_EQ(kernel_.Lookup("file"), file);
}

}  // namespace
}  // namespace kvfs::fs

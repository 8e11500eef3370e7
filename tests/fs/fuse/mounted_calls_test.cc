// System calls on a mounted store, for cases in which it is unclear which calls a tool makes.
#include "tests/fs/fuse/mounted_calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace kvfs::fs {
namespace {

TEST_F(MountedCalls, UnlinkedFileStaysReadableWhileOpen) {
  Put("f", "value");
  const Descriptor file(Path("f"), O_RDWR);
  ASSERT_EQ(unlink(Path("f").c_str()), 0);
  EXPECT_EQ(GetFrom(file), "value");
  ASSERT_EQ(pwrite(file, "V", 1, 0), 1);
  EXPECT_EQ(GetFrom(file), "Value");
  struct stat attributes;
  ASSERT_EQ(fstat(file, &attributes), 0);
  EXPECT_EQ(attributes.st_nlink, 0u);
  ASSERT_EQ(ftruncate(file, 2), 0);
  EXPECT_EQ(GetFrom(file), "Va");
  EXPECT_EQ(ErrorOf(access(Path("f").c_str(), F_OK)), ENOENT);
}

TEST_F(MountedCalls, ReplacedFileStaysReadableWhileOpen) {
  Put("a", "new");
  Put("b", "old");
  const Descriptor file(Path("b"), O_RDONLY);
  ASSERT_EQ(rename(Path("a").c_str(), Path("b").c_str()), 0);
  EXPECT_EQ(GetFrom(file), "old");
  EXPECT_EQ(Get("b"), "new");
}

TEST_F(MountedCalls, UnlinkedFilesTakeNoSpaceOnceClosed) {
  const auto entries = [&] { return mounted().CountEntries(); };
  const uint64_t before = entries();
  {
    const Descriptor file(Path("f"), O_RDWR | O_CREAT);
    Append(file, "value");
    ASSERT_EQ(unlink(Path("f").c_str()), 0);
    EXPECT_EQ(entries(), before + 1);
  }
  mounted().TakeMessages();  // waits for the kernel to forget
  EXPECT_EQ(entries(), before);
}

TEST_F(MountedCalls, RemovedWorkingDirectoryIsEmptyAndTakesNoNames) {
  ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0);
  const Descriptor directory(Path("d"), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(rmdir(Path("d").c_str()), 0);
  EXPECT_EQ(ErrorOf(openat(directory, "f", O_CREAT | O_WRONLY, 0644)), ENOENT);
}

TEST_F(MountedCalls, AppendsOfManyThreadsAreAllKept) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const Descriptor file(Path("log"), O_WRONLY | O_CREAT | O_APPEND);
      for (int line = 0; line < 250; ++line) Append(file, "0123456\n");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Run("sort -u $M/log; wc -l < $M/log"), "0123456\n1000\n");
}

TEST_F(MountedCalls, CreationIsExclusive) {
  Put("f", "value");
  EXPECT_EQ(ErrorOf(open(Path("f").c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644)), EEXIST);
  EXPECT_EQ(Get("f"), "value");
}

TEST_F(MountedCalls, SharedMappingsReachTheStore) {
  Put("f", std::string(10'000, 'a'));
  {
    const Descriptor file(Path("f"), O_RDWR);
    void* mapped = mmap(nullptr, 10'000, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ASSERT_NE(mapped, MAP_FAILED);
    std::memset(static_cast<char*>(mapped) + 5000, 'b', 10);
    ASSERT_EQ(munmap(mapped, 10'000), 0);
  }
  mounted().Remount();
  EXPECT_EQ(Run("tr -d a < $M/f; stat -c ' %s' $M/f"), "bbbbbbbbbb 10000\n");
}

TEST_F(MountedCalls, RenameFlagsWork) {
  Put("a", "first");
  Put("b", "second");
  const auto rename_with = [&](const char* from, const char* to, unsigned flags) {
    return renameat2(AT_FDCWD, Path(from).c_str(), AT_FDCWD, Path(to).c_str(), flags);
  };
  EXPECT_EQ(ErrorOf(rename_with("a", "b", RENAME_NOREPLACE)), EEXIST);
  EXPECT_EQ(rename_with("a", "b", RENAME_EXCHANGE), 0);
  EXPECT_EQ(Get("a") + Get("b"), "secondfirst");
  EXPECT_EQ(rename_with("a", "c", RENAME_NOREPLACE), 0);
  EXPECT_EQ(Get("c"), "second");
  EXPECT_EQ(ErrorOf(rename_with("c", "d", RENAME_WHITEOUT)), EINVAL);
}

TEST_F(MountedCalls, TimesAreSetOneByOne) {
  Put("f", "value");
  const timespec only_mtime[] = {{0, UTIME_OMIT}, {-1, 999'999'999}};
  ASSERT_EQ(utimensat(AT_FDCWD, Path("f").c_str(), only_mtime, 0), 0);
  const timespec only_atime[] = {{7, 8}, {0, UTIME_OMIT}};
  ASSERT_EQ(utimensat(AT_FDCWD, Path("f").c_str(), only_atime, 0), 0);
  struct stat attributes;
  ASSERT_EQ(stat(Path("f").c_str(), &attributes), 0);
  EXPECT_EQ(attributes.st_mtim.tv_sec, -1);
  EXPECT_EQ(attributes.st_mtim.tv_nsec, 999'999'999);
  EXPECT_EQ(attributes.st_atim.tv_sec, 7);
  EXPECT_EQ(attributes.st_atim.tv_nsec, 8);
}

TEST_F(MountedCalls, OffsetsFarBeyondTheEndAreHoles) {
  const off_t far = off_t{1} << 41;
  const Descriptor file(Path("f"), O_RDWR | O_CREAT);
  ASSERT_EQ(pwrite(file, "x", 1, far), 1);
  struct stat attributes;
  ASSERT_EQ(fstat(file, &attributes), 0);
  EXPECT_EQ(attributes.st_size, far + 1);
  EXPECT_LT(attributes.st_blocks, 1000);
  char around[2];
  ASSERT_EQ(pread(file, around, 2, far - 1), 2);
  EXPECT_EQ(std::string(around, 2), std::string("\0x", 2));
}

TEST_F(MountedCalls, SizesAreTrueAfterEachCall) {
  const Descriptor file(Path("f"), O_RDWR | O_CREAT);
  const auto size = [&] {
    struct stat attributes;
    EXPECT_EQ(fstat(file, &attributes), 0);
    return attributes.st_size;
  };
  EXPECT_EQ(size(), 0);
  ASSERT_EQ(pwrite(file, "0123456789", 10, 0), 10);
  EXPECT_EQ(size(), 10);
  ASSERT_EQ(ftruncate(file, 3), 0);
  EXPECT_EQ(size(), 3);
  ASSERT_EQ(pwrite(file, "x", 1, 99), 1);
  EXPECT_EQ(size(), 100);
}

std::vector<std::string> NamesFrom(DIR* directory) {
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory)) names.emplace_back(entry->d_name);
  return names;
}

TEST_F(MountedCalls, ListingsGoOnFromATellThatWasTaken) {
  Run("cd $M; seq 2000 | xargs touch");
  DIR* directory = opendir(Path("").c_str());
  for (int i = 0; i < 700; ++i) readdir(directory);
  const long place = telldir(directory);
  const auto rest = NamesFrom(directory);
  EXPECT_EQ(rest.size(), 1302u);
  Run("cd $M; seq 3000 3100 | xargs touch; seq 3000 3100 | xargs rm");
  seekdir(directory, place);
  EXPECT_EQ(NamesFrom(directory), rest);
  rewinddir(directory);
  EXPECT_EQ(NamesFrom(directory).size(), 2002u);
  closedir(directory);
}

TEST_F(MountedCalls, ListingsSurviveDeletionsBetweenTheirPages) {
  Run("cd $M; seq 5000 | xargs touch");
  DIR* directory = opendir(Path("").c_str());
  std::multiset<std::string> listed;
  while (const dirent* entry = readdir(directory)) {
    listed.insert(entry->d_name);
    if (entry->d_name[0] != '.') unlink(Path(entry->d_name).c_str());
  }
  closedir(directory);
  EXPECT_EQ(listed.size(), 5002u);
  EXPECT_EQ(listed.count("4711"), 1u);
  EXPECT_EQ(Run("ls -A $M"), "");
}

TEST_F(MountedCalls, InodeNumbersAgreeEverywhere) {
  Put("f", "value");
  struct stat attributes;
  ASSERT_EQ(stat(Path("f").c_str(), &attributes), 0);
  DIR* directory = opendir(Path("").c_str());
  while (const dirent* entry = readdir(directory)) {
    if (std::string_view(entry->d_name) == "f") {
      EXPECT_EQ(entry->d_ino, attributes.st_ino);
    }
  }
  closedir(directory);
}

TEST_F(MountedCalls, ManyThreadsPutAndGet) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 300; ++j) {
        const std::string name = "f" + std::to_string(i) + "-" + std::to_string(j);
        Put(name, name);
        EXPECT_EQ(Get(name), name);
        if (j % 3 == 0) {
          EXPECT_EQ(unlink(Path(name).c_str()), 0);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Run("ls $M | wc -l"), "800\n");
}

}  // namespace
}  // namespace kvfs::fs

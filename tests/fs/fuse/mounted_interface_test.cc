// Details of the interface that programs rely on: locks, flags of open, mappings, deep paths, and
// the mount with write-back.
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstdlib>
#include <vector>

#include "tests/fs/fuse/mounted_calls.h"

namespace kvfs::fs {
namespace {

using Messages = std::map<std::string, uint64_t>;

class MountedInterface : public MountedCalls {
 protected:
  // Runs `body` in that many processes at once; each must return true.
  template <typename Body>
  void InProcesses(int count, Body body) {
    std::vector<pid_t> children;
    for (int i = 0; i < count; ++i) {
      const pid_t child = fork();
      if (child == 0) _exit(body(i) ? 0 : 1);
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = 0;
      waitpid(child, &status, 0);
      EXPECT_EQ(status, 0);
    }
  }
};

TEST_F(MountedInterface, LocksAreTheKernels) {
  Put("f", "value");
  const Descriptor one(Path("f"), O_RDWR), other(Path("f"), O_RDWR);
  mounted().TakeMessages();
  ASSERT_EQ(flock(one, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(ErrorOf(flock(other, LOCK_EX | LOCK_NB)), EWOULDBLOCK);
  ASSERT_EQ(flock(one, LOCK_UN), 0);
  EXPECT_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_len = 2;
  ASSERT_EQ(fcntl(one, F_OFD_SETLK, &range), 0);
  EXPECT_EQ(ErrorOf(fcntl(other, F_OFD_SETLK, &range)), EAGAIN);
  EXPECT_EQ(mounted().TakeMessages(), Messages{});
}

TEST_F(MountedInterface, RecordLocksKeepProcessesApart) {
  Put("counter", "0000");
  InProcesses(4, [&](int) {
    const int file = open(Path("counter").c_str(), O_RDWR);
    for (int i = 0; i < 50; ++i) {
      if (lockf(file, F_LOCK, 0) != 0) return false;
      char digits[5] = {};
      if (pread(file, digits, 4, 0) != 4) return false;
      const std::string next = std::to_string(10'000 + std::atoi(digits) + 1).substr(1);
      if (pwrite(file, next.data(), 4, 0) != 4 || lockf(file, F_ULOCK, 0) != 0) return false;
      lseek(file, 0, SEEK_SET);
    }
    return close(file) == 0;
  });
  EXPECT_EQ(Get("counter"), "0200");
}

TEST_F(MountedInterface, AppendsOfManyProcessesAreAllKept) {
  InProcesses(4, [&](int i) {
    const int file = open(Path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    const std::string line = "process " + std::to_string(i) + "\n";
    for (int n = 0; n < 200; ++n) {
      if (write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return false;
    }
    return close(file) == 0;
  });
  EXPECT_EQ(Run("sort $M/log | uniq -c | sed 's/^ *//'"),
            "200 process 0\n200 process 1\n200 process 2\n200 process 3\n");
}

TEST_F(MountedInterface, AMappingIsSharedByProcesses) {
  Put("f", std::string(4096, '\0'));
  InProcesses(4, [&](int i) {
    const int file = open(Path("f").c_str(), O_RDWR);
    void* mapped = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) return false;
    std::memset(static_cast<char*>(mapped) + i * 1000, 'a' + i, 10);
    return msync(mapped, 4096, MS_SYNC) == 0;
  });
  mounted().Remount();
  EXPECT_EQ(Run("tr -d '\\0' < $M/f"), "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd");
}

TEST_F(MountedInterface, DirectAndSynchronousFilesWork) {
  const std::string data(8192, 'x');
  {
    const Descriptor direct(Path("d"), O_RDWR | O_CREAT | O_DIRECT);
    Append(direct, data);
    std::string read(8192, '\0');
    EXPECT_EQ(pread(direct, read.data(), read.size(), 0), 8192);
    EXPECT_EQ(read, data);
  }
  mounted().TakeMessages();
  const Descriptor synchronous(Path("s"), O_WRONLY | O_CREAT | O_SYNC);
  Append(synchronous, data);
  EXPECT_EQ(mounted().TakeMessages()["fsync"], 1u);
  EXPECT_EQ(sync_file_range(synchronous, 0, 8192, SYNC_FILE_RANGE_WRITE), 0);
  EXPECT_EQ(fdatasync(synchronous), 0);
  EXPECT_EQ(syncfs(synchronous), 0);
  Run("cmp $M/d $M/s");
}

TEST_F(MountedInterface, PathsAreAsDeepAsTheKernelAllows) {
  Run("cd $M; for i in $(seq 300); do mkdir dir$i; cd dir$i; done; echo deep > file; cat file");
  Run("cd $M; n=$(printf '%0250d' 7); p=.; for i in $(seq 16); do p=$p/$n; mkdir $p; done;"
      " ! mkdir $p/$n");
  Run("rm -rf $M/*; test -z \"$(ls -A $M)\"");
}

TEST_F(MountedInterface, NamesHaveAnyBytes) {
  std::vector<std::string> names = {std::string(255, '\xff'), "\n", " ", "\\", "-rf", "\x80\x81"};
  for (int byte = 1; byte < 256; ++byte) {
    if (byte != '/' && byte != '.') names.push_back(std::string(1, static_cast<char>(byte)));
  }
  for (const std::string& name : names) Put(name, name);
  mounted().Remount();
  for (const std::string& name : names) EXPECT_EQ(Get(name), name);
}

TEST_F(MountedInterface, OpenDirectoriesAreRemovedAndReplaced) {
  Run("mkdir $M/a $M/b $M/c; echo 1 > $M/a/f");
  const Descriptor removed(Path("c"), O_RDONLY | O_DIRECTORY);
  const Descriptor replaced(Path("b"), O_RDONLY | O_DIRECTORY);
  const Descriptor moved(Path("a"), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(rmdir(Path("c").c_str()), 0);
  ASSERT_EQ(rename(Path("a").c_str(), Path("b").c_str()), 0);
  EXPECT_EQ(ErrorOf(openat(removed, "x", O_CREAT | O_WRONLY, 0644)), ENOENT);
  EXPECT_EQ(ErrorOf(openat(replaced, "x", O_CREAT | O_WRONLY, 0644)), ENOENT);
  const int file = openat(moved, "f", O_RDONLY);
  EXPECT_EQ(GetFrom(file), "1\n");
  close(file);
  EXPECT_EQ(Run("ls $M"), "b\n");
}

TEST_F(MountedInterface, TimesAreSetToNowOrLeftOut) {
  Put("f", "value");
  const timespec times[] = {{5, UTIME_OMIT}, {7, 9}};
  ASSERT_EQ(utimensat(AT_FDCWD, Path("f").c_str(), times, 0), 0);
  struct stat attributes;
  ASSERT_EQ(stat(Path("f").c_str(), &attributes), 0);
  EXPECT_NE(attributes.st_atim.tv_sec, 5);
  EXPECT_EQ(attributes.st_mtim.tv_sec, 7);
  EXPECT_EQ(attributes.st_mtim.tv_nsec, 9);
  const timespec now[] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  ASSERT_EQ(utimensat(AT_FDCWD, Path("f").c_str(), now, 0), 0);
  ASSERT_EQ(stat(Path("f").c_str(), &attributes), 0);
  EXPECT_GT(attributes.st_mtim.tv_sec, 7);
}

class MountedWriteback : public MountedInterface {
 protected:
  MountedWriteback() { options_.writeback = true; }
};

TEST_F(MountedWriteback, ManySmallWritesAreFewMessages) {
  {
    const Descriptor file(Path("f"), O_WRONLY | O_CREAT);
    mounted().TakeMessages();
    for (int i = 0; i < 1000; ++i) Append(file, "0123456\n");
    ASSERT_EQ(fsync(file), 0);
    const Messages messages = mounted().TakeMessages();
    EXPECT_LT(messages.at("write"), 100u);
  }
  mounted().Remount();
  EXPECT_EQ(Run("sort -u $M/f; stat -c %s $M/f"), "0123456\n8000\n");
}

TEST_F(MountedWriteback, TimesAndSizesAreRight) {
  Run("echo 1 > $M/f; echo 22 >> $M/f; truncate -s 3 $M/f; touch -d @5 $M/g");
  const std::string before = Run("stat -c '%n %s %y' $M/f $M/g; cat $M/f");
  mounted().Remount();
  EXPECT_EQ(Run("stat -c '%n %s %y' $M/f $M/g; cat $M/f"), before);
}

}  // namespace
}  // namespace kvfs::fs

// File handles of a mount: name_to_handle_at, and open_by_handle_at after the kernel has forgotten
// everything. Runs outside Bazel's sandbox, where root lacks the necessary capability.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/fs/fuse/mounted_calls.h"

namespace kvfs::fs {
namespace {

constexpr int kFiles = 1000;
constexpr int kPerDirectory = 100;

// As made by the kernel; the bytes are opaque.
struct Handle {
  alignas(file_handle) char bytes[sizeof(file_handle) + MAX_HANDLE_SZ];

  file_handle* get() { return reinterpret_cast<file_handle*>(bytes); }
};

class MountedHandles : public MountedCalls {
 protected:
  void SetUp() override {
    MountedFixture::SetUp();
    Put("probe", "probe");
    Handle handle = HandleOf("probe");
    const int file = OpenHandle(handle, O_RDONLY);
    // The kernel opens handles only for processes that may search every directory.
    if (file < 0 && errno == EPERM) GTEST_SKIP() << "needs CAP_DAC_READ_SEARCH";
    close(file);
  }

  Handle HandleOf(const std::string& name) {
    Handle handle = {};
    handle.get()->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    EXPECT_EQ(name_to_handle_at(AT_FDCWD, Path(name).c_str(), handle.get(), &mount, 0), 0)
        << name << ": " << std::strerror(errno);
    return handle;
  }
  int OpenHandle(Handle& handle, int flags) {
    const Descriptor top(Path(""), O_RDONLY | O_DIRECTORY);
    return open_by_handle_at(top, handle.get(), flags | O_CLOEXEC);
  }
  // The content of the file with the handle, or the error.
  std::string Get(Handle& handle) {
    const int file = OpenHandle(handle, O_RDONLY);
    if (file < 0) return std::strerror(errno);
    const std::string content = GetFrom(file);
    close(file);
    return content;
  }
  std::string ErrorOfHandle(Handle& handle) {
    const int file = OpenHandle(handle, O_RDONLY);
    if (file < 0) return std::strerror(errno);
    close(file);
    return "none";
  }
  // The path of the directory with the handle, according to the kernel.
  std::string PathOfDirectory(Handle& handle) {
    const int directory = OpenHandle(handle, O_RDONLY | O_DIRECTORY);
    if (directory < 0) return std::strerror(errno);
    char path[4096];
    const ssize_t length =
        readlink(("/proc/self/fd/" + std::to_string(directory)).c_str(), path, sizeof path);
    close(directory);
    return std::string(path, static_cast<size_t>(std::max<ssize_t>(length, 0)));
  }

  static std::string NameOfFile(int i) {
    return "d" + std::to_string(i / kPerDirectory) + "/f" + std::to_string(i);
  }
  std::vector<Handle> MakeFiles() {
    std::vector<Handle> handles;
    for (int i = 0; i < kFiles; ++i) {
      const std::string name = NameOfFile(i);
      if (i % kPerDirectory == 0) mkdir(Path(name.substr(0, name.find('/'))).c_str(), 0755);
      Put(name, name);
      handles.push_back(HandleOf(name));
    }
    return handles;
  }
};

const std::string kStale = std::strerror(ESTALE);

TEST_F(MountedHandles, AThousandFilesAreOpenedOnAnotherMount) {
  std::vector<Handle> handles = MakeFiles();
  mounted().Remount();
  for (int i = kFiles - 1; i >= 0; --i) EXPECT_EQ(Get(handles[i]), NameOfFile(i));
  mounted().KillAndRemount();
  for (int i = 0; i < kFiles; ++i) EXPECT_EQ(Get(handles[i]), NameOfFile(i));
}

TEST_F(MountedHandles, EachIsStaleOnceItIsRemovedAndNeverAnother) {
  std::vector<Handle> handles = MakeFiles();
  for (int i = 0; i < kFiles; i += 2) EXPECT_EQ(unlink(Path(NameOfFile(i)).c_str()), 0);
  for (int i = 0; i < kFiles; ++i) Put("new" + std::to_string(i), "new");
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kFiles; ++i) {
      EXPECT_EQ(Get(handles[i]), i % 2 == 0 ? kStale : NameOfFile(i));
    }
    mounted().Remount();
  }
}

TEST_F(MountedHandles, TheyFollowRenamesAndLinks) {
  mkdir(Path("d").c_str(), 0755);
  Put("renamed", "renamed");
  Put("linked", "linked");
  Handle renamed = HandleOf("renamed"), linked = HandleOf("linked");
  mounted().Remount();
  ASSERT_EQ(rename(Path("renamed").c_str(), Path("d/other").c_str()), 0);
  ASSERT_EQ(link(Path("linked").c_str(), Path("d/linked").c_str()), 0);
  mounted().Remount();
  EXPECT_EQ(Get(renamed), "renamed");
  EXPECT_EQ(Get(linked), "linked");
  ASSERT_EQ(unlink(Path("linked").c_str()), 0);
  mounted().RemountAfter([](FileSystem& file_system) {
    const auto directory = file_system.Lookup(kRootInode, "d");
    ASSERT_TRUE(
        file_system.Rename(directory->number, "other", kRootInode, "again", RenameMode::kReplace));
  });
  EXPECT_EQ(Get(renamed), "renamed");
  EXPECT_EQ(Get(linked), "linked");
}

TEST_F(MountedHandles, DirectoriesAreWhereTheyAre) {
  Run("mkdir -p $M/a/b/c; echo deep > $M/a/b/c/f");
  Handle c = HandleOf("a/b/c"), top = HandleOf("");
  mounted().Remount();
  EXPECT_EQ(PathOfDirectory(c), Path("a/b/c"));
  EXPECT_EQ(PathOfDirectory(top), Path(""));
  Run("mv $M/a/b $M/b");
  EXPECT_EQ(PathOfDirectory(c), Path("b/c"));
  mounted().Remount();
  EXPECT_EQ(PathOfDirectory(c), Path("b/c"));
  const Descriptor mount(Path(""), O_RDONLY | O_DIRECTORY);
  const int directory = open_by_handle_at(mount, c.get(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int file = openat(directory, "f", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(GetFrom(file), "deep\n");
  close(file);
  close(directory);
  Run("rm -r $M/b");
  EXPECT_EQ(PathOfDirectory(c), kStale);
}

TEST_F(MountedHandles, OneWithoutANameIsOpenedWhileItIsOpen) {
  Put("f", "unlinked");
  Handle handle = HandleOf("f");
  {
    const Descriptor open(Path("f"), O_RDONLY);
    ASSERT_EQ(unlink(Path("f").c_str()), 0);
    EXPECT_EQ(Get(handle), "unlinked");
  }
  EXPECT_EQ(Get(handle), kStale);
}

TEST_F(MountedHandles, WhatIsOpenedCanBeWritten) {
  Put("f", "old");
  Handle handle = HandleOf("f");
  mounted().Remount();
  const int file = OpenHandle(handle, O_WRONLY | O_APPEND);
  Append(file, " and new");
  close(file);
  EXPECT_EQ(MountedCalls::Get("f"), "old and new");
}

TEST_F(MountedHandles, OnesOfAnotherStoreAreStale) {
  Put("f", "here");
  Handle handle = HandleOf("f");
  Mounted other(options_);
  const Descriptor top(other.Path(), O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 100; ++i) {
    const Descriptor file(other.Path("g" + std::to_string(i)), O_WRONLY | O_CREAT);
  }
  EXPECT_EQ(open_by_handle_at(top, handle.get(), O_RDONLY | O_CLOEXEC), -1);
  EXPECT_EQ(errno, ESTALE);
}

}  // namespace
}  // namespace kvfs::fs

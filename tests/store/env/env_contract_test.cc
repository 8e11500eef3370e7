// The guarantees of env.h, checked for both Envs: the real one and the one in memory.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <kvfs/env.h>
#include "store/env/memory_env.h"
#include "tests/support/temporary_directory.h"

namespace kvfs {
namespace {

enum class Kind { kPosix, kMemory };

class EnvContract : public testing::TestWithParam<Kind> {
 protected:
  EnvContract() {
    if (GetParam() == Kind::kMemory) memory_ = std::make_unique<MemoryEnv>();
    env_ = memory_ ? static_cast<Env*>(memory_.get()) : &GetPosixEnv();
    EXPECT_TRUE(env_->CreateDirectory(At("dir")).has_value());
  }

  std::string At(const std::string& name) const {
    return memory_ ? name : directory_.path() + "/" + name;
  }

  std::unique_ptr<File> Create(const std::string& name) {
    auto file = env_->CreateFile(At(name));
    EXPECT_TRUE(file.has_value()) << file.error().message;
    return std::move(*file);
  }

  static void Write(File& file, uint64_t offset, std::string_view text) {
    const auto written = file.Write(offset, AsBytes(text));
    ASSERT_TRUE(written.has_value()) << written.error().message;
  }

  static std::string Read(const File& file, uint64_t offset, size_t length) {
    std::string text(length, '?');
    const auto read = file.Read(offset, std::as_writable_bytes(std::span(text)));
    return read ? text : "failed: " + read.error().message;
  }

  static std::string View(const File& file, uint64_t offset, size_t length) {
    const auto view = file.View(offset, length);
    return view ? std::string(AsText({*view, length})) : "failed: " + view.error().message;
  }

  std::vector<std::string> List(const std::string& name) {
    auto names = env_->ListDirectory(At(name)).value();
    std::ranges::sort(names);
    return names;
  }

  template <typename T>
  static void ExpectRefused(const Result<T>& result, ErrorCode code, const std::string& named) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(static_cast<int>(result.error().code), static_cast<int>(code));
    EXPECT_NE(result.error().message.find(named), std::string::npos) << result.error().message;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<MemoryEnv> memory_;
  Env* env_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Env, EnvContract, testing::Values(Kind::kPosix, Kind::kMemory),
                         [](const auto& tested) {
                           return tested.param == Kind::kPosix ? "Posix" : "Memory";
                         });

TEST_P(EnvContract, WhatIsWrittenIsReadAndViewed) {
  const auto file = Create("dir/file");
  Write(*file, 0, "hello world");
  Write(*file, 6, "there");
  EXPECT_EQ(Read(*file, 0, 11), "hello there");
  EXPECT_EQ(View(*file, 6, 5), "there");
  EXPECT_EQ(file->SizeBytes().value(), 11U);
}

TEST_P(EnvContract, AViewSeesLaterWritesAndStaysValidWhileTheFileGrows) {
  const auto file = Create("dir/file");
  Write(*file, 0, "before");
  const std::byte* view = file->View(0, 6).value();
  for (uint64_t megabyte = 1; megabyte < 40; ++megabyte) Write(*file, megabyte << 20, "x");
  Write(*file, 0, "after!");
  EXPECT_EQ(AsText({view, 6}), "after!");
}

TEST_P(EnvContract, AViewMayLieBehindManyOthers) {
  const auto file = Create("dir/file");
  constexpr uint64_t kFar = 5 * File::kViewWindowBytes + 4096;
  Write(*file, 0, "near");
  Write(*file, kFar, "far");
  EXPECT_EQ(View(*file, 0, 4), "near");
  EXPECT_EQ(View(*file, kFar, 3), "far");
  EXPECT_EQ(View(*file, 2 * File::kViewWindowBytes, 2), std::string(2, '\0'));
}

TEST_P(EnvContract, AGapReadsAsZeros) {
  const auto file = Create("dir/file");
  Write(*file, 100000, "x");
  EXPECT_EQ(Read(*file, 0, 100001), std::string(100000, '\0') + "x");
}

TEST_P(EnvContract, ReadingBeyondTheEndIsRefused) {
  const auto file = Create("dir/file");
  Write(*file, 0, "12345");
  std::string text(6, '?');
  ExpectRefused(file->Read(0, std::as_writable_bytes(std::span(text))), ErrorCode::kIo, "file");
  ExpectRefused(file->View(0, 6), ErrorCode::kIo, "file");
  ExpectRefused(file->View(~uint64_t{0} - 2, 4), ErrorCode::kIo, "file");
}

TEST_P(EnvContract, AllocationExtendsTheFileWithZerosAndKeepsWhatIsThere) {
  const auto file = Create("dir/file");
  Write(*file, 0, "here");
  ASSERT_TRUE(file->Allocate(0, 1 << 20).has_value());
  EXPECT_EQ(file->SizeBytes().value(), 1U << 20);
  EXPECT_EQ(Read(*file, 0, 6), std::string("here\0\0", 6));
  EXPECT_EQ(View(*file, (1 << 20) - 1, 1), std::string(1, '\0'));
  ASSERT_TRUE(file->Allocate(0, 100).has_value());
  EXPECT_EQ(file->SizeBytes().value(), 1U << 20);
}

TEST_P(EnvContract, APunchedHoleReadsAsZerosAndTheSizeStays) {
  const auto file = Create("dir/file");
  Write(*file, 0, std::string(3 * 4096, 'x'));
  const std::byte* view = file->View(4096, 4096).value();
  ASSERT_TRUE(file->PunchHole(4096, 8192).has_value());
  EXPECT_EQ(Read(*file, 4095, 2), std::string("x\0", 2));
  EXPECT_EQ(view[4095], std::byte{0});
  EXPECT_EQ(file->SizeBytes().value(), 3 * 4096U);
  Write(*file, 8192, "again");
  EXPECT_EQ(View(*file, 8192, 5), "again");
}

TEST_P(EnvContract, AShortenedFileHasLostItsEndForGood) {
  const auto file = Create("dir/file");
  Write(*file, 0, std::string(3 * 4096, 'x'));
  ASSERT_TRUE(file->View(8192, 4096));
  ASSERT_TRUE(file->Shorten(4096));
  EXPECT_EQ(file->SizeBytes().value(), 4096U);
  EXPECT_EQ(Read(*file, 4000, 96), std::string(96, 'x'));
  ExpectRefused(file->View(8192, 1), ErrorCode::kIo, "file");
  ASSERT_TRUE(file->Shorten(100000)) << "nothing to cut off";
  EXPECT_EQ(file->SizeBytes().value(), 4096U);
  Write(*file, 12288, "again");
  EXPECT_EQ(View(*file, 8192, 3), std::string(3, '\0'));
  EXPECT_EQ(View(*file, 12288, 5), "again");
}

TEST_P(EnvContract, FilesAreFoundUnderTheirNames) {
  Write(*Create("dir/file"), 0, "kept");
  const auto opened = env_->OpenFile(At("dir/file"));
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(Read(**opened, 0, 4), "kept");
  EXPECT_TRUE(env_->Exists(At("dir/file")).value());
  EXPECT_TRUE(env_->Exists(At("dir")).value());
  EXPECT_FALSE(env_->Exists(At("dir/other")).value());
  EXPECT_FALSE(env_->Exists(At("dir/file/below")).value());
  EXPECT_EQ(List("dir"), std::vector<std::string>{"file"});
}

TEST_P(EnvContract, WhatIsAbsentOrPresentIsRefusedByName) {
  Create("dir/file");
  ExpectRefused(env_->OpenFile(At("dir/none")), ErrorCode::kNotFound, "dir/none");
  ExpectRefused(env_->RemoveFile(At("dir/none")), ErrorCode::kNotFound, "dir/none");
  ExpectRefused(env_->RenameFile(At("dir/none"), At("dir/b")), ErrorCode::kNotFound, "dir/none");
  ExpectRefused(env_->ListDirectory(At("none")), ErrorCode::kNotFound, "none");
  ExpectRefused(env_->SyncDirectory(At("none")), ErrorCode::kNotFound, "none");
  ExpectRefused(env_->CreateFile(At("none/file")), ErrorCode::kNotFound, "none/file");
  ExpectRefused(env_->CreateFile(At("dir/file")), ErrorCode::kExists, "dir/file");
  ExpectRefused(env_->CreateDirectory(At("dir/file")), ErrorCode::kExists, "dir/file");
  ExpectRefused(env_->CreateDirectory(At("dir")), ErrorCode::kExists, "dir");
}

TEST_P(EnvContract, RenamingReplacesAndOpenFilesGoOn) {
  const auto fresh = Create("dir/new");
  const auto old = Create("dir/old");
  Write(*fresh, 0, "new");
  Write(*old, 0, "old");
  ASSERT_TRUE(env_->RenameFile(At("dir/new"), At("dir/old")).has_value());
  EXPECT_EQ(List("dir"), std::vector<std::string>{"old"});
  EXPECT_EQ(Read(**env_->OpenFile(At("dir/old")), 0, 3), "new");
  EXPECT_EQ(Read(*old, 0, 3), "old");
}

TEST_P(EnvContract, ARemovedFileStaysReadableWhileOpen) {
  const auto file = Create("dir/file");
  Write(*file, 0, "still here");
  ASSERT_TRUE(env_->RemoveFile(At("dir/file")).has_value());
  EXPECT_EQ(List("dir"), std::vector<std::string>{});
  EXPECT_EQ(View(*file, 0, 10), "still here");
}

TEST_P(EnvContract, OnlyAnEmptyDirectoryIsRemoved) {
  Create("dir/file");
  ExpectRefused(env_->RemoveDirectory(At("dir")), ErrorCode::kExists, "dir");
  ASSERT_TRUE(env_->RemoveFile(At("dir/file")).has_value());
  ASSERT_TRUE(env_->RemoveDirectory(At("dir")).has_value());
  EXPECT_FALSE(env_->Exists(At("dir")).value());
}

TEST_P(EnvContract, SyncsSucceed) {
  const auto file = Create("dir/file");
  Write(*file, 0, "x");
  EXPECT_TRUE(file->Sync().has_value());
  EXPECT_TRUE(env_->SyncDirectory(At("dir")).has_value());
}

TEST_P(EnvContract, ASecondLockIsRefusedAndNamesTheFirst) {
  const auto first = env_->LockFile(At("dir/lock"), "mount /mnt/kv");
  ASSERT_TRUE(first.has_value());
  ExpectRefused(env_->LockFile(At("dir/lock"), "second"), ErrorCode::kInUse, "(mount /mnt/kv)");
  ASSERT_TRUE((*first)->Describe("elsewhere").has_value());
  ExpectRefused(env_->LockFile(At("dir/lock"), "second"), ErrorCode::kInUse, "(elsewhere)");
}

TEST_P(EnvContract, AReleasedLockCanBeTakenAgain) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(env_->LockFile(At("dir/lock"), "holder").has_value());
  }
}

TEST_P(EnvContract, TheLockFileHasATextWhileHeldAndNoneAfterACleanEnd) {
  const auto text_of = [](File& file) {
    const std::string whole = Read(file, 0, file.SizeBytes().value());
    return whole.substr(0, whole.find('\0'));
  };
  auto lock = env_->LockFile(At("dir/lock"), "a long description of the holder");
  ASSERT_TRUE((*lock)->Describe("short").has_value());
  const auto file = env_->OpenFile(At("dir/lock")).value();
  EXPECT_TRUE(text_of(*file).starts_with("pid "));
  EXPECT_TRUE(text_of(*file).ends_with("\nshort\n"));
  lock->reset();
  EXPECT_EQ(text_of(*file), "");
}

TEST_P(EnvContract, TheDiskHasSpace) {
  const auto space = env_->GetDiskSpace(At("dir")).value();
  EXPECT_GT(space.total_bytes, 0U);
  EXPECT_LE(space.available_bytes, space.total_bytes);
}

// Each thread appends pages and reads all existing ones; under tsan this also shows that windows
// and chunks are created without a race.
TEST_P(EnvContract, ManyThreadsWriteAndViewOneFile) {
  const auto file = Create("dir/file");
  const auto work = [&](uint64_t thread) {
    for (uint64_t round = 0; round < 200; ++round) {
      const uint64_t offset = (round * 4 + thread) * 4096;
      Write(*file, offset, std::string(4096, static_cast<char>('a' + thread)));
      EXPECT_EQ(View(*file, offset, 4096)[4095], static_cast<char>('a' + thread));
    }
  };
  std::vector<std::jthread> threads;
  for (uint64_t thread = 0; thread < 4; ++thread) threads.emplace_back(work, thread);
  threads.clear();
  EXPECT_EQ(file->SizeBytes().value(), 4 * 200 * 4096U);
}

}  // namespace
}  // namespace kvfs

// A damaged store's file as a repair reads it: it is never changed, and missing parts are errors of
// the disk.
#include "store/engine/patched_file.h"

#include <gtest/gtest.h>

#include "store/env/memory_env.h"

namespace kvfs {
namespace {

TEST(PatchedFile, IsNotChanged) {
  MemoryEnv disk;
  auto made = disk.CreateFile("file").value();
  ASSERT_TRUE(made->Write(0, AsBytes("text")));
  PatchedFile file(disk.OpenFile("file").value(), "file");
  const Result<void> refused[] = {file.Write(0, AsBytes("more")), file.Allocate(0, 4096),
                                  file.PunchHole(0, 4), file.Shorten(1)};
  for (const auto& result : refused) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kPermission) << result.error().message;
  }
  std::string text(4, '\0');
  ASSERT_TRUE(made->Read(0, std::as_writable_bytes(std::span(text))));
  EXPECT_EQ(text, "text");
}

TEST(PatchedFile, WhatIsMissingFailsAsADiskDoes) {
  const PatchedFile file(nullptr, "missing");
  std::byte byte{};
  EXPECT_EQ(file.Read(0, {&byte, 1}).error().code, ErrorCode::kIo);
  EXPECT_EQ(file.View(0, 1).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace kvfs

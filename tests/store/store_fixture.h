// A small store on a disk in memory, and helpers for tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "tests/support/small_store.h"

namespace kvfs {

// The error's code; fails the test for a success.
ErrorCode CodeOf(const auto& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorCode::kInvalid : result.error().code;
}

class StoreFixture : public testing::Test {
 protected:
  StoreFixture();

  void Reopen();
  // The batch that `fill` makes.
  Result<void> Apply(const std::function<void(Batch&)>& fill);
  // For entries of the root directory, like the following, unless another one is given.
  Result<void> Write(std::string_view name, uint64_t offset, std::string_view data);
  Result<void> Resize(std::string_view name, uint64_t size);
  // Returns the id of the entry, which must be new.
  uint64_t PutNew(DirectoryId directory, std::string_view name);
  // "error" if there is one.
  std::string Read(std::string_view name, uint64_t offset, size_t length);
  EntryInfo Stat(std::string_view name);
  std::vector<std::string> List(DirectoryId directory = kRootDirectory);

  MemoryEnv env_;
  std::unique_ptr<Store> store_;
};

}  // namespace kvfs

// Creates and removes a test's directory.

#include "tests/support/temporary_directory.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace kvfs {
namespace {

std::string Template() {
  const char* given = std::getenv("TEST_TMPDIR");
  const std::string base =
      given != nullptr ? given : std::filesystem::temp_directory_path().string();
  return base + "/kvfs-test-" + std::string(6, 'X');  // replaced by mkdtemp
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() : path_(Template()) {
  if (::mkdtemp(path_.data()) != nullptr) return;
  std::perror(path_.c_str());
  std::abort();
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace kvfs

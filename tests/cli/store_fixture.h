// A fixture with paths for a store and a mount point, and helpers that use them through the
// program.
//
// However a test ends, it unmounts and waits for the daemon.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cli/program.h"
#include "tests/support/temporary_directory.h"

namespace kvfs::cli {

class StoreFixture : public testing::Test {
 protected:
  StoreFixture();
  ~StoreFixture() override;

  const std::string& directory() const { return directory_.path(); }
  const std::string& store() const { return store_; }
  const std::string& mount_point() const { return mount_point_; }
  // In the same directory as the store.
  std::string Path(const std::string& name) const { return directory() + "/" + name; }

  // Each expects exit status 0, and nothing on standard error.
  void Run(const std::vector<std::string>& arguments, const std::string& input = {});
  std::string Output(const std::vector<std::string>& arguments, const std::string& input = {});
  void Create();
  void Mount();
  void Unmount();
  void Put(const std::string& key, const std::string& value);
  void Shell(const std::string& command);

  void ExpectValue(const std::string& key, const std::string& value);
  // Expects the exit status `status`, and each of `named` on standard error.
  void ExpectFailure(const std::vector<std::string>& arguments, int status,
                     const std::vector<std::string>& named);
  void ExpectMounted(bool mounted);

  // The process that has the store open; fails the test if there is none.
  pid_t DaemonPid();
  // Kills the daemon, and returns once it is gone.
  void KillDaemon();
  // Waits until a daemon in the foreground has mounted the store.
  void AwaitMount();

 private:
  bool IsMounted() const;

  TemporaryDirectory directory_;
  std::string store_;
  std::string mount_point_;
};

}  // namespace kvfs::cli

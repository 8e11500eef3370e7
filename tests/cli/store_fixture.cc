// The fixture's helpers.

#include "tests/cli/store_fixture.h"

#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

#include "cli/mounts/lock_file.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {
namespace {

constexpr std::chrono::milliseconds kPause{5};

// The notice that a command waits, on a busy machine, is not an error.
std::string Complaints(const std::string& err) {
  std::istringstream lines(err);
  std::string kept, line;
  while (std::getline(lines, line)) {
    if (!line.ends_with("seconds at most")) kept += line + "\n";
  }
  return kept;
}

}  // namespace

StoreFixture::StoreFixture()
    : store_(directory_.path() + "/store"), mount_point_(directory_.path() + "/mnt") {
  std::filesystem::create_directory(mount_point_);
}

StoreFixture::~StoreFixture() {
  const auto table = ReadMountTable();
  for (const MountEntry& mount : table.value_or(std::vector<MountEntry>())) {
    if (!mount.mount_point.starts_with(directory() + "/")) continue;
    if (RunKvfs({"unmount", "--lazy", mount.mount_point}).status == 0) continue;
    ::umount2(mount.mount_point.c_str(), MNT_DETACH);
  }
  while (IsHeld(store_)) std::this_thread::sleep_for(kPause);
}

void StoreFixture::Run(const std::vector<std::string>& arguments, const std::string& input) {
  const ProgramRun run = RunKvfs(arguments, input);
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(Complaints(run.err), "");
}

std::string StoreFixture::Output(const std::vector<std::string>& arguments,
                                 const std::string& input) {
  const ProgramRun run = RunKvfs(arguments, input);
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(Complaints(run.err), "");
  return run.out;
}

void StoreFixture::Create() { Run({"create", store_}); }
void StoreFixture::Mount() { Run({"mount", store_, mount_point_}); }
void StoreFixture::Unmount() { Run({"unmount", mount_point_}); }
void StoreFixture::Put(const std::string& key, const std::string& value) {
  Run({"put", store_, key, "--", value});
}

void StoreFixture::Shell(const std::string& command) {
  const ProgramRun run = RunShell("cd '" + mount_point_ + "' && " + command);
  ASSERT_EQ(run.status, 0) << command << ": " << run.err;
}

void StoreFixture::ExpectValue(const std::string& key, const std::string& value) {
  const ProgramRun run = RunKvfs({"get", store_, key});
  EXPECT_EQ(run.status, 0) << run.err;
  // Not EXPECT_EQ, which would print large values in full.
  EXPECT_TRUE(run.out == value) << run.out.size() << " bytes: " << run.out.substr(0, 100);
}

void StoreFixture::ExpectFailure(const std::vector<std::string>& arguments, int status,
                                 const std::vector<std::string>& named) {
  const ProgramRun run = RunKvfs(arguments);
  EXPECT_EQ(run.status, status) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err.rfind("kvfs: ", 0), 0u) << run.err;
  for (const std::string& word : named) {
    EXPECT_NE(run.err.find(word), std::string::npos) << word << " is not in: " << run.err;
  }
}

void StoreFixture::ExpectMounted(bool mounted) { EXPECT_EQ(IsMounted(), mounted); }

pid_t StoreFixture::DaemonPid() {
  const auto holder = ReadHolder(store_);
  EXPECT_TRUE(holder) << "nobody has the store open";
  return holder ? holder->pid : 0;
}

void StoreFixture::KillDaemon() {
  const pid_t pid = DaemonPid();
  ASSERT_GT(pid, 1);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  while (IsHeld(store_)) std::this_thread::sleep_for(kPause);
}

void StoreFixture::AwaitMount() {
  while (!IsMounted()) std::this_thread::sleep_for(kPause);
}

bool StoreFixture::IsMounted() const {
  const auto table = ReadMountTable();
  return table && FindMount(*table, mount_point_).has_value();
}

}  // namespace kvfs::cli

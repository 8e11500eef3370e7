// All of it comes from /proc and a few system calls.
#include "bench/gauges.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "bench/stop.h"

namespace kvfs::bench {
namespace {

constexpr auto kWatchInterval = std::chrono::milliseconds(5);

// The number behind "name:" in a file of lines like that; 0 if there is none.
uint64_t NumberFrom(const char* path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    uint64_t number = 0;
    if (word == name + ":" && file >> number) return number;
  }
  return 0;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

rusage Usage() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage;
}

uint64_t BlocksOf(const std::filesystem::path& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) return 0;
  return static_cast<uint64_t>(status.st_blocks) * 512;
}

}  // namespace

uint64_t WrittenBytes() {
  const uint64_t written = NumberFrom("/proc/self/io", "write_bytes");
  const uint64_t cancelled = NumberFrom("/proc/self/io", "cancelled_write_bytes");
  return written - std::min(written, cancelled);
}

uint64_t PrivateMemoryBytes() { return NumberFrom("/proc/self/status", "RssAnon") * 1024; }

uint64_t PeakResidentBytes() { return static_cast<uint64_t>(Usage().ru_maxrss) * 1024; }

double CpuSeconds() {
  const rusage usage = Usage();
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

double WallSeconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

uint64_t DiskBytes(const std::string& directory) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_directory()) bytes += BlocksOf(entry.path());
  }
  return bytes;
}

void SyncFileSystem(const std::string& directory) {
  const int opened = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0 || ::syncfs(opened) != 0) Stop("cannot sync the file system of " + directory);
  ::close(opened);
}

bool CanDropCaches() { return ::access("/proc/sys/vm/drop_caches", W_OK) == 0; }

void DropCaches(const std::string& directory) {
  SyncFileSystem(directory);
  std::ofstream("/proc/sys/vm/drop_caches") << "3\n";
}

bool CanBecomeRealTime() { return ::geteuid() == 0; }

void BecomeRealTime() {
  const sched_param lowest = {.sched_priority = ::sched_get_priority_min(SCHED_RR)};
  if (::sched_setscheduler(0, SCHED_RR, &lowest) != 0) Stop("cannot get real-time priority");
}

MemoryWatch::MemoryWatch() : at_start_(PrivateMemoryBytes()) {
  thread_ = std::thread([this] {
    for (; !ended_; std::this_thread::sleep_for(kWatchInterval)) Look();
  });
}

MemoryWatch::~MemoryWatch() {
  ended_ = true;
  thread_.join();
}

uint64_t MemoryWatch::PeakBytes() {
  Look();
  return peak_ - std::min(peak_.load(), at_start_);
}

void MemoryWatch::Look() {
  const uint64_t now = PrivateMemoryBytes();
  uint64_t peak = peak_;
  while (now > peak && !peak_.compare_exchange_weak(peak, now)) {
  }
}

}  // namespace kvfs::bench

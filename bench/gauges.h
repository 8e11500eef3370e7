// What a process reads about itself and the disk: bytes written, memory, clocks, space; and how it
// makes the machine ready: an empty page cache, a high priority.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace kvfs::bench {

// Bytes that this process has made dirty in the page cache or written past it, less those whose
// file was gone before they reached the disk (/proc/self/io).
uint64_t WrittenBytes();

// Private memory of this process now, in bytes: what belongs to no file.
uint64_t PrivateMemoryBytes();
// The most memory that was resident, the mapped pages of files included.
uint64_t PeakResidentBytes();

// Processor time of all threads of this process, in seconds.
double CpuSeconds();
double WallSeconds();

// What the files below the directory take on the disk, holes left out.
uint64_t DiskBytes(const std::string& directory);

// Brings all that was written on the directory's file system to the disk.
void SyncFileSystem(const std::string& directory);

// Only root can.
bool CanDropCaches();
// Empties the page cache of what is clean.
void DropCaches(const std::string& directory);

// Only root can.
bool CanBecomeRealTime();
// Lets this process and the threads that it starts run before all that has no such priority. Not
// for more threads that are busy than there are processors: one that spins for a lock would keep
// the one that holds it from running.
void BecomeRealTime();

// Looks at PrivateMemoryBytes some hundred times a second until it is destroyed.
class MemoryWatch {
 public:
  MemoryWatch();
  ~MemoryWatch();
  // The most that was seen, above what there was when the watch began.
  uint64_t PeakBytes();

 private:
  void Look();

  const uint64_t at_start_;
  std::atomic<uint64_t> peak_{0};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace kvfs::bench

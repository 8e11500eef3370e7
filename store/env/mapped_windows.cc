// Mapping windows of a file on demand.

#include "store/env/mapped_windows.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include <kvfs/env.h>
#include "store/env/posix_error.h"

namespace kvfs {
// A mapping that is removed with the object.
struct MappedWindows::Window {
  Window(void* mapped_at, uint64_t length, std::atomic<uint64_t>& faults)
      : mapping{static_cast<std::byte*>(mapped_at), length}, guard(mapped_at, length, faults) {}

  struct Mapping {
    std::byte* address;
    uint64_t length;
    ~Mapping() { ::munmap(address, length); }
  };
  const Mapping mapping;
  GuardedWindow guard;
};

// 256 shards have 512 files; with a quarter of the limit each can have a window, and some several.
uint64_t MappedWindows::WindowBytesWithin(uint64_t address_space_bytes) {
  constexpr uint64_t kShares = 4 * 512;
  return std::clamp(std::bit_floor(address_space_bytes / kShares), File::kLeastViewWindowBytes,
                    File::kViewWindowBytes);
}

uint64_t MappedWindows::WindowBytesNow() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return WindowBytesWithin(~uint64_t{0});
  }
  return WindowBytesWithin(limit.rlim_cur);
}

MappedWindows::~MappedWindows() {
  for (auto& group : groups_) {
    const std::unique_ptr<Group> owned_group(group.load());
    if (!owned_group) continue;
    for (auto& window : *owned_group) delete window.load();
  }
}

MappedWindows::Group& MappedWindows::GroupAt(size_t index) {
  Group* present = groups_[index].load(std::memory_order_acquire);
  if (present != nullptr) return *present;
  auto fresh = std::make_unique<Group>();
  if (groups_[index].compare_exchange_strong(present, fresh.get())) return *fresh.release();
  return *present;
}

MappedWindows::Window* MappedWindows::Find(uint64_t number) const {
  const Group* group = groups_[number / kGroupWindows].load(std::memory_order_acquire);
  if (group == nullptr) return nullptr;
  return (*group)[number % kGroupWindows].load(std::memory_order_acquire);
}

Result<MappedWindows::Window*> MappedWindows::Map(uint64_t number, int descriptor,
                                                  const std::string& path) {
  auto& place = GroupAt(number / kGroupWindows)[number % kGroupWindows];
  void* address = ::mmap(nullptr, window_bytes_, PROT_READ, MAP_SHARED, descriptor,
                         static_cast<off_t>(number * window_bytes_));
  if (address == MAP_FAILED) return PosixError("map", path, errno);
  // A child process would keep the space of removed files.
  ::madvise(address, window_bytes_, MADV_DONTFORK);
  auto fresh = std::make_unique<Window>(address, window_bytes_, faults_);
  Window* present = nullptr;
  if (place.compare_exchange_strong(present, fresh.get())) return fresh.release();
  return present;
}

Result<const std::byte*> MappedWindows::At(uint64_t offset, int descriptor,
                                           const std::string& path) {
  const uint64_t number = offset / window_bytes_;
  if (number >= kGroups * kGroupWindows) {
    return Fail(ErrorCode::kTooLarge, "cannot map " + path + " so far behind its beginning");
  }
  Window* window = Find(number);
  if (window == nullptr) {
    KVFS_ASSIGN(window, Map(number, descriptor, path));
  }
  return window->mapping.address + offset % window_bytes_;
}

Result<void> MappedWindows::Restore(uint64_t offset, uint64_t length, int descriptor,
                                    const std::string& path) {
  if (faults_.load(std::memory_order_relaxed) == 0) return {};
  const auto page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t end = (offset + length + page_bytes - 1) / page_bytes * page_bytes;
  for (uint64_t at = offset / page_bytes * page_bytes; at < end;) {
    const uint64_t step = std::min(end, (at / window_bytes_ + 1) * window_bytes_) - at;
    const bool in_table = at / window_bytes_ < kGroups * kGroupWindows;
    if (Window* window = in_table ? Find(at / window_bytes_) : nullptr) {
      void* address = ::mmap(window->mapping.address + at % window_bytes_, step, PROT_READ,
                             MAP_SHARED | MAP_FIXED, descriptor, static_cast<off_t>(at));
      if (address == MAP_FAILED) return PosixError("map", path, errno);
    }
    at += step;
  }
  return {};
}

}  // namespace kvfs

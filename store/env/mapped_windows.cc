// Mapping windows of a file on demand.

#include "store/env/mapped_windows.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/env/env.h"
#include "store/env/posix_error.h"

namespace kvfs {
namespace {

constexpr uint64_t kWindowBytes = File::kViewWindowBytes;

}  // namespace

struct MappedWindows::Window {
  Window(std::byte* mapped_at, std::atomic<uint64_t>& faults)
      : address(mapped_at), guard(mapped_at, kWindowBytes, faults) {}

  std::byte* address;
  GuardedWindow guard;
};

MappedWindows::~MappedWindows() {
  for (auto& group : groups_) {
    const std::unique_ptr<Group> owned_group(group.load());
    if (!owned_group) continue;
    for (auto& window : *owned_group) {
      if (window.load() == nullptr) continue;
      std::byte* address = window.load()->address;
      delete window.load();
      ::munmap(address, kWindowBytes);
    }
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
  void* address = ::mmap(nullptr, kWindowBytes, PROT_READ, MAP_SHARED, descriptor,
                         static_cast<off_t>(number * kWindowBytes));
  if (address == MAP_FAILED) return PosixError("map", path, errno);
  auto fresh = std::make_unique<Window>(static_cast<std::byte*>(address), faults_);
  Window* present = nullptr;
  auto& place = GroupAt(number / kGroupWindows)[number % kGroupWindows];
  if (place.compare_exchange_strong(present, fresh.get())) return fresh.release();
  fresh.reset();
  ::munmap(address, kWindowBytes);
  return present;
}

Result<const std::byte*> MappedWindows::At(uint64_t offset, int descriptor,
                                           const std::string& path) {
  const uint64_t number = offset / kWindowBytes;
  if (number >= kGroups * kGroupWindows) return PosixError("map", path, EFBIG);
  Window* window = Find(number);
  if (window == nullptr) {
    KVFS_ASSIGN(window, Map(number, descriptor, path));
  }
  return window->address + offset % kWindowBytes;
}

void MappedWindows::Restore(uint64_t offset, uint64_t length, int descriptor) {
  if (faults_.load(std::memory_order_relaxed) == 0) return;
  const auto page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t end = (offset + length + page_bytes - 1) / page_bytes * page_bytes;
  for (uint64_t at = offset / page_bytes * page_bytes; at < end;) {
    const uint64_t step = std::min(end, (at / kWindowBytes + 1) * kWindowBytes) - at;
    const bool in_table = at / kWindowBytes < kGroups * kGroupWindows;
    if (Window* window = in_table ? Find(at / kWindowBytes) : nullptr) {
      ::mmap(window->address + at % kWindowBytes, step, PROT_READ, MAP_SHARED | MAP_FIXED,
             descriptor, static_cast<off_t>(at));
    }
    at += step;
  }
}

}  // namespace kvfs

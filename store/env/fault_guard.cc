// The SIGBUS handler and the list of windows it searches.
//
// Why the search is safe: the window of a faulting address stays registered while its reader reads,
// so its slot does not change. Other slots may change during the search; reading `begin` again
// afterwards detects that.

#include "store/env/fault_guard.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "store/base/mutex.h"

namespace kvfs {

struct FaultSlot {
  std::atomic<uintptr_t> begin{0};
  std::atomic<size_t> length{0};
  std::atomic<std::atomic<uint64_t>*> faults{nullptr};
  std::atomic<int> protection{PROT_READ};
  bool taken = false;  // guarded by Registry::mutex, which this type cannot name
};

namespace {

struct SlotBlock {
  std::array<FaultSlot, 64> slots;
  SlotBlock* next = nullptr;
};

struct Registry {
  Mutex mutex;
  bool installed KVFS_GUARDED_BY(mutex) = false;
  std::atomic<SlotBlock*> first{nullptr};
  struct sigaction previous {};  // written before the handler is installed
  uintptr_t page_bytes = 0;      // written before the handler is installed
};

// Never destroyed: a window may outlive every other static object.
Registry& GetRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

// Read by the handler, which must not run the guard of a function-local static.
std::atomic<Registry*> handler_registry{nullptr};

// A raw system call: mmap(2) may be intercepted by tools that take locks.
bool MapZeros(uintptr_t begin, size_t length, int protection) {
  const long result = ::syscall(SYS_mmap, begin, length, protection,
                                MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);
  return result == static_cast<long>(begin);
}

// Replaces the page, or, if the process has reached its limit of mappings, the whole window.
// Readers compare the count before and after, and must see it change once the zeros are there;
// writers must see it before other bytes can go to the zeros.
bool ReplaceFaulted(const FaultSlot& slot, uintptr_t address, uintptr_t page_bytes) {
  const uintptr_t begin = slot.begin.load();
  const size_t length = slot.length.load();
  std::atomic<uint64_t>* faults = slot.faults.load();
  const int protection = slot.protection.load();
  const bool holds = begin != 0 && address >= begin && address - begin < length;
  if (!holds || slot.begin.load() != begin) return false;
  const bool is_written = (protection & PROT_WRITE) != 0;
  if (is_written) faults->fetch_add(1);
  if (!MapZeros(address & ~(page_bytes - 1), page_bytes, protection) &&
      !MapZeros(begin, length, protection)) {
    return false;
  }
  if (!is_written) faults->fetch_add(1);
  return true;
}

bool ReplaceFaulted(const Registry& registry, uintptr_t address) {
  for (const SlotBlock* block = registry.first.load(); block != nullptr; block = block->next) {
    for (const FaultSlot& slot : block->slots) {
      if (ReplaceFaulted(slot, address, registry.page_bytes)) return true;
    }
  }
  return false;
}

// Passes other faults to the previous handler. Without one, restores the default action, which
// takes effect when the instruction is repeated.
void PassOn(const struct sigaction& previous, int signal, siginfo_t* info, void* context) {
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    ::signal(signal, SIG_DFL);
    if (info->si_code <= 0) ::raise(signal);  // sent by a process: nothing will be repeated
  }
}

void HandleBusError(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const Registry& registry = *handler_registry.load();
  const bool is_fault = info->si_code > 0;  // otherwise a process sent it, and there is no address
  if (!is_fault || !ReplaceFaulted(registry, reinterpret_cast<uintptr_t>(info->si_addr))) {
    PassOn(registry.previous, signal, info, context);
  }
  errno = saved_errno;
}

void InstallLocked(Registry& registry) KVFS_REQUIRES_LOCK(registry.mutex) {
  if (registry.installed) return;
  registry.page_bytes = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  ::sigaction(SIGBUS, nullptr, &registry.previous);
  handler_registry.store(&registry);
  struct sigaction action {};
  action.sa_sigaction = HandleBusError;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
  registry.installed = true;
}

FaultSlot& TakeSlotLocked(Registry& registry) KVFS_REQUIRES_LOCK(registry.mutex) {
  for (SlotBlock* block = registry.first.load(); block != nullptr; block = block->next) {
    for (FaultSlot& slot : block->slots) {
      if (!slot.taken) return slot;
    }
  }
  auto* block = new SlotBlock;
  block->next = registry.first.load();
  registry.first.store(block);
  return block->slots.front();
}

FaultSlot& Register(const void* begin, size_t length, std::atomic<uint64_t>& faults,
                    GuardedWindow::Use use) {
  Registry& registry = GetRegistry();
  const MutexLock lock(registry.mutex);
  InstallLocked(registry);
  FaultSlot& slot = TakeSlotLocked(registry);
  slot.taken = true;
  slot.length.store(length);
  slot.faults.store(&faults);
  slot.protection.store(use == GuardedWindow::Use::kWrite ? PROT_READ | PROT_WRITE : PROT_READ);
  slot.begin.store(reinterpret_cast<uintptr_t>(begin));
  return slot;
}

}  // namespace

GuardedWindow::GuardedWindow(const void* begin, size_t length, std::atomic<uint64_t>& faults,
                             Use use)
    : slot_(Register(begin, length, faults, use)) {}

GuardedWindow::~GuardedWindow() {
  const MutexLock lock(GetRegistry().mutex);
  slot_.begin.store(0);
  slot_.taken = false;
}

}  // namespace kvfs

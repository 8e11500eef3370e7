// For LD_PRELOAD: intercepts calls of the C library, and makes one fail, or all from one on, or
// kills the process there. Only calls that concern the store are counted.
//
//   FAULTS_PATH    what the path of a file must contain for its calls to be counted
//   FAULTS_CALL    the name of the call, as "pwrite"; "new" is an allocation of memory
//   FAULTS_NTH     which of them, counted from 1
//   FAULTS_ERRNO   the error it gives instead of being made; 0: the process is killed there
//   FAULTS_LASTS   set: all later ones fail as well
//   FAULTS_STRUCK  a file that is made when the call has failed
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

namespace {

constexpr const char* kCalls[] = {
    "open",  "pread",     "pwrite", "mmap",   "fallocate", "fdatasync", "fsync",   "fstat",
    "flock", "ftruncate", "rename", "unlink", "mkdir",     "opendir",   "fstatat", "new"};
constexpr size_t kCount = std::size(kCalls);

struct Wanted {
  const char* path = std::getenv("FAULTS_PATH");
  const char* call = std::getenv("FAULTS_CALL");
  const char* struck = std::getenv("FAULTS_STRUCK");
  long nth = std::getenv("FAULTS_NTH") != nullptr ? std::atol(std::getenv("FAULTS_NTH")) : 0;
  int error = std::getenv("FAULTS_ERRNO") != nullptr ? std::atoi(std::getenv("FAULTS_ERRNO")) : 0;
  bool lasts = std::getenv("FAULTS_LASTS") != nullptr;
};

const Wanted& GetWanted() {
  static const Wanted wanted;
  return wanted;
}

std::array<std::atomic<long>, kCount> counts{};

// The thread runs the worker's own code, whose allocations must not fail.
thread_local bool is_own_code = false;

constexpr size_t IndexOf(std::string_view call) {
  size_t index = 0;
  while (index + 1 < kCount && kCalls[index] != call) ++index;
  return index;
}

// Counts the call; true, with errno set, if it must fail.
bool Fails(const char* call) {
  const Wanted& wanted = GetWanted();
  const long count = ++counts[IndexOf(call)];
  if (wanted.call == nullptr || std::strcmp(call, wanted.call) != 0) return false;
  if (count != wanted.nth && !(wanted.lasts && count > wanted.nth)) return false;
  if (wanted.struck != nullptr) {
    const long file = ::syscall(SYS_openat, AT_FDCWD, wanted.struck, O_CREAT | O_CLOEXEC, 0600);
    ::close(static_cast<int>(file));
  }
  if (wanted.error == 0) ::kill(::getpid(), SIGKILL);
  errno = wanted.error;
  return true;
}

bool Concerns(const char* path) {
  const Wanted& wanted = GetWanted();
  return wanted.path != nullptr && path != nullptr && std::strstr(path, wanted.path) != nullptr;
}

bool Fails(const char* call, const char* path) { return Concerns(path) && Fails(call); }

// For a name in a directory.
bool FailsAt(const char* call, int directory, const char* name) {
  const int saved = errno;
  char link[64], path[8192];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
  const ssize_t length = name[0] == '/' ? -1 : ::readlink(link, path, 4096);
  errno = saved;
  if (length <= 0) return Fails(call, name);
  std::snprintf(path + length, sizeof path - static_cast<size_t>(length), "/%s", name);
  return Fails(call, path);
}

bool Fails(const char* call, int descriptor) {
  if (GetWanted().path == nullptr || descriptor < 0) return false;
  const int saved = errno;
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = ::readlink(link, path, sizeof path - 1);
  errno = saved;
  if (length <= 0) return false;
  path[length] = 0;
  return Fails(call, path);
}

template <typename Function>
Function* Real(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

#define FAULTS_REAL(name) static auto* const real = Real(&name, #name)

extern "C" {

// Called by workers, if the shim is loaded.
void FaultsOwnCode(bool own) { is_own_code = own; }

int open(const char* path, int flags, ...) {
  FAULTS_REAL(open);
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return Fails("open", path) ? -1 : real(path, flags, mode);
}

ssize_t pread(int descriptor, void* data, size_t size, off_t offset) {
  FAULTS_REAL(pread);
  return Fails("pread", descriptor) ? -1 : real(descriptor, data, size, offset);
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  FAULTS_REAL(pwrite);
  return Fails("pwrite", descriptor) ? -1 : real(descriptor, data, size, offset);
}

void* mmap(void* at, size_t size, int protection, int flags, int descriptor,
           off_t offset) noexcept {
  FAULTS_REAL(mmap);
  if (descriptor >= 0 && Fails("mmap", descriptor)) return MAP_FAILED;
  return real(at, size, protection, flags, descriptor, offset);
}

int fallocate(int descriptor, int mode, off_t offset, off_t size) {
  FAULTS_REAL(fallocate);
  return Fails("fallocate", descriptor) ? -1 : real(descriptor, mode, offset, size);
}

int fdatasync(int descriptor) {
  FAULTS_REAL(fdatasync);
  return Fails("fdatasync", descriptor) ? -1 : real(descriptor);
}

int fsync(int descriptor) {
  FAULTS_REAL(fsync);
  return Fails("fsync", descriptor) ? -1 : real(descriptor);
}

int fstat(int descriptor, struct stat* status) noexcept {
  FAULTS_REAL(fstat);
  return Fails("fstat", descriptor) ? -1 : real(descriptor, status);
}

int flock(int descriptor, int operation) noexcept {
  FAULTS_REAL(flock);
  return Fails("flock", descriptor) ? -1 : real(descriptor, operation);
}

int ftruncate(int descriptor, off_t size) noexcept {
  FAULTS_REAL(ftruncate);
  return Fails("ftruncate", descriptor) ? -1 : real(descriptor, size);
}

int openat(int directory, const char* path, int flags, ...) {
  FAULTS_REAL(openat);
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return FailsAt("open", directory, path) ? -1 : real(directory, path, flags, mode);
}

int fstatat(int directory, const char* path, struct stat* status, int flags) noexcept {
  FAULTS_REAL(fstatat);
  return FailsAt("fstatat", directory, path) ? -1 : real(directory, path, status, flags);
}

int renameat(int directory, const char* from, int target, const char* to) noexcept {
  FAULTS_REAL(renameat);
  return FailsAt("rename", directory, from) ? -1 : real(directory, from, target, to);
}

int unlinkat(int directory, const char* path, int flags) noexcept {
  FAULTS_REAL(unlinkat);
  return FailsAt("unlink", directory, path) ? -1 : real(directory, path, flags);
}

int mkdirat(int directory, const char* path, mode_t mode) noexcept {
  FAULTS_REAL(mkdirat);
  return FailsAt("mkdir", directory, path) ? -1 : real(directory, path, mode);
}

DIR* fdopendir(int descriptor) {
  FAULTS_REAL(fdopendir);
  return Fails("opendir", descriptor) ? nullptr : real(descriptor);
}

}  // extern "C"

// The program's own allocations, once it has opened a file of the store.
void* operator new(size_t size) {
  static const bool is_wanted =
      GetWanted().call != nullptr && std::strcmp(GetWanted().call, "new") == 0;
  const bool has_begun = counts[IndexOf("open")].load(std::memory_order_relaxed) > 0;
  if (has_begun && !is_own_code && (is_wanted ? Fails("new") : (++counts[IndexOf("new")], false))) {
    throw std::bad_alloc();
  }
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

// Preloaded by tools/coverage: a process that ends by _exit() keeps its counters of branches, too.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

static void end(int status) {
  void (*dump)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "__gcov_dump");
  if (dump) dump();
  syscall(SYS_exit_group, status);
  __builtin_unreachable();
}

void _exit(int status) { end(status); }
void _Exit(int status) { end(status); }

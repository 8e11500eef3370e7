// The first thread waits, with all signals blocked: the worker, which has the caller's mask, gets
// them.

#include "cli/base/ample_stack.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "cli/base/exit_codes.h"

namespace kvfs::cli {
namespace {

// The usual size. Every thread of the program gets as much; only used pages take memory.
constexpr size_t kStackBytes = size_t{8} << 20;
constexpr rlim_t kLeastLimitBytes = rlim_t{1} << 20;

struct Task {
  const std::function<int()>& work;
  int result = 0;
  pid_t process = ::getpid();
};

void* Run(void* argument) {
  Task& task = *static_cast<Task*>(argument);
  task.result = task.work();
  // A child forked by the work continues in this thread, and has no first thread.
  if (::getpid() != task.process) std::exit(task.result);
  return nullptr;
}

bool IsAmple() {
  rlimit stack{};
  return ::getrlimit(RLIMIT_STACK, &stack) != 0 || stack.rlim_cur == RLIM_INFINITY ||
         stack.rlim_cur >= kLeastLimitBytes;
}

bool RunInThread(Task& task) {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  pthread_t thread{};
  const bool is_started = ::pthread_attr_setstacksize(&attributes, kStackBytes) == 0 &&
                          ::pthread_setattr_default_np(&attributes) == 0 &&
                          ::pthread_create(&thread, &attributes, Run, &task) == 0;
  ::pthread_attr_destroy(&attributes);
  if (!is_started) return false;
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::pthread_join(thread, nullptr);
  return true;
}

}  // namespace

int OnAmpleStack(const std::function<int()>& work) {
  if (IsAmple()) return work();
  Task task{work};
  if (RunInThread(task)) return task.result;
  std::fputs(
      "kvfs: the stack limit (ulimit -s) is low, and there is no memory for a larger stack\n",
      stderr);
  return static_cast<int>(ExitCode::kIoFailed);
}

}  // namespace kvfs::cli

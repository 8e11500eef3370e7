// Runs the program's work on a large enough stack, whatever `ulimit -s` says.
//
// The limit bounds the stack of a process's first thread, and is the default for its other threads:
// with too small a stack, a signal would kill the program in the middle of its work. So under a
// small limit the work runs in a thread with an explicit stack size. Before that, program start
// needs some 16 KiB of stack.
#pragma once

#include <functional>

namespace kvfs::cli {

// Runs `work`, and returns its result. Call it before any thread is started. Without memory for a
// stack, returns kIoFailed after a message on standard error.
int OnAmpleStack(const std::function<int()>& work);

}  // namespace kvfs::cli

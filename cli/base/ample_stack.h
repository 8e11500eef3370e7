// The program's work on a stack that is large enough, whatever `ulimit -s` says.
//
// The limit bounds the stack of a process's first thread, and what its other threads get unless
// they are told otherwise: with less than the work takes, the system would end the program by a
// signal in the middle of it. So under a small limit the work is done by a thread with a stack of
// its own. Before that, what the system does to start a program needs some 16 KiB.
#pragma once

#include <functional>

namespace kvfs::cli {

// Runs `work`, and returns what it returns. To be called before there are threads. Ends with
// kIoFailed and a word on standard error where there is no memory for a stack.
int OnAmpleStack(const std::function<int()>& work);

}  // namespace kvfs::cli

// How a process of the benchmark ends that cannot go on: one sentence on standard error, status 1.
//
// Each measurement is a process of its own, so an engine that fails ends no other measurement; the
// code that drives it needs no way to hand errors on.
#pragma once

#include <string>

namespace kvfs::bench {

[[noreturn]] void Stop(const std::string& sentence);

}  // namespace kvfs::bench

// The entry point for libFuzzer: one target per program, chosen at compile time.
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kvfs::fuzz::KVFS_FUZZ_TARGET.run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}

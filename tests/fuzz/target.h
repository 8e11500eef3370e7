// A fuzz target: a parser that gets arbitrary bytes, and the properties that must hold
// nevertheless.
//
// Whatever the input, a target neither crashes, hangs, nor reads out of bounds (which the
// sanitizers detect), and accepted input has the properties that it states with Require. It is
// stateless: the same input has the same effect each time.
//
// Its seeds are bytes as the store writes them, made by the format's encoders. Fuzzing starts from
// them (tools/fuzz), and regression_test runs them, and some thousand mutations of them, in each
// run of the tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/bytes.h>

namespace kvfs::fuzz {

using Input = std::vector<std::byte>;

struct Target {
  std::string_view name;  // the name of its file
  void (*run)(Bytes input);
  std::vector<Input> (*seeds)();
  // Number of mutations in a run of regression_test: about a second's worth.
  int mutations;
};

// Each is in the file of its name.
extern const Target kBranch;
extern const Target kChanges;
extern const Target kContentBlocks;
extern const Target kEntry;
extern const Target kLeaf;
extern const Target kLogSegment;
extern const Target kAllocationMap;
extern const Target kStoreDirectory;
extern const Target kSuperblock;

std::span<const Target* const> AllTargets();
const Target* FindTarget(std::string_view name);  // null if there is none

// Ends the program, like a sanitizer, unless the condition holds.
void Require(bool holds, std::string_view promise);

// Copies, so that a sanitizer detects reads beyond the end; missing bytes are zeros.
Input Resized(Bytes input, size_t size);

// Consumes numbers and pieces from the front of an input; past its end they are zero, or empty.
class InputReader {
 public:
  explicit InputReader(Bytes rest) : rest_(rest) {}
  bool empty() const { return rest_.empty(); }
  uint8_t Byte() { return Number<uint8_t>(); }
  uint16_t Short() { return Number<uint16_t>(); }
  uint64_t Long() { return Number<uint64_t>(); }
  Bytes Take(size_t count) {
    const Bytes taken = rest_.first(count < rest_.size() ? count : rest_.size());
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  Bytes Rest() const { return rest_; }

 private:
  template <typename Integer>
  Integer Number() {
    std::byte bytes[sizeof(Integer)] = {};
    CopyBytes(bytes, Take(sizeof(Integer)));
    return LoadLittle<Integer>(bytes);
  }

  Bytes rest_;
};

}  // namespace kvfs::fuzz

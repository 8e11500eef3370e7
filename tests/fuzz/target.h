// A fuzz target: a parser that is fed bytes that nobody thought of, and what must hold of it all
// the same.
//
// Whatever the input, a target neither crashes, hangs, nor reads out of bounds (the sanitizers see
// to that), and what it accepts keeps the promises that it states with Require. It has no state:
// the same input does the same each time.
//
// Its seeds are what the store itself would write, made by the format's encoders. Fuzzing starts
// from them (tools/fuzz), and regression_test tries them, and some thousand changes of them, in
// each run of the tests.
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
  std::string_view name;  // its file's
  void (*run)(Bytes input);
  std::vector<Input> (*seeds)();
  // Of changed seeds in a run of regression_test: as many as take a second or so.
  int mutations;
};

// Each in the file of its name.
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

// Ends the program, as a sanitizer does, unless the promise holds.
void Require(bool holds, std::string_view promise);

// Copies, so that a sanitizer sees a read beyond the end; what is missing is zeros.
Input Resized(Bytes input, size_t size);

// Takes numbers and pieces off the front of an input; what it has no more is zero, or empty.
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

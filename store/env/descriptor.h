// A file descriptor of the store, whose number is never that of a standard stream.
//
// The system gives a new file the lowest free number. In a process whose standard streams are
// closed that would be 0, 1 or 2, and any code that prints a line would write into the store. So
// all of store/env gets its descriptors here.
#pragma once

#include <array>

namespace kvfs {

// Owns a file descriptor; closes it without reporting errors (important data was synced before).
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.Release()) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int number() const { return number_; }
  // Transfers ownership to the caller.
  int Release();

 private:
  int number_;
};

// While it lives, the numbers of closed standard streams are occupied by a descriptor that can be
// neither read nor written, so writes to these streams by other code have no effect.
class StreamsTaken {
 public:
  StreamsTaken();
  ~StreamsTaken();
  StreamsTaken(const StreamsTaken&) = delete;
  StreamsTaken& operator=(const StreamsTaken&) = delete;

 private:
  std::array<bool, 3> taken_{};
};

// Returns the number, or, if it is a standard stream's, another number for the same file. Negative,
// with errno set, if `number` is negative, or there is no free number.
int MoveAboveStreams(int number);

// Calls `open`, which returns a new descriptor, or -1 with errno set, and ensures that the number
// returned is no standard stream's. Thread-safe.
template <typename Open>
int OpenAboveStreams(const Open& open) {
  const StreamsTaken taken;
  return MoveAboveStreams(open());
}

}  // namespace kvfs

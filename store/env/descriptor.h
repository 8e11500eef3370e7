// A file descriptor of the store's, which is never a standard stream.
//
// The system gives a new file the lowest free number. In a process whose standard streams are
// closed that would be 0, 1 or 2, and whatever in it prints a line would write it into the store.
// So all of store/env gets its descriptors here.
#pragma once

#include <array>

namespace kvfs {

// Owns a file descriptor; closes it without reporting errors (what matters was synced before).
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.Release()) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int number() const { return number_; }
  // Hands it over to the caller.
  int Release();

 private:
  int number_;
};

// As long as it lives, the numbers of closed standard streams are taken, by what can be neither
// read nor written: so what others in the process write to them goes nowhere.
class StreamsTaken {
 public:
  StreamsTaken();
  ~StreamsTaken();
  StreamsTaken(const StreamsTaken&) = delete;
  StreamsTaken& operator=(const StreamsTaken&) = delete;

 private:
  std::array<bool, 3> taken_{};
};

// The number, or, if it is a standard stream's after all, another one for the same file. Below 0,
// with errno set, if `number` was, or there is none.
int MoveAboveStreams(int number);

// Calls `open`, which returns a new descriptor, or -1 with errno set, in a way that its number is
// no standard stream's. Safe from many threads.
template <typename Open>
int OpenAboveStreams(const Open& open) {
  const StreamsTaken taken;
  return MoveAboveStreams(open());
}

}  // namespace kvfs

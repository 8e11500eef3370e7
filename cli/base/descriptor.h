// A file descriptor that closes itself.
#pragma once

#include <unistd.h>

#include <utility>

namespace kvfs::cli {

class Descriptor {
 public:
  Descriptor() = default;
  // Takes over `number`; a negative one means that there is none.
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { Close(); }

  bool valid() const { return number_ >= 0; }
  int number() const { return number_; }

  // Transfers ownership of the descriptor to the caller.
  int Release() { return std::exchange(number_, -1); }
  // Returns false, with errno set, if the last writes failed. Closes in every case.
  bool Close() { return number_ < 0 || ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_ = -1;
};

}  // namespace kvfs::cli

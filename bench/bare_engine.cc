// The floor of a synced put: `pwrite` and `fdatasync` of a record of the same bytes, and nothing
// else. The file has been written before, so that a sync has no metadata to bring to the disk.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "bench/engines.h"
#include "bench/keys.h"
#include "bench/stop.h"

namespace kvfs::bench {
namespace {

void Require(bool success, const char* call) {
  if (!success) Stop(std::string("bare: ") + call + ": " + std::strerror(errno));
}

class BareEngine : public Engine {
 public:
  explicit BareEngine(const EngineOptions& options)
      : record_bytes_(kKeyBytes + options.value_bytes) {
    const std::string path = options.directory + "/records";
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    Require(file_ >= 0, "open");
    // Each thread puts once more, before the clock starts.
    WriteOut((options.operations + 64) * record_bytes_);
  }

  void Put(std::string_view key, std::string_view value) override {
    thread_local std::string record;
    record.assign(key).append(value);
    const uint64_t offset = records_.fetch_add(1) * record_bytes_;
    const ssize_t written =
        ::pwrite(file_, record.data(), record.size(), static_cast<off_t>(offset));
    Require(written == static_cast<ssize_t>(record.size()), "pwrite");
    Require(::fdatasync(file_) == 0, "fdatasync");
  }

  void Close() override { Require(::close(file_) == 0, "close"); }

 private:
  void WriteOut(uint64_t bytes) {
    const std::string zeros(size_t{1} << 20, '\0');
    for (uint64_t offset = 0; offset < bytes; offset += zeros.size()) {
      const ssize_t written =
          ::pwrite(file_, zeros.data(), zeros.size(), static_cast<off_t>(offset));
      Require(written == static_cast<ssize_t>(zeros.size()), "pwrite");
    }
    Require(::fsync(file_) == 0, "fsync");
  }

  const size_t record_bytes_;
  int file_ = -1;
  std::atomic<uint64_t> records_{0};
};

}  // namespace

std::unique_ptr<Engine> OpenBare(const EngineOptions& options) {
  return std::make_unique<BareEngine>(options);
}

}  // namespace kvfs::bench

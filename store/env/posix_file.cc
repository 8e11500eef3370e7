// File access by system calls; errors become error codes here.
#include "store/env/posix_file.h"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "store/env/untrue_cache.h"

namespace kvfs {
namespace {

constexpr size_t kZerosBytes = size_t{1} << 20;
constexpr uint64_t kSystemPageBytes = 4096;
// Above this the system call costs less than the page faults of the mapping.
constexpr size_t kMaxMappedWrite = size_t{32} << 10;

// STATX_MNT_ID_UNIQUE (Linux 6.8), missing in older C libraries: an id that no other mount gets
// until the next boot.
constexpr unsigned kUniqueMountId = 0x4000;

// Repeats fallocate(2) when a signal interrupts it; returns 0 or an errno.
int TryAllocate(int descriptor, int mode, uint64_t offset, uint64_t length) {
  while (::fallocate(descriptor, mode, static_cast<off_t>(offset), static_cast<off_t>(length)) !=
         0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

// An id of the current boot; empty if unknown.
std::string BootId() {
  const auto file = OpenDescriptor("/proc/sys/kernel/random/boot_id", O_RDONLY, "open");
  char text[64];
  const ssize_t length = file ? ::read(file->number(), text, sizeof text) : 0;
  const std::string_view read(text, static_cast<size_t>(std::max<ssize_t>(length, 0)));
  return std::string(read.substr(0, read.find('\n')));
}

// Whether a change that failed with this errno has left the file's data unchanged: the disk is
// full, or the process lacks permission or resources. After other errors the contents are in doubt.
bool LeavesNothingInDoubt(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case EAGAIN:
    case EINTR:
    case EACCES:
    case EPERM:
    case EBADF:  // opened for reading
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

constexpr size_t kExtentsAtOnce = 128;

// The buffer that FS_IOC_FIEMAP fills: a header, followed by extents.
class ExtentMap {
 public:
  fiemap& header() { return *reinterpret_cast<fiemap*>(bytes_.data()); }
  fiemap_extent extent(size_t index) const {
    fiemap_extent extent;
    std::memcpy(&extent, bytes_.data() + sizeof(fiemap) + index * sizeof extent, sizeof extent);
    return extent;
  }

 private:
  alignas(fiemap)
      std::array<std::byte, sizeof(fiemap) + kExtentsAtOnce * sizeof(fiemap_extent)> bytes_{};
};

// Adds the part of the extent that lies in [begin, end), merged with the last part if adjacent.
void AddPart(const fiemap_extent& extent, uint64_t begin, uint64_t end,
             std::vector<FilePart>* parts) {
  constexpr uint32_t kPlaceless = FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC;
  const uint64_t from = std::max<uint64_t>(extent.fe_logical, begin);
  const uint64_t to = std::min<uint64_t>(extent.fe_logical + extent.fe_length, end);
  if (from >= to || (extent.fe_flags & kPlaceless) != 0) return;
  if (!parts->empty() && parts->back().offset + parts->back().length == from) {
    parts->back().length += to - from;
  } else {
    parts->push_back({from, to - from});
  }
}

}  // namespace

tl::unexpected<Error> PosixFile::ChangeFailure(const char* operation, int number) {
  if (LeavesNothingInDoubt(number)) return Failure(operation, number);
  failure_.Raise(ErrorCode::kIo);
  return failure_.Note(Failure(operation, number).value());
}

PosixFile::~PosixFile() {
  write_guard_.reset();
  if (write_map_ != nullptr) ::munmap(write_map_, write_map_bytes_);
}

// If mapping fails, for example on some network file systems, Write continues to use system calls.
void PosixFile::MapForWriting(uint64_t length) {
  const auto page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  length = length / page_bytes * page_bytes;
  if (write_map_ != nullptr || length == 0) return;
  void* address = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor(), 0);
  if (address == MAP_FAILED) return;
  ::madvise(address, length, MADV_DONTFORK);
  write_guard_.emplace(address, length, write_faults_, GuardedWindow::Use::kWrite);
  write_map_bytes_ = length;
  write_map_ = static_cast<std::byte*>(address);
}

Result<void> PosixFile::Read(uint64_t offset, MutableBytes out) const {
  while (!out.empty()) {
    const ssize_t count = ::pread(descriptor(), out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure("read", errno);
    if (count == 0) {
      return Fail(ErrorCode::kIo,
                  "cannot read " + path_ + ": it ends at or before byte " + std::to_string(offset));
    }
    out = out.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Result<void> PosixFile::Write(uint64_t offset, Bytes data) {
  KVFS_TRY(failure_.Check());
  if (data.empty()) return {};
  const bool is_mapped = data.size() <= kMaxMappedWrite && offset + data.size() <= write_map_bytes_;
  if (is_mapped && WriteMapped(offset, data)) return {};
  return WriteBySystemCall(offset, data);
}

// False if the mapping is no longer usable. The fault handler counts a fault before it replaces the
// page, so bytes written to a replaced page, whichever thread faulted, never count as written.
// Copies page by page: to make a page writable, a full btrfs cleans all others to gain space, so
// one instruction that writes to two pages would never finish.
bool PosixFile::WriteMapped(uint64_t offset, Bytes data) {
  if (write_faults_.load() != 0) return false;
  for (Bytes rest = data; !rest.empty();) {
    const size_t length =
        std::min<uint64_t>(rest.size(), kSystemPageBytes - offset % kSystemPageBytes);
    CopyBytes(write_map_ + offset, rest.first(length));
    rest = rest.subspan(length);
    offset += length;
  }
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return write_faults_.load() == 0;
}

Result<void> PosixFile::WriteBySystemCall(uint64_t offset, Bytes data) {
  std::optional<MutexLock<Mutex>> lock;
  const uint64_t end = offset + data.size();
  if (end > known_size_.load()) lock.emplace(growth_);
  KVFS_TRY(WriteFully(offset, data));
  RaiseKnownSize(end);
  // If this fails, zeros stay in the views, and readers that find them call RefreshView.
  static_cast<void>(windows_.Restore(offset, data.size(), descriptor(), path_));
  return {};
}

Result<void> PosixFile::WriteFully(uint64_t offset, Bytes data) {
  while (!data.empty()) {
    const ssize_t count =
        ::pwrite(descriptor(), data.data(), data.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ChangeFailure("write", errno);
    if (count == 0) return ChangeFailure("write", EIO);
    data = data.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

// Checks the range: a page number from a damaged file must not yield an address beyond the file's
// end.
Result<const std::byte*> PosixFile::View(uint64_t offset, uint64_t length) const {
  KVFS_ASSIGN(const bool holds, Holds(offset, length));
  const bool in_one_window = offset % ViewWindowBytes() + length <= ViewWindowBytes();
  if (!holds || !in_one_window) {
    return Fail(ErrorCode::kIo, "cannot view " + std::to_string(length) + " bytes at " +
                                    std::to_string(offset) + " of " + path_ +
                                    (holds ? ": too long" : ": beyond its end"));
  }
  return windows_.At(offset, descriptor(), path_);
}

Result<void> PosixFile::RefreshView(uint64_t offset, uint64_t length) const {
  std::vector<std::byte> bytes(length);
  KVFS_TRY(Read(offset, bytes));
  return windows_.Restore(offset, length, descriptor(), path_);
}

Result<bool> PosixFile::Holds(uint64_t offset, uint64_t length) const {
  const auto fits = [&](uint64_t size) { return length <= size && offset <= size - length; };
  if (fits(known_size_.load())) return true;
  KVFS_ASSIGN(const uint64_t size, SizeBytes());
  return fits(size);
}

Result<void> PosixFile::Allocate(uint64_t offset, uint64_t length) {
  KVFS_TRY(failure_.Check());
  if (length == 0) return {};
  const MutexLock lock(growth_);
  KVFS_ASSIGN(const uint64_t size, SizeBytes());
  if (auto reserved = Reserve(offset, length, size); !reserved) {
    CutBack(size);
    return reserved;
  }
  RaiseKnownSize(offset + length);
  return {};
}

Result<void> PosixFile::Reserve(uint64_t offset, uint64_t length, uint64_t size) {
  const int failure = TryAllocate(descriptor(), 0, offset, length);
  if (failure == 0) return {};
  // Without fallocate the file can have holes only where a write beyond its end left one, and the
  // store makes no such writes: so only the range beyond the end must be filled.
  if (failure == EOPNOTSUPP) return FillWithZeros(size, offset + length);
  return ChangeFailure("allocate space in", failure);
}

Result<void> PosixFile::FillWithZeros(uint64_t offset, uint64_t end) {
  const std::vector<std::byte> zeros(kZerosBytes);
  while (offset < end) {
    const size_t step = std::min<uint64_t>(zeros.size(), end - offset);
    KVFS_TRY(WriteFully(offset, Bytes(zeros).first(step)));
    offset += step;
  }
  return {};
}

// Undoes a failed allocation beyond the end: truncates the file to its former size. If that fails
// too, the next allocation will use the space.
void PosixFile::CutBack(uint64_t size) {
  while (::ftruncate(descriptor(), static_cast<off_t>(size)) != 0 && errno == EINTR) {
  }
}

Result<void> PosixFile::PunchHole(uint64_t offset, uint64_t length) {
  KVFS_TRY(failure_.Check());
  if (length == 0) return {};
  const int failure =
      TryAllocate(descriptor(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
  if (failure == 0 || failure == EOPNOTSUPP) return {};
  return ChangeFailure("punch a hole in", failure);
}

Result<void> PosixFile::Shorten(uint64_t size) {
  KVFS_TRY(failure_.Check());
  const MutexLock lock(growth_);
  KVFS_ASSIGN(const uint64_t present, SizeBytes());
  if (size >= present) return {};
  while (::ftruncate(descriptor(), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return ChangeFailure("shorten", errno);
  }
  known_size_ = size;
  return {};
}

// Fails with kIo whatever the errno: if the disk is full during writeback, the data is lost.
Result<void> PosixFile::Sync() {
  const MutexLock one_at_a_time(syncing_);
  KVFS_TRY(failure_.Check());
  while (::fdatasync(descriptor()) != 0) {
    if (errno == EINTR) continue;
    const int number = errno;
    failure_.Raise(ErrorCode::kIo);
    MarkCacheUntrue(descriptor());
    return failure_.Note({ErrorCode::kIo, Failure("sync", number).value().message});
  }
  return {};
}

Result<uint64_t> PosixFile::SizeBytes() const {
  struct stat status {};
  if (::fstat(descriptor(), &status) != 0) return Failure("ask for the size of", errno);
  const auto size = static_cast<uint64_t>(status.st_size);
  RaiseKnownSize(size);
  return size;
}

// The ids of the boot, the mount and the file. A reusable mount id would not do, as a disk that was
// removed and mounted again may have lost writes.
std::string PosixFile::Residence() const {
  const std::string boot = BootId();
  struct statx status {};
  const bool is_told =
      ::statx(descriptor(), "", AT_EMPTY_PATH, STATX_INO | kUniqueMountId, &status) == 0 &&
      (status.stx_mask & kUniqueMountId) != 0;
  if (boot.empty() || !is_told) return {};
  return boot + " " + std::to_string(status.stx_mnt_id) + " " +
         std::to_string(status.stx_dev_major) + ":" + std::to_string(status.stx_dev_minor) + " " +
         std::to_string(status.stx_ino);
}

Result<uint64_t> PosixFile::AllocatedBytes() const {
  constexpr uint64_t kStatBlockBytes = 512;
  struct stat status {};
  if (::fstat(descriptor(), &status) != 0) return Failure("ask for the size of", errno);
  return static_cast<uint64_t>(status.st_blocks) * kStatBlockBytes;
}

// Some file systems, for example tmpfs, do not report extents.
Result<std::vector<FilePart>> PosixFile::BackedParts(uint64_t offset, uint64_t length) const {
  std::vector<FilePart> parts;
  const uint64_t end = offset + length;
  ExtentMap map;
  for (uint64_t at = offset; at < end;) {
    fiemap& header = map.header();
    header = {};
    header.fm_start = at;
    header.fm_length = end - at;
    header.fm_extent_count = kExtentsAtOnce;
    if (::ioctl(descriptor(), FS_IOC_FIEMAP, &header) != 0) {
      if (errno == EINTR) continue;
      if (errno == EOPNOTSUPP || errno == ENOTTY) return File::BackedParts(offset, length);
      return Failure("ask for the space of", errno);
    }
    if (header.fm_mapped_extents == 0) break;
    for (size_t i = 0; i < header.fm_mapped_extents; ++i) {
      const fiemap_extent extent = map.extent(i);
      AddPart(extent, offset, end, &parts);
      at = extent.fe_logical + extent.fe_length;
      if ((extent.fe_flags & FIEMAP_EXTENT_LAST) != 0) return parts;
    }
  }
  return parts;
}

void PosixFile::RaiseKnownSize(uint64_t size) const {
  uint64_t known = known_size_.load();
  while (known < size && !known_size_.compare_exchange_weak(known, size)) {
  }
}

}  // namespace kvfs

// The operating system as the store sees it: files, directories, a lock. Two implementations:
// PosixEnv (the real one) and MemoryEnv (tests: written and synced bytes kept apart, faults).
//
// Nothing above store/env makes a system call. Errors: kNotFound, kExists, kNoSpace, kPermission,
// kInUse, kIo, kUnavailable, each with a message that names the operation and the path.
//
// From a read, kIo alone means that stored bytes are unreadable: the medium failed, or the file
// ends too early. A read that fails because of this process or machine never returns kIo, so that
// it is not mistaken for damage.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <kvfs/bytes.h>
#include <kvfs/status.h>

namespace kvfs {

// Consecutive bytes of a file.
struct FilePart {
  uint64_t offset = 0;
  uint64_t length = 0;
};

// An open file. All methods are thread-safe, as long as no two threads write the same bytes.
//
// A failed Sync is final: every later change or Sync of this File, from any thread, fails with that
// first error, because the state on disk is unknown. A failed Write, Allocate, PunchHole or Shorten
// is final, too, unless it failed for lack of disk space or memory, which leaves the old bytes
// unchanged.
class File {
 public:
  // Bounds of ViewWindowBytes() for a mapped file; it is a power of two.
  static constexpr uint64_t kLeastViewWindowBytes = uint64_t{64} << 10;
  static constexpr uint64_t kViewWindowBytes = uint64_t{1} << 30;

  virtual ~File() = default;

  // Prepares for many small writes to the first `length` bytes, which must have been allocated:
  // where the system supports it, such writes go through a mapping, without a system call each. The
  // guarantees of Write still hold.
  virtual void MapForWriting(uint64_t length) = 0;

  // Reads exactly out.size() bytes; kIo if the file ends before that.
  virtual Result<void> Read(uint64_t offset, MutableBytes out) const = 0;

  // Writes all of `data`, extending the file where needed. On return every View and Read sees the
  // bytes, and they survive a crash of the process, but not of the machine. After an error any part
  // of the range may have been written.
  virtual Result<void> Write(uint64_t offset, Bytes data) = 0;

  // Returns a read-only view of the bytes [offset, offset + length), which must lie within the file
  // and not span a multiple of ViewWindowBytes(); kIo otherwise. Valid as long as the File lives;
  // later Writes show in it. Takes no lock and, once the window is mapped, makes no system call.
  // kUnavailable if the process cannot map more.
  virtual Result<const std::byte*> View(uint64_t offset, uint64_t length) const = 0;

  // Reads a range again from the file, after a View of it failed or showed unexpected bytes. Pages
  // that the disk had failed to deliver, and that views showed as zeros, show the file again. kIo
  // if the disk still cannot deliver them: only then are they lost.
  virtual Result<void> RefreshView(uint64_t offset, uint64_t length) const = 0;

  // Allocates disk space, so that writes to the range do not fail for lack of it; extends the file
  // where needed with bytes that read as zeros. After kNoSpace the file is usable, and its size
  // unchanged.
  virtual Result<void> Allocate(uint64_t offset, uint64_t length) = 0;

  // Frees the range's disk space; it then reads as zeros. The size stays. Does nothing where the
  // file system does not support it. A later write there may fail with kNoSpace.
  virtual Result<void> PunchHole(uint64_t offset, uint64_t length) = 0;

  // Truncates the file to `size`, if it is longer. Views of the removed part must not be used any
  // more.
  virtual Result<void> Shorten(uint64_t size) = 0;

  // Makes everything written before the call survive power loss (fdatasync, which includes the
  // file's size). Concurrent calls run one after another. After an error, which is kIo whatever the
  // reason, the state of the unsynced bytes is unknown, and stays so.
  virtual Result<void> Sync() = 0;

  // True once a failed change or sync leaves the file's content in doubt, or a write through the
  // mapping has failed: the file must not be used for anything new.
  virtual bool IsSuspect() const = 0;

  virtual Result<uint64_t> SizeBytes() const = 0;
  // Disk space that the file occupies, without holes.
  virtual Result<uint64_t> AllocatedBytes() const = 0;
  // Returns the parts of the range that have disk space already, in ascending order: they need no
  // Allocate, even on a full disk, for example because an earlier process allocated them.
  // kUnsupported where the system cannot tell, as on tmpfs.
  virtual Result<std::vector<FilePart>> BackedParts(uint64_t offset, uint64_t length) const {
    static_cast<void>(offset), static_cast<void>(length);
    return Fail(ErrorCode::kUnsupported, "it is not told which parts of a file have space");
  }

  // The size of the windows in which the file is mapped: a view lies within one window, and within
  // a window addresses differ as offsets do.
  virtual uint64_t ViewWindowBytes() const = 0;

  // Returns a text by which a later process can tell whether the system may have lost unsynced
  // writes: if the text is still the same, the machine has not gone down, the disk was not
  // detached, and the file is not a copy. Empty if the system cannot tell.
  virtual std::string Residence() const = 0;

  // Number of mapped pages that the disk failed to deliver since the file was opened. A view shows
  // zeros in their place, so everything read through a view must be verified. Not virtual, since it
  // is called for every page read.
  uint64_t ViewFaults() const {
    return view_faults_ == nullptr ? 0 : view_faults_->load(std::memory_order_acquire);
  }

 protected:
  // A file whose views never fail.
  File() = default;
  explicit File(const std::atomic<uint64_t>* view_faults) : view_faults_(view_faults) {}
  // The fault counter of a wrapped file, whose views a wrapper passes on; null without one.
  static const std::atomic<uint64_t>* ViewFaultsOf(const File* file) {
    return file == nullptr ? nullptr : file->view_faults_;
  }

 private:
  const std::atomic<uint64_t>* view_faults_ = nullptr;
};

enum class Access { kReadWrite, kReadOnly };

// Bytes that LockFile keeps allocated in a lock file, so that the holder's text fits on a full
// disk, too: one line, and a purpose with a path of any length.
inline constexpr uint64_t kLockFileBytes = 8192;

// Holds a lock file until destroyed, or until the process ends for any reason.
class FileLock {
 public:
  virtual ~FileLock() = default;
  // Replaces the text in the lock file, which is shown to a second opener.
  virtual Result<void> Describe(const std::string& holder) = 0;
};

struct DiskSpace {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;  // to this process
};

class Env {
 public:
  virtual ~Env() = default;

  // Returns an Env for the files of one directory, which is opened once: it keeps to that directory
  // even if its path later names another. Paths still begin with `directory`. Null if this Env
  // needs no such wrapper. `is_new`: the caller has just created the directory, so it must not be a
  // link.
  //
  // PosixEnv follows no links there, and opens only regular files with a single name that belong to
  // the directory's owner: others fail with kPermission. New files get that owner.
  virtual Result<std::unique_ptr<Env>> Enter(const std::string& directory, bool is_new = false) {
    static_cast<void>(directory);
    static_cast<void>(is_new);
    return nullptr;
  }

  // Opens an existing file for reading and writing, or for reading only: changes then fail with
  // kPermission.
  virtual Result<std::unique_ptr<File>> OpenFile(const std::string& path,
                                                 Access access = Access::kReadWrite) = 0;
  // Creates an empty file with mode 0600; kExists if there is one.
  virtual Result<std::unique_ptr<File>> CreateFile(const std::string& path) = 0;
  virtual Result<void> RemoveFile(const std::string& path) = 0;
  // Replaces `to` if it exists, atomically. Both lie in the same directory.
  virtual Result<void> RenameFile(const std::string& from, const std::string& to) = 0;
  // Creates one directory with mode 0700; kExists if something is there.
  virtual Result<void> CreateDirectory(const std::string& path) = 0;
  // Removes an empty directory; kExists if it holds something.
  virtual Result<void> RemoveDirectory(const std::string& path) = 0;
  // Makes creations, renames and removals in the directory survive the death of the machine.
  virtual Result<void> SyncDirectory(const std::string& path) = 0;
  // Names in the directory, in no order, without "." and "..".
  virtual Result<std::vector<std::string>> ListDirectory(const std::string& path) = 0;
  virtual Result<bool> Exists(const std::string& path) = 0;
  // Space on the disk that holds `path`.
  virtual Result<DiskSpace> GetDiskSpace(const std::string& path) = 0;

  // Monotonic clock in seconds, from an arbitrary origin; costs nanoseconds, and may lag a little.
  virtual uint64_t Seconds() const = 0;

  // Locks `path`, creating it if needed, against every other process and every other Env, and
  // writes `holder` into it, followed by zeros; a clean release overwrites the text with zeros.
  // kInUse if it is locked, with the holder's text as the message.
  virtual Result<std::unique_ptr<FileLock>> LockFile(const std::string& path,
                                                     const std::string& holder) = 0;
  // Takes a shared lock on `path`, which excludes LockFile only. Writes and creates nothing; if
  // there is no such file, there is nothing to lock.
  virtual Result<std::unique_ptr<FileLock>> ShareLock(const std::string& path) = 0;
};

// The process's Env for the real file system. Its only state is the mapped files' fault guard.
Env& GetPosixEnv();

}  // namespace kvfs

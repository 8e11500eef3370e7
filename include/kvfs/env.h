// The operating system as the store sees it: files, directories, a lock. Two implementations:
// PosixEnv (the real one) and MemoryEnv (tests: written and synced bytes kept apart, faults).
//
// Nothing above store/env makes a system call. Errors: kNotFound, kExists, kNoSpace, kPermission,
// kInUse, kIo, kUnavailable, each with a message that names the operation and the path.
//
// Of these only kIo, from something that reads, says that stored bytes cannot be had: it comes of
// the medium or of a file that ends too early. A failure of this process or machine is never kIo
// there, so that nobody takes it for damage.
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

// An open file. All methods are safe from many threads, as long as no two write the same bytes.
//
// A failed Sync is final: it, and every later change and Sync of this File, whoever calls it, fails
// with that first failure, as nobody knows what the disk holds. So is a failed Write, Allocate,
// PunchHole or Shorten, unless it was refused for want of room or memory, which leaves what was
// there before as it was.
class File {
 public:
  // What ViewWindowBytes() says of a file that is mapped: between these, a power of two.
  static constexpr uint64_t kLeastViewWindowBytes = uint64_t{64} << 10;
  static constexpr uint64_t kViewWindowBytes = uint64_t{1} << 30;

  virtual ~File() = default;

  // Prepares for many small writes to the first `length` bytes, which must have been allocated:
  // where the system can do it, they are carried out through a mapping, without a system call each.
  // They keep what Write promises.
  virtual void MapForWriting(uint64_t length) = 0;

  // Reads exactly out.size() bytes; kIo when the file ends before that.
  virtual Result<void> Read(uint64_t offset, MutableBytes out) const = 0;

  // Writes all of `data`, extending the file where needed. After the return every View and Read
  // sees the bytes, and they survive the death of the process, but not of the machine. On an error
  // any part of the range may have been written.
  virtual Result<void> Write(uint64_t offset, Bytes data) = 0;

  // Read-only view of the bytes [offset, offset + length), which must lie within the file and not
  // span a multiple of ViewWindowBytes(); kIo otherwise. Valid as long as the File lives; sees
  // later Writes. Takes no lock and, once the window has been used, no system call. kUnavailable
  // where the process can map no more.
  virtual Result<const std::byte*> View(uint64_t offset, uint64_t length) const = 0;

  // For a range of which a View has failed, or has not shown what it should: reads it once more
  // from the file, and has views show the file there, where zeros took the place of pages that the
  // disk could not deliver. kIo if it cannot deliver them now either: only then are they lost.
  virtual Result<void> RefreshView(uint64_t offset, uint64_t length) const = 0;

  // Makes sure that writes to the range will not fail for want of space; extends the file, whose
  // new bytes read as zeros. kNoSpace leaves the file usable, and its size as it was.
  virtual Result<void> Allocate(uint64_t offset, uint64_t length) = 0;

  // Gives the range's space back to the disk; it then reads as zeros. The size stays. Does nothing
  // where the disk cannot do it. A later write there may fail with kNoSpace.
  virtual Result<void> PunchHole(uint64_t offset, uint64_t length) = 0;

  // Cuts off what lies behind `size`, if anything does. Views of it must not be used any more.
  virtual Result<void> Shorten(uint64_t size) = 0;

  // Makes all that was written before the call survive the death of the machine (fdatasync, which
  // includes the file's size). Calls run one after another. After an error, which is kIo whatever
  // the reason, the state of the unsynced bytes is unknown, and stays so.
  virtual Result<void> Sync() = 0;

  // True once a change or a sync has failed in a way that leaves in doubt what the file holds, or a
  // write through the mapping was refused: the file must not be used for anything new.
  virtual bool IsSuspect() const = 0;

  virtual Result<uint64_t> SizeBytes() const = 0;
  // What the file takes on the disk, holes left out.
  virtual Result<uint64_t> AllocatedBytes() const = 0;
  // The parts of the range that have space on the disk already, ascending: what Allocate does, an
  // earlier process, say, has done for them, and it holds on a full disk. kUnsupported where the
  // system does not tell, as of a tmpfs: there only Allocate finds out.
  virtual Result<std::vector<FilePart>> BackedParts(uint64_t offset, uint64_t length) const {
    static_cast<void>(offset), static_cast<void>(length);
    return Fail(ErrorCode::kUnsupported, "it is not told which parts of a file have space");
  }

  // How a file falls into windows: a view lies within one, and views of one window lie at addresses
  // that differ as their offsets do.
  virtual uint64_t ViewWindowBytes() const = 0;

  // Tells whether the system can have lost anything that was written to the file: where it gives
  // the same text again, to whatever process, the machine has not stopped meanwhile, the disk was
  // not taken away, and it is not a copy of the file. Empty if the system cannot tell.
  virtual std::string Residence() const = 0;

  // Pages of views that the disk could not deliver since the file was opened; a view shows zeros
  // in their place, which is why all that is read through one must be checked. Not virtual, since
  // it is asked at every look at a page.
  uint64_t ViewFaults() const {
    return view_faults_ == nullptr ? 0 : view_faults_->load(std::memory_order_acquire);
  }

 protected:
  // A file whose views never fail.
  File() = default;
  explicit File(const std::atomic<uint64_t>* view_faults) : view_faults_(view_faults) {}
  // The counter of a file whose views another one hands on; null if there is none.
  static const std::atomic<uint64_t>* ViewFaultsOf(const File* file) {
    return file == nullptr ? nullptr : file->view_faults_;
  }

 private:
  const std::atomic<uint64_t>* view_faults_ = nullptr;
};

enum class Access { kReadWrite, kReadOnly };

// What LockFile keeps allocated of a lock file, so that a full disk has room for the holder's text:
// a line, and a purpose that names a path of any length.
inline constexpr uint64_t kLockFileBytes = 8192;

// Holds a lock file until destroyed, or until the process ends in whatever way.
class FileLock {
 public:
  virtual ~FileLock() = default;
  // Replaces the text in the lock file that a refused second opener gets to see.
  virtual Result<void> Describe(const std::string& holder) = 0;
};

struct DiskSpace {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;  // to this process
};

class Env {
 public:
  virtual ~Env() = default;

  // An Env for the files in one directory, which is opened once: whatever is put in the place of
  // its path later, they stay those of this directory. Paths still begin with `directory`. Null
  // where this Env does as well. `is_new`: the caller has just made it, so it is no link.
  //
  // The real one reaches files through no link, and takes only regular ones with one name that
  // belong to the directory's owner: others are kPermission. New ones become that owner's.
  virtual Result<std::unique_ptr<Env>> Enter(const std::string& directory, bool is_new = false) {
    static_cast<void>(directory);
    static_cast<void>(is_new);
    return nullptr;
  }

  // Opens an existing file for reading and writing, or for reading only: then what changes it fails
  // with kPermission.
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

  // Seconds since some moment, never going back; costs nanoseconds, and may be a little late.
  virtual uint64_t Seconds() const = 0;

  // Locks `path`, creating it if needed, against every other process and every other Env, and
  // writes `holder` into it: behind the text, and after a clean end in its place, are zeros. kInUse
  // if it is locked, with the holder's text as the message.
  virtual Result<std::unique_ptr<FileLock>> LockFile(const std::string& path,
                                                     const std::string& holder) = 0;
  // Locks `path` against LockFile only: many may share it. Writes nothing, and creates nothing;
  // where there is no such file there is nothing to lock.
  virtual Result<std::unique_ptr<FileLock>> ShareLock(const std::string& path) = 0;
};

// The one real Env of the process. It has no state but the mapped files' fault guard.
Env& GetPosixEnv();

}  // namespace kvfs

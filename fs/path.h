// Reads files by path ("a/b/c", from the root), for programs that use a store without a mount; for
// changes see fs/path_operation.h.
//
// Leading, trailing and repeated slashes are ignored; "." and ".." are refused (kInvalid), and so
// are symbolic links on the way.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/data_ranges.h"
#include "fs/file_system.h"

namespace kvfs::fs {

// Caches the directories on the way to the last path: the next path is looked up from where the two
// diverge, so that reading a tree takes a few lookups for each name, whatever its depth. It
// references those directories, and looks them up again once a referenced directory has moved or
// been removed. The file system must outlive it. Threads: one.
class PathWay {
 public:
  explicit PathWay(FileSystem& file_system) : file_system_(file_system) {}
  ~PathWay() { Leave(0); }
  PathWay(const PathWay&) = delete;
  PathWay& operator=(const PathWay&) = delete;

  // The directory is referenced until the next call. kNotFound, kNotDirectory; kInvalid at a
  // symbolic link.
  Result<InodeInfo> FindDirectory(std::string_view path);

 private:
  struct Level {
    size_t end;  // of this level's path in path_
    InodeInfo inode;
  };

  void Leave(size_t levels);

  FileSystem& file_system_;
  uint64_t moves_ = 0;  // FileSystem::DirectoryMoves
  std::string path_;    // as given by the caller
  std::vector<Level> levels_;
};

// The calls below use `way`, if not null.

// Attributes of the file at the path; a symbolic link is not followed. "" and "/" name the root.
// kNotFound, kNotDirectory.
Result<InodeInfo> StatPath(FileSystem& file_system, std::string_view path, PathWay* way = nullptr);

// The target of a symbolic link; kInvalid if it is not one. kNotFound, kNotDirectory.
Result<std::string> ReadLinkPath(FileSystem& file_system, std::string_view path,
                                 PathWay* way = nullptr);

// Passes the file's content to `sink`, in pieces of at most 1 MiB, each with its offset; ranges not
// covered by a piece are holes. Returns the size, or the sink's error if it fails. kIsDirectory,
// kNotFound, kNotDirectory.
Result<uint64_t> GetData(FileSystem& file_system, std::string_view path,
                         const std::function<Result<void>(uint64_t offset, Bytes piece)>& sink,
                         PathWay* way = nullptr);
// The ranges of a regular file that have data, in order; the rest are holes. Errors as for GetData.
Result<std::vector<ByteRange>> GetDataRanges(FileSystem& file_system, std::string_view path,
                                             PathWay* way = nullptr);

// All extended attributes. kNotFound, kNotDirectory.
Result<XattrMap> GetXattrs(FileSystem& file_system, std::string_view path, PathWay* way = nullptr);

// Visits the children of the directory, in the store's order, without "." and ".."; if the path is
// a file, visits that file. Stops at the first error of `visit`, and returns it. kNotFound,
// kNotDirectory.
Result<void> ListPath(
    FileSystem& file_system, std::string_view path,
    const std::function<Result<void>(std::string_view name, const InodeInfo& inode)>& visit,
    PathWay* way = nullptr);

}  // namespace kvfs::fs

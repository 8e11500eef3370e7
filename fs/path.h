// Files looked at by path ("a/b/c", from the root), for programs that use a store without a mount;
// fs/path_operation.h has what changes them.
//
// Leading, trailing and doubled slashes mean nothing; "." and ".." are refused (kInvalid), and so
// are symbolic links on the way.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/data_ranges.h"
#include "fs/file_system.h"

namespace kvfs::fs {

// The directories on the way to the last path that was looked at: a further one is looked up from
// where the two part, so that a tree of any depth is read in some lookups for each of its names,
// and not in as many as its paths have names. It refers to those directories, and is found anew
// once a directory that anybody refers to has moved or gone. The file system must outlive it.
// Threads: one.
class PathWay {
 public:
  explicit PathWay(FileSystem& file_system) : file_system_(file_system) {}
  ~PathWay() { Leave(0); }
  PathWay(const PathWay&) = delete;
  PathWay& operator=(const PathWay&) = delete;

  // The directory is referred to until the next call. kNotFound, kNotDirectory; kInvalid at a
  // symbolic link.
  Result<InodeInfo> FindDirectory(std::string_view path);

 private:
  struct Level {
    size_t end;  // of path_ down to here
    InodeInfo inode;
  };

  void Leave(size_t levels);

  FileSystem& file_system_;
  uint64_t moves_ = 0;  // FileSystem::DirectoryMoves
  std::string path_;    // as it was given
  std::vector<Level> levels_;
};

// The calls below go along `way`, if one is given.

// Attributes of what the path names, a symbolic link included; the root for "" and "/". kNotFound,
// kNotDirectory.
Result<InodeInfo> StatPath(FileSystem& file_system, std::string_view path, PathWay* way = nullptr);

// The target of a symbolic link; kInvalid if it is something else. kNotFound, kNotDirectory.
Result<std::string> ReadLinkPath(FileSystem& file_system, std::string_view path,
                                 PathWay* way = nullptr);

// Hands the file's content to `sink`, in pieces of at most 1 MiB, each with its place; what no
// piece covers are zeros, and need no space. Returns the size, or the sink's error if it fails.
// kIsDirectory, kNotFound, kNotDirectory.
Result<uint64_t> GetData(FileSystem& file_system, std::string_view path,
                         const std::function<Result<void>(uint64_t offset, Bytes piece)>& sink,
                         PathWay* way = nullptr);
// Where a regular file has data, in order; what lies between is a hole. As GetData.
Result<std::vector<ByteRange>> GetDataRanges(FileSystem& file_system, std::string_view path,
                                             PathWay* way = nullptr);

// All extended attributes. kNotFound, kNotDirectory.
Result<XattrMap> GetXattrs(FileSystem& file_system, std::string_view path, PathWay* way = nullptr);

// Visits what lies in the directory, in the store's order, without "." and ".."; a path to a file
// visits that file. Ends with the first error of `visit`, and returns it. kNotFound, kNotDirectory.
Result<void> ListPath(
    FileSystem& file_system, std::string_view path,
    const std::function<Result<void>(std::string_view name, const InodeInfo& inode)>& visit,
    PathWay* way = nullptr);

}  // namespace kvfs::fs

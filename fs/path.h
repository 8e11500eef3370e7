// Files looked at by path ("a/b/c", from the root), for programs that use a store without a mount;
// fs/file_change.h has what changes them.
//
// Leading, trailing and doubled slashes mean nothing; "." and ".." are refused (kInvalid), and so
// are symbolic links on the way.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "fs/data_ranges.h"
#include "fs/file_system.h"

namespace kvfs::fs {

// Attributes of what the path names, a symbolic link included; the root for "" and "/". kNotFound,
// kNotDirectory.
Result<InodeInfo> StatPath(FileSystem& file_system, std::string_view path);

// The target of a symbolic link; kInvalid if it is something else. kNotFound, kNotDirectory.
Result<std::string> ReadLinkPath(FileSystem& file_system, std::string_view path);

// Hands the file's content to `sink`, in pieces of at most 1 MiB, each with its place; what no
// piece covers are zeros, and need no space. Returns the size, or the sink's error if it fails.
// kIsDirectory, kNotFound, kNotDirectory.
Result<uint64_t> GetData(FileSystem& file_system, std::string_view path,
                         const std::function<Result<void>(uint64_t offset, Bytes piece)>& sink);
// Where a regular file has data, in order; what lies between is a hole. As GetData.
Result<std::vector<ByteRange>> GetDataRanges(FileSystem& file_system, std::string_view path);

// All extended attributes. kNotFound, kNotDirectory.
Result<XattrMap> GetXattrs(FileSystem& file_system, std::string_view path);

// Visits what lies in the directory, in the store's order, without "." and ".."; a path to a file
// visits that file. Ends with the first error of `visit`, and returns it. kNotFound, kNotDirectory.
Result<void> ListPath(
    FileSystem& file_system, std::string_view path,
    const std::function<Result<void>(std::string_view name, const InodeInfo& inode)>& visit);

}  // namespace kvfs::fs

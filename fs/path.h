// Whole values by path ("a/b/c", from the root), for programs that use a store without a mount.
//
// Leading, trailing and doubled slashes mean nothing; "." and ".." are refused (kInvalid), and so
// are symbolic links on the way. Of a FileSystem that is mounted the kernel must be told what
// changes (FuseServer::TellChanged).
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

// Hands the file's content to `sink`, in pieces of at most 1 MiB, none for an empty file. Returns
// the sink's error if it fails. kIsDirectory, kNotFound, kNotDirectory.
Result<void> GetValue(FileSystem& file_system, std::string_view path,
                      const std::function<Result<void>(Bytes piece)>& sink);

// The same with the place of each piece; what no piece covers are zeros, and need no space. Returns
// the size.
Result<uint64_t> GetData(FileSystem& file_system, std::string_view path,
                         const std::function<Result<void>(uint64_t offset, Bytes piece)>& sink);
// Where a regular file has data, in order; what lies between is a hole. As GetValue.
Result<std::vector<ByteRange>> GetDataRanges(FileSystem& file_system, std::string_view path);

// All extended attributes. kNotFound, kNotDirectory.
Result<XattrMap> GetXattrs(FileSystem& file_system, std::string_view path);

// Makes all that `source` gives the content of the file, creating it where needed, but not its
// directories. `source` fills what it can of its argument and returns the number of bytes, 0 at the
// end. Nothing of it is visible before all of it is. kIsDirectory, kNotFound, kNotDirectory.
Result<void> PutValue(FileSystem& file_system, std::string_view path, const Caller& caller,
                      const std::function<Result<size_t>(MutableBytes buffer)>& source);

// Deletes a file (kIsDirectory for a directory). kNotFound, kNotDirectory.
Result<void> DeleteFile(FileSystem& file_system, std::string_view path);

// Visits what lies in the directory, in the store's order, without "." and ".."; a path to a file
// visits that file. Ends with the first error of `visit`, and returns it. kNotFound, kNotDirectory.
Result<void> ListPath(
    FileSystem& file_system, std::string_view path,
    const std::function<Result<void>(std::string_view name, const InodeInfo& inode)>& visit);

}  // namespace kvfs::fs

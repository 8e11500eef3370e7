// Whole values by path ("a/b/c", from the root), for programs that use a store without a mount.
//
// Leading, trailing and doubled slashes mean nothing; "." and ".." are refused (kInvalid), and so
// are symbolic links on the way. Of a FileSystem that is mounted the kernel must be told what
// changes (FuseServer::TellChanged).
#pragma once

#include <functional>
#include <string>
#include <string_view>

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

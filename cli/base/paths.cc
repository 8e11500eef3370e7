// Resolves paths with realpath(3), except for the last component.

#include "cli/base/paths.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

namespace kvfs::cli {
namespace {

ErrorCode CodeOfErrno(int error_number) {
  switch (error_number) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kExists;
    case ENOTDIR:
      return ErrorCode::kNotDirectory;
    case EISDIR:
      return ErrorCode::kIsDirectory;
    case EACCES:
    case EPERM:
      return ErrorCode::kPermission;
    case EROFS:
      return ErrorCode::kReadOnly;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case ENAMETOOLONG:
      return ErrorCode::kNameTooLong;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return ErrorCode::kUnavailable;
    case ELOOP:
    case ENXIO:
    case EINVAL:
      return ErrorCode::kInvalid;
    default:
      return ErrorCode::kIo;
  }
}

Result<std::string> RealPath(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  if (real == nullptr) return tl::unexpected(ErrorOfErrno(errno));
  return std::string(real.get());
}

std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

Error ErrorOfErrno(int error_number) {
  if (error_number == EFBIG) {
    // Counts as lack of space for a writer, with its own message, the same as in store/env.
    return Error{ErrorCode::kNoSpace,
                 "the file size limit is exceeded: of this process (`ulimit "
                 "-f`, LimitFSIZE= of a service), which may be raised, or of its file system"};
  }
  return Error{CodeOfErrno(error_number), std::strerror(error_number)};
}

std::string PlainPath(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  return error ? path : WithoutTrailingSlashes(absolute.lexically_normal().string());
}

Result<std::string> ResolvePath(const std::string& given) {
  if (given.empty()) return Fail(ErrorCode::kInvalid, "the path is empty");
  if (auto whole = RealPath(given)) return whole;
  const std::string path = WithoutTrailingSlashes(given);
  const size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name == "." || name == "..") return RealPath(path);
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  return RealPath(parent).map([&](const std::string& directory) {
    return directory == "/" ? "/" + name : directory + "/" + name;
  });
}

bool IsWithin(std::string_view inner, std::string_view outer) {
  if (outer == "/") return true;
  if (!inner.starts_with(outer)) return false;
  return inner.size() == outer.size() || inner[outer.size()] == '/';
}

}  // namespace kvfs::cli

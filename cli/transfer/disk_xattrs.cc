// One buffer for a list or a value, of the maximum size in Linux.

#include "cli/transfer/disk_xattrs.h"

#include <fmt/format.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstring>

namespace kvfs::cli {
namespace {

// The bytes that `call(buffer, size)` returns.
template <typename Call>
bool Fetch(std::string& out, const Call& call) {
  static thread_local std::string buffer(fs::kMaxXattrListBytes, '\0');
  const ssize_t length = call(buffer.data(), buffer.size());
  if (length < 0) return false;
  out.assign(buffer, 0, static_cast<size_t>(length));
  return true;
}

}  // namespace

Result<fs::XattrMap> ReadDiskXattrs(const std::string& path, const XattrSkip& skip,
                                    bool* can_have_any) {
  fs::XattrMap xattrs;
  *can_have_any = true;
  std::string names;
  const char* const at = path.c_str();
  if (!Fetch(names, [&](char* out, size_t size) { return ::llistxattr(at, out, size); })) {
    *can_have_any = errno != ENOTSUP;
    if (!*can_have_any) return xattrs;
    return Fail(ErrorCode::kIo, fmt::format("its extended attributes: {}", std::strerror(errno)));
  }
  for (size_t begin = 0; begin < names.size();) {
    const std::string name(names.c_str() + begin);
    begin += name.size() + 1;
    const auto valid = fs::CheckXattrName(name);
    std::string value;
    if (!valid) {
      skip(name, "a store does not hold it");
    } else if (Fetch(value, [&](char* out, size_t size) {
                 return ::lgetxattr(at, name.c_str(), out, size);
               })) {
      xattrs.emplace(name, std::move(value));
    } else if (errno != ENODATA) {
      skip(name, std::strerror(errno));
    }
  }
  return xattrs;
}

void WriteDiskXattrs(const std::string& path, const fs::XattrMap& xattrs, const XattrSkip& skip) {
  for (const auto& [name, value] : xattrs) {
    const int done = ::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0);
    if (done != 0) skip(name, std::strerror(errno));
  }
}

std::string PathInDirectory(int directory, std::string_view name) {
  return fmt::format("/proc/self/fd/{}/{}", directory, name);
}

}  // namespace kvfs::cli

// Redirects standard error to a file in memory, which is read at the end.
#include "fs/fuse/stderr.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace kvfs::fs {
namespace {

constexpr std::string_view kProgram = "fusermount3: ";

std::string ReadFromStart(int file) {
  std::string text;
  char piece[1024];
  for (ssize_t count = 0;
       (count = pread(file, piece, sizeof piece, static_cast<off_t>(text.size()))) > 0;) {
    text.append(piece, static_cast<size_t>(count));
  }
  return text;
}

}  // namespace

StderrCapture::StderrCapture() : caught_(memfd_create("stderr", MFD_CLOEXEC)) {
  if (caught_ < 0) return;
  real_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  if (real_ >= 0) dup2(caught_, STDERR_FILENO);
}

std::string StderrCapture::End() {
  if (real_ < 0) return {};
  dup2(real_, STDERR_FILENO);
  close(std::exchange(real_, -1));
  return ReadFromStart(caught_);
}

StderrCapture::~StderrCapture() {
  const std::string text = End();
  if (caught_ >= 0) close(caught_);
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text.data(), text.size());
}

std::string StderrCapture::Take() {
  const std::string text = End();
  std::string joined;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    if (line.starts_with(kProgram)) line.remove_prefix(kProgram.size());
    if (!joined.empty() && !line.empty()) joined += "; ";
    joined += line;
    at = end + 1;
  }
  return joined;
}

}  // namespace kvfs::fs

// A capture belongs to its thread: lines of other threads go to standard error.
#include "fs/fuse/log.h"

#define FUSE_USE_VERSION 314
#include <fuse_log.h>

#include <cstdarg>
#include <cstdio>
#include <string_view>
#include <utility>

namespace kvfs::fs {
namespace {

constexpr std::string_view kPrefix = "fuse: ";

thread_local FuseLogCapture* current_capture = nullptr;

void Log(fuse_log_level, const char* format, va_list arguments) {
  if (current_capture == nullptr) {
    std::vfprintf(stderr, format, arguments);
    return;
  }
  char line[1024];
  std::vsnprintf(line, sizeof line, format, arguments);
  current_capture->Add(line);
}

}  // namespace

FuseLogCapture::FuseLogCapture() {
  current_capture = this;
  fuse_set_log_func(Log);
}

FuseLogCapture::~FuseLogCapture() { current_capture = nullptr; }

void FuseLogCapture::Add(std::string line) {
  if (line.starts_with(kPrefix)) line.erase(0, kPrefix.size());
  while (line.ends_with('\n')) line.pop_back();
  if (!text_.empty()) text_ += "; ";
  text_ += line;
}

std::string FuseLogCapture::TextOr(const std::string& otherwise) const {
  return text_.empty() ? otherwise : text_;
}

}  // namespace kvfs::fs

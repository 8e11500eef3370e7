// MountOptions as arguments for libfuse.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_opt.h>

#include <string>

#include "fs/fuse/mount_options.h"

namespace kvfs::fs {

// The argument vector for fuse_session_new, which may change it.
class FuseArguments {
 public:
  explicit FuseArguments(const MountOptions& options);
  ~FuseArguments() { fuse_opt_free_args(&arguments_); }

  FuseArguments(const FuseArguments&) = delete;
  FuseArguments& operator=(const FuseArguments&) = delete;

  fuse_args* get() { return &arguments_; }

 private:
  void AddOption(const std::string& option);

  fuse_args arguments_ = {};
};

// At least 1. More than two threads gain nothing, with two or more processors.
unsigned ThreadCount(const MountOptions& options);

}  // namespace kvfs::fs

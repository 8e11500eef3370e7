// A small store on a disk in memory, to be damaged and examined.
//
// Closed, or as after a kill with a log to replay; the same bytes in each run. Its contents after
// each change are known, so that what is still readable can be compared.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/env/memory_env.h"
#include "store/format/superblock.h"
#include "tests/store/model.h"

namespace kvfs::fuzz {

struct StoreImage {
  std::vector<Model> states;                 // after each change; the last is the newest
  std::map<std::string, std::string> files;  // path to bytes, without zeros at the end
  std::map<std::string, uint64_t> file_sizes;
  format::Identity identity;
};

// Built once.
const StoreImage& ClosedStore();
const StoreImage& KilledStore();

// A disk with the files of the image.
std::unique_ptr<MemoryEnv> DiskOf(const StoreImage& image);

}  // namespace kvfs::fuzz

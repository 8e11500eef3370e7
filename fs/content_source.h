// Contents of any size that arrive piece by piece, including holes.
#pragma once

#include <functional>
#include <vector>

#include "fs/file_system.h"
#include "fs/path_operation.h"

namespace kvfs::fs {

// A piece: `hole_bytes` zeros that need no space, followed by `bytes` bytes at the beginning of the
// buffer. Both are 0 at the end.
struct ContentPiece {
  uint64_t hole_bytes = 0;
  size_t bytes = 0;
};
// Fills the buffer as far as possible.
using ContentSource = std::function<Result<ContentPiece>(MutableBytes buffer)>;

// As FileSystem::ApplyChanges, but the content of the last change, a kPut, comes from `source`. A
// large content is first written to a file without a name: nothing is visible before it is
// complete, and then all changes happen in one step. An error of the source changes nothing. The
// replaced file keeps its inode number, whatever the size.
Result<std::vector<ChangedName>> ApplyWithContent(FileSystem& file_system,
                                                  std::vector<PathOperation> changes,
                                                  const ContentSource& source, const Caller& caller,
                                                  size_t* failed = nullptr);

}  // namespace kvfs::fs

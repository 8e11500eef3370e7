// Contents that come piece by piece, of any size, with their holes.
#pragma once

#include <functional>
#include <vector>

#include "fs/file_system.h"
#include "fs/path_operation.h"

namespace kvfs::fs {

// A piece: so many bytes that are zeros and need no space, and then so many that lie at the
// beginning of the buffer. The end: neither.
struct ContentPiece {
  uint64_t hole_bytes = 0;
  size_t bytes = 0;
};
// Fills what it can of the buffer.
using ContentSource = std::function<Result<ContentPiece>(MutableBytes buffer)>;

// As FileSystem::ApplyChanges; the content of the last change, a kPut, is what `source` gives. A
// large one is written to a file without a name first: nothing is seen before all of it is there,
// and then all changes happen in one step. An error of the source changes nothing. The file that is
// put keeps its inode number, whatever the size.
Result<std::vector<ChangedName>> ApplyWithContent(FileSystem& file_system,
                                                  std::vector<PathOperation> changes,
                                                  const ContentSource& source, const Caller& caller,
                                                  size_t* failed = nullptr);

}  // namespace kvfs::fs

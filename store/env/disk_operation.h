// Operations on a disk in memory: the vocabulary of MemoryEnv's journal, faults and crash images.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/env/memory_content.h"

namespace kvfs {

enum class OperationKind {
  kCreateFile,
  kRemoveFile,
  kRenameFile,
  kCreateDirectory,
  kRemoveDirectory,
  kSyncDirectory,
  kWrite,
  kAllocate,
  kPunchHole,
  kShorten,
  kSync,
  kRead,  // Read and View: change nothing and are not counted, but can be made to fail
};

// For example "Write".
const char* NameOf(OperationKind kind);

// One line of the journal.
struct OperationRecord {
  OperationKind kind;
  std::string path = {};  // the path by which the file was opened
  std::string to = {};    // kRenameFile
  uint64_t offset = 0;
  uint64_t length = 0;
};

// For example "Write store/log-1 4096+512".
std::string DescribeOperation(const OperationRecord& record);

// A file: the content that readers see, and the content certain to survive a power failure.
struct MemoryNode {
  MemoryContent written;
  MemoryContent synced;
  uint64_t failed_writebacks = 0;
};

// The target of a path; a directory if there is no node. Paths have no leading or trailing slash.
struct MemoryEntry {
  std::shared_ptr<MemoryNode> node;
};
using MemoryNames = std::map<std::string, MemoryEntry>;

// An operation that a power failure may undo, because it has not been synced yet.
struct UnsyncedOperation {
  OperationRecord record;
  std::shared_ptr<MemoryNode> node;  // null for directories
  std::vector<std::byte> data;       // kWrite
  // A sync of it has failed: the system considers it done, no later sync makes it durable, and the
  // state on disk is unknown. Such a write lies within one page.
  bool is_given_up = false;
};

// The system writes back, and gives up, whole pages.
constexpr uint64_t kSystemPageBytes = 4096;

bool ChangesNames(OperationKind kind);
// Whether the operation makes the system write back again, as a whole, the page or name that
// `given_up` concerns.
bool WritesAgain(const UnsyncedOperation& operation, const UnsyncedOperation& given_up);

// Apply the operation. Nothing is checked: it was valid when it was first done.
void ApplyToContent(const UnsyncedOperation& operation, MemoryContent& content);
void ApplyToNames(const UnsyncedOperation& operation, MemoryNames& names);

// "a/b" -> "a", "a" -> "".
std::string ParentOf(const std::string& path);

}  // namespace kvfs

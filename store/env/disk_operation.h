// What changes a disk in memory: the vocabulary of MemoryEnv's journal, faults and crash images.
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
  kRead,  // Read and View: changes nothing, is not counted, but can be made to fail
};

// For example "Write".
const char* NameOf(OperationKind kind);

// One line of the journal.
struct OperationRecord {
  OperationKind kind;
  std::string path = {};  // under which the file was opened
  std::string to = {};    // kRenameFile
  uint64_t offset = 0;
  uint64_t length = 0;
};

// For example "Write store/log-1 4096+512".
std::string DescribeOperation(const OperationRecord& record);

// A file: what readers see, and what is certain to be there after a power failure.
struct MemoryNode {
  MemoryContent written;
  MemoryContent synced;
  uint64_t failed_writebacks = 0;
};

// What a path leads to; without a node it is a directory. Paths have no leading or trailing slash.
struct MemoryEntry {
  std::shared_ptr<MemoryNode> node;
};
using MemoryNames = std::map<std::string, MemoryEntry>;

// An operation that a power failure may undo, because no sync has followed it yet.
struct UnsyncedOperation {
  OperationRecord record;
  std::shared_ptr<MemoryNode> node;  // null for directories
  std::vector<std::byte> data;       // kWrite
  // A sync of it has failed: the system takes it for done, no later sync makes it last, and what is
  // on the disk nobody knows. A write then lies within one page.
  bool is_given_up = false;
};

// Pages are what the system writes back, and gives up.
constexpr uint64_t kSystemPageBytes = 4096;

bool ChangesNames(OperationKind kind);
// Whether the operation has the page, or the name, written back whole that the given-up one was of.
bool WritesAgain(const UnsyncedOperation& operation, const UnsyncedOperation& given_up);

// Do what the operation says. Nothing is checked: it was possible when it was first done.
void ApplyToContent(const UnsyncedOperation& operation, MemoryContent& content);
void ApplyToNames(const UnsyncedOperation& operation, MemoryNames& names);

// "a/b" -> "a", "a" -> "".
std::string ParentOf(const std::string& path);

}  // namespace kvfs

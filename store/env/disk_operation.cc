// Names operations, and repeats them on another copy of the disk.

#include "store/env/disk_operation.h"

namespace kvfs {

const char* NameOf(OperationKind kind) {
  switch (kind) {
    case OperationKind::kCreateFile:
      return "CreateFile";
    case OperationKind::kRemoveFile:
      return "RemoveFile";
    case OperationKind::kRenameFile:
      return "RenameFile";
    case OperationKind::kCreateDirectory:
      return "CreateDirectory";
    case OperationKind::kRemoveDirectory:
      return "RemoveDirectory";
    case OperationKind::kSyncDirectory:
      return "SyncDirectory";
    case OperationKind::kWrite:
      return "Write";
    case OperationKind::kAllocate:
      return "Allocate";
    case OperationKind::kPunchHole:
      return "PunchHole";
    case OperationKind::kShorten:
      return "Shorten";
    case OperationKind::kSync:
      return "Sync";
    case OperationKind::kRead:
      return "Read";
  }
  return "";
}

std::string DescribeOperation(const OperationRecord& record) {
  std::string text = std::string(NameOf(record.kind)) + " " + record.path;
  if (!record.to.empty()) text += " to " + record.to;
  if (record.length > 0) {
    text += " " + std::to_string(record.offset) + "+" + std::to_string(record.length);
  }
  return text;
}

bool ChangesNames(OperationKind kind) {
  return kind == OperationKind::kCreateFile || kind == OperationKind::kRemoveFile ||
         kind == OperationKind::kRenameFile || kind == OperationKind::kCreateDirectory ||
         kind == OperationKind::kRemoveDirectory;
}

bool WritesAgain(const UnsyncedOperation& operation, const UnsyncedOperation& given_up) {
  const OperationRecord& record = operation.record;
  if (ChangesNames(record.kind) != ChangesNames(given_up.record.kind)) return false;
  if (ChangesNames(record.kind)) {
    return record.path == given_up.record.path || record.to == given_up.record.path ||
           record.path == given_up.record.to;
  }
  if (operation.node != given_up.node || record.kind == OperationKind::kAllocate) return false;
  const uint64_t page = given_up.record.offset / kSystemPageBytes;
  return record.offset / kSystemPageBytes <= page &&
         page * kSystemPageBytes < record.offset + record.length;
}

void ApplyToContent(const UnsyncedOperation& operation, MemoryContent& content) {
  const OperationRecord& record = operation.record;
  if (record.kind == OperationKind::kWrite) content.Write(record.offset, operation.data);
  if (record.kind == OperationKind::kAllocate) content.Allocate(record.offset, record.length);
  if (record.kind == OperationKind::kPunchHole) content.Punch(record.offset, record.length);
  if (record.kind == OperationKind::kShorten) content.Shorten(record.offset);
}

void ApplyToNames(const UnsyncedOperation& operation, MemoryNames& names) {
  const OperationRecord& record = operation.record;
  const bool creates =
      record.kind == OperationKind::kCreateFile || record.kind == OperationKind::kCreateDirectory;
  if (creates) {
    names[record.path] = MemoryEntry{operation.node};
    return;
  }
  names.erase(record.path);
  if (record.kind == OperationKind::kRenameFile) names[record.to] = MemoryEntry{operation.node};
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

}  // namespace kvfs

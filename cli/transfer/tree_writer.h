// Writes entries as a directory tree on disk.
//
// Everything is created relative to an open directory, so that a name replaced by a link meanwhile
// leads nowhere else, and attributes are set on the created files. Those of directories are set
// last: creating children changes a directory's times, and its mode may forbid it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/transfer/path_table.h"
#include "cli/transfer/transfer.h"
#include "cli/transfer/tree_cursor.h"

namespace kvfs::cli {

class TreeWriter final : public EntryWriter {
 public:
  // Both cursors are at the top.
  TreeWriter(std::string top, TreeCursor cursor, TreeCursor links);

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override;
  Result<void> Finish() override;

 private:
  struct Directory {
    size_t path;  // in directory_paths_
    fs::Attributes attributes;
    fs::XattrMap xattrs;
  };

  Result<void> MoveTo(TreeCursor& cursor, std::string_view path);
  Result<void> Fail(const std::string& name);
  std::string OnDisk(const std::string& path) const;
  Result<void> AddDirectory(Keys& keys, const WalkedKey& key, const std::string& path,
                            const std::string& name);
  Result<void> Link(const std::string& first, const std::string& path, const std::string& name);
  Result<void> Make(Keys& keys, const WalkedKey& key, const std::string& name);
  Result<void> MakeFile(Keys& keys, const WalkedKey& key, const std::string& name);
  Result<void> Fill(Keys& keys, const WalkedKey& key, const std::string& name, int file);
  Result<void> Write(int file, uint64_t offset, Bytes data, const std::string& name);

  // In tree_writer_attributes.cc.
  Result<void> SetAttributesIfPossible(const std::string& path, const std::string& name,
                                       const fs::Attributes& a, const fs::XattrMap& xattrs);
  Result<void> SetAttributes(const std::string& path, const std::string& name,
                             const fs::Attributes& a, const fs::XattrMap& xattrs);
  Result<void> CheckAttributes(const std::string& path, const std::string& name,
                               const fs::Attributes& a);

  const std::string top_;
  TreeCursor cursor_;
  TreeCursor links_;  // where the first names of hard links are
  const bool is_root_;
  PathTable directory_paths_;
  std::vector<Directory> directories_;
};

}  // namespace kvfs::cli

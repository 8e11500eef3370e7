// A read-only file, with bytes in memory that appear to follow its end: with these a repair puts
// new branches above the leaves of a damaged tree. Without an underlying file, an empty one.
//
// Threads: as for File.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <kvfs/env.h>

namespace kvfs {

class PatchedFile final : public File {
 public:
  // `file` may be null; `path` then names the missing file.
  PatchedFile(std::unique_ptr<File> file, std::string path)
      : File(ViewFaultsOf(file.get())), file_(std::move(file)), path_(std::move(path)) {}

  // Offset of the first byte of a patch, chosen so that no view spans the file and the patch.
  Result<uint64_t> PatchBegin() const;
  // Call it once, before the first View of the patch.
  void Patch(std::vector<std::byte> bytes) { patch_ = std::move(bytes); }

  void MapForWriting(uint64_t) override {}
  Result<void> Read(uint64_t offset, MutableBytes out) const override;
  Result<void> Write(uint64_t, Bytes) override { return Refuse(); }
  Result<const std::byte*> View(uint64_t offset, uint64_t length) const override;
  Result<void> RefreshView(uint64_t offset, uint64_t length) const override;
  Result<void> Allocate(uint64_t, uint64_t) override { return Refuse(); }
  Result<void> PunchHole(uint64_t, uint64_t) override { return Refuse(); }
  Result<void> Shorten(uint64_t) override { return Refuse(); }
  Result<void> Sync() override { return {}; }
  bool IsSuspect() const override { return false; }
  Result<uint64_t> SizeBytes() const override;
  Result<uint64_t> AllocatedBytes() const override;
  uint64_t ViewWindowBytes() const override;
  std::string Residence() const override { return {}; }

 private:
  Result<void> Refuse() const {
    return Fail(ErrorCode::kPermission, path_ + " must not be changed");
  }
  tl::unexpected<Error> Missing() const {
    return Fail(ErrorCode::kIo, path_ + " has no such bytes");
  }

  const std::unique_ptr<File> file_;
  const std::string path_;
  std::vector<std::byte> patch_;
};

}  // namespace kvfs

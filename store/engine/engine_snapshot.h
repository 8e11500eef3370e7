// A snapshot: pins of all shards, as of one sequence of the log.
#pragma once

#include <memory>
#include <vector>

#include "store/base/out_of_memory.h"
#include "store/engine/engine.h"

namespace kvfs {

class EngineSnapshot final : public Snapshot {
 public:
  static std::unique_ptr<EngineSnapshot> Take(EngineParts* parts);
  ~EngineSnapshot() override;

  uint64_t version() const override { return version_; }
  const std::vector<ShardPin>& pins() const { return pins_; }
  Result<EntryInfo> Stat(Key key) const override {
    return WithinMemory([&] { return view_.Stat(key); });
  }
  Result<size_t> Read(Key key, uint64_t offset, MutableBytes out) const override {
    return WithinMemory([&] { return view_.Read(key, offset, out); });
  }
  Result<void> ReadAll(Key key, std::string* content) const override {
    return WithinMemory([&] { return view_.ReadAll(key, content); });
  }
  Result<uint64_t> FindData(Key key, uint64_t offset) const override {
    return WithinMemory([&] { return view_.FindData(key, offset); });
  }
  Result<uint64_t> FindHole(Key key, uint64_t offset) const override {
    return WithinMemory([&] { return view_.FindHole(key, offset); });
  }
  Result<void> List(DirectoryId directory, Position from, const ListVisitor& visit) const override {
    return WithinMemory([&] { return view_.List(directory, from, visit); });
  }

 private:
  EngineSnapshot(EngineParts* parts, std::vector<ShardPin> pins, uint64_t version);

  EngineParts* const parts_;
  std::vector<ShardPin> pins_;
  const uint64_t version_;
  ReadView view_;
};

}  // namespace kvfs

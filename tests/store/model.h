// What a store must hold, as a std::map, and random operations to apply to both.
//
// A Script is a row of steps drawn from a seed; the same seed gives the same steps. Each step is a
// batch, a sync, a checkpoint or a reopening. Sizes are drawn around the limits where the store
// changes its ways: inline and blocks, part and whole blocks, one chunk and two.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"

namespace kvfs {

struct ModelEntry {
  std::string content;
  std::string meta;
  bool operator==(const ModelEntry&) const = default;
};

// By (space, name).
using Model = std::map<std::pair<Space, std::string>, ModelEntry>;

struct ModelChange {
  enum class Kind { kPut, kErase, kWrite, kResize, kPunch, kMove, kMeta };
  Kind kind = Kind::kPut;
  std::pair<Space, std::string> key;
  std::pair<Space, std::string> to;
  uint64_t offset = 0;
  uint64_t length = 0;
  std::string data;
  std::string meta;
};

struct Step {
  enum class Kind { kBatch, kSync, kCheckpoint, kReopen };
  Kind kind = Kind::kBatch;
  std::vector<ModelChange> changes;
};

struct ScriptOptions {
  size_t steps = 100;
  size_t names = 20;             // in each of two spaces
  uint64_t max_bytes = 300'000;  // of a content
  bool reopens = true;
};

std::string ToText(const Step& step);
// Steps that all succeed, given that the store is empty at their beginning.
std::vector<Step> DrawScript(uint64_t seed, const ScriptOptions& options);

// False, with nothing changed, if a change's entry is absent.
bool ApplyToModel(const Step& step, Model* model);
Result<void> ApplyToStore(const Step& step, Store& store);

// All that the store holds in the spaces that scripts use, read through List, Stat and Read.
Result<Model> ReadStore(const Store& store);
// Empty if they are equal; else what the first difference is.
std::string Difference(const Model& expected, const Model& actual);

}  // namespace kvfs

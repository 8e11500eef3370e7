// What a store must hold, as a std::map, and random operations to apply to both.
//
// A Script is a sequence of steps drawn from a seed; the same seed gives the same steps. Each step
// is a batch, a sync, a checkpoint or a reopening; with the option `everything` also all other
// operations of a store, and batches that it must refuse. Sizes are drawn around the limits at
// which the store changes its representation: inline and blocks, partial and whole blocks, one
// chunk and two.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <kvfs/store.h>

namespace kvfs {

struct ModelEntry {
  std::string content;
  std::string meta;
  bool operator==(const ModelEntry&) const = default;
};

// By (directory, name).
using Model = std::map<std::pair<DirectoryId, std::string>, ModelEntry>;

struct ModelChange {
  enum class Kind {
    kPut,
    kErase,
    kWrite,
    kResize,
    kPunch,
    kMove,
    kMeta,
    // With `everything` only:
    kPutNew,   // refused if the entry is there
    kMoveNew,  // refused if the target exists
    kExchange,
    kAllocate,
    kExpectAbsent,
    kExpectPresent,  // with its current version
    kExpectOther,    // with a version that it never had
  };
  Kind kind = Kind::kPut;
  std::pair<DirectoryId, std::string> key;
  std::pair<DirectoryId, std::string> to;
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t to_offset = 0;  // kCopyRange
  std::string data;
  std::string meta;
};

struct Step {
  enum class Kind {
    kBatch,
    kSync,
    kCheckpoint,
    kReopen,
    // With `everything` only:
    kCompact,
    kCopyRange,  // as in its only change, from `key` to `to`
    kReplace,    // replaces the content of its only change's key with a staged one
    kTakeSnapshot,
    kLookAtSnapshot,
    kLookAtHoles,
    kKill,      // the process, which then opens it again
    kReadOnly,  // a copy, as after a kill
  };
  Kind kind = Kind::kBatch;
  std::vector<ModelChange> changes;
  uint64_t number = 0;  // random; for example, which snapshot
};

struct ScriptOptions {
  size_t steps = 100;
  size_t names = 20;             // in each of two directories
  uint64_t max_bytes = 300'000;  // of a content
  bool reopens = true;
  bool everything = false;
};

std::string ToText(const Step& step);
// Steps that all succeed on an initially empty store; with `everything` some are refused.
std::vector<Step> DrawScript(uint64_t seed, const ScriptOptions& options);

// The error with which the store must refuse the step; otherwise nothing, and the model is changed.
std::optional<ErrorCode> ApplyOrRefuse(const Step& step, Model* model);
// False, with nothing changed, if the step is refused.
bool ApplyToModel(const Step& step, Model* model);
Result<void> ApplyToStore(const Step& step, Store& store);

// The complete contents of the directories that scripts use, read through List, Stat and Read.
Result<Model> ReadStore(const Reader& store);
// Empty if they are equal; otherwise the first difference.
std::string Difference(const Model& expected, const Model& actual);

}  // namespace kvfs

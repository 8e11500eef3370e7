// Generates steps, and applies them in two ways.
#include "tests/store/model.h"

#include <algorithm>
#include <random>

namespace kvfs {
namespace {

constexpr DirectoryId kDirectories[] = {kRootDirectory, 100};

class Drawing {
 public:
  Drawing(uint64_t seed, const ScriptOptions& options) : random_(seed), options_(options) {}

  std::vector<Step> Script() {
    std::vector<Step> steps;
    while (steps.size() < options_.steps) {
      Step step = options_.everything && Below(6) == 0 ? DrawOtherStep() : DrawStep();
      if (Keeps(ApplyOrRefuse(step, &model_))) steps.push_back(std::move(step));
    }
    return steps;
  }

 private:
  // Most refused steps name an absent entry: only a few of those are wanted.
  bool Keeps(std::optional<ErrorCode> refusal) {
    if (!refusal || !options_.everything) return !refusal;
    return *refusal != ErrorCode::kNotFound || Below(8) == 0;
  }
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  Step DrawStep() {
    Step step;
    const uint64_t dice = Below(100);
    if (dice < 6) {
      step.kind = Step::Kind::kSync;
    } else if (dice < 9) {
      step.kind = Step::Kind::kCheckpoint;
    } else if (dice < 11 && options_.reopens) {
      step.kind = Step::Kind::kReopen;
    } else {
      const uint64_t count = dice < 25 ? 2 + Below(4) : 1;
      for (uint64_t i = 0; i < count; ++i) step.changes.push_back(DrawChange());
    }
    return step;
  }

  Step DrawOtherStep() {
    using Kind = Step::Kind;
    constexpr Kind kKinds[] = {
        Kind::kCompact,        Kind::kCopyRange,    Kind::kCopyRange,      Kind::kCopyRange,
        Kind::kReplace,        Kind::kReplace,      Kind::kReplace,        Kind::kTakeSnapshot,
        Kind::kTakeSnapshot,   Kind::kTakeSnapshot, Kind::kLookAtSnapshot, Kind::kLookAtSnapshot,
        Kind::kLookAtSnapshot, Kind::kLookAtHoles,  Kind::kKill,           Kind::kReadOnly};
    Step step;
    step.kind = kKinds[Below(std::size(kKinds))];
    step.number = random_();
    if (step.kind == Kind::kCopyRange) step.changes.push_back(DrawChange());
    if (step.kind == Kind::kReplace) {
      step.changes.push_back(DrawChange());
      step.changes[0].data = Text(DrawSize());
    }
    return step;
  }

  ModelChange::Kind DrawKind() {
    using Kind = ModelChange::Kind;
    constexpr Kind kOthers[] = {Kind::kPutNew,       Kind::kMoveNew,       Kind::kMoveNew,
                                Kind::kPutNew,       Kind::kMoveNew,       Kind::kExchange,
                                Kind::kExchange,     Kind::kAllocate,      Kind::kAllocate,
                                Kind::kExpectAbsent, Kind::kExpectPresent, Kind::kExpectPresent,
                                Kind::kExpectOther};
    if (options_.everything && Below(3) == 0) return kOthers[Below(std::size(kOthers))];
    constexpr Kind kKinds[] = {Kind::kPut,   Kind::kPut,   Kind::kPut,   Kind::kErase,
                               Kind::kWrite, Kind::kWrite, Kind::kWrite, Kind::kResize,
                               Kind::kPunch, Kind::kMove,  Kind::kMove,  Kind::kMeta};
    return kKinds[Below(std::size(kKinds))];
  }

  ModelChange DrawChange() {
    using Kind = ModelChange::Kind;
    ModelChange change;
    change.kind = DrawKind();
    change.key = DrawKey();
    change.to = DrawKey();
    change.offset = DrawSize();
    change.length = DrawSize();
    change.meta = Text(Below(60));
    const bool has_data =
        change.kind == Kind::kPut || change.kind == Kind::kPutNew || change.kind == Kind::kWrite;
    if (has_data) change.data = Text(DrawSize());
    if (options_.everything) change.to_offset = DrawSize();
    return change;
  }

  std::pair<DirectoryId, std::string> DrawKey() {
    const uint64_t name = Below(options_.names);
    // Some names have the maximum length.
    const std::string text = "name-" + std::to_string(name);
    return {kDirectories[Below(2)],
            name % 7 == 0 ? text + std::string(255 - text.size(), 'x') : text};
  }

  uint64_t DrawSize() {
    constexpr uint64_t kEdges[] = {0, 1, 1023, 1024, 1025, 4095, 4096, 4097, 8192, 131072, 135168};
    uint64_t size = 0;
    switch (Below(4)) {
      case 0:
        size = kEdges[Below(std::size(kEdges))];
        break;
      case 1:
        size = Below(200);
        break;
      case 2:
        size = Below(10'000);
        break;
      default:
        size = Below(options_.max_bytes);
    }
    return std::min(size, options_.max_bytes);
  }

  std::string Text(uint64_t size) {
    std::string text(size, '\0');
    uint64_t word = random_();
    for (char& c : text) {
      c = static_cast<char>('a' + word % 26);
      word = word * 6364136223846793005u + 1442695040888963407u;
      word ^= word >> 29;
    }
    return text;
  }

  std::mt19937_64 random_;
  ScriptOptions options_;
  Model model_;
};

// Changes of an existing entry; all except those that involve other keys.
void ChangeEntry(const ModelChange& change, ModelEntry* entry) {
  using Kind = ModelChange::Kind;
  std::string& content = entry->content;
  entry->meta = change.meta;
  if (change.kind == Kind::kWrite && !change.data.empty()) {
    content.resize(std::max(content.size(), change.offset + change.data.size()));
    content.replace(change.offset, change.data.size(), change.data);
  } else if (change.kind == Kind::kResize) {
    content.resize(change.offset);
  } else if (change.kind == Kind::kPunch && change.offset < content.size()) {
    const size_t length = std::min(change.length, content.size() - change.offset);
    content.replace(change.offset, length, length, '\0');
  }
}

using Refusal = std::optional<ErrorCode>;

// Expectations concern the state before the batch.
Refusal Expect(const ModelChange& change, const Model& before) {
  using Kind = ModelChange::Kind;
  const bool is_there = before.contains(change.key);
  if (change.kind == Kind::kExpectAbsent) return is_there ? Refusal(ErrorCode::kExists) : Refusal();
  if (!is_there) return ErrorCode::kNotFound;
  return change.kind == Kind::kExpectOther ? Refusal(ErrorCode::kConflict) : Refusal();
}

bool IsExpectation(ModelChange::Kind kind) { return kind >= ModelChange::Kind::kExpectAbsent; }

Refusal ApplyChange(const ModelChange& change, const Model& before, Model* model) {
  using Kind = ModelChange::Kind;
  if (IsExpectation(change.kind)) return Expect(change, before);
  auto found = model->find(change.key);
  if (change.kind == Kind::kPutNew && found != model->end()) return ErrorCode::kExists;
  if (change.kind == Kind::kPut || change.kind == Kind::kPutNew) {
    (*model)[change.key] = {change.data, change.meta};
    return {};
  }
  if (found == model->end()) return ErrorCode::kNotFound;
  if (change.kind == Kind::kErase) {
    model->erase(found);
    return {};
  }
  const bool is_elsewhere = change.key != change.to;
  const auto other = model->find(change.to);
  if (change.kind == Kind::kExchange && other == model->end()) return ErrorCode::kNotFound;
  if (change.kind == Kind::kMoveNew && is_elsewhere && other != model->end()) {
    return ErrorCode::kExists;
  }
  ChangeEntry(change, &found->second);
  if (change.kind == Kind::kExchange) std::swap(found->second, other->second);
  if ((change.kind == Kind::kMove || change.kind == Kind::kMoveNew) && is_elsewhere) {
    (*model)[change.to] = std::move(found->second);
    model->erase(change.key);
  }
  return {};
}

Refusal CopyInModel(const ModelChange& copy, Model* model) {
  const auto from = model->find(copy.key);
  if (from == model->end()) return ErrorCode::kNotFound;
  const uint64_t size = from->second.content.size();
  if (copy.offset >= size) return {};
  const uint64_t length = std::min(copy.length, size - copy.offset);
  const bool overlaps = copy.key == copy.to && copy.offset < copy.to_offset + length &&
                        copy.to_offset < copy.offset + length;
  if (overlaps) return ErrorCode::kInvalid;
  if (length == 0) return {};
  const auto to = model->find(copy.to);
  if (to == model->end()) return ErrorCode::kNotFound;
  const std::string piece = from->second.content.substr(copy.offset, length);
  std::string& content = to->second.content;
  content.resize(std::max<size_t>(content.size(), copy.to_offset + length));
  content.replace(copy.to_offset, length, piece);
  to->second.meta = copy.meta;
  return {};
}

Refusal ReplaceInModel(const ModelChange& replace, Model* model) {
  const auto found = model->find(replace.key);
  if (found == model->end()) return ErrorCode::kNotFound;
  found->second = {replace.data, replace.meta};
  return {};
}

// The new content first belongs to an entry that no crash leaves behind.
Result<void> ReplaceInStore(const ModelChange& replace, Store& store) {
  const Key key{replace.key.first, replace.key.second}, staged{kTransientDirectory, "staged"};
  KVFS_ASSIGN(const EntryInfo info, store.Stat(key));
  const Bytes data = AsBytes(replace.data);
  Batch beginning, rest, end;
  beginning.PutAs(staged, store.ReserveIdLike(info.id), data.first(data.size() / 2), "staged");
  KVFS_TRY(store.Apply(beginning));
  rest.Write(staged, data.size() / 2, data.subspan(data.size() / 2));
  KVFS_TRY(store.Apply(rest));
  end.TakeContent(key, staged, [&replace](std::string& meta) { meta = replace.meta; });
  return store.Apply(end);
}

// The expected version.
uint64_t VersionFor(const ModelChange& change, const Store& store) {
  using Kind = ModelChange::Kind;
  if (change.kind == Kind::kExpectAbsent) return Batch::kAbsent;
  const auto info = store.Stat({change.key.first, change.key.second});
  const uint64_t version = info ? info->version : 1;
  return change.kind == Kind::kExpectPresent ? version : version + 1;
}

void AddToBatch(const ModelChange& change, const Store& store, Batch* batch) {
  using Kind = ModelChange::Kind;
  constexpr auto kRefuse = Batch::IfPresent::kRefuse;
  const Key key{change.key.first, change.key.second}, to{change.to.first, change.to.second};
  MetaEdit edit = [&change](std::string& meta) { meta = change.meta; };
  switch (change.kind) {
    case Kind::kPut:
      return batch->Put(key, AsBytes(change.data), change.meta);
    case Kind::kErase:
      return batch->Erase(key);
    case Kind::kWrite:
      return batch->Write(key, change.offset, AsBytes(change.data), edit);
    case Kind::kResize:
      return batch->Resize(key, change.offset, edit);
    case Kind::kPunch:
      return batch->Punch(key, change.offset, change.length, edit);
    case Kind::kMove:
      return batch->Move(key, to, edit);
    case Kind::kMeta:
      return batch->EditMeta(key, edit);
    case Kind::kPutNew:
      return batch->Put(key, AsBytes(change.data), change.meta, kRefuse);
    case Kind::kMoveNew:
      return batch->Move(key, to, edit, kRefuse);
    case Kind::kExchange:
      return batch->Exchange(key, to, edit);
    case Kind::kAllocate:
      return batch->Allocate(key, change.offset, change.length, edit);
    case Kind::kExpectAbsent:
    case Kind::kExpectPresent:
    case Kind::kExpectOther:
      return batch->Expect(key, VersionFor(change, store));
  }
}

}  // namespace

std::string ToText(const Step& step) {
  constexpr const char* kSteps[] = {
      "batch",   "sync",          "checkpoint",       "reopen",        "compact", "copy range",
      "replace", "take snapshot", "look at snapshot", "look at holes", "kill",    "read only"};
  constexpr const char* kChanges[] = {
      "put",      "erase",         "write",          "resize",      "punch",
      "move",     "meta",          "put new",        "move new",    "exchange",
      "allocate", "expect absent", "expect present", "expect other"};
  std::string text = kSteps[static_cast<int>(step.kind)];
  for (const ModelChange& change : step.changes) {
    text += std::string(" [") + kChanges[static_cast<int>(change.kind)] + " " +
            std::to_string(change.key.first) + ":" + change.key.second.substr(0, 10) + " to " +
            std::to_string(change.to.first) + ":" + change.to.second.substr(0, 10) + " at " +
            std::to_string(change.offset) + "+" +
            std::to_string(change.data.empty() ? change.length : change.data.size()) + "]";
  }
  return text;
}

std::vector<Step> DrawScript(uint64_t seed, const ScriptOptions& options) {
  return Drawing(seed, options).Script();
}

std::optional<ErrorCode> ApplyOrRefuse(const Step& step, Model* model) {
  if (step.kind == Step::Kind::kCopyRange) return CopyInModel(step.changes[0], model);
  if (step.kind == Step::Kind::kReplace) return ReplaceInModel(step.changes[0], model);
  Model changed = *model;
  for (const ModelChange& change : step.changes) {
    if (const auto refusal = ApplyChange(change, *model, &changed)) return refusal;
  }
  *model = std::move(changed);
  return {};
}

bool ApplyToModel(const Step& step, Model* model) { return !ApplyOrRefuse(step, model); }

Result<void> ApplyToStore(const Step& step, Store& store) {
  if (step.kind == Step::Kind::kSync) return store.Sync();
  if (step.kind == Step::Kind::kCheckpoint) return store.Checkpoint();
  if (step.kind == Step::Kind::kCompact) return store.Compact();
  if (step.kind == Step::Kind::kReplace) return ReplaceInStore(step.changes[0], store);
  if (step.kind == Step::Kind::kCopyRange) {
    const ModelChange& copy = step.changes[0];
    KVFS_TRY(store.CopyRange({copy.key.first, copy.key.second}, copy.offset,
                             {copy.to.first, copy.to.second}, copy.to_offset, copy.length,
                             [&copy](std::string& meta) { meta = copy.meta; }));
    return {};
  }
  Batch batch;
  for (const ModelChange& change : step.changes) AddToBatch(change, store, &batch);
  return store.Apply(batch);
}

Result<Model> ReadStore(const Reader& store) {
  Model model;
  for (DirectoryId directory : kDirectories) {
    std::vector<std::string> names;
    KVFS_TRY(store.List(directory, 0, [&](const ListedEntry& entry) {
      names.emplace_back(entry.name);
      return true;
    }));
    for (const std::string& name : names) {
      KVFS_ASSIGN(EntryInfo info, store.Stat({directory, name}));
      std::string content(info.size_bytes + 1, '?');
      KVFS_ASSIGN(size_t count,
                  store.Read({directory, name}, 0, std::as_writable_bytes(std::span(content))));
      content.resize(count);
      if (!model.try_emplace({directory, name}, ModelEntry{content, info.meta}).second) {
        return Fail(ErrorCode::kCorrupt, "listed twice: " + name);
      }
    }
  }
  return model;
}

std::string Difference(const Model& expected, const Model& actual) {
  for (const auto& [key, entry] : expected) {
    const std::string name = std::to_string(key.first) + ":" + key.second.substr(0, 10);
    auto found = actual.find(key);
    if (found == actual.end()) return name + " is missing";
    const ModelEntry& other = found->second;
    if (entry.meta != other.meta) return name + " has another meta";
    if (entry.content.size() != other.content.size()) {
      return name + " has " + std::to_string(other.content.size()) + " bytes, not " +
             std::to_string(entry.content.size());
    }
    const auto at = std::ranges::mismatch(entry.content, other.content).in1;
    if (at != entry.content.end()) {
      return name + " differs at byte " + std::to_string(at - entry.content.begin());
    }
  }
  for (const auto& [key, entry] : actual) {
    if (!expected.contains(key)) return key.second.substr(0, 10) + " should not be there";
  }
  return {};
}

}  // namespace kvfs

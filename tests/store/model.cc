// Drawing steps, and the two ways of carrying them out.
#include "tests/store/model.h"

#include <algorithm>
#include <random>

namespace kvfs {
namespace {

constexpr Space kSpaces[] = {kRootSpace, 100};

class Drawing {
 public:
  Drawing(uint64_t seed, const ScriptOptions& options) : random_(seed), options_(options) {}

  std::vector<Step> Script() {
    std::vector<Step> steps;
    while (steps.size() < options_.steps) {
      Step step = DrawStep();
      if (ApplyToModel(step, &model_)) steps.push_back(std::move(step));
    }
    return steps;
  }

 private:
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

  ModelChange DrawChange() {
    using Kind = ModelChange::Kind;
    constexpr Kind kKinds[] = {Kind::kPut,   Kind::kPut,   Kind::kPut,   Kind::kErase,
                               Kind::kWrite, Kind::kWrite, Kind::kWrite, Kind::kResize,
                               Kind::kPunch, Kind::kMove,  Kind::kMove,  Kind::kMeta};
    ModelChange change;
    change.kind = kKinds[Below(std::size(kKinds))];
    change.key = DrawKey();
    change.to = DrawKey();
    change.offset = DrawSize();
    change.length = DrawSize();
    change.meta = Text(Below(60));
    if (change.kind == Kind::kPut || change.kind == Kind::kWrite) change.data = Text(DrawSize());
    return change;
  }

  std::pair<Space, std::string> DrawKey() {
    const uint64_t name = Below(options_.names);
    // Some names are as long as can be.
    const std::string text = "name-" + std::to_string(name);
    return {kSpaces[Below(2)], name % 7 == 0 ? text + std::string(255 - text.size(), 'x') : text};
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

bool ApplyChange(const ModelChange& change, Model* model) {
  using Kind = ModelChange::Kind;
  if (change.kind == Kind::kPut) {
    (*model)[change.key] = {change.data, change.meta};
    return true;
  }
  auto found = model->find(change.key);
  if (found == model->end()) return false;
  ModelEntry& entry = found->second;
  std::string& content = entry.content;
  if (change.kind == Kind::kErase) {
    model->erase(found);
    return true;
  }
  entry.meta = change.meta;
  if (change.kind == Kind::kWrite && !change.data.empty()) {
    content.resize(std::max(content.size(), change.offset + change.data.size()));
    content.replace(change.offset, change.data.size(), change.data);
  } else if (change.kind == Kind::kResize) {
    content.resize(change.offset);
  } else if (change.kind == Kind::kPunch && change.offset < content.size()) {
    const size_t length = std::min(change.length, content.size() - change.offset);
    content.replace(change.offset, length, length, '\0');
  } else if (change.kind == Kind::kMove && change.key != change.to) {
    (*model)[change.to] = std::move(entry);
    model->erase(change.key);
  }
  return true;
}

void AddToBatch(const ModelChange& change, Batch* batch) {
  using Kind = ModelChange::Kind;
  const Key key{change.key.first, change.key.second};
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
      return batch->Move(key, {change.to.first, change.to.second}, edit);
    case Kind::kMeta:
      return batch->EditMeta(key, edit);
  }
}

}  // namespace

std::string ToText(const Step& step) {
  constexpr const char* kSteps[] = {"batch", "sync", "checkpoint", "reopen"};
  constexpr const char* kChanges[] = {"put", "erase", "write", "resize", "punch", "move", "meta"};
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

bool ApplyToModel(const Step& step, Model* model) {
  Model changed = *model;
  for (const ModelChange& change : step.changes) {
    if (!ApplyChange(change, &changed)) return false;
  }
  *model = std::move(changed);
  return true;
}

Result<void> ApplyToStore(const Step& step, Store& store) {
  if (step.kind == Step::Kind::kSync) return store.Sync();
  if (step.kind == Step::Kind::kCheckpoint) return store.Checkpoint();
  Batch batch;
  for (const ModelChange& change : step.changes) AddToBatch(change, &batch);
  return store.Apply(batch);
}

Result<Model> ReadStore(const Store& store) {
  Model model;
  for (Space space : kSpaces) {
    std::vector<std::string> names;
    KVFS_TRY(store.List(space, 0, [&](const ListedEntry& entry) {
      names.emplace_back(entry.name);
      return true;
    }));
    for (const std::string& name : names) {
      KVFS_ASSIGN(EntryInfo info, store.Stat({space, name}));
      std::string content(info.size_bytes + 1, '?');
      KVFS_ASSIGN(size_t count,
                  store.Read({space, name}, 0, std::as_writable_bytes(std::span(content))));
      content.resize(count);
      if (!model.try_emplace({space, name}, ModelEntry{content, info.meta}).second) {
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

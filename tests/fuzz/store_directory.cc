// A store directory with some bytes replaced: it is opened for writing and for reading, listed,
// read, checked, changed and repaired, without crash or hang.
//
// Damaged: checksums are not adjusted. Then every result is an error, or consistent with one moment
// at which the process could have died. But if the recovery has reported that it left a change out,
// because the entry it changes is damaged, each result alone is consistent with some moment.
// Hostile: checksums are recomputed, so that wrong numbers get past them. Then results are
// arbitrary.
//
// The input: which store, damaged or hostile, and its use (a byte); then replacements: file, page
// in the file and a byte for its kind (a byte each), offset in the page (u16), number of bytes (a
// byte), and the bytes.
#include <algorithm>

#include <kvfs/repair.h>
#include "store/format/checksum.h"
#include "store/format/page.h"
#include "tests/fuzz/damaged_store.h"
#include "tests/fuzz/reseal.h"
#include "tests/fuzz/target.h"

namespace kvfs::fuzz {
namespace {

constexpr uint64_t kPageBytes = 4096;  // of the image, as its blocks

struct Header {
  explicit Header(uint8_t byte)
      : is_killed((byte & 1) != 0), is_hostile((byte & 2) != 0), use(byte >> 2 & 3) {}
  const bool is_killed, is_hostile;
  const int use;  // 0 reading, 1 repairing, else writing
};

// --- damaging ---

std::string PathOf(const StoreImage& image, uint8_t which) {
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : image.files) {
    if (!bytes.empty()) paths.push_back(path);
  }
  return paths[which % paths.size()];
}

void Replace(const StoreImage& image, InputReader* input, StoreImage* damaged) {
  const std::string path = PathOf(image, input->Byte());
  std::string& bytes = damaged->files[path];
  const uint64_t pages = bytes.size() / kPageBytes + 1;
  const uint64_t page = input->Byte() % pages;
  const uint8_t kind = input->Byte();
  const uint64_t at = page * kPageBytes + input->Short() % kPageBytes;
  const std::string_view data = AsText(input->Take(input->Byte()));
  if (kind == 255) {  // truncated
    bytes.resize(std::min<size_t>(bytes.size(), at));
    damaged->file_sizes[path] = bytes.size();
  } else if (kind == 254) {  // lost
    bytes.clear();
    damaged->files.erase(path);
  } else if (!data.empty()) {
    bytes.resize(std::max<size_t>(bytes.size(), at + data.size()));
    bytes.replace(at, data.size(), data);
  }
}

// --- correct checksums for everything ---

MutableBytes Part(std::string& bytes, uint64_t begin, uint64_t length) {
  if (begin + length > bytes.size()) bytes.resize(begin + length);
  return std::as_writable_bytes(std::span(bytes)).subspan(begin, length);
}

void ResealPages(std::string& bytes, uint64_t seed) {
  for (uint64_t at = kPageBytes; at < bytes.size(); at += kPageBytes) {
    format::SealPage(Part(bytes, at, kPageBytes), seed);
  }
}

// The checkpoint's pointers to the roots of the maps get the checksums of those blocks.
void ResealMapRoots(StoreImage* image, MutableBytes slot, uint32_t shard) {
  const auto values = image->files.find("store/shard-0" + std::to_string(shard) + ".values");
  if (values == image->files.end()) return;
  for (const size_t pointer : {size_t{16}, size_t{32}}) {
    std::byte* const at =
        slot.data() + format::kSlotHeaderBytes + shard * format::kSlotShardBytes + pointer;
    const auto number = LoadLittle<uint64_t>(at);
    if (number >= values->second.size() / kPageBytes + 1) continue;
    const Bytes block = Part(values->second, number * kPageBytes, kPageBytes);
    StoreLittle(at + 8, format::Checksum(block, image->identity.ShardSeed(shard)));
  }
}

void Reseal(StoreImage* image) {
  const auto& identity = image->identity;
  for (auto& [path, bytes] : image->files) {
    if (path.ends_with(".keys"))
      ResealPages(bytes, identity.ShardSeed(path.ends_with("0.keys") ? 0 : 1));
    if (path.starts_with("store/log/")) {
      ResealSegment(std::as_writable_bytes(std::span(bytes)), identity.store);
    }
  }
  const auto superblock = image->files.find("store/superblock");
  if (superblock == image->files.end()) return;
  for (const int copy : {0, 1}) {
    ResealIdentity(Part(superblock->second, format::kIdentityOffset[copy], format::kIdentityBytes));
    const MutableBytes slot = Part(superblock->second, format::kSlotOffset[copy], 1024);
    for (uint32_t shard = 0; shard < 2; ++shard) ResealMapRoots(image, slot, shard);
    ResealSlot(slot, identity.store, 2);
  }
}

// --- examining the rest ---

// The states of the store that the observed contents are still consistent with.
class Expectation {
 public:
  Expectation(const StoreImage& image, bool is_hostile) : is_hostile_(is_hostile) {
    for (const Model& state : image.states) states_.push_back(&state);
  }

  void HasEntry(const Model::key_type& key, const std::string& content, const std::string& meta) {
    Keep(key, [&](const Model& state) {
      const auto found = state.find(key);
      return found != state.end() && found->second == ModelEntry{content, meta};
    });
  }
  void LacksEntry(const Model::key_type& key) {
    Keep(key, [&](const Model& state) { return !state.contains(key); });
  }

 private:
  template <typename Fits>
  void Keep(const Model::key_type& key, Fits fits) {
    if (is_hostile_) return;
    std::vector<const Model*> fitting;
    std::ranges::copy_if(states_, std::back_inserter(fitting),
                         [&](const Model* state) { return fits(*state); });
    Require(!fitting.empty(), "what is read was stored, all at one time: " + key.second +
                                  " fits none of " + std::to_string(states_.size()) + " states");
    states_ = std::move(fitting);
  }

  const bool is_hostile_;
  std::vector<const Model*> states_;
};

std::vector<Model::key_type> KeysOf(const StoreImage& image) {
  std::vector<Model::key_type> keys;
  for (const Model& state : image.states) {
    for (const auto& [key, entry] : state) keys.push_back(key);
  }
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

// All of a small content, or both ends of a large one.
Result<std::string> ReadContent(const Store& store, Key key, uint64_t size) {
  constexpr uint64_t kMost = uint64_t{1} << 20;
  std::string content(std::min(size + 1, kMost), '?');
  const auto out = std::as_writable_bytes(std::span(content));
  if (size >= kMost) KVFS_TRY(store.Read(key, size - kMost / 2, out));
  KVFS_ASSIGN(const size_t count, store.Read(key, 0, out));
  content.resize(count);
  return content;
}

void ReadEntry(const Store& store, const Model::key_type& key, Expectation* expected) {
  const Key name{key.first, key.second};
  const auto info = store.Stat(name);
  static_cast<void>(store.FindData(name, 1));
  static_cast<void>(store.FindHole(name, 1));
  if (!info) {
    if (info.error().code == ErrorCode::kNotFound) expected->LacksEntry(key);
    return;
  }
  const auto content = ReadContent(store, name, info->size_bytes);
  if (content) expected->HasEntry(key, *content, info->meta);
}

// Returns whether the listing is complete.
bool ListAll(const Store& store, DirectoryId directory, Expectation* expected) {
  std::vector<std::pair<Model::key_type, std::string>> listed;
  const auto done = store.List(directory, 0, [&](const ListedEntry& entry) {
    listed.push_back({{directory, std::string(entry.name)}, std::string(entry.meta)});
    return listed.size() < 1000;
  });
  for (const auto& [key, meta] : listed) ReadEntry(store, key, expected);
  return done.has_value();
}

void ReadAll(const StoreImage& image, const Store& store, Expectation* expected) {
  for (const DirectoryId directory : {kRootDirectory, DirectoryId{100}})
    ListAll(store, directory, expected);
  for (const auto& key : KeysOf(image)) ReadEntry(store, key, expected);
  static_cast<void>(store.Check({}));
  static_cast<void>(store.GetStats());
}

void Change(Store& store) {
  for (const char* name : {"small 5", "empty", "new"}) {
    static_cast<void>(store.Put(name, std::string(9000, 'n')));
  }
  for (const char* name : {"large", "direct", "later"}) {
    Batch batch;
    batch.Write({100, name}, 4000, AsBytes("written over what was there"));
    static_cast<void>(store.Apply(batch));
  }
  static_cast<void>(store.Erase("small 7"));
  static_cast<void>(store.Checkpoint());
  static_cast<void>(store.Compact());
}

// Without checkpoints at arbitrary times.
OpenOptions Options(bool read_only = false) {
  OpenOptions options;
  options.read_only = read_only;
  options.idle_ms = 0;
  return options;
}

void OpenToRead(const StoreImage& image, Env& disk, Expectation* expected) {
  const auto store = Store::Open(disk, "store", Options(/*read_only=*/true));
  if (store) ReadAll(image, **store, expected);
}

void OpenToWrite(const StoreImage& image, Env& disk, Expectation* expected) {
  const auto store = Store::Open(disk, "store", Options());
  if (!store) return;
  ReadAll(image, **store, expected);
  Change(**store);
  static_cast<void>((*store)->Close());
}

// A repair reports unreadable parts as text, which the test cannot interpret; so its result is
// compared only for an undamaged store.
void Repair(Env& disk) {
  if (!RepairStore(disk, "store", "repaired")) return;
  const auto store = Store::Open(disk, "repaired", Options());
  Require(store.has_value(), "a repaired store opens");
  const auto report = (*store)->Check({});
  Require(report && report->IsSound(), "a repaired store is sound");
}

void Run(Bytes bytes) {
  InputReader input(bytes);
  const Header header(input.Byte());
  const StoreImage& image = header.is_killed ? KilledStore() : ClosedStore();
  StoreImage damaged = image;
  for (int i = 0; i < 8 && !input.empty(); ++i) Replace(image, &input, &damaged);
  if (header.is_hostile) Reseal(&damaged);
  Expectation expected(image, header.is_hostile);
  const auto disk = DiskOf(damaged);
  if (header.use == 0) return OpenToRead(image, *disk, &expected);
  if (header.use == 1) return Repair(*disk);
  OpenToWrite(image, *disk, &expected);
}

// Each file damaged in one of its first pages, for each use.
std::vector<Input> Seeds() {
  std::vector<Input> seeds;
  for (uint8_t header = 0; header < 12; ++header) {
    for (uint8_t file = 0; file < 8; ++file) {
      const auto page = static_cast<uint8_t>((header + file) % 3);
      const auto at = static_cast<uint8_t>(16 + 13 * file);
      const uint8_t bytes[] = {header, file, page, 0, at, 0, 4, 1, 255, 2, 3};
      seeds.push_back(Resized(std::as_bytes(std::span(bytes)), sizeof bytes));
    }
  }
  return seeds;
}

}  // namespace

const Target kStoreDirectory = {"store_directory", Run, Seeds, 200};

}  // namespace kvfs::fuzz

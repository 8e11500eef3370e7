// The store's id would be random; it is replaced by a fixed one before anything else is written, so
// that each run has the same bytes.
#include "tests/fuzz/damaged_store.h"

#include "tests/fuzz/target.h"
#include "tests/support/small_store.h"

namespace kvfs::fuzz {
namespace {

constexpr DirectoryId kOtherDirectory = 100;  // a directory that ReadStore reads

std::string Text(size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + (seed = seed * 1103515245 + 12345) / 65536 % 26);
  return text;
}

template <typename T>
T Must(Result<T> result) {
  Require(result.has_value(), result ? "" : result.error().message);
  return *std::move(result);
}
void Must(Result<void> result) {
  Require(result.has_value(), result ? "" : result.error().message);
}

class Builder {
  using Kind = ModelChange::Kind;

 public:
  StoreImage Build(bool closes) {
    CreateWithFixedId();
    OpenOptions options;
    options.idle_ms = 0;  // no checkpoints at arbitrary times
    store_ = Must(Store::Open(disk_, "store", options));
    Fill();
    if (closes) {
      Must(store_->Close());
      store_.reset();
      image_.states.erase(image_.states.begin(), image_.states.end() - 1);
    }
    const auto killed = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
    for (const char* directory : {"store", "store/log"}) ReadFiles(*killed, directory);
    return std::move(image_);
  }

 private:
  void CreateWithFixedId() {
    Must(Store::Create(disk_, "store", SmallStore(2, 4096)));
    auto file = Must(disk_.OpenFile("store/superblock"));
    std::vector<std::byte> identity(format::kIdentityBytes), slot(8192);
    Must(file->Read(format::kIdentityOffset[0], identity));
    Must(file->Read(format::kSlotOffset[0], slot));
    image_.identity = Must(format::Identity::Decode(identity));
    const auto checkpoint = Must(format::Checkpoint::Decode(slot, image_.identity.store, 2));
    for (size_t i = 0; i < 16; ++i) image_.identity.store[i] = static_cast<std::byte>(i);
    for (const int copy : {0, 1}) {
      Must(file->Write(format::kIdentityOffset[copy], image_.identity.Encode()));
      Must(file->Write(format::kSlotOffset[copy], checkpoint.Encode(image_.identity.store)));
    }
    image_.states = {Model{}};
  }

  void Apply(const ModelChange& change) {
    const Step step{Step::Kind::kBatch, {change}};
    Must(ApplyToStore(step, *store_));
    Model next = image_.states.back();
    Require(ApplyToModel(step, &next), "a change of what is there");
    image_.states.push_back(std::move(next));
  }
  static ModelChange Of(ModelChange::Kind kind, DirectoryId directory, const std::string& name) {
    ModelChange change;
    change.kind = kind;
    change.key = {directory, name};
    change.meta = "meta of " + name;
    return change;
  }
  void Put(DirectoryId directory, const std::string& name, const std::string& content) {
    ModelChange change = Of(Kind::kPut, directory, name);
    change.data = content;
    Apply(change);
  }
  void Move(const std::string& from, const std::string& to) {
    ModelChange change = Of(Kind::kMove, kRootDirectory, from);
    change.to = {kOtherDirectory, to};
    Apply(change);
  }
  void Edit(Kind kind, const std::string& name, uint64_t offset, uint64_t length,
            const std::string& data = {}) {
    ModelChange change = Of(kind, kOtherDirectory, name);
    change.offset = offset;
    change.length = length;
    change.data = data;
    Apply(change);
  }

  // Trees with branches; contents in a leaf, in direct blocks, in chunks, with holes; freed pages
  // and blocks; a log that continues after a checkpoint.
  void Fill() {
    for (unsigned i = 0; i < 60; ++i)
      Put(kRootDirectory, "small " + std::to_string(i), Text(150, i));
    Put(kOtherDirectory, "direct", Text(9000, 1));
    Put(kOtherDirectory, "large", Text(60'000, 2));
    Put(kOtherDirectory, "gone", Text(40'000, 3));
    Must(store_->Checkpoint());
    Edit(Kind::kResize, "large", 300'000, 0);
    Edit(Kind::kErase, "gone", 0, 0);
    Put(kRootDirectory, "empty", "");
    Must(store_->Checkpoint());
    Put(kOtherDirectory, "later", Text(20'000, 4));
    Move("small 1", "moved");
    Edit(Kind::kPunch, "direct", 10, 5000);
    Must(store_->Sync());
    Edit(Kind::kWrite, "large", 5, 0, "written");
    Put(kRootDirectory, "last", "of all");
  }

  void ReadFiles(Env& env, const std::string& directory) {
    const auto names = Must(env.ListDirectory(directory));
    for (const std::string& name : names) {
      const std::string path = directory + "/" + name;
      auto opened = env.OpenFile(path);
      if (!opened) continue;  // a directory
      std::string bytes(Must((*opened)->SizeBytes()), '\0');
      Must((*opened)->Read(0, std::as_writable_bytes(std::span(bytes))));
      image_.file_sizes[path] = bytes.size();
      bytes.resize(bytes.find_last_not_of('\0') + 1);
      image_.files[path] = std::move(bytes);
    }
  }

  MemoryEnv disk_;
  std::unique_ptr<Store> store_;
  StoreImage image_;
};

}  // namespace

const StoreImage& ClosedStore() {
  static const StoreImage image = Builder().Build(/*closes=*/true);
  return image;
}

const StoreImage& KilledStore() {
  static const StoreImage image = Builder().Build(/*closes=*/false);
  return image;
}

std::unique_ptr<MemoryEnv> DiskOf(const StoreImage& image) {
  auto disk = std::make_unique<MemoryEnv>();
  for (const char* directory : {"store", "store/log"}) Must(disk->CreateDirectory(directory));
  for (const auto& [path, bytes] : image.files) {
    auto file = Must(disk->CreateFile(path));
    const auto size = image.file_sizes.at(path);
    if (size > 0) Must(file->Allocate(0, size));
    Must(file->Write(0, AsBytes(bytes)));
  }
  return disk;
}

}  // namespace kvfs::fuzz

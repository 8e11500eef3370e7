// Settings in a store, through the library: opens a store (creating it if there is none), changes
// values one at a time, atomically together, and conditionally, lists them as of one moment, and
// handles errors.
//
//   g++ settings.cc $(pkg-config --cflags --libs kvfs) -o settings && ./settings DIRECTORY
//
// Each call returns a Result: a value, or an Error with a code for the program and a message for
// the user. docs/library.md gives an overview.

#include <iostream>
#include <memory>
#include <string>

#include <kvfs/store.h>

namespace {

using kvfs::Batch;
using kvfs::Error;
using kvfs::ErrorCode;
using kvfs::Result;
using kvfs::Store;

constexpr kvfs::Key KeyOf(std::string_view name) { return {kvfs::kRootDirectory, name}; }

Result<std::unique_ptr<Store>> OpenOrCreate(const std::string& path) {
  kvfs::Env& env = kvfs::GetPosixEnv();
  kvfs::OpenOptions options;
  options.purpose = "the settings example";  // shown to a second opener
  auto store = Store::Open(env, path, options);
  if (store || store.error().code != ErrorCode::kNotFound) return store;
  KVFS_TRY(Store::Create(env, path));
  return Store::Open(env, path, options);
}

// Changes two related values atomically: after any crash both are there, or neither.
Result<void> SetWindow(Store& store, std::string_view width, std::string_view height) {
  Batch batch;
  batch.Put(KeyOf("window.width"), kvfs::AsBytes(width));
  batch.Put(KeyOf("window.height"), kvfs::AsBytes(height));
  return store.Apply(batch);
}

// Adds one, even if others do so at the same time: the change fails if the value no longer has the
// version that was read, and is then tried again.
Result<int> CountStart(Store& store) {
  while (true) {
    const auto before = store.Stat(KeyOf("starts"));
    if (!before && before.error().code != ErrorCode::kNotFound) {
      return tl::unexpected(before.error());
    }
    int count = 0;
    if (before) {
      KVFS_ASSIGN(const std::string text, store.Get("starts"));
      count = std::stoi(text);
    }
    const std::string next = std::to_string(count + 1);
    Batch batch;
    batch.Expect(KeyOf("starts"), before ? before->version : Batch::kAbsent);
    batch.Put(KeyOf("starts"), kvfs::AsBytes(next));
    const auto applied = store.Apply(batch);
    if (applied) return count + 1;
    if (applied.error().code != ErrorCode::kConflict &&
        applied.error().code != ErrorCode::kExists) {
      return tl::unexpected(applied.error());
    }
  }
}

// All settings as they were when the snapshot was taken, in the order of their names' hashes.
Result<void> PrintAll(const Store& store) {
  KVFS_ASSIGN(const auto snapshot, store.TakeSnapshot());
  return snapshot->List(
      kvfs::kRootDirectory, kvfs::kFirstPosition, [&](const kvfs::ListedEntry& entry) {
        const auto value = snapshot->Get(entry.name);
        std::cout << entry.name << " = " << (value ? *value : value.error().message) << "\n";
        return true;
      });
}

Result<void> Run(const std::string& path) {
  KVFS_ASSIGN(const auto store, OpenOrCreate(path));
  KVFS_TRY(store->Put("greeting", "hello"));
  KVFS_TRY(SetWindow(*store, "1280", "720"));
  KVFS_ASSIGN(const int starts, CountStart(*store));
  std::cout << "start " << starts << "\n";
  const auto absent = store->Get("no such setting");
  if (!absent && absent.error().code == ErrorCode::kNotFound) std::cout << "absent is no error\n";
  KVFS_TRY(PrintAll(*store));
  KVFS_TRY(store->Sync());  // from here on it survives power loss
  return store->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: settings DIRECTORY\n";
    return 1;
  }
  const auto done = Run(argv[1]);
  if (done) return 0;
  std::cerr << "settings: " << done.error().message << "\n";
  return 2;
}

// The helpers, each one call of the store.
#include "tests/store/store_fixture.h"

#include <span>

namespace kvfs {

StoreFixture::StoreFixture() {
  EXPECT_TRUE(Store::Create(env_, "store", SmallStore()));
  Reopen();
}

void StoreFixture::Reopen() {
  store_.reset();
  store_ = Store::Open(env_, "store").value();
}

Result<void> StoreFixture::Apply(const std::function<void(Batch&)>& fill) {
  Batch batch;
  fill(batch);
  return store_->Apply(batch);
}

Result<void> StoreFixture::Write(std::string_view name, uint64_t offset, std::string_view data) {
  return Apply([&](Batch& batch) { batch.Write({kRootDirectory, name}, offset, AsBytes(data)); });
}

Result<void> StoreFixture::Resize(std::string_view name, uint64_t size) {
  return Apply([&](Batch& batch) { batch.Resize({kRootDirectory, name}, size); });
}

uint64_t StoreFixture::PutNew(DirectoryId directory, std::string_view name) {
  uint64_t id = 0;
  EXPECT_TRUE(Apply([&](Batch& batch) {
    batch.Put({directory, name}, {}, {}, Batch::IfPresent::kRefuse, &id);
  }));
  return id;
}

std::string StoreFixture::Read(std::string_view name, uint64_t offset, size_t length) {
  std::string text(length, '?');
  auto count =
      store_->Read({kRootDirectory, name}, offset, std::as_writable_bytes(std::span(text)));
  return count ? text.substr(0, *count) : "error";
}

EntryInfo StoreFixture::Stat(std::string_view name) {
  return store_->Stat({kRootDirectory, name}).value();
}

std::vector<std::string> StoreFixture::List(DirectoryId directory) {
  std::vector<std::string> names;
  EXPECT_TRUE(store_->List(directory, 0, [&](const ListedEntry& entry) {
    names.emplace_back(entry.name);
    return true;
  }));
  return names;
}

}  // namespace kvfs

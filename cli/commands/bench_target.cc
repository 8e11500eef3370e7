// The three targets. Names are as long as in a directory of a million files.

#include "cli/commands/bench_target.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <kvfs/store.h>
#include "cli/base/descriptor.h"
#include "cli/base/paths.h"
#include "cli/client/store_errors.h"

namespace kvfs::cli {
namespace {

std::string NameOf(uint64_t number) { return fmt::format("value-{:07}", number); }

tl::unexpected<Error> FailNaming(const std::string& what) {
  Error error = ErrorOfErrno(errno);
  error.message = fmt::format("{}: {}", what, error.message);
  return tl::unexpected(std::move(error));
}

// Creates a new directory with a unique name; returns its path.
CommandResult<std::string> MakeScratch(const std::string& directory) {
  std::string path = directory + "/kvfs-bench-XXXXXX";
  if (::mkdtemp(path.data()) != nullptr) return path;
  const Error error = ErrorOfErrno(errno);
  return Fail(ExitCodeOfStore(error.code),
              fmt::format("cannot make a directory in {}: {}", directory, error.message));
}

class MountTarget final : public BenchTarget {
 public:
  explicit MountTarget(std::string path)
      : path_(std::move(path)),
        directory_(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  ~MountTarget() override {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string_view Kind() const override { return "mount"; }

  Result<void> Put(uint64_t number, std::string_view value) override {
    const std::string name = NameOf(number);
    Descriptor file(::openat(directory_.number(), name.c_str(),
                             O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file.valid()) return FailNaming(name);
    const ssize_t written = ::write(file.number(), value.data(), value.size());
    if (written != static_cast<ssize_t>(value.size())) return FailNaming(name);
    if (!file.Close()) return FailNaming(name);
    return {};
  }
  // A sync of any file makes all earlier changes durable.
  Result<void> Sync() override {
    if (::fsync(directory_.number()) != 0) return FailNaming(path_);
    return {};
  }
  Result<void> Get(uint64_t number, std::string& value) override {
    const std::string name = NameOf(number);
    Descriptor file(::openat(directory_.number(), name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return FailNaming(name);
    ::posix_fadvise(file.number(), 0, 0, POSIX_FADV_DONTNEED);
    const ssize_t count = ::read(file.number(), value.data(), value.size());
    if (count < 0) return FailNaming(name);
    return {};
  }
  Result<uint64_t> List() override {
    const int own = ::openat(directory_.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const stream = ::fdopendir(own);
    if (stream == nullptr) return FailNaming(path_);
    uint64_t count = 0;
    while (const dirent* const entry = ::readdir(stream)) count += entry->d_name[0] != '.';
    ::closedir(stream);
    return count;
  }
  Result<void> Delete(uint64_t number) override {
    const std::string name = NameOf(number);
    if (::unlinkat(directory_.number(), name.c_str(), 0) != 0) return FailNaming(name);
    return {};
  }

 private:
  const std::string path_;
  const Descriptor directory_;
};

class KeysTarget final : public BenchTarget {
 public:
  KeysTarget(std::unique_ptr<Keys> keys, std::string directory)
      : keys_(std::move(keys)), directory_(std::move(directory)) {}
  ~KeysTarget() override {
    std::vector<fs::PathOperation> changes;
    static_cast<void>(keys_->List(directory_, [&](std::string_view name, const fs::InodeInfo&) {
      changes.push_back(ChangeOf(fs::PathOperation::Kind::kDelete, JoinPath(name)));
      return Result<void>();
    }));
    changes.push_back(ChangeOf(fs::PathOperation::Kind::kRemoveDirectory, directory_));
    static_cast<void>(keys_->Apply(changes));
    static_cast<void>(keys_->Finish());
  }

  Result<void> MakeDirectory() {
    return keys_->Apply({ChangeOf(fs::PathOperation::Kind::kMakeDirectory, directory_)});
  }

  std::string_view Kind() const override { return "keys"; }

  Result<void> Put(uint64_t number, std::string_view value) override {
    fs::PathOperation put = ChangeOf(fs::PathOperation::Kind::kPut, JoinPath(NameOf(number)));
    put.data = value;
    return keys_->Apply({std::move(put)});
  }
  Result<void> Sync() override { return keys_->Sync(); }
  Result<void> Get(uint64_t number, std::string& value) override {
    return keys_->Get(JoinPath(NameOf(number)), [&](Bytes piece) -> Result<void> {
      CopyBytes(std::as_writable_bytes(std::span(value)).data(),
                piece.first(std::min(piece.size(), value.size())));
      return {};
    });
  }
  Result<uint64_t> List() override {
    uint64_t count = 0;
    KVFS_TRY(keys_->List(directory_, [&](std::string_view, const fs::InodeInfo&) {
      ++count;
      return Result<void>();
    }));
    return count;
  }
  Result<void> Delete(uint64_t number) override {
    return keys_->Apply({ChangeOf(fs::PathOperation::Kind::kDelete, JoinPath(NameOf(number)))});
  }

 private:
  static fs::PathOperation ChangeOf(fs::PathOperation::Kind kind, std::string path) {
    fs::PathOperation change;
    change.kind = kind;
    change.path = std::move(path);
    return change;
  }
  std::string JoinPath(std::string_view name) const { return directory_ + "/" + std::string(name); }

  const std::unique_ptr<Keys> keys_;
  const std::string directory_;
};

class LibraryTarget final : public BenchTarget {
 public:
  LibraryTarget(std::unique_ptr<Store> store, std::string path)
      : store_(std::move(store)), path_(std::move(path)) {}
  ~LibraryTarget() override {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string_view Kind() const override { return "library"; }

  Result<void> Put(uint64_t number, std::string_view value) override {
    return store_->Put(NameOf(number), value);
  }
  Result<void> Sync() override { return store_->Sync(); }
  Result<void> Get(uint64_t number, std::string& value) override {
    return store_->ReadAll({.name = NameOf(number)}, &value);
  }
  Result<uint64_t> List() override {
    uint64_t count = 0;
    KVFS_TRY(store_->List(kRootDirectory, kFirstPosition, [&](const ListedEntry&) {
      ++count;
      return true;
    }));
    return count;
  }
  Result<void> Delete(uint64_t number) override { return store_->Erase(NameOf(number)); }

 private:
  std::unique_ptr<Store> store_;
  const std::string path_;
};

}  // namespace

CommandResult<std::unique_ptr<BenchTarget>> BenchMount(const std::string& mount_point) {
  KVFS_ASSIGN(auto scratch, MakeScratch(mount_point));
  return std::make_unique<MountTarget>(std::move(scratch));
}

CommandResult<std::unique_ptr<BenchTarget>> BenchKeys(const std::string& store_path) {
  KVFS_ASSIGN(auto keys, OpenKeys(store_path, "bench", KeysUse::kChange));
  const std::string directory = fmt::format("kvfs-bench-{}", ::getpid());
  auto target = std::make_unique<KeysTarget>(std::move(keys), directory);
  const auto made = target->MakeDirectory();
  if (made) return target;
  return tl::unexpected(ExplainKeyError("make", directory, store_path, made.error()));
}

CommandResult<std::unique_ptr<BenchTarget>> BenchLibrary(const std::string& directory) {
  KVFS_ASSIGN(auto scratch, MakeScratch(directory));
  OpenOptions options;
  options.purpose = "kvfs bench";
  const auto created = Store::Create(GetPosixEnv(), scratch);
  auto store = created ? Store::Open(GetPosixEnv(), scratch, options)
                       : Result<std::unique_ptr<Store>>(tl::unexpected(created.error()));
  if (store) return std::make_unique<LibraryTarget>(*std::move(store), std::move(scratch));
  std::error_code ignored;
  std::filesystem::remove_all(scratch, ignored);
  return tl::unexpected(ExplainStoreError(scratch, store.error()));
}

}  // namespace kvfs::cli

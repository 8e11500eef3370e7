// Names and openings.
#include "store/engine/store_files.h"

namespace kvfs {

std::string ShardPath(const std::string& store, uint32_t shard, const std::string& what) {
  const std::string digits = std::to_string(shard);
  return store + "/shard-" + (digits.size() < 2 ? "0" : "") + digits + "." + what;
}

std::string ParentPath(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  const size_t slash = end == std::string::npos ? std::string::npos : path.rfind('/', end);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

namespace {

// A missing file means that the store is damaged, not that there is none.
Result<std::unique_ptr<File>> OpenExpected(Env& env, const std::string& path, Access access) {
  auto file = env.OpenFile(path, access);
  if (!file && file.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kCorrupt, "the store lacks its file " + path);
  }
  return file;
}

}  // namespace

Result<std::unique_ptr<File>> CreateAnew(Env& env, const std::string& path) {
  auto removed = env.RemoveFile(path);
  if (!removed && removed.error().code != ErrorCode::kNotFound) {
    return tl::unexpected(std::move(removed).error());
  }
  return env.CreateFile(path);
}

Result<void> RequireNeverOpened(Env& env, const std::string& store) {
  const auto names = env.ListDirectory(LogPath(store));
  if (!names || names->empty()) return {};
  return Fail(ErrorCode::kCorrupt,
              "the store lacks its file " + SuperblockPath(store) + "; " + RepairRemedy(store));
}

std::string RepairRemedy(const std::string& store) {
  return "`kvfs repair " + store + " NEW` writes what can be read of it into a new store";
}

Result<ShardFiles> OpenShardFiles(Env& env, const std::string& store, uint32_t shard,
                                  Access access) {
  ShardFiles files;
  KVFS_ASSIGN(files.keys, OpenExpected(env, ShardPath(store, shard, "keys"), access));
  KVFS_ASSIGN(files.values, OpenExpected(env, ShardPath(store, shard, "values"), access));
  KVFS_ASSIGN(files.keys_bytes, files.keys->SizeBytes());
  KVFS_ASSIGN(files.values_bytes, files.values->SizeBytes());
  return files;
}

}  // namespace kvfs

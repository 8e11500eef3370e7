// A put over a file, or a mkdir of an existing directory, removes no name: so the store is asked
// what a name is, in the rare case that there is a mount below it.

#include "cli/client/inner_mounts.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "cli/base/paths.h"
#include "cli/base/shown_text.h"
#include "cli/client/key_walk.h"
#include "cli/mounts/lock_file.h"

namespace kvfs::cli {
namespace {

using Kind = fs::PathOperation::Kind;

// The first mount at the path or below; null if there is none.
const InnerMount* FirstWithin(const std::vector<InnerMount>& inner, const std::string& path) {
  for (const std::string& from : {path, path.empty() ? path : path + "/"}) {
    const auto first = std::ranges::lower_bound(inner, from, {}, &InnerMount::path);
    if (first != inner.end() && IsWithin("/" + first->path, "/" + path)) return &*first;
  }
  return nullptr;
}

// The names that may refer to another entry after the change.
std::vector<std::string> NamesTaken(const fs::PathOperation& change) {
  switch (change.kind) {
    case Kind::kMove:
      return {change.path, change.to};
    case Kind::kLink:
      return {change.to};
    case Kind::kDelete:
    case Kind::kRemoveDirectory:
    case Kind::kPut:
    case Kind::kEnsureDirectory:
      return {change.path};
    default:
      return {};
  }
}

bool KeepsWhatIsThere(const fs::PathOperation& change, Keys& keys) {
  if (change.kind != Kind::kPut && change.kind != Kind::kEnsureDirectory) return false;
  const auto present = keys.Stat(change.path);
  if (!present) return false;
  const fs::Attributes& there = present->attributes;
  if (change.kind == Kind::kEnsureDirectory) return there.IsDirectory();
  const bool makes_file = !change.attributes || S_ISREG(change.attributes->mode);
  return makes_file && there.IsRegular() && (there.links < 2 || !change.replaces);
}

}  // namespace

std::vector<InnerMount> InnerMountsOf(const std::vector<MountEntry>& table,
                                      const std::string& mount_point) {
  std::vector<InnerMount> inner;
  // Another file system may be mounted over it.
  const auto own = FindMount(KvfsMounts(table), mount_point);
  if (!own) return inner;
  for (const MountEntry& view : table) {
    if (view.type != kMountType || view.number != own->number) continue;
    for (const MountEntry& mount : table) {
      const bool is_inside = IsWithin(mount.mount_point, view.mount_point) &&
                             mount.mount_point.size() > view.mount_point.size();
      if (!is_inside) continue;
      const std::string below = mount.mount_point.substr(view.mount_point.size());
      inner.push_back({NormalizeKeyPath(view.root + "/" + below), mount.mount_point});
    }
  }
  std::ranges::sort(inner, {}, &InnerMount::path);
  return inner;
}

std::vector<InnerMount> InnerMountsOf(const std::string& mount_point) {
  const auto table = ReadMountTable();
  return table ? InnerMountsOf(*table, mount_point) : std::vector<InnerMount>();
}

std::vector<InnerMount> InnerMountsOfStore(const std::string& store_path) {
  const auto holder = ReadHolder(store_path);
  const auto mount_point = holder ? MountPointOf(*holder) : std::nullopt;
  return mount_point ? InnerMountsOf(*mount_point) : std::vector<InnerMount>();
}

Result<void> CheckHoldsNoMount(const std::vector<InnerMount>& inner, const std::string& path) {
  if (inner.empty()) return {};
  const InnerMount* const mount = FirstWithin(inner, NormalizeKeyPath(path));
  if (mount == nullptr) return {};
  return Fail(ErrorCode::kNotEmpty,
              fmt::format("something is mounted on {}, and would be unmounted by this; unmount it "
                          "first (`umount {}`)",
                          mount->mount_point, QuotedName(mount->mount_point, true)));
}

Result<void> CheckKeepMounts(const std::vector<InnerMount>& inner,
                             std::span<const fs::PathOperation> changes, Keys& keys,
                             size_t* failed) {
  if (inner.empty()) return {};
  for (size_t i = 0; i < changes.size(); ++i) {
    for (const std::string& name : NamesTaken(changes[i])) {
      auto free = CheckHoldsNoMount(inner, name);
      if (free || KeepsWhatIsThere(changes[i], keys)) continue;
      if (failed != nullptr) *failed = i;
      return free;
    }
  }
  return {};
}

}  // namespace kvfs::cli

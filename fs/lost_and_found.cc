// Walks all directories reachable from the root. The remaining ones are lost, or below lost ones:
// only the topmost ones are put under lost+found; of a cycle of directories, one.
#include "fs/lost_and_found.h"

#include <sys/stat.h>

#include <map>
#include <vector>

namespace kvfs::fs {
namespace {

constexpr Key kRootKey = {kAttributeDirectory, "root"};
constexpr std::string_view kName = "lost+found";

struct Child {
  DirectoryId parent;
  std::string name;
  InodeNumber number;
  uint32_t links;
};

class Reattachment {
 public:
  Reattachment(Store& store, const std::set<DirectoryId>& directories,
               const ReattachOptions& options)
      : store_(store),
        options_(options),
        unseen_(directories.lower_bound(kFirstId), directories.end()) {}

  Result<ReattachReport> Run() {
    KVFS_TRY(EnsureRoot());
    KVFS_ASSIGN(const uint32_t root_links, Walk(kRootDirectory));
    KVFS_TRY(CorrectLinks(kRootKey, root_links));
    if (unseen_.empty()) return report_;
    KVFS_TRY(FindLostAndFound());
    KVFS_TRY(FindParents());
    while (!unseen_.empty()) KVFS_TRY(Reattach(UppermostAbove(*unseen_.begin())));
    return report_;
  }

 private:
  Attributes DirectoryAttributes(uint32_t permissions, uint32_t links) const {
    Attributes attributes;
    attributes.mode = S_IFDIR | permissions;
    attributes.links = links;
    attributes.uid = options_.owner.uid;
    attributes.gid = options_.owner.gid;
    attributes.atime = attributes.mtime = attributes.ctime = options_.now;
    return attributes;
  }

  Result<void> EnsureRoot() {
    const auto present = store_.Stat(kRootKey);
    if (present && DecodeAttributes(present->meta)) return {};
    if (!present && present.error().code != ErrorCode::kNotFound) {
      return tl::unexpected(present.error());
    }
    const std::string meta = EncodeAttributes(DirectoryAttributes(0755, 2));
    Batch batch;
    batch.Put(kRootKey, {}, meta);
    return store_.Apply(batch);
  }

  // The directories in a directory.
  Result<std::vector<Child>> Subdirectories(DirectoryId directory) const {
    std::vector<Child> children;
    KVFS_TRY(store_.List(directory, kFirstPosition, [&](const ListedEntry& entry) {
      const auto attributes = DecodeAttributes(entry.meta);
      if (attributes && attributes->IsDirectory()) {
        children.push_back({directory, std::string(entry.name), entry.id, attributes->links});
      }
      return true;
    }));
    return children;
  }

  // Those not reached before. A directory has one name; but in a store repaired from older pages,
  // it may also have its former one.
  Result<std::vector<Child>> Enter(DirectoryId directory) {
    unseen_.erase(directory);
    seen_.insert(directory);
    KVFS_ASSIGN(const std::vector<Child> children, Subdirectories(directory));
    std::vector<Child> entered;
    for (const Child& child : children) {
      if (seen_.insert(child.number).second) {
        entered.push_back(child);
        continue;
      }
      Batch batch;
      batch.Erase({directory, child.name});
      KVFS_TRY(store_.Apply(batch));
    }
    return entered;
  }

  // Walks everything below, and corrects the links of each directory. Returns how many links the
  // directory itself should have.
  Result<uint32_t> Walk(DirectoryId top) {
    KVFS_ASSIGN(std::vector<Child> waiting, Enter(top));
    const auto links_of_top = static_cast<uint32_t>(2 + waiting.size());
    while (!waiting.empty()) {
      const Child directory = std::move(waiting.back());
      waiting.pop_back();
      KVFS_ASSIGN(const std::vector<Child> below, Enter(directory.number));
      const auto links = static_cast<uint32_t>(2 + below.size());
      if (directory.links != links) {
        KVFS_TRY(CorrectLinks({directory.parent, directory.name}, links));
      }
      waiting.insert(waiting.end(), below.begin(), below.end());
    }
    return links_of_top;
  }

  Result<void> CorrectLinks(Key key, uint32_t links) {
    KVFS_ASSIGN(const EntryInfo entry, store_.Stat(key));
    KVFS_ASSIGN(Attributes attributes, DecodeAttributes(entry.meta));
    if (attributes.links == links) return {};
    attributes.links = links;
    Batch batch;
    batch.EditMeta(key,
                   [bytes = EncodeAttributes(attributes)](std::string& meta) { meta = bytes; });
    ++report_.corrected_links;
    return store_.Apply(batch);
  }

  Result<void> FindParents() {
    for (const DirectoryId directory : unseen_) {
      KVFS_ASSIGN(const std::vector<Child> children, Subdirectories(directory));
      for (const Child& child : children) parents_[child.number] = directory;
    }
    return {};
  }

  // The first directory on the way up that has no lost parent, or is reached again.
  InodeNumber UppermostAbove(InodeNumber directory) const {
    std::set<InodeNumber> met;
    auto parent = parents_.find(directory);
    while (parent != parents_.end() && met.insert(directory).second) {
      directory = parent->second;
      parent = parents_.find(directory);
    }
    return directory;
  }

  // Finds or creates lost+found; if something else has that name, one with a longer name.
  Result<void> FindLostAndFound() {
    name_ = kName;
    for (int number = 2;; ++number) {
      const auto present = store_.Stat({kRootDirectory, name_});
      if (!present && present.error().code != ErrorCode::kNotFound) {
        return tl::unexpected(present.error());
      }
      if (!present) break;
      const auto attributes = DecodeAttributes(present->meta);
      if (attributes && attributes->IsDirectory()) {
        number_ = present->id;
        return {};
      }
      name_ = std::string(kName) + "-" + std::to_string(number);
    }
    const std::string meta = EncodeAttributes(DirectoryAttributes(0700, 2));
    Batch batch;
    batch.Put({kRootDirectory, name_}, {}, meta, Batch::IfPresent::kRefuse, &number_);
    KVFS_TRY(store_.Apply(batch));
    return AddLink(kRootKey);
  }

  Result<void> AddLink(Key directory) {
    KVFS_ASSIGN(const EntryInfo entry, store_.Stat(directory));
    KVFS_ASSIGN(Attributes attributes, DecodeAttributes(entry.meta));
    ++attributes.links;
    Batch batch;
    batch.EditMeta(directory,
                   [bytes = EncodeAttributes(attributes)](std::string& meta) { meta = bytes; });
    return store_.Apply(batch);
  }

  // A name from its number; a longer one if that is taken.
  Result<std::string> NameFor(InodeNumber directory) const {
    std::string name = "#" + std::to_string(directory);
    for (int number = 2;; ++number) {
      const auto present = store_.Stat({number_, name});
      if (!present && present.error().code == ErrorCode::kNotFound) return name;
      if (!present) return tl::unexpected(present.error());
      name = "#" + std::to_string(directory) + "-" + std::to_string(number);
    }
  }

  Result<void> Reattach(InodeNumber directory) {
    KVFS_ASSIGN(const uint32_t links, Walk(directory));
    KVFS_ASSIGN(const std::string name, NameFor(directory));
    const std::string meta = EncodeAttributes(DirectoryAttributes(0700, links));
    Batch batch;
    batch.Restore({number_, name}, directory, meta);
    KVFS_TRY(store_.Apply(batch));
    KVFS_TRY(AddLink({kRootDirectory, name_}));
    ++report_.directories;
    if (options_.on_reattached) options_.on_reattached(name_ + "/" + name);
    return {};
  }

  Store& store_;
  const ReattachOptions& options_;
  std::set<DirectoryId> unseen_;                // that have entries, and were not walked through
  std::set<DirectoryId> seen_;                  // directories that have a name, or are to get one
  std::map<InodeNumber, DirectoryId> parents_;  // of those in unseen_ that lie in another
  ReattachReport report_;
  std::string name_;
  InodeNumber number_ = 0;  // of lost+found
};

}  // namespace

Result<ReattachReport> ReattachLost(Store& store, const std::set<DirectoryId>& directories,
                                    const ReattachOptions& options) {
  return Reattachment(store, directories, options).Run();
}

}  // namespace kvfs::fs

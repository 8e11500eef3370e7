// Chooses between store and daemon, and the code shared by both.

#include "cli/client/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cli/client/daemon_keys.h"
#include "cli/client/store_access.h"
#include "cli/client/store_keys.h"

namespace kvfs::cli {
namespace {

// Passes on `count` zeros.
Result<void> Fill(uint64_t count, const ByteSink& sink) {
  static constexpr std::array<std::byte, 65'536> kZeros{};
  while (count > 0) {
    const size_t piece = std::min<uint64_t>(count, kZeros.size());
    KVFS_TRY(sink(Bytes(kZeros).first(piece)));
    count -= piece;
  }
  return {};
}

}  // namespace

Result<void> Keys::Get(const std::string& path, const ByteSink& sink) {
  uint64_t done = 0;
  KVFS_ASSIGN(const uint64_t size, GetData(path, [&](uint64_t offset, Bytes piece) -> Result<void> {
                KVFS_TRY(Fill(offset - done, sink));
                done = offset + piece.size();
                return sink(piece);
              }));
  return Fill(size - std::min(size, done), sink);
}

fs::ContentSource ContentFrom(ByteSource source) {
  return [source = std::move(source)](MutableBytes buffer) -> Result<fs::ContentPiece> {
    KVFS_ASSIGN(const size_t count, source(buffer));
    return fs::ContentPiece{0, count};
  };
}

CommandResult<std::unique_ptr<Keys>> OpenKeys(const std::string& store_path,
                                              std::string_view command, KeysUse use) {
  OpenOptions options;
  options.read_only = use == KeysUse::kRead;
  options.purpose = CommandPurpose(command);
  KVFS_ASSIGN(auto reached, ReachStore(store_path, options));
  if (reached.store) return StoreKeys::Open(store_path, std::move(reached.store));
  return std::make_unique<DaemonKeys>(*std::move(reached.daemon));
}

CommandResult<> CheckKeyPath(const std::string& path) {
  bool any = false;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view component = std::string_view(path).substr(begin, end - begin);
    if (component == "." || component == "..") {
      return Fail(
          ExitCode::kUsage,
          fmt::format("the key {} has a component \"{}\", which no key can have", path, component));
    }
    any = any || !component.empty();
    begin = end + 1;
  }
  if (any) return {};
  return Fail(ExitCode::kUsage, "a key needs a name of at least one byte");
}

CommandResult<> CheckDirectoryPath(const std::string& path) {
  if (path.find_first_not_of('/') == std::string::npos) return {};  // the root
  return CheckKeyPath(path);
}

std::string_view ReasonOfKeyError(const Error& error) {
  if (error.code == ErrorCode::kNotFound) return "there is no such key";
  if (error.code == ErrorCode::kIsDirectory) return "it is a directory";
  if (error.code == ErrorCode::kNotDirectory) return "a part of the path is not a directory";
  if (error.code == ErrorCode::kNotEmpty && error.message.empty())
    return "the directory is not empty";
  if (error.code == ErrorCode::kExists) return "the name exists already";
  if (error.code == ErrorCode::kNameTooLong && error.message.empty())
    return "a name has at most 255 bytes";
  return error.message.empty() ? "the store refuses it" : std::string_view(error.message);
}

std::string ReasonOfChangeError(const fs::PathOperation& change, const Error& error) {
  using Kind = fs::PathOperation::Kind;
  const bool makes = change.kind == Kind::kPut || change.kind == Kind::kAppend ||
                     change.kind == Kind::kMakeDirectory;
  const size_t slash = change.path.rfind('/');
  if (error.code != ErrorCode::kNotFound || !makes || slash == std::string::npos) {
    return std::string(ReasonOfKeyError(error));
  }
  return fmt::format("the directory {} is missing", change.path.substr(0, slash));
}

CommandError ExplainMakingError(std::string_view doing, const std::string& path,
                                const std::string& store_path, const Error& error) {
  const size_t slash = path.rfind('/');
  if (error.code != ErrorCode::kNotFound || slash == std::string::npos) {
    return ExplainKeyError(doing, path, store_path, error);
  }
  const std::string directory = path.substr(0, slash);
  return {ExitCodeOfKey(error.code),
          fmt::format("cannot {} {} in {}: the directory {} is missing; `kvfs mkdir --parents {} "
                      "{}` creates it",
                      doing, path, store_path, directory, store_path, directory)};
}

CommandError ExplainKeyError(std::string_view doing, const std::string& path,
                             const std::string& store_path, const Error& error) {
  return {ExitCodeOfKey(error.code),
          fmt::format("cannot {} {} in {}: {}", doing, path.empty() ? "/" : path, store_path,
                      ReasonOfKeyError(error))};
}

}  // namespace kvfs::cli

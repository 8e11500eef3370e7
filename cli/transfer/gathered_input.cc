// The file is in the store's directory, whose disk must have room for the value anyway.

#include "cli/transfer/gathered_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "cli/base/descriptor.h"
#include "cli/base/paths.h"
#include "cli/client/byte_streams.h"

namespace kvfs::cli {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

struct Gathered {
  std::string front;
  Descriptor rest;  // none if the front is all
};

Result<void> OpenRest(Gathered& gathered, const std::string& directory) {
  if (gathered.rest.valid()) return {};
  gathered.rest = Descriptor(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (gathered.rest.valid()) return {};
  Error error = ErrorOfErrno(errno);
  error.message = fmt::format("the input cannot be stored in {}: {}", directory, error.message);
  return tl::unexpected(std::move(error));
}

Result<void> Keep(Gathered& gathered, Bytes piece, const std::string& directory) {
  if (!gathered.rest.valid() && gathered.front.size() + piece.size() <= kMostGatheredBytes) {
    gathered.front += AsText(piece);
    return {};
  }
  KVFS_TRY(OpenRest(gathered, directory));
  return ToDescriptor(gathered.rest.number(), "the file for the input")(piece);
}

}  // namespace

Result<ByteSource> GatherInput(const ByteSource& source, const std::string& store_path) {
  const auto gathered = std::make_shared<Gathered>();
  std::string buffer(kPieceBytes, '\0');
  while (true) {
    const MutableBytes room = std::as_writable_bytes(std::span(buffer));
    KVFS_ASSIGN(const size_t count, source(room));
    if (count == 0) break;
    KVFS_TRY(Keep(*gathered, Bytes(room).first(count), store_path));
  }
  if (gathered->rest.valid() && ::lseek(gathered->rest.number(), 0, SEEK_SET) != 0) {
    return tl::unexpected(ErrorOfErrno(errno));
  }
  const int rest = gathered->rest.number();
  ByteSource front = FromText(std::move(gathered->front));
  ByteSource back = FromDescriptor(rest, "the file for the input");
  return [gathered, rest, front, back](MutableBytes room) mutable -> Result<size_t> {
    KVFS_ASSIGN(const size_t count, front(room));
    return count > 0 || rest < 0 ? Result<size_t>(count) : back(room);
  };
}

}  // namespace kvfs::cli

// Reads and writes descriptors to the end.

#include "cli/client/byte_streams.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "cli/base/descriptor.h"
#include "cli/base/interruption.h"
#include "cli/base/paths.h"
#include "cli/base/standard_streams.h"

namespace kvfs::cli {
namespace {

tl::unexpected<Error> FailNaming(std::string_view stream) {
  const bool is_closed = errno == EBADF;
  const Error error = ErrorOfErrno(errno);
  const bool is_full = error.code == ErrorCode::kNoSpace;
  return Fail(is_full ? ErrorCode::kNoSpace : ErrorCode::kIo,
              fmt::format("{}: {}", stream, is_closed ? "it is closed" : error.message));
}

ByteSource FromOwned(std::shared_ptr<const Descriptor> file, std::string name) {
  return [file, source = FromDescriptor(file->number(), std::move(name))](MutableBytes buffer) {
    return source(buffer);
  };
}

}  // namespace

ByteSource FromDescriptor(int file, std::string name) {
  return [file, name = std::move(name)](MutableBytes buffer) -> Result<size_t> {
    while (true) {
      const ssize_t count = ::read(file, buffer.data(), buffer.size());
      if (count >= 0) return static_cast<size_t>(count);
      if (errno != EINTR) return FailNaming(name);
      KVFS_TRY(CheckNotInterrupted());
    }
  };
}

ByteSource FromSlowDescriptor(int file, std::string name, std::function<void()> on_silence) {
  constexpr int kSilenceMs = 500;
  return [file, on_silence = std::move(on_silence),
          source = FromDescriptor(file, std::move(name))](MutableBytes buffer) -> Result<size_t> {
    pollfd readable{file, POLLIN, 0};
    if (::poll(&readable, 1, kSilenceMs) == 0) on_silence();
    return source(buffer);
  };
}

ByteSink StandardOutput() { return ToDescriptor(STDOUT_FILENO, "standard output"); }

ByteSink ToDescriptor(int file, std::string name) {
  return [file, name = std::move(name)](Bytes piece) -> Result<void> {
    while (!piece.empty()) {
      const ssize_t count = ::write(file, piece.data(), piece.size());
      if (count < 0 && errno != EINTR) return FailNaming(name);
      if (count < 0) KVFS_TRY(CheckNotInterrupted());
      if (count > 0) piece = piece.subspan(static_cast<size_t>(count));
    }
    return {};
  };
}

ByteSource FromText(std::string text) {
  return [text = std::move(text), given = size_t{0}](MutableBytes buffer) mutable {
    const Bytes piece = AsBytes(text).subspan(given);
    const size_t count = std::min(piece.size(), buffer.size());
    CopyBytes(buffer.data(), piece.first(count));
    given += count;
    return Result<size_t>(count);
  };
}

CommandResult<ByteSource> FromStandardInput() {
  const CommandResult<> open = RequireStandardInput();
  if (!open) return tl::unexpected(open.error());
  return FromDescriptor(STDIN_FILENO, "standard input");
}

CommandResult<ByteSource> FromFile(const std::string& path) {
  auto file = std::make_shared<Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file->valid()) return FromOwned(std::move(file), path);
  return Fail(ExitCode::kIoFailed,
              fmt::format("cannot read {}: {}", path, ErrorOfErrno(errno).message));
}

}  // namespace kvfs::cli

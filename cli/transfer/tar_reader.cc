// Reads tar archives: what becomes of each entry, and of damage between entries. libarchive's types
// are confined to the files tar_* of this folder.

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <clocale>
#include <utility>

#include "cli/base/interruption.h"
#include "cli/transfer/tar_attributes.h"
#include "cli/transfer/tar_content.h"
#include "cli/transfer/tar_format.h"
#include "cli/transfer/tar_header_reader.h"
#include "cli/transfer/tar_stream.h"

namespace kvfs::cli {
namespace {

Result<void> AddContent(archive* reader, archive_entry* entry, IncomingEntry incoming,
                        EntrySink& sink) {
  const auto size = static_cast<uint64_t>(std::max<int64_t>(archive_entry_size(entry), 0));
  TarContent content(reader, incoming.path, size);
  if (size > kLargeContentBytes) {
    incoming.large = content;
  } else {
    KVFS_ASSIGN(incoming.data, content.ReadWhole());
  }
  return sink.Add(std::move(incoming));
}

// libarchive warns of a name that is not UTF-8, and returns its bytes.
void TellWarning(archive* reader, archive_entry* entry, EntrySink& sink) {
  const char* const reason = archive_error_string(reader);
  const std::string_view text = reason == nullptr ? "" : reason;
  const char* const name = archive_entry_pathname(entry);
  if (name == nullptr || text.find("converted") != std::string_view::npos) return;
  sink.LeaveOutPart(fmt::format("a part of {}", name), text);
}

class ArchiveReader {
 public:
  ArchiveReader(const ByteSource& source, EntrySink& sink) : stream_(source), sink_(sink) {}

  Result<void> Run() {
    auto done = stream_.Open().and_then([&] { return AddEntries(); });
    return stream_.failed() ? done : stream_.failed();
  }

 private:
  Result<void> AddEntries() {
    archive* const reader = stream_.reader();
    archive_entry* entry = nullptr;
    while (true) {
      int result = archive_read_next_header(reader, &entry);
      if (result == ARCHIVE_RETRY) result = PassDamage(&entry);
      if (result == ARCHIVE_EOF) return AtEnd();
      if (result < ARCHIVE_WARN) {
        return FailOfArchive(reader, fmt::format("at byte {} of the archive", stream_.Position()));
      }
      KVFS_TRY(AddEntry(entry, /*has_warning=*/result == ARCHIVE_WARN));
    }
  }

  // Skips to the next valid header, like tar(1).
  int PassDamage(archive_entry** entry) {
    const uint64_t begin = stream_.HeaderBegin();
    int result = ARCHIVE_RETRY;
    while (result == ARCHIVE_RETRY && CheckNotInterrupted()) {
      result = archive_read_next_header(stream_.reader(), entry);
    }
    sink_.LeaveOut(fmt::format("bytes {} to {} of the archive", begin, stream_.HeaderBegin()),
                   "its header is damaged");
    return result;
  }

  // tar(1) reports neither.
  Result<void> AtEnd() {
    KVFS_ASSIGN(const TarEnd end, stream_.FindEnd());
    if (!end.has_mark) {
      sink_.LeaveOut("entries that may have followed",
                     fmt::format("the archive has no mark of its end, and may have been cut off at "
                                 "byte {}",
                                 end.at));
    }
    if (end.more_at) {
      sink_.LeaveOut(fmt::format("all from byte {} of the archive on", *end.more_at),
                     "it follows the archive's end, like a second archive");
    }
    return {};
  }

  // Reports the flaws that libarchive does not; false if the whole entry is left out.
  bool TellFlaws(const TarHeaders& headers, const std::string& path) {
    bool is_good = true;
    for (const TarFlaw& flaw : headers.flaws) {
      if (flaw.is_of_entry) {
        if (std::exchange(is_good, false)) sink_.LeaveOut(path, flaw.reason);
      } else {
        sink_.LeaveOutPart(fmt::format("{} of {}", flaw.what, path), flaw.reason);
      }
    }
    return is_good;
  }

  Result<void> AddEntry(archive_entry* entry, bool has_warning) {
    const char* const name = archive_entry_pathname(entry);
    if (name == nullptr) {
      sink_.LeaveOut(fmt::format("the entry at byte {} of the archive", stream_.HeaderBegin()),
                     "its name cannot be read");
      return {};
    }
    const auto headers = stream_.Headers();
    if (!headers) {
      sink_.LeaveOut(name, headers.error().message);
      return {};
    }
    IncomingEntry incoming;
    incoming.path = TarKeyPathOf(name);
    if (!TellFlaws(*headers, incoming.path)) return {};
    if (has_warning) TellWarning(stream_.reader(), entry, sink_);
    if (const char* const target = archive_entry_hardlink(entry)) {
      return sink_.AddLink(incoming.path, TarKeyPathOf(target));
    }
    incoming.attributes = TarAttributesOf(entry, *headers);
    incoming.xattrs = TarXattrsOf(entry, *headers, incoming.path, sink_);
    if (incoming.attributes->IsRegular()) {
      return AddContent(stream_.reader(), entry, std::move(incoming), sink_);
    }
    if (incoming.attributes->IsSymbolicLink()) {
      const char* const target = archive_entry_symlink(entry);
      if (target != nullptr) incoming.data = target;
    }
    return sink_.Add(std::move(incoming));
  }

  TarStream stream_;
  EntrySink& sink_;
};

}  // namespace

Result<void> ReadTar(const ByteSource& source, EntrySink& sink) {
  // libarchive converts the UTF-8 of pax headers to the locale's encoding, which must support it.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  return ArchiveReader(source, sink).Run();
}

}  // namespace kvfs::cli

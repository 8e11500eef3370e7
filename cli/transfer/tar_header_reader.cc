// Checks the fields of the 512-byte header; cli/transfer/pax_records.h checks the records before
// it.

#include "cli/transfer/tar_header_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/transfer/pax_records.h"

namespace kvfs::cli {
namespace {

constexpr size_t kBlockBytes = 512;
constexpr size_t kTypeAt = 156;

struct Field {
  std::string_view key;  // of the record that overrides it
  size_t at;
  size_t bytes;
};

constexpr Field kMode = {"", 100, 8};
constexpr Field kUid = {"uid", 108, 8};
constexpr Field kGid = {"gid", 116, 8};
constexpr Field kSize = {"size", 124, 12};
constexpr Field kMtime = {"mtime", 136, 12};
constexpr Field kMajor = {"SCHILY.devmajor", 329, 8};
constexpr Field kMinor = {"SCHILY.devminor", 337, 8};

bool IsBinary(std::string_view field) { return (static_cast<unsigned char>(field[0]) & 0x80) != 0; }

// The field's text before the terminating NUL or blank.
std::string_view DigitsIn(std::string_view field) {
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  return field.substr(0, field.find_first_of(std::string_view("\0 ", 2)));
}

bool IsNumber(std::string_view field) {
  if (IsBinary(field)) return true;
  std::string_view digits = DigitsIn(field);
  if (digits.starts_with('-')) digits.remove_prefix(1);
  return digits.find_first_not_of("01234567") == std::string_view::npos;
}

std::optional<uint32_t> OctalIn(std::string_view field) {
  const std::string_view digits = DigitsIn(field);
  uint32_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, 8);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  return number;
}

// Size of the body after a header; libarchive ends the archive at a larger one.
size_t SizeIn(std::string_view block) {
  const std::string_view field = block.substr(kSize.at, kSize.bytes);
  size_t size = 0;
  if (IsBinary(field)) {
    for (const char byte : field.substr(4)) size = size << 8 | static_cast<unsigned char>(byte);
    return size;
  }
  const std::string_view digits = DigitsIn(field);
  std::from_chars(digits.data(), digits.data() + digits.size(), size, 8);
  return size;
}

class HeaderReader {
 public:
  HeaderReader(std::string_view bytes, TarGlobals& globals)
      : bytes_(bytes), records_(globals, out_) {}

  TarHeaders Run() {
    while (bytes_.size() >= kBlockBytes) {
      const std::string_view block = bytes_.substr(0, kBlockBytes);
      const char type = block[kTypeAt];
      if (std::string_view("xXgLKVA").find(type) == std::string_view::npos) {
        ReadHeader(block, type);
        break;
      }
      const size_t size = SizeIn(block);
      if (size > bytes_.size() - kBlockBytes) break;
      ReadBody(type, bytes_.substr(kBlockBytes, size));
      const size_t padded = (size + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
      bytes_.remove_prefix(std::min(kBlockBytes + padded, bytes_.size()));
    }
    records_.Finish();
    return std::move(out_);
  }

 private:
  void ReadBody(char type, std::string_view body) {
    bool is_whole = true;
    if (type == 'x' || type == 'X') {
      is_whole = ForPaxRecords(
          body, [&](std::string_view key, std::string_view value) { records_.Take(key, value); });
    } else if (type == 'g') {
      is_whole = ForPaxRecords(body, [&](std::string_view key, std::string_view value) {
        records_.TakeGlobal(key, value);
      });
    } else if (type == 'L' || type == 'K') {
      const size_t nul = body.find('\0');
      const bool is_cut = nul != std::string_view::npos &&
                          body.find_first_not_of('\0', nul) != std::string_view::npos;
      if (is_cut) out_.AddFlawOfEntry("its name has a NUL");
    }
    if (!is_whole) out_.AddFlawOfEntry("a record of its headers is damaged");
  }

  void CheckField(std::string_view block, const Field& field, std::string_view name) {
    if (records_.Overrides(field.key) || IsNumber(block.substr(field.at, field.bytes))) return;
    if (field.at == kMtime.at) {
      records_.RefuseHeaderTime();
    } else {
      out_.AddFlawOfEntry(fmt::format("its {} is not a number", name));
    }
  }

  void ReadHeader(std::string_view block, char type) {
    out_.permissions = OctalIn(block.substr(kMode.at, kMode.bytes));
    if (const auto mtime = OctalIn(block.substr(kMtime.at, kMtime.bytes))) {
      records_.SetHeaderTime({static_cast<int64_t>(*mtime), 0});
    }
    CheckField(block, kMode, "mode");
    CheckField(block, kUid, "owner");
    CheckField(block, kGid, "group");
    CheckField(block, kSize, "size");
    CheckField(block, kMtime, "time");
    if (type == '3' || type == '4') {
      CheckField(block, kMajor, "device");
      CheckField(block, kMinor, "device");
    }
    if (type == 'M') out_.AddFlawOfEntry("it is the rest of a file that begins in another volume");
    if (std::string_view("01234567SDM\0", 12).find(type) == std::string_view::npos) {
      out_.AddFlawOfPart(fmt::format("the kind '{}'", type),
                         "it is unknown: the entry is imported as a file");
    }
  }

  std::string_view bytes_;
  TarHeaders out_;
  PaxRecords records_;
};

}  // namespace

TarHeaders ReadTarHeaders(std::string_view bytes, TarGlobals& globals) {
  return HeaderReader(bytes, globals).Run();
}

}  // namespace kvfs::cli

// Marks to bytes and back.
#include "store/format/log_mark.h"

#include <algorithm>

#include "store/format/checksum.h"

namespace kvfs::format {
namespace {

constexpr std::string_view kMagic = "KVFSMARK";
constexpr uint64_t kHeaderSeed = 0x4d41524b;  // "MARK"

}  // namespace

std::array<std::byte, kLogMarkHeaderBytes> LogMark::EncodeHeader(const StoreId& store,
                                                                 uint64_t life,
                                                                 std::string_view residence) {
  std::array<std::byte, kLogMarkHeaderBytes> out{};
  CopyBytes(out.data(), AsBytes(kMagic));
  CopyBytes(out.data() + 16, store);
  StoreLittle(out.data() + 32, life);
  StoreLittle(out.data() + 40, Checksum(AsBytes(residence), kHeaderSeed));
  StoreLittle(out.data() + 8, Checksum(Bytes(out).subspan(16), kHeaderSeed));
  return out;
}

std::optional<LogMark> LogMark::Decode(Bytes bytes, const StoreId& store,
                                       std::string_view residence) {
  if (bytes.size() < kLogMarkBytes || residence.empty()) return std::nullopt;
  LogMark mark;
  mark.life = LoadLittle<uint64_t>(bytes.data() + 32);
  const auto header = EncodeHeader(store, mark.life, residence);
  if (!std::ranges::equal(header, bytes.first(header.size()))) return std::nullopt;
  for (const uint32_t place : {0u, 1u}) {
    const std::byte* at = bytes.data() + kLogMarkHeaderBytes + place * kLogMarkPlaceBytes;
    const auto sequence = LoadLittle<uint64_t>(at);
    const bool is_whole = LoadLittle<uint64_t>(at + 8) == ~sequence;
    if (is_whole && sequence % 2 == place) mark.sequence = std::max(mark.sequence, sequence);
  }
  return mark;
}

}  // namespace kvfs::format

// Encodes and decodes the layout of fs/attributes.h. Decoding trusts nothing: the bytes may come
// from a damaged or hostile store, and every value has a single encoding.
#include "fs/attributes.h"

#include <sys/stat.h>

#include <cstddef>

#include <kvfs/bytes.h>

namespace kvfs::fs {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kFixedBytes = 16;
constexpr uint32_t kNanosecondsPerSecond = 1'000'000'000;

enum Flag : uint8_t {
  kHasOwner = 1,
  kHasLinks = 2,
  kHasAtime = 4,
  kHasCtime = 8,
  kHasDevice = 16,
  kHasXattrs = 32,
};

uint32_t UsualLinks(uint32_t mode) { return S_ISDIR(mode) ? 2 : 1; }

uint8_t FlagsOf(const Attributes& a) {
  uint8_t flags = 0;
  if (a.uid != 0 || a.gid != 0) flags |= kHasOwner;
  if (a.links != UsualLinks(a.mode)) flags |= kHasLinks;
  if (a.atime != a.mtime) flags |= kHasAtime;
  if (a.ctime != a.mtime) flags |= kHasCtime;
  if (a.device != 0) flags |= kHasDevice;
  if (a.has_xattrs) flags |= kHasXattrs;
  return flags;
}

template <typename Integer>
void AppendFixed(std::string& out, Integer value) {
  std::byte bytes[sizeof value];
  StoreLittle(bytes, value);
  out += AsText(bytes);
}

void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

uint64_t Zigzag(uint64_t value) { return (value << 1) ^ (0 - (value >> 63)); }
uint64_t Unzigzag(uint64_t value) { return (value >> 1) ^ (0 - (value & 1)); }

// Differences are taken modulo 2^64, so that no pair of times overflows.
void AppendTime(std::string& out, const Timespec& time, const Timespec& mtime) {
  AppendVarint(out,
               Zigzag(static_cast<uint64_t>(time.seconds) - static_cast<uint64_t>(mtime.seconds)));
  AppendVarint(out, Zigzag(uint64_t{time.nanoseconds} - mtime.nanoseconds));
}

// Reads fields from the front of a string. After a missing or malformed field, `ok` is false and
// all values are 0.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename Integer>
  Integer TakeFixed() {
    if (bytes_.size() < sizeof(Integer)) return static_cast<Integer>(Refuse());
    auto value = LoadLittle<Integer>(AsBytes(bytes_).data());
    bytes_.remove_prefix(sizeof(Integer));
    return value;
  }

  uint64_t TakeVarint(uint64_t limit) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = TakeFixed<uint8_t>();
      const uint64_t bits = byte & 0x7fu;
      if ((bits << shift) >> shift != bits) return Refuse();
      value |= bits << shift;
      if (byte < 0x80) return (byte == 0 && shift > 0) || value > limit ? Refuse() : value;
    }
    return Refuse();
  }

  Timespec TakeTime(const Timespec& mtime) {
    Timespec time;
    time.seconds = static_cast<int64_t>(static_cast<uint64_t>(mtime.seconds) +
                                        Unzigzag(TakeVarint(UINT64_MAX)));
    const uint64_t nanoseconds = mtime.nanoseconds + Unzigzag(TakeVarint(UINT64_MAX));
    time.nanoseconds = CheckNanoseconds(nanoseconds);
    return time;
  }

  uint32_t CheckNanoseconds(uint64_t nanoseconds) {
    return static_cast<uint32_t>(nanoseconds < kNanosecondsPerSecond ? nanoseconds : Refuse());
  }

  // Whether all fields were there and nothing is left.
  bool Finished() const { return ok_ && bytes_.empty(); }

 private:
  uint64_t Refuse() {
    ok_ = false;
    bytes_ = {};
    return 0;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

Attributes TakeFields(Reader& in, uint8_t flags) {
  Attributes a;
  a.mode = in.TakeFixed<uint16_t>();
  a.mtime.seconds = static_cast<int64_t>(in.TakeFixed<uint64_t>());
  a.mtime.nanoseconds = in.CheckNanoseconds(in.TakeFixed<uint32_t>());
  if (flags & kHasOwner) {
    a.uid = static_cast<uint32_t>(in.TakeVarint(UINT32_MAX));
    a.gid = static_cast<uint32_t>(in.TakeVarint(UINT32_MAX));
  }
  a.links = UsualLinks(a.mode);
  if (flags & kHasLinks) a.links = static_cast<uint32_t>(in.TakeVarint(UINT32_MAX));
  a.atime = flags & kHasAtime ? in.TakeTime(a.mtime) : a.mtime;
  a.ctime = flags & kHasCtime ? in.TakeTime(a.mtime) : a.mtime;
  if (flags & kHasDevice) a.device = in.TakeVarint(UINT64_MAX);
  a.has_xattrs = (flags & kHasXattrs) != 0;
  return a;
}

}  // namespace

bool Attributes::IsDirectory() const { return S_ISDIR(mode); }
bool Attributes::IsRegular() const { return S_ISREG(mode); }
bool Attributes::IsSymbolicLink() const { return S_ISLNK(mode); }

std::string EncodeAttributes(const Attributes& a) {
  const uint8_t flags = FlagsOf(a);
  std::string out;
  out.reserve(kFixedBytes + 15);  // what a file that was written once needs, and an owner
  AppendFixed(out, kVersion);
  AppendFixed(out, flags);
  AppendFixed(out, static_cast<uint16_t>(a.mode));
  AppendFixed(out, static_cast<uint64_t>(a.mtime.seconds));
  AppendFixed(out, a.mtime.nanoseconds);
  if (flags & kHasOwner) AppendVarint(out, a.uid);
  if (flags & kHasOwner) AppendVarint(out, a.gid);
  if (flags & kHasLinks) AppendVarint(out, a.links);
  if (flags & kHasAtime) AppendTime(out, a.atime, a.mtime);
  if (flags & kHasCtime) AppendTime(out, a.ctime, a.mtime);
  if (flags & kHasDevice) AppendVarint(out, a.device);
  return out;
}

Result<Attributes> DecodeAttributes(std::string_view meta) {
  Reader in(meta);
  const auto version = in.TakeFixed<uint8_t>();
  const auto flags = in.TakeFixed<uint8_t>();
  const Attributes a = TakeFields(in, flags);
  // Comparing the flags refuses unknown ones, and fields that could have been omitted.
  if (version != kVersion || !in.Finished() || flags != FlagsOf(a)) {
    return Fail(ErrorCode::kCorrupt, "the attributes of an entry are malformed");
  }
  return a;
}

}  // namespace kvfs::fs

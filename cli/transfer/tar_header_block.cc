// Each field at its place, and the checksum last.

#include "cli/transfer/tar_header_block.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

namespace kvfs::cli {
namespace {

// ASCII only.
std::string PlainName(std::string_view name) {
  std::string plain(name.substr(0, kMaxTarNameBytes));
  std::ranges::replace_if(
      plain, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '_');
  return plain;
}

}  // namespace

TarHeader TarHeaderOf(const fs::InodeInfo& inode, const std::string& path) {
  const fs::Attributes& a = inode.attributes;
  TarHeader header;
  header.name = path.empty() ? "." : path;
  if (a.IsDirectory()) header.name += '/';
  header.mode = a.mode;
  header.uid = a.uid;
  header.gid = a.gid;
  header.size = a.IsRegular() ? inode.size_bytes : 0;
  header.mtime = a.mtime.seconds;
  header.type = a.IsDirectory()      ? '5'
                : a.IsSymbolicLink() ? '2'
                : S_ISCHR(a.mode)    ? '3'
                : S_ISBLK(a.mode)    ? '4'
                : S_ISFIFO(a.mode)   ? '6'
                                     : '0';
  if (S_ISCHR(a.mode) || S_ISBLK(a.mode)) header.device = a.device;
  return header;
}

TarHeaderBlock::TarHeaderBlock(const TarHeader& header) {
  Put(0, PlainName(header.name));
  PutOctal(100, 7, header.mode & 07777);
  PutOctal(108, 7, std::min(header.uid, kMaxOctal7));
  PutOctal(116, 7, std::min(header.gid, kMaxOctal7));
  PutOctal(124, 11, std::min(header.size, kMaxOctal11));
  PutOctal(136, 11,
           std::min(static_cast<uint64_t>(std::max<int64_t>(header.mtime, 0)), kMaxOctal11));
  bytes_[156] = header.type;
  Put(157, PlainName(header.link));
  Put(257, std::string_view("ustar\00000", 8));
  PutOctal(329, 7, std::min<uint64_t>(major(header.device), kMaxOctal7));
  PutOctal(337, 7, std::min<uint64_t>(minor(header.device), kMaxOctal7));
  // The checksum is computed with blanks in its own field.
  std::fill_n(bytes_.begin() + 148, 8, ' ');
  uint64_t sum = 0;
  for (const char byte : bytes_) sum += static_cast<unsigned char>(byte);
  PutOctal(148, 6, sum);
  bytes_[154] = '\0';
}

void TarHeaderBlock::Put(size_t at, std::string_view text) {
  std::ranges::copy(text, bytes_.begin() + static_cast<ptrdiff_t>(at));
}

void TarHeaderBlock::PutOctal(size_t at, int digits, uint64_t number) {
  Put(at, fmt::format("{:0{}o}", number, digits));
}

}  // namespace kvfs::cli

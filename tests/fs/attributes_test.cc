// The encoding of attributes, and that all other bytes are refused.
#include "fs/attributes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <random>

#include <kvfs/batch.h>

namespace kvfs::fs {
namespace {

Attributes FreshFile() {
  Attributes a;
  a.mode = S_IFREG | 0644;
  a.atime = a.mtime = a.ctime = {0x0102030405, 0x0a0b0c0d};
  return a;
}

Attributes EverythingSet() {
  Attributes a;
  a.mode = S_IFCHR | 0640;
  a.links = 3;
  a.uid = 1000;
  a.gid = 100;
  a.device = 0x0103;
  a.atime = {10, 5};
  a.mtime = {1000, 7};
  a.ctime = {1001, 6};
  return a;
}

Attributes LargestValues() {
  Attributes a;
  a.mode = 0xffff;
  a.links = a.uid = a.gid = UINT32_MAX;
  a.device = UINT64_MAX;
  a.mtime = {INT64_MAX, 0};
  a.atime = a.ctime = {-1, 999'999'999};
  return a;
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const unsigned char byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

TEST(Attributes, FreshFileHasGoldenBytes) {
  //                                           vr fl mode seconds          nanos
  EXPECT_EQ(Hex(EncodeAttributes(FreshFile())), "0100a48105040302010000000d0c0b0a");
}

TEST(Attributes, EveryFieldHasGoldenBytes) {
  EXPECT_EQ(Hex(EncodeAttributes(EverythingSet())),
            "011fa021e80300000000000007000000"  // version, flags, mode, mtime
            "e80764"                            // owner
            "03"                                // links
            "bb0f03"                            // atime, 990 s and 2 ns earlier
            "0201"                              // ctime, 1 s later less 1 ns
            "8302");                            // device
}

TEST(Attributes, SurviveARoundTrip) {
  Attributes directory = FreshFile();
  directory.mode = S_IFDIR | 01777;
  directory.links = 2;
  Attributes unlinked = FreshFile();
  unlinked.links = 0;
  Attributes extended = FreshFile();
  extended.has_xattrs = true;
  Attributes before_1970 = FreshFile();
  before_1970.mtime = {INT64_MIN, 0};
  before_1970.atime = {INT64_MAX, 999'999'999};
  for (const Attributes& a : {FreshFile(), EverythingSet(), LargestValues(), directory, unlinked,
                              extended, before_1970}) {
    const auto decoded = DecodeAttributes(EncodeAttributes(a));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, a);
  }
}

TEST(Attributes, ExtendedAttributesCostABit) {
  Attributes extended = FreshFile();
  extended.has_xattrs = true;
  std::string meta = EncodeAttributes(FreshFile());
  meta[1] = static_cast<char>(meta[1] | 32);
  EXPECT_EQ(Hex(EncodeAttributes(extended)), Hex(meta));
}

TEST(Attributes, FitIntoAMeta) {
  EXPECT_EQ(EncodeAttributes(LargestValues()).size(), 71u);
  EXPECT_LE(EncodeAttributes(LargestValues()).size(), kMaxMetaBytes);
}

TEST(Attributes, EveryTruncationIsRefused) {
  for (const Attributes& a : {FreshFile(), EverythingSet(), LargestValues()}) {
    const std::string meta = EncodeAttributes(a);
    for (size_t size = 0; size < meta.size(); ++size) {
      EXPECT_FALSE(DecodeAttributes(meta.substr(0, size))) << size;
    }
  }
}

TEST(Attributes, BytesLeftOverAreRefused) {
  EXPECT_FALSE(DecodeAttributes(EncodeAttributes(FreshFile()) + '\0'));
}

// Only the exact output of the encoder is accepted, so each value has one encoding.
void ExpectRefusedOrCanonical(const std::string& meta) {
  const auto decoded = DecodeAttributes(meta);
  if (decoded) {
    EXPECT_EQ(Hex(EncodeAttributes(*decoded)), Hex(meta));
  }
}

TEST(Attributes, EveryBitFlipIsRefusedOrAnotherValue) {
  for (const Attributes& a : {FreshFile(), EverythingSet(), LargestValues()}) {
    const std::string meta = EncodeAttributes(a);
    for (size_t bit = 0; bit < meta.size() * 8; ++bit) {
      std::string flipped = meta;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      ExpectRefusedOrCanonical(flipped);
    }
  }
}

TEST(Attributes, RandomBytesAreRefusedOrCanonical) {
  std::mt19937 random(1);
  for (int round = 0; round < 100'000; ++round) {
    std::string meta(random() % 80, '\0');
    for (char& byte : meta) byte = static_cast<char>(random());
    if (meta.size() > 1) meta[0] = 1;
    if (meta.size() > 1) meta[1] = static_cast<char>(meta[1] & 63);
    ExpectRefusedOrCanonical(meta);
  }
}

struct Refused {
  const char* why;
  std::string meta;
};

TEST(Attributes, WhatCouldBeWrittenShorterIsRefused) {
  const std::string fixed = EncodeAttributes(FreshFile());
  const auto with = [&](char flags, std::string_view rest) {
    std::string meta = fixed;
    meta[1] = flags;
    return meta.append(rest);
  };
  using namespace std::string_literals;
  for (const Refused& refused :
       {Refused{"an owner that is root", with(1, "\0\0"s)},
        {"links of a file", with(2, "\1"s)},
        {"atime that is mtime", with(4, "\0\0"s)},
        {"ctime that is mtime", with(8, "\0\0"s)},
        {"no device", with(16, "\0"s)},
        {"a long varint", with(2, "\x82\0"s)},
        {"a varint above 2^32", with(2, "\xff\xff\xff\xff\x7f"s)},
        {"a varint above 2^64", with(16, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"s)},
        {"an unknown flag", with(64, ""s)}}) {
    EXPECT_FALSE(DecodeAttributes(refused.meta)) << refused.why;
  }
}

}  // namespace
}  // namespace kvfs::fs

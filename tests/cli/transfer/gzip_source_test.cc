// Compressed streams are decompressed correctly, or are an error: whichever byte is flipped,
// wherever they are truncated.

#include "cli/transfer/gzip_source.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <string>

namespace kvfs::cli {
namespace {

// Bytes that deflate can only store, so the stream has no redundancy to detect a wrong one.
std::string Noise(size_t bytes) {
  std::mt19937_64 random(7);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

std::string Gzip(std::string text) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string out(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  ::deflateEnd(&stream);
  return out;
}

// Returns this many bytes at a time.
ByteSource InPieces(const std::string& text, size_t piece) {
  return [&text, piece, at = size_t{0}](MutableBytes buffer) mutable -> Result<size_t> {
    const size_t count = std::min({piece, buffer.size(), text.size() - at});
    CopyBytes(buffer.data(), AsBytes(text).subspan(at, count));
    at += count;
    return count;
  };
}

Result<std::string> ReadAll(const std::string& text, size_t piece = SIZE_MAX,
                            size_t taken = 10'000) {
  const ByteSource source = FromMaybeGzip(InPieces(text, piece));
  std::string whole;
  std::string buffer(taken, '\0');
  while (true) {
    KVFS_ASSIGN(const size_t count, source(std::as_writable_bytes(std::span(buffer))));
    if (count == 0) return whole;
    whole.append(buffer, 0, count);
  }
}

TEST(GzipSource, ComesOutAsItWentIn) {
  const std::string plain = Noise(300'000);
  const std::string packed = Gzip(plain);
  for (const size_t piece : {size_t{1}, size_t{1000}, SIZE_MAX}) {
    for (const size_t taken : {size_t{100}, size_t{1} << 20}) {
      EXPECT_TRUE(ReadAll(packed, piece, taken) == plain) << piece << " " << taken;
      EXPECT_TRUE(ReadAll(packed + packed, piece, taken) == plain + plain);
      EXPECT_TRUE(ReadAll(packed + std::string(5000, '\0'), piece, taken) == plain);
      EXPECT_TRUE(ReadAll(plain, piece, taken) == plain);
    }
  }
  EXPECT_EQ(ReadAll(Gzip("")), "");
  for (const std::string text : {"", "x", "\x1f", "xy", "\x1f\x8c"}) EXPECT_EQ(ReadAll(text), text);
}

TEST(GzipSource, AFlippedBitIsNeverData) {
  const std::string plain = Noise(700);
  const std::string packed = Gzip(plain);
  size_t refused = 0;
  for (size_t at = 2; at < packed.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = packed;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << bit);
      const auto read = ReadAll(damaged);
      EXPECT_TRUE(!read || *read == plain) << "byte " << at << ", bit " << bit;
      refused += read ? 0 : 1;
      if (!read) {
        EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
      }
    }
  }
  EXPECT_GT(refused, 8 * plain.size());
}

TEST(GzipSource, OneThatEndsEarlyIsAnError) {
  const std::string packed = Gzip(Noise(700));
  for (size_t bytes = 2; bytes < packed.size(); ++bytes) {
    EXPECT_FALSE(ReadAll(packed.substr(0, bytes))) << bytes;
  }
}

TEST(GzipSource, WhatStandsBehindMustBeAStream) {
  EXPECT_FALSE(ReadAll(Gzip("x") + "y"));
  EXPECT_FALSE(ReadAll(Gzip("x") + Gzip("y").substr(0, 5)));
}

TEST(GzipSource, AnErrorOfTheSourceIsHandedOn) {
  for (const std::string& begin : {std::string(), Gzip("x").substr(0, 12)}) {
    bool has_given = begin.empty();
    const ByteSource source = FromMaybeGzip([&](MutableBytes buffer) -> Result<size_t> {
      if (has_given) return Fail(ErrorCode::kIo, "gone");
      has_given = true;
      CopyBytes(buffer.data(), AsBytes(begin));
      return begin.size();
    });
    std::string buffer(100, '\0');
    Result<size_t> read = source(std::as_writable_bytes(std::span(buffer)));
    if (read) read = source(std::as_writable_bytes(std::span(buffer)));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kIo);
  }
}

}  // namespace
}  // namespace kvfs::cli

// Arbitrary bytes to JSON and back.

#include "cli/base/json_text.h"

#include <gtest/gtest.h>

namespace kvfs::cli {
namespace {

TEST(JsonText, BytesComeBack) {
  for (const std::string& bytes :
       {std::string(), std::string("plain"), std::string("\0", 1), std::string("\xff"),
        std::string("a\xff"), std::string("ab\xff"), std::string("\xf0\x9f\x90\x80 \"\\\n")}) {
    Json object;
    SetBytes(object, "key", bytes);
    const Json read = Json::parse(ToLine(object));
    const auto back = GetBytes(read, "key");
    ASSERT_TRUE(back && *back) << ToLine(object);
    EXPECT_EQ(**back, bytes) << ToLine(object);
  }
}

TEST(JsonText, Utf8IsToldFromOtherBytes) {
  for (const char* text :
       {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(IsUtf8(text)) << text;
  for (const char* text : {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(IsUtf8(text)) << text;
}

TEST(JsonText, Base64WithoutItsPaddingIsRefused) {
  EXPECT_EQ(FromBase64("AP8="), std::string("\0\xff", 2));
  EXPECT_EQ(FromBase64(""), "");
  for (const char* text : {"A", "AP8", "AP8 ", "AP8=\n", "A\n8=", "!!!!"}) {
    EXPECT_FALSE(FromBase64(text)) << text;
  }
}

}  // namespace
}  // namespace kvfs::cli

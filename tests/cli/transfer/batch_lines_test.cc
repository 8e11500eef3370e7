// The lines of `kvfs batch`, as words and as JSON.

#include "cli/transfer/batch_lines.h"

#include <gtest/gtest.h>

namespace kvfs::cli {
namespace {

using Kind = fs::PathOperation::Kind;

std::string ReasonOf(const Result<std::optional<fs::PathOperation>>& parsed) {
  return parsed ? "" : parsed.error().message;
}

TEST(BatchLine, HasAnOperationAKeyAndAnArgument) {
  const auto put = ParseBatchLine("put a/b some");
  ASSERT_TRUE(put && *put);
  EXPECT_EQ((*put)->kind, Kind::kPut);
  EXPECT_EQ((*put)->path, "a/b");
  EXPECT_EQ((*put)->data, "some");
  const auto move = ParseBatchLine("  mv\ta b ");
  ASSERT_TRUE(move && *move);
  EXPECT_EQ((*move)->path, "a");
  EXPECT_EQ((*move)->to, "b");
}

TEST(BatchLine, QuotesHoldAnyByte) {
  const auto put = ParseBatchLine(R"(put "a b" "\x00\xff \"\\\n\t\r\0z")");
  ASSERT_TRUE(put && *put) << ReasonOf(put);
  EXPECT_EQ((*put)->path, "a b");
  EXPECT_EQ((*put)->data, std::string("\0\xff \"\\\n\t\r\0z", 10));
}

TEST(BatchLine, AnEmptyValueIsAPairOfQuotes) {
  const auto put = ParseBatchLine("put foo \"\"");
  ASSERT_TRUE(put && *put);
  EXPECT_EQ((*put)->data, "");
}

TEST(BatchLine, ExpectationsAreVersionsOrAbsence) {
  EXPECT_EQ((*ParseBatchLine("expect foo 17"))->version, 17u);
  EXPECT_EQ((*ParseBatchLine("expect foo absent"))->version, fs::PathOperation::kAbsent);
  EXPECT_NE(ReasonOf(ParseBatchLine("expect foo 0")), "");
  EXPECT_NE(ReasonOf(ParseBatchLine("expect foo x")), "");
}

TEST(BatchLine, EmptyLinesAndCommentsArePassedOver) {
  for (const char* line : {"", "   ", "# put foo bar"}) {
    const auto parsed = ParseBatchLine(line);
    ASSERT_TRUE(parsed) << line;
    EXPECT_FALSE(*parsed) << line;
  }
}

TEST(BatchLine, WhatMakesNoSenseIsRefused) {
  for (const char* line :
       {"frob foo", "put foo", "put foo bar more", "del", "del a b", "put foo \"bar",
        "put foo b\"r", "put foo \"b\"r", "put foo \"\\q\"", "put foo \"\\x1\"", "put foo \"\\",
        "put .. x", "put \"\" x", "mv a /", "put foo b\\n"}) {
    EXPECT_NE(ReasonOf(ParseBatchLine(line)), "") << line;
  }
}

TEST(BatchJson, TakesTextAndBase64) {
  const auto put = ParseBatchJson(R"({"op":"put","key":"a","value_base64":"AP8="})");
  ASSERT_TRUE(put && *put) << ReasonOf(put);
  EXPECT_EQ((*put)->data, std::string("\0\xff", 2));
  const auto expect = ParseBatchJson(R"({"op":"expect","key":"a","version":3})");
  ASSERT_TRUE(expect && *expect) << ReasonOf(expect);
  EXPECT_EQ((*expect)->version, 3u);
}

TEST(BatchJson, WhatMakesNoSenseIsRefused) {
  for (const char* line :
       {"{", "[]", "3", "{}", R"({"op":"put","key":"a"})", R"({"op":"frob","key":"a"})",
        R"({"op":"put","key":"a","value":1})", R"({"op":"put","key":"a","value_base64":"A"})",
        R"({"op":"put","key":"a","value":"x","value_base64":"AP8="})",
        R"({"op":"del","key":"a","value":"x"})", R"({"op":"put","key":"a","value":"x","ttl":1})"}) {
    EXPECT_NE(ReasonOf(ParseBatchJson(line)), "") << line;
  }
}

}  // namespace
}  // namespace kvfs::cli

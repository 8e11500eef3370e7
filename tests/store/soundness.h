// Checks a store; each finding fails the test.
#pragma once

#include <gtest/gtest.h>

#include <kvfs/store.h>

namespace kvfs {

inline void ExpectSound(const Store& store) {
  CheckOptions options;
  options.on_finding = [](const CheckFinding& finding) { ADD_FAILURE() << finding.message; };
  const auto report = store.Check(options);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->IsSound());
  EXPECT_TRUE(report->complete);
}

}  // namespace kvfs

// A mounted store for each test, and expectations about the output of shell scripts.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/mounted.h"

namespace kvfs::fs {

class MountedFixture : public testing::Test {
 protected:
  void SetUp() override {
    const std::string obstacle = Mounted::Obstacle();
    ASSERT_EQ(obstacle, "") << "nothing can be mounted here";
    mounted_ = std::make_unique<Mounted>(options_);
  }

  Mounted& mounted() { return *mounted_; }
  std::string Path(const std::string& name) const { return mounted_->Path(name); }

  // Expects the script to succeed, and returns its output.
  std::string Run(const std::string& script) {
    const Mounted::Outcome outcome = mounted_->Run(script);
    EXPECT_EQ(outcome.status, 0) << script << "\n" << outcome.output;
    return outcome.output;
  }
  // Expects the script to fail, and returns its output.
  std::string RunAndFail(const std::string& script) {
    const Mounted::Outcome outcome = mounted_->Run(script);
    EXPECT_NE(outcome.status, 0) << script << "\n" << outcome.output;
    return outcome.output;
  }

  MountOptions options_;

 private:
  std::unique_ptr<Mounted> mounted_;
};

}  // namespace kvfs::fs

// A fixture whose cases run with the store mounted and unmounted: commands give the same results in
// both cases.
#pragma once

#include <gtest/gtest.h>

namespace kvfs::cli {

// `Fixture` is a StoreFixture. Instantiate with testing::Bool() and NameOfWay.
template <typename Fixture>
class EitherWay : public Fixture, public testing::WithParamInterface<bool> {
 protected:
  void MountIfAsked() {
    if (this->GetParam()) this->Mount();
  }
};

inline const char* NameOfWay(const testing::TestParamInfo<bool>& run) {
  return run.param ? "Mounted" : "NotMounted";
}

}  // namespace kvfs::cli

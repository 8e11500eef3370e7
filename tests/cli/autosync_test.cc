// A mount that makes changes durable by itself, even while changes continue.
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

using nlohmann::json;

class AutoSync : public StoreFixture {
 protected:
  void SetUp() override { Create(); }
  json Stats() { return json::parse(Output({"stats", "--json", store()})); }
  // Changes the store too often for an idle checkpoint, until the first change is durable; returns
  // whether that happened within the number of changes.
  bool BecomesDurable(int most_changes) {
    Shell("echo x > foo");
    const json first = Stats();
    for (int i = 0; i < most_changes; ++i) {
      Shell("echo " + std::to_string(i) + " > foo");
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      const json now = Stats();
      EXPECT_EQ(now["checkpoints"], first["checkpoints"]) << "another reason";
      if (now["durable_sequence"] >= first["acknowledged_sequence"]) return true;
    }
    return false;
  }
};

TEST_F(AutoSync, MakesChangesDurableWhileOthersGoOn) {
  Run({"mount", "-o", "autosync=1", store(), mount_point()});
  EXPECT_TRUE(BecomesDurable(300));
}

TEST_F(AutoSync, DoesNotWhereItIsSwitchedOff) {
  Run({"mount", "-o", "autosync=0", store(), mount_point()});
  EXPECT_FALSE(BecomesDurable(30));
}

TEST_F(AutoSync, IsNotChangedByARemount) {
  Run({"mount", "-o", "autosync=7", store(), mount_point()});
  ExpectFailure({"mount", "-o", "remount,autosync=8", store(), mount_point()}, 1, {"autosync"});
}

TEST_F(AutoSync, TakesSeconds) {
  for (const char* option : {"autosync=-1", "autosync=x", "autosync="}) {
    ExpectFailure({"mount", "-o", option, store(), mount_point()}, 1, {"autosync"});
  }
}

}  // namespace
}  // namespace kvfs::cli

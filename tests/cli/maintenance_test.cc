// check, repair, compact, stats and dump, on mounted and unmounted stores.

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/cli/either_way.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;
using nlohmann::json;

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class MaintenanceFixture : public StoreFixture {
 protected:
  // The keys file of the shard that contains the entry of that name.
  std::string KeysFileOf(const std::string& name) {
    for (const auto& file : stdfs::directory_iterator(store())) {
      if (file.path().extension() != ".keys") continue;
      if (Contains(RunKvfs({"dump", file.path()}).out, "name \"" + name + "\"")) return file.path();
    }
    ADD_FAILURE() << "no entry " << name;
    return "";
  }
  // Makes the whole file unreadable for its purpose.
  static void Scribble(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto size = static_cast<std::streamoff>(stdfs::file_size(path));
    for (std::streamoff at = 100; at < size; at += 512) {
      file.seekp(at);
      file.put('\x5a');
    }
  }
};

class Maintenance : public EitherWay<MaintenanceFixture> {
 protected:
  void SetUp() override { Create(); }
};
INSTANTIATE_TEST_SUITE_P(MountedOrNot, Maintenance, testing::Bool(), NameOfWay);

TEST_P(Maintenance, CheckFindsAStoreSound) {
  Put("foo", "bar");
  MountIfAsked();
  const ProgramRun run = RunKvfs({"check", store()});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_TRUE(Contains(run.out, "sound: 2 entries")) << run.out;
  EXPECT_EQ(run.err, "");
}

TEST_P(Maintenance, CheckTellsInJson) {
  MountIfAsked();
  const ProgramRun run = RunKvfs({"check", "--json", store()});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(json::parse(run.out)["sound"], true);
  EXPECT_EQ(json::parse(run.out)["store"], store());
}

// tests/store/compact_test shows the effect of a compaction on the files.
TEST_P(Maintenance, CompactTellsWhatTheStoreTakesAndKeepsIt) {
  Put("foo", "bar");
  Put("large", std::string(120'000, 'x'));
  MountIfAsked();
  const ProgramRun run = RunKvfs({"compact", "--json", store()});
  ASSERT_EQ(run.status, 0) << run.err;
  const json told = json::parse(run.out);
  EXPECT_GT(told["disk_bytes_before"], 120'000);
  EXPECT_GT(told["disk_bytes"], 120'000);
  EXPECT_EQ(RunKvfs({"check", store()}).status, 0);
  ExpectValue("foo", "bar");
}

TEST_P(Maintenance, StatsTellTheEntries) {
  Put("foo", "bar");
  MountIfAsked();
  const ProgramRun run = RunKvfs({"stats", "--json", store()});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(json::parse(run.out)["entries"], 2);  // foo, and the root's attributes
  const ProgramRun text = RunKvfs({"stats", store()});
  EXPECT_TRUE(Contains(text.out, "disk_bytes")) << text.out;
}

TEST_F(MaintenanceFixture, CheckOfAMountSeesWhatWasJustWritten) {
  Create();
  Mount();
  Shell("echo 1 > a; echo 2 > b");
  EXPECT_TRUE(Contains(RunKvfs({"check", store()}).out, "sound: 3 entries"));
}

TEST_F(MaintenanceFixture, CheckNamesDamageAndEndsAsFsckDoes) {
  Create();
  Put("foo", "bar");
  Scribble(KeysFileOf("foo"));
  for (const ProgramRun& run :
       {RunKvfs({"check", store()}), RunKvfsAs("fsck.kvfs", {"-a", store()})}) {
    EXPECT_EQ(run.status, 4);
    EXPECT_TRUE(Contains(run.out, "damage: ")) << run.out;
    EXPECT_TRUE(Contains(run.out, "not sound")) << run.out;
    EXPECT_TRUE(Contains(run.err, "kvfs repair " + store())) << run.err;
  }
  const ProgramRun told = RunKvfs({"check", "--json", store()});
  EXPECT_EQ(told.status, 4);
  EXPECT_EQ(json::parse(LinesOf(told.out).front())["finding"], "damage");
  EXPECT_EQ(json::parse(LinesOf(told.out).back())["sound"], false);
}

TEST_F(MaintenanceFixture, CheckTellsWhatItCannotCheck) {
  ExpectFailure({"check", store()}, 8, {"no store at " + store()});
  ExpectFailure({"check", "--frob", store()}, 16, {"frob"});
  ExpectFailure({"check"}, 16, {"STORE"});
}

TEST_F(MaintenanceFixture, CheckChangesNothing) {
  Create();
  Mount();
  Shell("echo bar > foo");
  KillDaemon();  // what was written is in the log only
  const std::string before = RunShell("cd '" + store() + "' && cat superblock log/* | cksum").out;
  EXPECT_EQ(RunKvfs({"check", store()}).status, 0);
  EXPECT_EQ(RunShell("cd '" + store() + "' && cat superblock log/* | cksum").out, before);
}

TEST_F(MaintenanceFixture, RepairSavesWhatCanBeReadAndTellsTheRest) {
  Create();
  for (int i = 0; i < 20; ++i) Put("key" + std::to_string(i), "value");
  Scribble(KeysFileOf("key7"));
  const std::string target = directory() + "/new";
  const ProgramRun run = RunKvfs({"repair", store(), target});
  ASSERT_EQ(run.status, 13) << run.err;
  EXPECT_TRUE(Contains(run.out, "lost: ")) << run.out;
  EXPECT_EQ(RunKvfs({"check", target}).status, 0);
  const auto left = LinesOf(RunKvfs({"ls", target}).out).size();
  EXPECT_GT(left, 0u);
  EXPECT_LT(left, 20u);
}

TEST_F(MaintenanceFixture, RepairBringsBackAStoreThatHasLostItsSuperblock) {
  Create();
  for (int i = 0; i < 20; ++i) Put("key" + std::to_string(i), "value" + std::to_string(i));
  Put("key3", "newer");
  ASSERT_EQ(RunKvfs({"del", store(), "key4"}).status, 0);
  const std::string listed = RunKvfs({"ls", store()}).out;
  const std::string lost = store() + "/superblock";
  const auto size = stdfs::file_size(lost);
  const std::vector<std::function<void()>> losses = {
      [&] { stdfs::resize_file(lost, 0), stdfs::resize_file(lost, size); },
      [&] { std::ofstream(lost) << std::string(size, 'x'); },
      [&] { stdfs::resize_file(lost, 0); },
      [&] { stdfs::remove(lost); },
  };
  for (const auto& lose : losses) {
    lose();
    const std::string target = directory() + "/new";
    stdfs::remove_all(target);
    ExpectFailure({"get", store(), "key3"}, 4, {store(), "kvfs repair"});
    ExpectFailure({"put", store(), "key3", "x"}, 4, {store(), "kvfs repair"});
    ExpectFailure({"mount", store(), mount_point()}, 4, {store(), "kvfs repair"});
    const ProgramRun run = RunKvfs({"repair", store(), target});
    ASSERT_EQ(run.status, 0) << run.err;
    EXPECT_FALSE(Contains(run.out, "lost: ")) << run.out;
    EXPECT_EQ(RunKvfs({"check", target}).status, 0);
    EXPECT_EQ(RunKvfs({"ls", target}).out, listed);
    EXPECT_EQ(RunKvfs({"get", target, "key3"}).out, "newer");
  }
  ExpectFailure({"create", store()}, 4, {store(), "kvfs repair"});
  stdfs::remove(store() + "/identity");
  stdfs::remove_all(directory() + "/new");
  ExpectFailure({"repair", store(), directory() + "/new"}, 4, {"identity", "superblock", "backup"});
}

TEST_F(MaintenanceFixture, RepairGivesLostDirectoriesANameAgain) {
  Create();
  ASSERT_EQ(RunKvfs({"mkdir", "-p", store(), "d/deep"}).status, 0);
  for (int i = 0; i < 40; ++i) Put("d/key" + std::to_string(i), "value" + std::to_string(i));
  Scribble(KeysFileOf("d"));
  const std::string target = directory() + "/new";
  const ProgramRun run = RunKvfs({"repair", "--json", store(), target});
  ASSERT_EQ(run.status, 13) << run.err;
  EXPECT_EQ(json::parse(LinesOf(run.out).back())["reattached"], 1) << run.out;
  const auto lost = LinesOf(RunKvfs({"ls", "-R", target, "lost+found"}).out);
  const auto key =
      std::ranges::find_if(lost, [](const auto& path) { return Contains(path, "/key"); });
  ASSERT_NE(key, lost.end());
  EXPECT_EQ(RunKvfs({"get", target, *key}).out, "value" + key->substr(key->find("/key") + 4));
  EXPECT_EQ(RunKvfs({"check", target}).status, 0);
}

TEST_F(MaintenanceFixture, RepairRefusesATargetThatIsThereAndAStoreInUse) {
  Create();
  const std::string other = directory() + "/other";
  ASSERT_EQ(RunKvfs({"create", other}).status, 0);
  ExpectFailure({"repair", store(), other}, 2, {"already a store", other});
  ExpectFailure({"repair", directory() + "/absent", other}, 2, {"no store"});
  Mount();
  ExpectFailure({"repair", store(), directory() + "/new"}, 3, {mount_point()});
}

TEST_F(MaintenanceFixture, DumpDescribesEveryFile) {
  Create();
  Put("foo", "bar");
  Put("large", std::string(100'000, 'x'));
  EXPECT_TRUE(Contains(RunKvfs({"dump", store() + "/superblock"}).out, "shards 8"));
  EXPECT_TRUE(Contains(RunKvfs({"dump", store() + "/lock"}).out, "lock file"));
  const std::string keys = RunKvfs({"dump", KeysFileOf("foo")}).out;
  EXPECT_TRUE(Contains(keys, "leaf")) << keys;
  EXPECT_TRUE(Contains(keys, "tail \"bar\" (3 bytes)")) << keys;
  std::string values;
  std::string log;
  for (const auto& file : stdfs::recursive_directory_iterator(store())) {
    if (file.path().extension() == ".values") values += RunKvfs({"dump", file.path()}).out;
    if (file.path().filename().string().starts_with("segment-")) {
      log += RunKvfs({"dump", file.path()}).out;
    }
  }
  EXPECT_TRUE(Contains(values, "\"xxxx")) << values.substr(0, 500);
  EXPECT_TRUE(Contains(log, "log segment")) << log.substr(0, 500);
}

TEST_F(MaintenanceFixture, DumpShowsTheLogOfAStoreInUse) {
  Create();
  Mount();
  Shell("echo bar > foo");
  std::string log;
  for (const auto& file : stdfs::directory_iterator(store() + "/log")) {
    log += RunKvfs({"dump", file.path()}).out;
  }
  EXPECT_TRUE(Contains(log, "put entry \"foo\" of directory 1")) << log;
}

TEST_F(MaintenanceFixture, DumpTellsDamageAndRefusesOtherFiles) {
  Create();
  Put("foo", "bar");
  const std::string keys = KeysFileOf("foo");
  Scribble(keys);
  const ProgramRun run = RunKvfs({"dump", keys});
  EXPECT_EQ(run.status, 0);
  EXPECT_TRUE(Contains(run.out, "damaged: its checksum is wrong")) << run.out;
  ExpectFailure({"dump", "/etc/passwd"}, 2, {"/etc/passwd"});
  ExpectFailure({"dump", store() + "/absent"}, 12, {"absent"});
}

// Whatever a file of a store contains, a dump shows what can be decoded, and has no other effect.
TEST_F(MaintenanceFixture, DumpOfADamagedFileOfEachKindEndsWell) {
  Create();
  std::string puts;
  for (int i = 0; i < 300; ++i) {
    puts += "put key" + std::to_string(i) + " " + std::string(50, 'v') + "\n";
  }
  ASSERT_EQ(RunKvfs({"batch", store()}, puts).status, 0);
  ASSERT_EQ(RunKvfs({"put", store(), "large"}, std::string(300'000, 'x')).status, 0);
  const std::string damaged = directory() + "/damaged";
  std::map<std::string, int> kinds;
  for (const auto& file : stdfs::recursive_directory_iterator(store())) {
    if (!file.is_regular_file()) continue;
    const std::string name = stdfs::relative(file.path(), store());
    if (++kinds[file.path().filename().string().substr(0, 7) + file.path().extension().string()] >
        1)
      continue;
    for (const auto& damage : std::vector<std::function<void(const std::string&)>>{
             Scribble, [](const std::string& path) { stdfs::resize_file(path, 0); },
             [](const std::string& path) { stdfs::resize_file(path, 10); },
             [](const std::string& path) {
               stdfs::resize_file(path, stdfs::file_size(path) / 2 + 7);
             }}) {
      stdfs::remove_all(damaged);
      stdfs::copy(store(), damaged, stdfs::copy_options::recursive);
      damage(damaged + "/" + name);
      const ProgramRun run = RunKvfs({"dump", damaged + "/" + name});
      EXPECT_TRUE(run.status == 0 || run.status == 2 || run.status == 4 || run.status == 12)
          << name << ": " << run.status << run.err;
      EXPECT_TRUE(run.status == 0 || Contains(run.err, name)) << run.err;
    }
  }
  EXPECT_GE(kinds.size(), 5u);  // superblock, lock, segment, keys, values
}

TEST_F(MaintenanceFixture, DumpTellsDamageOfTheSuperblockAndTheLog) {
  Create();
  Put("foo", "bar");
  std::string segment;
  for (const auto& file : stdfs::directory_iterator(store() + "/log")) segment = file.path();
  Scribble(segment);
  EXPECT_TRUE(Contains(RunKvfs({"dump", segment}).out, "damaged"))
      << RunKvfs({"dump", segment}).out;
  Scribble(store() + "/superblock");
  const std::string told = RunKvfs({"dump", store() + "/superblock"}).out;
  EXPECT_TRUE(Contains(told, "damaged")) << told;
}

TEST_F(MaintenanceFixture, DumpSaysThatASocketHoldsNothing) {
  Create();
  Mount();
  ExpectFailure({"dump", store() + "/socket"}, 2, {"socket", "daemon"});
}

TEST_F(MaintenanceFixture, ADaemonOfThisStoreAloneIsAsked) {
  Create();
  Mount();
  ASSERT_EQ(::access((store() + "/socket").c_str(), F_OK), 0);
  EXPECT_EQ(RunShell("stat -c %a '" + store() + "/socket'").out, "600\n");
  Unmount();
  EXPECT_NE(::access((store() + "/socket").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace kvfs::cli

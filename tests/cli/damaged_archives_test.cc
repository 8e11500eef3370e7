// Compressed archives with one wrong byte, or truncated: they are imported correctly, or are an
// error; status 0 never comes with other bytes. For gzip, gzip_source_test tries every bit.

#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

class DamagedArchives : public StoreFixture, public testing::WithParamInterface<const char*> {
 protected:
  // Incompressible bytes, so that only a checksum can detect a wrong byte.
  void SetUp() override {
    std::mt19937_64 random(3);
    std::string noise(3000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    ASSERT_EQ(RunShell("mkdir '" + Path("tree") + "'").status, 0);
    std::ofstream(Path("tree/noise")) << noise;
    ASSERT_EQ(
        RunShell("cd '" + directory() + "' && bsdtar -c --" + GetParam() + " -f archive tree 2>&1")
            .status,
        0);
    std::ifstream file(Path("archive"), std::ios::binary);
    archive_.assign(std::istreambuf_iterator<char>(file), {});
    whole_ = NoiseAfter(archive_);
    ASSERT_EQ(whole_, noise);
  }
  // The imported content; empty if the import was reported as incomplete.
  std::string NoiseAfter(const std::string& archive) {
    std::ofstream(Path("archive"), std::ios::binary) << archive;
    RunShell("rm -rf '" + store() + "'");
    const ProgramRun run =
        RunKvfs({"import", "--create", "--from", "tar", Path("archive"), store()});
    EXPECT_EQ(run.status == 0, run.err.empty()) << run.err;
    EXPECT_TRUE(run.status == 0 || run.status == 1 || run.status == 13) << run.err;
    return run.status == 0 ? RunKvfs({"get", store(), "tree/noise"}).out : "";
  }

  std::string archive_;
  std::string whole_;
};
INSTANTIATE_TEST_SUITE_P(Formats, DamagedArchives, testing::Values("gzip", "bzip2", "xz", "lz4"),
                         [](const auto& run) { return std::string(run.param); });

TEST_P(DamagedArchives, AFlippedByteNeverComesIn) {
  size_t refused = 0;
  for (size_t at = 0; at < archive_.size(); at += at < 12 || at + 12 > archive_.size() ? 1 : 149) {
    std::string damaged = archive_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    const std::string noise = NoiseAfter(damaged);
    EXPECT_TRUE(noise.empty() || noise == whole_) << "byte " << at;
    refused += noise.empty() ? 1 : 0;
  }
  EXPECT_GT(refused, 20u);
}

TEST_P(DamagedArchives, NorDoesABeginning) {
  for (size_t bytes = 0; bytes<archive_.size(); bytes += bytes + 20> archive_.size() ? 1 : 97) {
    EXPECT_EQ(NoiseAfter(archive_.substr(0, bytes)), "") << bytes;
  }
}

}  // namespace
}  // namespace kvfs::cli

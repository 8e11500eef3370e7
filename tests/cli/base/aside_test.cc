// Work done in a separate process, which can be abandoned.
#include "cli/base/aside.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <new>

namespace kvfs::cli {
namespace {

std::string WaitForEver() {
  while (true) ::pause();
}

TEST(Aside, GivesWhatTheWorkHasReturned) {
  EXPECT_EQ(GlanceAside([] { return std::string("bar"); }).value(), "bar");
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(GlanceAside([&] { return large; }).value(), large);
  EXPECT_EQ(GlanceAside([]() -> std::string { ::_exit(1); }).value(), "");
}

TEST(Aside, IsLeftBehindWhenNobodyWaits) {
  int asked = 0;
  const auto answer = DoAside(WaitForEver, [&] { return ++asked < 3; });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kIo);
  EXPECT_EQ(asked, 3);
}

// Each waits for all others, so running them one after another would hang.
TEST(Aside, SeveralAreAtWorkTogether) {
  constexpr int kCount = 3;
  void* const shared = ::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* const there = new (shared) std::atomic<int>(0);
  const auto work = [there]() -> std::string {
    for (++*there; *there < kCount;) ::usleep(1'000);
    return "all";
  };
  std::vector<std::function<std::string()>> works(kCount, work);
  works.insert(works.begin(), WaitForEver);
  const auto answers = GlanceAside(works);
  ASSERT_EQ(answers.size(), works.size());
  EXPECT_FALSE(answers[0]);
  for (int i = 1; i <= kCount; ++i) EXPECT_EQ(answers[i].value_or("none"), "all");
  ::munmap(shared, sizeof(std::atomic<int>));
}

}  // namespace
}  // namespace kvfs::cli

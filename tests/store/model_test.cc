// Random operations on a store and on a std::map, with checkpoints and reopenings between them:
// after every step both hold the same.
#include "tests/store/model.h"

#include <gtest/gtest.h>

#include "store/env/memory_env.h"
#include "tests/store/soundness.h"

namespace kvfs {
namespace {

struct Shape {
  const char* name;
  CreateOptions create;
  ScriptOptions script;
  uint64_t seed;
};

void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name << "/" << shape.seed; }

std::vector<Shape> Shapes() {
  CreateOptions usual, one_shard, many_shards, large_pages, colliding;
  one_shard.shards = 1;
  many_shards.shards = 64;
  large_pages.page_bytes = 32768;
  colliding.hash_bits = 1;
  ScriptOptions few_large{.steps = 400}, many_small{.steps = 1500, .names = 400, .max_bytes = 3000};
  std::vector<Shape> shapes;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    shapes.push_back({"Usual", usual, few_large, seed});
    shapes.push_back({"ManySmall", usual, many_small, seed});
    shapes.push_back({"OneShard", one_shard, many_small, seed});
    shapes.push_back({"ManyShards", many_shards, few_large, seed});
    shapes.push_back({"LargePages", large_pages, few_large, seed});
    shapes.push_back({"Colliding", colliding, many_small, seed});
  }
  for (Shape& shape : shapes) {
    shape.create.hash_seed = shape.seed;
    shape.create.log_segment_bytes = 1 << 20;
    shape.create.log_limit_bytes = 4 << 20;
  }
  return shapes;
}

class ModelTest : public testing::TestWithParam<Shape> {
 protected:
  void Open() {
    store_.reset();
    OpenOptions options;
    options.log = [](std::string_view line) { ADD_FAILURE() << "logged: " << line; };
    auto opened = Store::Open(env_, "store", options);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  void ExpectSame() {
    auto actual = ReadStore(*store_);
    ASSERT_TRUE(actual) << actual.error().message;
    EXPECT_EQ(Difference(model_, *actual), "");
  }

  MemoryEnv env_;
  std::unique_ptr<Store> store_;
  Model model_;
};

TEST_P(ModelTest, StoreAndMapHoldTheSame) {
  ASSERT_TRUE(Store::Create(env_, "store", GetParam().create));
  Open();
  size_t index = 0;
  for (const Step& step : DrawScript(GetParam().seed, GetParam().script)) {
    SCOPED_TRACE("seed " + std::to_string(GetParam().seed) + " step " + std::to_string(index) +
                 ": " + ToText(step));
    if (step.kind == Step::Kind::kReopen) {
      Open();
    } else {
      auto applied = ApplyToStore(step, *store_);
      ASSERT_TRUE(applied) << applied.error().message;
    }
    ASSERT_TRUE(ApplyToModel(step, &model_));
    if (index++ % 16 == 0) ExpectSame();
    if (index % 64 == 0) ExpectSound(*store_);
    if (HasFailure()) return;
  }
  ExpectSame();
  Open();
  ExpectSame();
  EXPECT_EQ(store_->GetStats().entries, model_.size());
  ExpectSound(*store_);
  ASSERT_TRUE(store_->Compact());
  ExpectSame();
  ExpectSound(*store_);
}

INSTANTIATE_TEST_SUITE_P(Shapes, ModelTest, testing::ValuesIn(Shapes()),
                         [](const testing::TestParamInfo<Shape>& shape) {
                           return shape.param.name + std::to_string(shape.param.seed);
                         });

}  // namespace
}  // namespace kvfs

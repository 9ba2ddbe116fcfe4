//===- CalibrationTest.cpp - Statistics, ranges and profiles --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Merging is exact for any split and any order; files give back what was
// written; what is not a profile is refused.
//===----------------------------------------------------------------------===//
#include "RunModule.h"
#include "qopt/Calibration/Profile.h"

#include "llvm/Support/FileSystem.h"
#include <cmath>
#include <numeric>
#include <random>

using namespace qopt;
using namespace qopt::test;

/// Samples of very different magnitudes, so that the grid grows at different
/// times in different orders.
static std::vector<Tensor> makeSamples(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Tensor> samples;
  for (int s = 0; s < 12; ++s) {
    Tensor sample(DType::f32, {5, 7});
    double magnitude = std::ldexp(1.0, int(random() % 40) - 20);
    for (int64_t i = 0; i < 35; ++i)
      sample.setFloat(i, magnitude * (double(random() % 2001) / 1000 - 1));
    samples.push_back(sample);
  }
  samples.push_back(Tensor(DType::f32, {5, 7}));
  return samples;
}

static TensorStatistics collect(const std::vector<Tensor> &samples,
                                llvm::ArrayRef<size_t> which) {
  TensorStatistics statistics;
  for (size_t index : which)
    EXPECT_TRUE(
        statistics.observe(index, samples[index], {true, true, true}).ok());
  return statistics;
}

TEST(Calibration, MergeIsExactForEverySplitAndOrder) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    std::vector<Tensor> samples = makeSamples(seed);
    std::vector<size_t> order(samples.size());
    std::iota(order.begin(), order.end(), 0);
    TensorStatistics whole = collect(samples, order);
    std::mt19937_64 random(seed + 1000);
    std::shuffle(order.begin(), order.end(), random);
    size_t first = random() % (order.size() + 1);
    size_t second = first + random() % (order.size() - first + 1);
    llvm::ArrayRef<size_t> all(order);
    TensorStatistics merged = collect(samples, all.drop_front(second));
    ASSERT_TRUE(
        merged.merge(collect(samples, all.slice(first, second - first))).ok());
    ASSERT_TRUE(merged.merge(collect(samples, all.take_front(first))).ok());
    EXPECT_TRUE(merged == whole);
    // Equal state, so equal ranges, by every method.
    for (const char *method :
         {"min-max", "moving-average", "percentile:99", "entropy", "mse"}) {
      auto a = computeRange(merged, *RangeMethod::parse(method));
      auto b = computeRange(whole, *RangeMethod::parse(method));
      ASSERT_TRUE(a.ok() && b.ok());
      EXPECT_EQ(a->low, b->low);
      EXPECT_EQ(a->high, b->high);
    }
  }
}

TEST(Calibration, BinsHoldTheirValues) {
  Histogram histogram;
  for (float value : {1.0f, -1.0f, 0.0f, 2047.5f, -2048.0f, 1e-30f, -1e-30f})
    histogram.add(value);
  EXPECT_EQ(histogram.getExponent(), 0);
  EXPECT_EQ(histogram.getTotal(), 7u);
  EXPECT_EQ(histogram.getCount(0), 2u);
  EXPECT_EQ(histogram.getCount(-1), 2u);
  EXPECT_EQ(histogram.getCount(1), 1u);
  EXPECT_EQ(histogram.getCount(2047), 1u);
  EXPECT_EQ(histogram.getCount(-2048), 1u);
  histogram.add(2048.0f);
  EXPECT_EQ(histogram.getExponent(), 1);
  EXPECT_EQ(histogram.getCount(1023), 1u);
  EXPECT_EQ(histogram.getCount(1024), 1u);
  histogram.add(3.0e38f);
  EXPECT_EQ(histogram.getTotal(), 9u);
}

TEST(Calibration, RangesByEveryMethod) {
  // 999 values in [0, 1) and one outlier.
  Tensor values(DType::f32, {1000});
  for (int i = 0; i < 999; ++i)
    values.setFloat(i, i / 999.0);
  values.setFloat(999, 8.0);
  TensorStatistics statistics;
  ASSERT_TRUE(statistics.observe(0, values, {false, true}).ok());
  auto high = [&](const char *method, unsigned bits = 8) {
    return computeRange(statistics, *RangeMethod::parse(method), bits)->high;
  };
  EXPECT_EQ(high("min-max"), 8.0);
  EXPECT_EQ(high("moving-average"), 8.0);
  EXPECT_NEAR(high("percentile:99"), 0.99, 0.01);
  EXPECT_LT(high("entropy"), 2.0);
  // 8 bits afford the outlier, 2 bits do not.
  EXPECT_EQ(high("mse"), 8.0);
  EXPECT_LT(high("mse", 2), 4.0);
  EXPECT_EQ(RangeMethod::parse("maximum").status().message(),
            "expects a range method of min-max, moving-average, percentile:P, "
            "entropy or mse, got 'maximum'");
}

TEST(Calibration, AllZeroDataGetsScaleOne) {
  TensorStatistics statistics;
  ASSERT_TRUE(
      statistics.observe(0, Tensor(DType::f32, {4}), {false, true}).ok());
  for (const char *method :
       {"min-max", "moving-average", "percentile", "entropy", "mse"}) {
    AffineParameters parameters = getAsymmetricParameters(
        *computeRange(statistics, *RangeMethod::parse(method)));
    EXPECT_EQ(parameters.scale, 1.0f);
    EXPECT_EQ(parameters.zeroPoint, 0);
  }
}

TEST(Calibration, ZeroIsExact) {
  AffineParameters p = getAsymmetricParameters({-1.0, 3.0});
  EXPECT_EQ(p.scale, float(4.0 / 255));
  EXPECT_EQ(p.zeroPoint, 64);
  EXPECT_EQ(getAsymmetricParameters({2.0, 3.0}).zeroPoint, 0);
  EXPECT_EQ(getAsymmetricParameters({-3.0, -2.0}).zeroPoint, 255);
}

static const char *const kObserved = R"mlir(
  func.func @main(%a: tensor<3xf32> {qg.name = "x"}) -> (tensor<3xf32> {qg.name = "y"}) {
    %o = qg.observe "x" %a : tensor<3xf32> -> tensor<3xf32>
    %b = qg.unary sqrt %o : tensor<3xf32> -> tensor<3xf32>
    %p = qg.observe "root" %b : tensor<3xf32> -> tensor<3xf32>
    %c = qg.unary neg %p : tensor<3xf32> -> tensor<3xf32>
    return %c : tensor<3xf32>
  })mlir";

static SampleSource makeSource(int64_t count, bool hasNaN = false) {
  return [=](int64_t index)
             -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (index == count)
      return std::optional<llvm::SmallVector<Tensor>>();
    Tensor x = makeTensor<float>(
        DType::f32, {3}, {float(index), 4, hasNaN && index == 1 ? -1.0f : 9});
    return std::optional(llvm::SmallVector<Tensor>{x});
  };
}

TEST(Calibration, ProfilesOfARun) {
  auto module = parse(kObserved);
  auto profile =
      collectProfile(*module, makeSource(4), {}, makeInterpreterFactory());
  ASSERT_TRUE(profile.ok()) << profile.status().message();
  EXPECT_EQ(profile->samples, 4);
  EXPECT_EQ(profile->tensors["x"].high, 9.0f);
  EXPECT_EQ(profile->tensors["root"].high, 3.0f);
  EXPECT_EQ(profile->tensors["root"].count, 12u);
  auto again = Profile::fromJSON(profile->toJSON());
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_TRUE(*again == *profile);
  ASSERT_TRUE(applyProfile(*module, *profile, {}).ok());
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  EXPECT_NE(text.find("qg.range = array<f64: 0.000000e+00, 3.000000e+00>"),
            std::string::npos)
      << text;
}

TEST(Calibration, CountsWhatIsNotFinite) {
  auto module = parse(kObserved);
  auto profile = collectProfile(*module, makeSource(4, true), {},
                                makeInterpreterFactory());
  ASSERT_TRUE(profile.ok()) << profile.status().message();
  const TensorStatistics &root = profile->tensors["root"];
  EXPECT_EQ(root.nans, 1u);
  EXPECT_EQ(root.infinities, 0u);
  EXPECT_EQ(root.count, 11u);
  EXPECT_EQ(root.high, 3.0f);
  auto again = Profile::fromJSON(profile->toJSON());
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_TRUE(*again == *profile);
  ASSERT_TRUE(applyProfile(*module, *profile, {}).ok());
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  EXPECT_NE(text.find("qg.not_finite = 1"), std::string::npos) << text;
}

TEST(Calibration, NothingFiniteHasARangeOfZero) {
  Tensor values(DType::f32, {2, 2});
  for (int i = 0; i < 4; ++i)
    values.setFloat(i, i % 2 ? INFINITY : -INFINITY);
  TensorStatistics statistics;
  ASSERT_TRUE(statistics.observe(0, values, {true, true, true}).ok());
  EXPECT_EQ(statistics.count, 0u);
  EXPECT_EQ(statistics.infinities, 4u);
  EXPECT_EQ(statistics.channelLow, std::vector<float>({0, 0}));
  EXPECT_TRUE(statistics.rows.empty());
  EXPECT_TRUE(statistics.sampleRanges.empty());
  Profile profile;
  profile.samples = 1;
  profile.tensors["x"] = statistics;
  auto again = Profile::fromJSON(profile.toJSON());
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_TRUE(*again == profile);
}

TEST(Calibration, RefusesNaNInData) {
  auto module = parse(kObserved);
  SampleSource source = [](int64_t index) {
    Tensor x = makeTensor<float>(DType::f32, {3}, {1, NAN, INFINITY});
    return absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>>(
        index ? std::nullopt
              : std::optional(llvm::SmallVector<Tensor>{std::move(x)}));
  };
  auto profile = collectProfile(*module, source, {}, makeInterpreterFactory());
  EXPECT_EQ(
      profile.status().message(),
      "tensor 'x', sample 0: expects finite values, got NaN in element 1");
}

TEST(Calibration, RowsBesideALargeOne) {
  // One row of hundreds, 15 of ones.
  Tensor values(DType::f32, {16, 4});
  for (int i = 0; i < 64; ++i)
    values.setFloat(i, (i < 4 ? 400 : 1) * (i % 2 ? 1.0 : -1.0));
  TensorStatistics statistics;
  ASSERT_TRUE(statistics.observe(0, values, {false, false, true}).ok());
  AffineParameters parameters = getAsymmetricParameters({-400, 400});
  EXPECT_GT(getPredictedSQNR(statistics.histogram, parameters), 35);
  double noise = double(parameters.scale) * parameters.scale / 12;
  EXPECT_LT(statistics.rows.getPredictedSQNR(noise), 2);
  EXPECT_EQ(RowEnergies().getPredictedSQNR(noise), 200);
  // [2^(k/2), 2^((k+1)/2)) is one bin.
  RowEnergies rows;
  rows.add({1.0f, 1.18f, 1.19f, 1.42f, 0.0f}, 1);
  EXPECT_EQ(rows.bins(), (std::map<int64_t, uint64_t>{{0, 2}, {1, 1}, {2, 1}}));
}

TEST(Calibration, GoesOnWhereItStopped) {
  auto module = parse(kObserved);
  llvm::SmallString<128> folder, path;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("qopt-profile", folder));
  path = folder;
  path += "/resume.json";
  auto whole =
      collectProfile(*module, makeSource(7), {}, makeInterpreterFactory());
  CollectOptions options;
  options.resumeFile = path.str().str();
  options.progress = [](int64_t done) { return done < 3; };
  auto stopped =
      collectProfile(*module, makeSource(7), options, makeInterpreterFactory());
  EXPECT_EQ(stopped.status().code(), absl::StatusCode::kCancelled);
  int64_t firstDone = 0;
  options.progress = [&](int64_t done) {
    firstDone = firstDone ? firstDone : done;
    return true;
  };
  auto resumed =
      collectProfile(*module, makeSource(7), options, makeInterpreterFactory());
  ASSERT_TRUE(resumed.ok());
  EXPECT_EQ(firstDone, 4);
  EXPECT_TRUE(*resumed == *whole);
  llvm::sys::fs::remove_directories(folder);
}

TEST(Calibration, RefusesWhatIsNoProfile) {
  auto message = [](const char *text) {
    return std::string(Profile::fromJSON(text).status().message());
  };
  EXPECT_EQ(message(R"({"schema": "qopt.profile/2"})"),
            "expects a schema up to qopt.profile/1, got qopt.profile/2; use a "
            "newer qopt or calibrate again");
  EXPECT_EQ(message(R"({"schema": "other"})"),
            "expects a file of schema qopt.profile/1, got 'other'; make one "
            "with qopt calibrate");
  EXPECT_EQ(message(R"({"schema": "qopt.profile/1", "samples": 1, "tensors":
              [{"name": "x", "count": 2, "low": 0, "high": 1, "exponent": 0,
                "bins": [[4096, 2]]}]})"),
            "expects consistent statistics of tensor 'x'; the file is damaged, "
            "calibrate again");
  EXPECT_NE(message("{"), "");
}

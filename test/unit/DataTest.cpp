//===- DataTest.cpp - Preprocessing, samples, ONNX tensors, metrics -------===//
// SPDX-License-Identifier: Apache-2.0
//
// The declared order of float operations, and what counts as a stack.
//===----------------------------------------------------------------------===//
#include "qopt/Data/DataSource.h"
#include "qopt/Data/Metrics.h"
#include "qopt/Support/Diagnostics.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qopt;

namespace {
Preprocessing parsePre(llvm::StringRef text) {
  Preprocessing result;
  absl::Status status = result.add(text);
  EXPECT_TRUE(status.ok()) << std::string(status.message());
  return result;
}
std::string getPreError(llvm::StringRef text) {
  return std::string(Preprocessing().add(text).message());
}
Tensor makeBytes(llvm::ArrayRef<int64_t> shape) {
  Tensor x(DType::u8, shape);
  for (int64_t i = 0; i < x.numElements(); ++i)
    x.setInt(i, i * 3 + 1);
  return x;
}
} // namespace

TEST(Preprocess, ScaleLayoutAndStatistics) {
  Preprocessing pre = parsePre("x=scale:1/255,mean:0.485,0.456,0.406,"
                               "std:0.229,0.224,0.225,channels:bgr,"
                               "layout:nhwc->nchw");
  Tensor raw = makeBytes({1, 2, 2, 3});
  TensorSpec spec{"x", DType::f32, {1, 3, 2, 2}};
  absl::StatusOr<Tensor> x = preprocess(pre.lookup("x", true), raw, spec);
  ASSERT_TRUE(x.ok()) << std::string(x.status().message());
  float mean[] = {0.485f, 0.456f, 0.406f}, std[] = {0.229f, 0.224f, 0.225f};
  for (int c = 0; c < 3; ++c)
    for (int p = 0; p < 4; ++p) {
      // Each step rounds to f32; statistics belong to the order fed (BGR).
      float value = float(raw.getInt(p * 3 + (2 - c)));
      value = value / 255.0f;
      value = value - mean[c];
      value = value / std[c];
      EXPECT_EQ(x->span<float>()[c * 4 + p], value);
    }
}

TEST(Preprocess, ReshapesAndPermutes) {
  Preprocessing pre =
      parsePre("f=scale:0.5,reshape:1x2x3,permute:0x2x1,reshape:1x6");
  Tensor raw(DType::i8, {1, 6});
  for (int64_t i = 0; i < 6; ++i)
    raw.setInt(i, i - 3);
  TensorSpec spec{"f", DType::f32, {1, 6}};
  absl::StatusOr<Tensor> x = preprocess(pre.lookup("f", true), raw, spec);
  ASSERT_TRUE(x.ok());
  float expected[] = {-1.5f, 0.f, -1.f, 0.5f, -0.5f, 1.f};
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(x->span<float>()[i], expected[i]);
}

TEST(Preprocess, ConvertsToIntegersHalfToEvenAndSaturates) {
  Preprocessing pre = parsePre("dtype:i8");
  Tensor raw =
      Tensor::from<float>(DType::f32, {5}, {0.5f, 1.5f, -2.5f, 300.f, -1e9f});
  TensorSpec spec{"x", DType::i8, {5}};
  absl::StatusOr<Tensor> x = preprocess(pre.lookup("x", true), raw, spec);
  ASSERT_TRUE(x.ok());
  int expected[] = {0, 2, -2, 127, -128};
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(x->getInt(i), expected[i]);
  raw.setFloat(1, NAN);
  EXPECT_NE(std::string(
                preprocess(pre.lookup("x", true), raw, spec).status().message())
                .find("element 1 is NaN"),
            std::string::npos);
}

TEST(Preprocess, NothingIsGuessed) {
  TensorSpec spec{"x", DType::f32, {1, 6}};
  absl::StatusOr<Tensor> x = preprocess(nullptr, makeBytes({1, 6}), spec);
  ASSERT_FALSE(x.ok());
  EXPECT_NE(std::string(x.status().message()).find("expects f32, got u8"),
            std::string::npos);
  EXPECT_EQ(getHelp(x.status()), "declare how the data become inputs, for "
                                 "example --pre x=dtype:f32");
}

TEST(Preprocess, NamesBadSteps) {
  EXPECT_NE(getPreError("x=scal:1").find("'scal:1'"), std::string::npos);
  EXPECT_NE(getPreError("x=scale:1/0").find("'1/0'"), std::string::npos);
  EXPECT_NE(getPreError("x=std:0").find("other than 0"), std::string::npos);
  EXPECT_NE(getPreError("x=layout:nhwc->nch").find("letters"),
            std::string::npos);
  EXPECT_NE(getPreError("x=permute:0x0").find("permutation"),
            std::string::npos);
}

TEST(Preprocess, RecordRoundTrips) {
  Preprocessing pre = parsePre("x=scale:1/255,mean:1,2,3,layout:nhwc->nchw");
  absl::StatusOr<Preprocessing> read = Preprocessing::fromJson(pre.toJson());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->toJson(), pre.toJson());
  EXPECT_EQ(read->lookup("x", true)->mean.size(), 3u);
}

TEST(Samples, StacksAndBatches) {
  TensorSpec spec{"x", DType::f32, {2, 3}};
  auto count = [&](llvm::ArrayRef<int64_t> shape) -> int64_t {
    auto layout = inferSampleLayout(shape, "x.npy", nullptr, spec);
    return layout.ok() ? layout->count : -1;
  };
  EXPECT_EQ(count({2, 3}), 1);
  EXPECT_EQ(count({8, 3}), 4);
  EXPECT_EQ(count({5, 2, 3}), 5);
  EXPECT_EQ(count({5, 3}), -1);
  EXPECT_EQ(count({3}), -1);
  spec.shape = {1, 3};
  EXPECT_EQ(count({3}), 1);
  EXPECT_EQ(count({7, 3}), 7);
  EXPECT_EQ(count({0, 3}), 0);
  EXPECT_EQ(count({}), -1);
}

TEST(TensorProto, ReadsRawAndTypedValues) {
  // dims 2; data_type 1; raw_data 1.0 2.0
  std::string raw("\x08\x02\x10\x01\x4a\x08\x00\x00\x80\x3f\x00\x00\x00\x40",
                  14);
  absl::StatusOr<Tensor> x = parseTensorProto(raw, "a.pb");
  ASSERT_TRUE(x.ok()) << std::string(x.status().message());
  EXPECT_EQ(x->getFloat(1), 2.0);
  // dims packed [3]; data_type 3 (int8); int32_data packed 1, -1, 2
  std::string typed("\x0a\x01\x03\x10\x03\x2a\x0c\x01\xff\xff\xff\xff\xff\xff"
                    "\xff\xff\xff\x01\x02",
                    19);
  x = parseTensorProto(typed, "b.pb");
  ASSERT_TRUE(x.ok()) << std::string(x.status().message());
  EXPECT_EQ(x->getInt(1), -1);
  for (size_t size = 1; size < raw.size(); ++size)
    EXPECT_FALSE(
        parseTensorProto(llvm::StringRef(raw).take_front(size), "a.pb").ok());
  // 2^40 x 2^40 elements.
  std::string huge("\x08\x80\x80\x80\x80\x80\x20\x08\x80\x80\x80\x80\x80\x20"
                   "\x10\x01",
                   16);
  EXPECT_NE(std::string(parseTensorProto(huge, "c.pb").status().message())
                .find("'c.pb': expects at most 2^33 elements"),
            std::string::npos);
  // data_type 1; external_data {}
  std::string external("\x10\x01\x6a\x00", 4);
  EXPECT_NE(std::string(parseTensorProto(external, "d.pb").status().message())
                .find("'d.pb': expects the values inside the file"),
            std::string::npos);
}

TEST(Metrics, TopKAndErrors) {
  Tensor scores = Tensor::from<float>(DType::f32, {2, 3},
                                      {0.1f, 0.7f, 0.2f, 0.5f, 0.5f, 0.0f});
  Tensor labels = Tensor::from<int64_t>(DType::i64, {2}, {1, 1});
  auto top1 = *makeMetric("top1"), top2 = *makeMetric("top2");
  ASSERT_TRUE(top1->add(scores, labels).ok());
  ASSERT_TRUE(top2->add(scores, labels).ok());
  EXPECT_EQ(top1->getValue(), 50.0); // ties go to the first index
  EXPECT_EQ(top2->getValue(), 100.0);
  labels.setInt(0, 3);
  EXPECT_NE(std::string(top1->add(scores, labels).message())
                .find("expected a label below 3, got 3"),
            std::string::npos);

  Tensor a = Tensor::from<float>(DType::f32, {2}, {3.f, 4.f});
  Tensor b = Tensor::from<float>(DType::f32, {2}, {3.f, 3.5f});
  auto sqnr = *makeMetric("sqnr");
  ASSERT_TRUE(sqnr->add(b, a).ok());
  EXPECT_DOUBLE_EQ(sqnr->getValue(), 20.0);
  EXPECT_FALSE(makeMetric("top0").ok());
}

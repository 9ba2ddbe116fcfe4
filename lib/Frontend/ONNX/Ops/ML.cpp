//===- ML.cpp - Operators of ai.onnx.ml on numbers ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What converters of scikit-learn put around a model: affine maps, tables and
// dense layers under other names. Strings have no form in qg. Where the text
// leaves a choice, onnx's reference evaluator decides.
//===----------------------------------------------------------------------===//
#include "MLTransforms.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include <onnx-ml.pb.h>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// The domain of these operators.
static constexpr StringRef kDomain = "ai.onnx.ml";

/// Input 0 as floats (doubles stay) of rank 2; a vector is one row.
static Value getRows(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return {};
  x = b.convert(x, b.element(x).isF64() ? b.element(x) : b.f32());
  if (b.rank(x) == 1)
    x = b.expandDim(x, 0);
  if (x && b.rank(x) != 2)
    return b.fail("expects a matrix, got " + formatShape(b.shape(x)));
  return x;
}

/// One number for all features, or one for each, in the element type of x.
static Value getFeatures(OpBinder &op, StringRef name,
                         ArrayRef<double> otherwise, Value x) {
  GraphBuilder &b = op.b;
  SmallVector<double> values = op.floatsAttr(name, otherwise);
  int64_t features = b.rank(x) ? b.shape(x).back() : 1;
  if (values.size() != 1 && int64_t(values.size()) != features)
    return b.fail("expects 1 or " + Twine(features) + " numbers in '" + name +
                  "', got " + Twine(values.size()));
  return b.floats({int64_t(values.size())}, values, b.element(x));
}

//===----------------------------------------------------------------------===//
// Features
//===----------------------------------------------------------------------===//

/// (x - offset) * scale, a float.
static LogicalResult importScaler(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  x = b.convert(x, b.element(x).isF64() ? b.element(x) : b.f32());
  Value offset = getFeatures(op, "offset", {0}, x);
  Value scale = getFeatures(op, "scale", {1}, x);
  return op.result(b.convert(b.mul(b.sub(x, offset), scale), b.f32()));
}

/// Rows divided by their largest magnitude, or the sum or the Euclidean norm.
static LogicalResult importNormalizer(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  if (b.rank(x) < 1)
    return op.badModel("expects x of rank 1 or 2");
  std::string norm = op.stringAttr("norm", "MAX");
  x = b.convert(x, b.element(x).isF64() ? b.element(x) : b.f32());
  int64_t axis = b.rank(x) - 1;
  Value length;
  if (norm == "MAX")
    length =
        b.reduce(ReduceKind::max, b.unary(UnaryKind::abs, x), {axis}, true);
  else if (norm == "L1")
    length =
        b.reduce(ReduceKind::sum, b.unary(UnaryKind::abs, x), {axis}, true);
  else if (norm == "L2")
    length = b.unary(UnaryKind::sqrt,
                     b.reduce(ReduceKind::sum, b.mul(x, x), {axis}, true));
  else
    return op.badModel("attribute 'norm' = \"" + norm +
                       "\" is not one of MAX, L1, L2");
  // A row of zeros stays one.
  return op.result(b.convert(b.div(x, b.max(length, 1e-30)), b.f32()));
}

static LogicalResult importBinarizer(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  Value isAbove =
      b.compare(ComparePredicate::gt, x,
                b.scalar(op.floatAttr("threshold", 0), b.element(x)));
  return op.result(b.convert(isAbove, b.element(x)));
}

/// The value that stands for a missing one, replaced by that of its feature.
static LogicalResult importImputer(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  SmallVector<double> values;
  double missing;
  if (b.isFloat(x)) {
    values = op.floatsAttr("imputed_value_floats");
    missing = op.floatAttr("replaced_value_float", 0);
    op.ignoreAttrs({"imputed_value_int64s", "replaced_value_int64"});
  } else {
    Shape integers = op.intsAttr("imputed_value_int64s");
    values.assign(integers.begin(), integers.end());
    missing = double(op.intAttr("replaced_value_int64", 0));
    op.ignoreAttrs({"imputed_value_floats", "replaced_value_float"});
  }
  int64_t features = b.rank(x) ? b.shape(x).back() : 1;
  if (values.size() != 1 && int64_t(values.size()) != features)
    return op.badModel("expects 1 or " + Twine(features) +
                       " imputed values of the type of x, got " +
                       Twine(values.size()));
  Value imputed = b.convert(
      b.floats({int64_t(values.size())}, values, Float64Type::get(b.context())),
      b.element(x));
  Value isMissing =
      std::isnan(missing)
          ? b.unary(UnaryKind::is_nan, x)
          : b.compare(ComparePredicate::eq, x, b.scalar(missing, b.element(x)));
  return op.result(b.select(isMissing, imputed, x));
}

/// Features of all inputs side by side, each cut or padded to its dimension.
static LogicalResult importFeatureVectorizer(OpBinder &op) {
  GraphBuilder &b = op.b;
  Shape wanted = op.intsAttr("inputdimensions");
  if (!wanted.empty() && wanted.size() != op.numInputs())
    return op.badModel("expects one of 'inputdimensions' for each input");
  SmallVector<Value> parts;
  for (unsigned i = 0; i < op.numInputs(); ++i) {
    Value x = op.in(i);
    if (!x)
      return failure();
    x = b.convert(x, b.f32());
    if (b.rank(x) == 1)
      x = b.expandDim(x, 1);
    if (!x || b.rank(x) != 2)
      return op.badModel("expects inputs of rank 1 or 2");
    int64_t width = wanted.empty() ? b.extent(x, 1) : wanted[i];
    if (width < 0 || width > kMaxElements)
      return op.badModel("expects 'inputdimensions' >= 0, got " + Twine(width));
    x = b.sliceAxis(x, 1, 0, std::min(width, b.extent(x, 1)));
    parts.push_back(b.pad(PadMode::constant, x, b.scalar(0, b.f32()), {0, 0},
                          {0, width - b.extent(x, 1)}));
  }
  return op.result(b.concat(parts, 1));
}

/// Elements of the last dimension; a vector gives one row.
static LogicalResult importArrayFeatureExtractor(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), indices = op.in(1);
  if (!x || !indices)
    return failure();
  if (b.rank(x) < 1)
    return op.badModel("expects x of rank 1 or more");
  Value flat = b.reshape(indices, {b.type(indices).getNumElements()});
  Value y = b.gather(x, flat, b.rank(x) - 1);
  return op.result(y && b.rank(x) == 1 ? b.expandDim(y, 0) : y);
}

//===----------------------------------------------------------------------===//
// Categories
//===----------------------------------------------------------------------===//

/// Numbers as f64 [n], in which every float and every category is exact.
static Value getNumbers(OpBinder &op, ArrayRef<double> numbers) {
  return op.b.floats({int64_t(numbers.size())}, numbers,
                     Float64Type::get(op.b.context()));
}

static bool fitsDouble(ArrayRef<double> numbers) {
  return llvm::all_of(numbers, [](double n) {
    return !(std::abs(n) > double(int64_t(1) << 53));
  });
}

/// Where an element of x [...] equals each of `keys`: [..., n]. NaN equals NaN.
static Value matchKeys(OpBinder &op, Value x, ArrayRef<double> keys) {
  GraphBuilder &b = op.b;
  Type wide = Float64Type::get(b.context());
  Value column = b.expandDim(b.convert(x, wide), b.rank(x));
  Value isEqual = b.compare(ComparePredicate::eq, column, getNumbers(op, keys));
  Tensor isNaN(DType::b1, {int64_t(keys.size())});
  bool hasNaN = false;
  for (auto [i, key] : llvm::enumerate(keys)) {
    isNaN.setInt(i, std::isnan(key));
    hasNaN |= std::isnan(key);
  }
  if (!hasNaN)
    return isEqual;
  Value both = b.binary(BinaryKind::bit_and, b.unary(UnaryKind::is_nan, column),
                        b.constant(isNaN));
  return b.binary(BinaryKind::bit_or, isEqual, both);
}

/// 1 at the category of an element; zeros where it is none, whatever `zeros`
/// says: compiled code cannot refuse an input.
static LogicalResult importOneHotEncoder(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (op.hasAttr("cats_strings"))
    return op.unsupported("strings are not supported");
  if (!x)
    return failure();
  Shape categories = op.intsAttr("cats_int64s");
  op.ignoreAttrs({"zeros"});
  SmallVector<double> keys(categories.begin(), categories.end());
  if (keys.empty() || !fitsDouble(keys))
    return op.badModel("expects categories within 2^53");
  // Floats count by their integer part.
  return op.result(
      b.convert(matchKeys(op, b.convert(x, b.i64()), keys), b.f32()));
}

namespace {
/// One side of a LabelEncoder: a list attribute, or a tensor.
struct Labels {
  SmallVector<double> numbers;
  Type type;
};
} // namespace

/// `prefix`_int64s, _floats or _tensor.
static std::optional<Labels> readLabels(OpBinder &op, StringRef prefix) {
  GraphBuilder &b = op.b;
  Labels labels;
  std::string name = prefix.str();
  if (op.hasAttr(name + "_strings")) {
    (void)op.unsupported("strings are not supported");
    return std::nullopt;
  }
  if (op.hasAttr(name + "_tensor")) {
    std::optional<Tensor> tensor = op.tensorAttr(name + "_tensor");
    if (!tensor)
      return std::nullopt;
    bool isReal = isFloat(tensor->dtype());
    for (int64_t i = 0; i < tensor->numElements(); ++i)
      labels.numbers.push_back(isReal ? tensor->getFloat(i)
                                      : double(tensor->getInt(i)));
    labels.type = qg::getElementType(b.context(), tensor->dtype());
    return labels;
  }
  labels.type = b.f32();
  labels.numbers = op.floatsAttr(name + "_floats");
  if (op.hasAttr(name + "_int64s")) {
    Shape integers = op.intsAttr(name + "_int64s");
    labels.numbers.assign(integers.begin(), integers.end());
    labels.type = b.i64();
  }
  if (!labels.numbers.empty() && fitsDouble(labels.numbers))
    return labels;
  (void)op.badModel("expects numbers within 2^53 in '" + name + "'");
  return std::nullopt;
}

static std::optional<double> readDefault(OpBinder &op, const Labels &values) {
  op.ignoreAttrs({"default_string"});
  if (op.hasAttr("default_tensor")) {
    std::optional<Tensor> tensor = op.tensorAttr("default_tensor");
    if (!tensor || tensor->numElements() != 1)
      return std::nullopt;
    return isFloat(tensor->dtype()) ? tensor->getFloat(0)
                                    : double(tensor->getInt(0));
  }
  double real = op.floatAttr("default_float", -0.0);
  int64_t integer = op.intAttr("default_int64", -1);
  return isa<FloatType>(values.type) ? real : double(integer);
}

static LogicalResult importLabelEncoder(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  std::optional<Labels> keys = readLabels(op, "keys");
  std::optional<Labels> values = keys ? readLabels(op, "values") : std::nullopt;
  if (!x || !keys || !values)
    return failure();
  std::optional<double> otherwise = readDefault(op, *values);
  if (!otherwise || keys->numbers.size() != values->numbers.size())
    return op.badModel("expects as many values as keys, and one default");
  Value hits = b.convert(matchKeys(op, x, keys->numbers), b.f32());
  if (!hits)
    return failure();
  int64_t last = b.rank(hits) - 1;
  Value isKnown = b.compare(ComparePredicate::gt,
                            b.reduce(ReduceKind::max, hits, {last}, false),
                            b.scalar(0, b.f32()));
  Value index = b.argReduce(ReduceKind::max, hits, last, /*selectLast=*/false);
  Value table = b.convert(getNumbers(op, values->numbers), values->type);
  return op.result(b.select(isKnown, b.gather(table, index, 0),
                            b.scalar(*otherwise, values->type)));
}

//===----------------------------------------------------------------------===//
// Linear models
//===----------------------------------------------------------------------===//

/// x times `coefficients` [targets, features] plus `intercepts`.
static Value buildScores(OpBinder &op, Value x, int64_t targets) {
  GraphBuilder &b = op.b;
  SmallVector<double> weights = op.floatsAttr("coefficients");
  SmallVector<double> intercepts = op.floatsAttr("intercepts");
  if (!x)
    return {};
  int64_t features = b.extent(x, 1);
  if (targets == 0 && features > 0)
    targets = int64_t(weights.size()) / features;
  if (targets < 1 || int64_t(weights.size()) != targets * features)
    return b.fail("expects coefficients for each of " + Twine(features) +
                  " features and each target, got " + Twine(weights.size()));
  Value matrix =
      b.transpose(b.floats({targets, features}, weights, b.element(x)), {1, 0});
  Value scores = b.matmul(x, matrix);
  if (intercepts.empty())
    return scores;
  if (intercepts.size() != 1 && int64_t(intercepts.size()) != targets)
    return b.fail("expects an intercept for each target, got " +
                  Twine(intercepts.size()));
  return b.add(
      scores, b.floats({int64_t(intercepts.size())}, intercepts, b.element(x)));
}

static LogicalResult importLinearRegressor(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value scores = buildScores(op, getRows(op),
                             std::max<int64_t>(op.intAttr("targets", 1), 1));
  return op.result(b.convert(applyPostTransform(op, scores), b.f32()));
}

static LogicalResult importLinearClassifier(OpBinder &op) {
  GraphBuilder &b = op.b;
  ClassLabels labels = readClassLabels(op);
  // Nothing depends on it: all scores are there.
  op.ignoreAttrs({"multi_class"});
  Value scores = buildScores(op, getRows(op), /*targets=*/0);
  if (!scores)
    return failure();
  if (b.extent(scores, 1) == 1 && labels.count == 2)
    scores = b.concat({b.unary(UnaryKind::neg, scores), scores}, 1);
  std::string transform = op.stringAttr("post_transform", "NONE");
  scores = applyPostTransform(op, scores);
  if (!scores)
    return failure();
  return writeClasses(op, scores, labels, transform == "NONE" ? 0 : 0.5);
}

/// A sequence of maps from labels to scores: the scores, and a warning.
static LogicalResult importZipMap(OpBinder &op) {
  Value scores = op.in(0);
  op.ignoreAttrs({"classlabels_int64s", "classlabels_strings"});
  if (!scores)
    return failure();
  op.warn("left out: output '" + Twine(op.node().output(0)) +
          "' is the tensor of scores, a column for each class, where ONNX "
          "Runtime gives a sequence of maps");
  return op.result(scores);
}

void frontend::registerMLOps(OpRegistry &registry) {
  auto add = [&](StringRef name, int64_t since, OpHandler handler,
                 StringRef note = "") {
    registry.add(kDomain, name, since, handler, note);
  };
  add("ArrayFeatureExtractor", 1, importArrayFeatureExtractor);
  add("Binarizer", 1, importBinarizer);
  add("FeatureVectorizer", 1, importFeatureVectorizer);
  add("Imputer", 1, importImputer);
  add("LabelEncoder", 2, importLabelEncoder, "numbers to numbers");
  add("LinearClassifier", 1, importLinearClassifier,
      "labels that are integers");
  add("LinearRegressor", 1, importLinearRegressor);
  add("Normalizer", 1, importNormalizer);
  add("OneHotEncoder", 1, importOneHotEncoder,
      "integers; zeros for what is no category");
  add("Scaler", 1, importScaler);
  add("ZipMap", 1, importZipMap, "left out with a warning: its input is given");
  for (StringRef name : {"CastMap", "CategoryMapper", "DictVectorizer"})
    registry.refuse(kDomain, name, "strings and maps are not supported");
}

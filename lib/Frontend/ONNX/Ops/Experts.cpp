//===- Experts.cpp - Mixtures of experts ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// MoE and QMoE of com.microsoft. Every expert is computed for all rows, as
// linear layers of its own; a row takes those that its router chose
// (docs/rationale/operators.md).
//===----------------------------------------------------------------------===//
#include "BlockedCodes.h"
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Frontend/ONNX/MatMul.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
/// Where the node has what a layer is made of.
struct LayerInputs {
  unsigned weight, bias;
  unsigned scale = 0, zeroPoint = 0; ///< of codes only
  StringRef bits = "";               ///< attribute
};

class Experts {
public:
  Experts(OpBinder &op, bool isPacked) : op(op), b(op.b), isPacked(isPacked) {}

  LogicalResult import();

private:
  LogicalResult readForm();
  LogicalResult readRows();
  LogicalResult route();
  Value activate(Value gate, Value linear);
  Value getExpert(int64_t expert);

  Value multiply(Value x, const LayerInputs &layer, int64_t expert);
  Value multiplyCodes(Value x, const LayerInputs &layer, int64_t expert);
  std::optional<BlockedCodes> readCodes(const LayerInputs &layer,
                                        int64_t width);
  std::optional<SmallVector<float>>
  readZeros(const LayerInputs &layer, const BlockedCodes &spec, int64_t expert);
  LayerInputs getLayer(int64_t index) const;

  OpBinder &op;
  GraphBuilder &b;
  bool isPacked; ///< weights are codes
  Value rows;    ///< [T, H]
  int64_t count = 0;
  /// [T, experts]: which of them a row takes, and by how much.
  Value isChosen, share;
  std::string activation;
  int64_t fusion = 0;
  double alpha = 1, beta = 0, limit = 0; ///< no limit: infinity
};
} // namespace

LayerInputs Experts::getLayer(int64_t index) const {
  static const LayerInputs plain[] = {{2, 3}, {4, 5}, {6, 7}},
                           packed[] = {
                               {2, 4, 3, 11, "fc1_expert_weight_bits"},
                               {5, 7, 6, 12, "fc2_expert_weight_bits"},
                               {8, 10, 9, 13, "fc3_expert_weight_bits"}};
  return (isPacked ? packed : plain)[index];
}

LogicalResult Experts::readForm() {
  activation = op.stringAttr("activation_type", "relu");
  if (!llvm::is_contained({"relu", "gelu", "silu", "swiglu", "identity"},
                          activation))
    return op.unsupported("attribute 'activation_type' = \"" + activation +
                          "\" is not one of relu, gelu, silu, swiglu, "
                          "identity");
  fusion = op.intAttr("swiglu_fusion", 0);
  alpha = op.floatAttr("activation_alpha", 1);
  beta = op.floatAttr("activation_beta", 0);
  limit = op.floatAttr("swiglu_limit", std::numeric_limits<double>::infinity());
  if (fusion < 0 || fusion > 2)
    return op.badModel("expects 'swiglu_fusion' 0, 1 or 2, got " +
                       Twine(fusion));
  if (activation == "swiglu" &&
      (fusion == 0) != op.hasInput(getLayer(2).weight))
    return op.badModel("expects weights of FC3 where 'swiglu_fusion' is 0, and "
                       "none elsewhere");
  if (op.intAttr("use_sparse_mixer", 0))
    return op.unsupported("expects 'use_sparse_mixer' 0");
  if (!isPacked)
    return success();
  if (std::string type = op.stringAttr("quant_type", "int"); type != "int")
    return op.unsupported("expects 'quant_type' int, got \"" + type + "\"");
  if (op.intAttr("weights_prepacked", -1) == 1)
    return op.unsupported("expects weights as they come ('weights_prepacked' "
                          "0), not packed for a machine");
  op.ignoreAttrs({"accuracy_level"}); // permits rounding, asks for none
  return success();
}

LogicalResult Experts::readRows() {
  Value x = op.in(0), router = op.in(1);
  if (!x || !router)
    return failure();
  if ((b.rank(x) != 2 && b.rank(x) != 3) || b.rank(router) != 2)
    return op.badModel("expects x of rank 2 or 3 and router_probs of rank 2");
  int64_t width = b.shape(x).back(),
          tokens = b.type(x).getNumElements() / std::max<int64_t>(width, 1);
  count = b.extent(router, 1);
  if (b.extent(router, 0) != tokens)
    return op.badModel("expects router_probs of " + Twine(tokens) +
                       " rows, got " + formatShape(b.shape(router)));
  rows = b.reshape(x, {tokens, width});
  return success(bool(rows));
}

/// The shares of the experts in each row: softmax over all of them, or over
/// those that were chosen.
LogicalResult Experts::route() {
  Value router = op.in(1);
  int64_t tokens = b.extent(router, 0), k = op.intAttr("k", 1);
  if (k < 1 || k > count)
    return op.badModel("expects 'k' in [1, " + Twine(count) + "], got " +
                       Twine(k));
  Value chosen = b.emit<qg::TopKOp>({tokens, k}, b.i64(), ReduceKind::max,
                                    router, uint64_t(1));
  Tensor numbers(DType::i64, {1, count});
  for (int64_t i = 0; i < count; ++i)
    numbers.setInt(i, i);
  for (int64_t i = 0; i < k; ++i) {
    Value is = b.compare(ComparePredicate::eq, b.sliceAxis(chosen, 1, i, i + 1),
                         b.constant(numbers));
    isChosen = isChosen ? b.binary(BinaryKind::bit_or, isChosen, is) : is;
  }
  bool isNormalized = op.intAttr("normalize_routing_weights", 0) != 0;
  Type type = b.element(router);
  Value zero = b.scalar(0, type);
  if (Value given = isPacked ? op.optional(14) : Value()) {
    if (b.shape(given) != b.shape(router))
      return op.badModel("expects router_weights of " +
                         formatShape(b.shape(router)) + ", got " +
                         formatShape(b.shape(given)));
    share = b.select(isChosen, given, zero);
    if (isNormalized)
      share = b.div(share, b.reduce(ReduceKind::sum, share, {1}, true));
    return success(bool(share));
  }
  if (isNormalized)
    router = b.select(isChosen, router,
                      b.scalar(-std::numeric_limits<double>::infinity(), type));
  share = b.softmax(router, 1);
  return success(bool(share));
}

/// Bits and blocks of codes [experts, N, K]; K is `width`.
std::optional<BlockedCodes> Experts::readCodes(const LayerInputs &layer,
                                               int64_t width) {
  Value codes = op.raw(layer.weight);
  int64_t bits = op.intAttr("expert_weight_bits", 4),
          block = op.intAttr("block_size", 0);
  bits = op.intAttr(layer.bits, bits);
  if (!codes)
    return std::nullopt;
  if (bits != 2 && bits != 4 && bits != 8) {
    (void)op.unsupported("expects weights of 2, 4 or 8 bits, got " +
                         Twine(bits));
    return std::nullopt;
  }
  BlockedCodes spec{b.rank(codes) == 3 ? b.extent(codes, 1) : 0, width, bits,
                    block > 0 ? block : width};
  Shape wanted{count, spec.n, width * bits / 8};
  if (spec.n < 1 || width < 1 || width * bits % 8 ||
      b.shape(codes) != ArrayRef<int64_t>(wanted) || width % spec.block) {
    (void)op.badModel("expects codes [" + Twine(count) + ", N, " +
                      Twine(width) + " * bits / 8] in whole blocks, got " +
                      formatShape(b.shape(codes)));
    return std::nullopt;
  }
  return spec;
}

/// Those of one expert; along a column of them where there are no blocks. None
/// is an empty list.
std::optional<SmallVector<float>> Experts::readZeros(const LayerInputs &layer,
                                                     const BlockedCodes &spec,
                                                     int64_t expert) {
  SmallVector<float> zeros;
  if (!op.hasInput(layer.zeroPoint))
    return zeros;
  std::optional<Tensor> packed = op.constant(layer.zeroPoint);
  bool hasBlocks = packed && packed->rank() == 3;
  int64_t perRow = hasBlocks ? spec.groups() : spec.n,
          rowCount = hasBlocks ? spec.n : 1,
          bytes = llvm::divideCeil(perRow * spec.bits, 8);
  if (!packed || packed->dtype() != DType::u8 ||
      packed->numElements() != count * rowCount * bytes ||
      (!hasBlocks && spec.groups() != 1)) {
    (void)op.badModel("expects constant zero points, one for each scale");
    return std::nullopt;
  }
  ArrayRef<uint8_t> all = packed->span<uint8_t>();
  for (int64_t row = 0; row < rowCount; ++row)
    for (int64_t i = 0; i < perRow; ++i)
      zeros.push_back(float(unpack(
          all.slice((expert * rowCount + row) * bytes, bytes), i, spec.bits)));
  return zeros;
}

Value Experts::multiplyCodes(Value x, const LayerInputs &layer,
                             int64_t expert) {
  std::optional<BlockedCodes> spec = readCodes(layer, b.extent(x, 1));
  if (!spec)
    return {};
  std::optional<Tensor> packed = op.constant(layer.weight),
                        scale = op.constant(layer.scale);
  std::optional<SmallVector<float>> zeros = readZeros(layer, *spec, expert);
  if (!zeros)
    return {};
  int64_t each = spec->n * spec->groups();
  if (!packed || !scale || packed->dtype() != DType::u8 ||
      scale->numElements() != count * each)
    return b.fail("expects constant codes and a constant scale for each "
                  "block");
  SmallVector<float> scales;
  for (int64_t i = 0; i < each; ++i)
    scales.push_back(float(scale->getFloat(expert * each + i)));
  Tensor codes(DType::u8, {spec->n, spec->k});
  int64_t elements = codes.numElements(), bytes = elements * spec->bits / 8;
  ArrayRef<uint8_t> own = packed->span<uint8_t>().slice(expert * bytes, bytes);
  for (int64_t i = 0; i < elements; ++i)
    codes.setInt(i, unpack(own, i, spec->bits));
  return multiplyBlocked(b, x,
                         createBlockedWeight(b, *spec, codes, scales, *zeros));
}

/// A layer of one expert.
Value Experts::multiply(Value x, const LayerInputs &layer, int64_t expert) {
  if (!x)
    return {};
  auto slice = [&](Value all) {
    return b.dropDim(b.sliceAxis(all, 0, expert, expert + 1), 0);
  };
  Value y;
  if (isPacked) {
    y = multiplyCodes(x, layer, expert);
  } else {
    Value weight = op.in(layer.weight);
    if (!weight)
      return {};
    if (b.rank(weight) != 3 || b.extent(weight, 0) != count ||
        b.extent(weight, 2) != b.extent(x, 1))
      return b.fail("expects weights [" + Twine(count) + ", N, " +
                    Twine(b.extent(x, 1)) + "], got " +
                    formatShape(b.shape(weight)));
    y = buildMatMul(b, x, b.transpose(slice(weight), {1, 0}));
  }
  Value bias = op.optional(layer.bias);
  if (!y || !bias)
    return y;
  if (b.rank(bias) != 2 || b.extent(bias, 0) != count)
    return b.fail("expects a bias [" + Twine(count) + ", N], got " +
                  formatShape(b.shape(bias)));
  return b.add(y, slice(bias));
}

/// `linear` is null without a layer for it.
Value Experts::activate(Value gate, Value linear) {
  if (activation == "swiglu") {
    if (limit < std::numeric_limits<double>::infinity()) {
      gate = b.min(gate, limit);
      linear = b.clamp(linear, -limit, limit);
    }
    if (beta != 0)
      linear = b.add(linear, beta);
    return b.mul(qg::writeSwish(b, gate, alpha), linear);
  }
  if (activation == "relu")
    gate = b.max(gate, 0.0);
  else if (activation == "silu")
    gate = qg::writeSwish(b, gate, 1);
  else if (activation == "gelu")
    gate = qg::writeGelu(b, gate, /*withTanh=*/true);
  return linear ? b.mul(gate, linear) : gate;
}

Value Experts::getExpert(int64_t expert) {
  Value gate = multiply(rows, getLayer(0), expert), linear;
  if (!gate)
    return {};
  if (op.hasInput(getLayer(2).weight)) {
    linear = multiply(rows, getLayer(2), expert);
    if (!linear)
      return {};
  } else if (activation == "swiglu") {
    int64_t width = b.extent(gate, 1), half = width / 2;
    if (width % 2)
      return b.fail("expects a gate and a value for each of FC1's results, "
                    "got " +
                    Twine(width));
    Value both = gate;
    gate =
        fusion == 1 ? b.stepAxis(both, 1, 0, 2) : b.sliceAxis(both, 1, 0, half);
    linear = fusion == 1 ? b.stepAxis(both, 1, 1, 2)
                         : b.sliceAxis(both, 1, half, width);
  }
  return multiply(activate(gate, linear), getLayer(1), expert);
}

LogicalResult Experts::import() {
  if (failed(readForm()) || failed(readRows()) || failed(route()))
    return failure();
  Shape shape(b.shape(op.in(0)));
  Value sum;
  for (int64_t expert = 0; expert < count; ++expert) {
    auto column = [&](Value x) {
      return b.sliceAxis(x, 1, expert, expert + 1);
    };
    Value y = getExpert(expert);
    if (!y)
      return failure();
    // What a row did not choose is nothing to it, were it infinite.
    y = b.select(column(isChosen), b.mul(y, column(share)),
                 b.scalar(0, b.element(y)));
    sum = sum ? b.add(sum, y) : y;
  }
  if (!sum || b.shape(sum).back() != shape.back())
    return sum ? op.badModel("expects FC2 to give " + Twine(shape.back()) +
                             " numbers")
               : failure();
  return op.result(b.reshape(sum, shape));
}

template <bool isPacked> static LogicalResult importExperts(OpBinder &op) {
  return Experts(op, isPacked).import();
}

void frontend::registerExpertOps(OpRegistry &registry) {
  StringRef ms = "com.microsoft";
  registry.add(ms, "MoE", 1, roundOnce<importExperts<false>>);
  registry.add(ms, "QMoE", 1, roundOnce<importExperts<true>>,
               "integers of 2, 4 and 8 bits");
}

//===- ResidualStream.cpp - Find normalized sums --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// From the normalizations backwards through additions, and forwards from every
// sum found: all that touches a stream is known, or the stream is left alone.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/ResidualStream.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

static std::optional<double> matchSplat(Value value) {
  std::optional<Tensor> tensor = qg::matchConstant(value);
  if (!tensor || tensor->numElements() != 1)
    return std::nullopt;
  return tensor->getFloat(0);
}

std::optional<SmallVector<double>>
qopt::matchChannelVector(Value value, int64_t channels, int64_t rank) {
  std::optional<Tensor> tensor = qg::matchConstant(value);
  if (!tensor || !isFloat(tensor->dtype()) || tensor->rank() > rank)
    return std::nullopt;
  int64_t extent = tensor->shape().empty() ? 1 : tensor->shape().back();
  if (tensor->numElements() != extent || (extent != 1 && extent != channels))
    return std::nullopt;
  SmallVector<double> numbers;
  for (int64_t i = 0; i < channels; ++i)
    numbers.push_back(tensor->getFloat(extent == 1 ? 0 : i));
  return numbers;
}

static bool keepsLastDimension(qg::ReshapeOp op) {
  ArrayRef<int64_t> from = getTensorType(op.getX()).getShape();
  ArrayRef<int64_t> to = op.getResultType().getShape();
  return !from.empty() && !to.empty() && from.back() == to.back();
}

//===----------------------------------------------------------------------===//
// Normalizations
//===----------------------------------------------------------------------===//

static qg::BinaryOp matchBinary(Value value, BinaryKind kind) {
  auto op = value.getDefiningOp<qg::BinaryOp>();
  return op && op.getKind() == kind ? op : nullptr;
}

/// The x of mean(x) over the last dimension, kept with extent 1; null if
/// `value` is something else. Notes the ops.
static Value matchMean(Value value, SmallPtrSetImpl<Operation *> &ops) {
  auto stripReshape = [&] {
    if (auto reshape = value.getDefiningOp<qg::ReshapeOp>()) {
      ops.insert(reshape);
      value = reshape.getX();
    }
  };
  stripReshape();
  auto scale = value.getDefiningOp<qg::BinaryOp>();
  if (!scale || (scale.getKind() != BinaryKind::div &&
                 scale.getKind() != BinaryKind::mul))
    return {};
  bool constantLeft = scale.getKind() == BinaryKind::mul &&
                      scale.getLhs().getDefiningOp<qg::ConstantOp>();
  std::optional<double> factor =
      matchSplat(constantLeft ? scale.getLhs() : scale.getRhs());
  if (!factor)
    return {};
  ops.insert(scale);
  value = constantLeft ? scale.getRhs() : scale.getLhs();
  stripReshape();
  auto sum = value.getDefiningOp<qg::ReduceOp>();
  if (!sum || sum.getKind() != ReduceKind::sum)
    return {};
  RankedTensorType type = getTensorType(sum.getX());
  double extent = type.getShape().back();
  double divisor = scale.getKind() == BinaryKind::div ? *factor : 1 / *factor;
  if (sum.getAxes() != ArrayRef<int64_t>{type.getRank() - 1} ||
      std::abs(divisor - extent) > 1e-6 * extent)
    return {};
  ops.insert(sum);
  return sum.getX();
}

/// The v of 1 / sqrt(v + eps) or, where `inverted`, of sqrt(v + eps).
static Value matchRoot(Value value, bool inverted,
                       SmallPtrSetImpl<Operation *> &ops) {
  if (inverted) {
    if (auto quotient = matchBinary(value, BinaryKind::div)) {
      std::optional<double> one = matchSplat(quotient.getLhs());
      if (!one || *one != 1)
        return {};
      ops.insert(quotient);
      return matchRoot(quotient.getRhs(), /*inverted=*/false, ops);
    }
  }
  auto root = value.getDefiningOp<qg::UnaryOp>();
  UnaryKind kind = inverted ? UnaryKind::rsqrt : UnaryKind::sqrt;
  if (!root || root.getKind() != kind)
    return {};
  auto sum = matchBinary(root.getX(), BinaryKind::add);
  if (!sum)
    return {};
  ops.insert(root);
  ops.insert(sum);
  bool constantLeft = sum.getLhs().getDefiningOp<qg::ConstantOp>();
  return matchSplat(constantLeft ? sum.getLhs() : sum.getRhs())
             ? (constantLeft ? sum.getRhs() : sum.getLhs())
             : Value();
}

std::optional<Normalization> Normalization::match(qg::BinaryOp result) {
  bool divides = result.getKind() == BinaryKind::div;
  if (!divides && result.getKind() != BinaryKind::mul)
    return std::nullopt;
  for (bool swap : {false, true}) {
    if (swap && divides)
      break;
    Normalization norm;
    norm.result = result;
    norm.ops.insert(result);
    Value numerator = swap ? result.getRhs() : result.getLhs();
    Value root = swap ? result.getLhs() : result.getRhs();
    Value variance = matchRoot(root, /*inverted=*/!divides, norm.ops);
    Value square = variance ? matchMean(variance, norm.ops) : Value();
    auto product =
        square ? matchBinary(square, BinaryKind::mul) : qg::BinaryOp();
    if (!product || product.getLhs() != numerator ||
        product.getRhs() != numerator)
      continue;
    norm.ops.insert(product);
    norm.x = numerator;
    if (auto center = matchBinary(numerator, BinaryKind::sub))
      if (matchMean(center.getRhs(), norm.ops) == center.getLhs()) {
        norm.center = center;
        norm.ops.insert(center);
        norm.x = center.getLhs();
      }
    // Nothing else may see what is inside.
    bool isPrivate = llvm::all_of(norm.ops, [&](Operation *op) {
      return op == result.getOperation() ||
             llvm::all_of(op->getUsers(), [&](Operation *user) {
               return norm.ops.contains(user);
             });
    });
    if (isPrivate)
      return norm;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

namespace {
class StreamFinder {
public:
  StreamFinder(ResidualStream &stream,
               const llvm::MapVector<Value, SmallVector<Normalization, 1>> &all)
      : stream(stream), normalizations(all) {}

  void run(const Normalization &first);

private:
  void enter(Value value);
  void addNorms(Value value);
  void followUses(Value value);
  void classify(Value value);
  void findReaders(Operation *norm, Value value, SmallVector<double> gamma,
                   SmallVector<double> beta);
  void stop(Operation *op, const Twine &reason) {
    if (!stream.obstacle) {
      stream.obstacle = op;
      stream.reason = reason.str();
    }
  }

  ResidualStream &stream;
  const llvm::MapVector<Value, SmallVector<Normalization, 1>> &normalizations;
  llvm::SetVector<Value> values;
};
} // namespace

bool ResidualStream::reads(Operation *op) const {
  return inside.contains(op) ||
         llvm::any_of(norms, [&](const Normalization &norm) {
           return norm.ops.contains(op);
         });
}

/// An addition of two tensors of one type, or of a constant with one number
/// for every channel.
static bool isStreamAddition(Operation *op) {
  auto add = dyn_cast_or_null<qg::BinaryOp>(op);
  if (!add || add.getKind() != BinaryKind::add)
    return false;
  return llvm::all_of(add->getOperands(), [&](Value operand) {
    RankedTensorType type = getTensorType(operand);
    if (operand.getDefiningOp<qg::ConstantOp>())
      return type.getRank() > 0 &&
             type.getShape().back() == add.getResultType().getShape().back();
    return type == add.getResultType();
  });
}

static bool isStreamReshape(Operation *op) {
  auto reshape = dyn_cast_or_null<qg::ReshapeOp>(op);
  return reshape && keepsLastDimension(reshape);
}

void StreamFinder::enter(Value value) {
  if (!values.insert(value))
    return;
  Operation *op = value.getDefiningOp();
  if (!isStreamAddition(op) && !isStreamReshape(op))
    return;
  stream.inside.insert(op);
  for (Value operand : op->getOperands())
    enter(operand);
  followUses(value);
}

void StreamFinder::addNorms(Value value) {
  auto it = normalizations.find(value);
  if (it == normalizations.end())
    return;
  for (const Normalization &norm : it->second)
    if (!llvm::is_contained(llvm::map_range(stream.norms,
                                            [](const Normalization &known) {
                                              return known.result;
                                            }),
                            norm.result))
      stream.norms.push_back(norm);
}

/// Everything that reads a sum must be known.
void StreamFinder::followUses(Value value) {
  addNorms(value);
  for (Operation *user : value.getUsers()) {
    if (stream.reads(user))
      continue;
    if (isStreamAddition(user) || isStreamReshape(user))
      enter(user->getResult(0));
    else
      stop(user, "reads the sum without a normalization");
  }
}

/// How a tensor that no addition made enters the stream.
void StreamFinder::classify(Value value) {
  Operation *op = value.getDefiningOp();
  if (stream.inside.contains(op))
    return;
  if (auto constant = dyn_cast_or_null<qg::ConstantOp>(op)) {
    stream.constants.push_back(constant);
    return;
  }
  addNorms(value);
  bool isPrivate = llvm::all_of(
      value.getUsers(), [&](Operation *user) { return stream.reads(user); });
  auto linear = dyn_cast_or_null<LinearOpInterface>(op);
  if (isPrivate && linear && linear.hasFloatConstants() && linear.isShared() &&
      !linear.getLinearGeometry().isTransposed)
    stream.writers.push_back(linear);
  else
    stream.entries.insert(value);
}

void StreamFinder::findReaders(Operation *norm, Value value,
                               SmallVector<double> gamma,
                               SmallVector<double> beta) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    auto linear = dyn_cast<LinearOpInterface>(user);
    if (linear && &linear.getInputOperand() == &use &&
        linear.hasFloatConstants() && linear.isChannelMatrix()) {
      stream.readers.push_back({linear, norm, gamma, beta});
      continue;
    }
    if (isStreamReshape(user)) {
      findReaders(norm, user->getResult(0), gamma, beta);
      continue;
    }
    auto binary = dyn_cast<qg::BinaryOp>(user);
    bool scales = binary && binary.getKind() == BinaryKind::mul;
    bool shifts = binary && binary.getKind() == BinaryKind::add;
    std::optional<SmallVector<double>> numbers;
    if (scales || shifts)
      numbers =
          matchChannelVector(user->getOperand(1 - use.getOperandNumber()),
                             stream.channels, getTensorType(value).getRank());
    if (!numbers || binary.getResultType() != value.getType()) {
      stop(user, "reads the normalized stream, but is no linear op over its "
                 "channels");
      continue;
    }
    SmallVector<double> newGamma(gamma), newBeta(beta);
    for (auto [i, number] : llvm::enumerate(*numbers)) {
      if (scales) {
        newGamma[i] *= number;
        newBeta[i] *= number;
      } else {
        newBeta[i] += number;
      }
    }
    stream.scalings.insert(user);
    findReaders(norm, user->getResult(0), newGamma, newBeta);
  }
}

void StreamFinder::run(const Normalization &first) {
  stream.channels = getTensorType(first.x).getShape().back();
  enter(first.x);
  if (!isStreamAddition(first.x.getDefiningOp()) &&
      !isStreamReshape(first.x.getDefiningOp()))
    addNorms(first.x);
  for (Value value : values)
    classify(value);
  for (Normalization &norm : stream.norms) {
    if ((norm.center == nullptr) != (stream.norms.front().center == nullptr))
      stop(norm.result, "mixes normalizations with and without a mean");
    findReaders(norm.result, norm.result.getResult(),
                SmallVector<double>(stream.channels, 1),
                SmallVector<double>(stream.channels, 0));
  }
}

std::vector<ResidualStream> qopt::findResidualStreams(func::FuncOp func) {
  llvm::MapVector<Value, SmallVector<Normalization, 1>> normalizations;
  func.walk([&](qg::BinaryOp op) {
    if (std::optional<Normalization> norm = Normalization::match(op))
      normalizations[norm->x].push_back(*norm);
  });
  std::vector<ResidualStream> streams;
  llvm::DenseSet<Operation *> known;
  for (const auto &[value, norms] : normalizations)
    for (const Normalization &norm : norms) {
      if (known.contains(norm.result))
        continue;
      ResidualStream stream;
      StreamFinder(stream, normalizations).run(norm);
      for (const Normalization &member : stream.norms)
        known.insert(member.result);
      streams.push_back(std::move(stream));
    }
  return streams;
}

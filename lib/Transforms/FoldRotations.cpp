//===- FoldRotations.cpp - Rotate the basis of residual streams -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// QuaRot (Ashkboos et al. 2024, section 4, stage 1a) and SliceGPT (Ashkboos et
// al. 2024, section 3.2): a normalization commutes with a rotation once the
// mean and the gain are moved into its neighbours. What writes the stream gets
// W (I - 11^T/n) R, what reads it R^T diag(gamma) W, in double precision.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/ResidualStream.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/Hadamard.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Transforms/FoldRotations.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// A copy of `values` whose vectors along `axis` are x -> x M.
static Tensor multiplyAlong(const Tensor &values, int64_t axis,
                            const RotationMatrix &m) {
  int64_t inner = getNumElements(values.shape().drop_front(axis + 1));
  int64_t extent = values.shape()[axis];
  Tensor result(values.dtype(), values.shape());
  SmallVector<double> x(extent);
  for (int64_t outer = 0, n = values.numElements() / (extent * inner);
       outer < n; ++outer)
    for (int64_t i = 0; i < inner; ++i) {
      int64_t start = outer * extent * inner + i;
      for (int64_t c = 0; c < extent; ++c)
        x[c] = values.getFloat(start + c * inner);
      for (int64_t c = 0; c < extent; ++c) {
        double sum = 0;
        for (int64_t k = 0; k < extent; ++k)
          sum += x[k] * m(k, c);
        result.setFloat(start + c * inner, sum);
      }
    }
  return result;
}

/// (I - 11^T / n) M: every column without its mean.
static RotationMatrix getCentered(const RotationMatrix &m) {
  RotationMatrix result = m;
  for (int64_t j = 0; j < m.order; ++j) {
    double mean = 0;
    for (int64_t i = 0; i < m.order; ++i)
      mean += m(i, j) / double(m.order);
    for (int64_t i = 0; i < m.order; ++i)
      result.entries[i * m.order + j] -= mean;
  }
  return result;
}

namespace {
class StreamRotator {
public:
  StreamRotator(ResidualStream &stream, const RotationMatrix &rotation)
      : stream(stream), rewriter(stream.norms.front().result.getContext()),
        rotation(rotation),
        into(stream.isCentered() ? getCentered(rotation) : rotation) {}

  void run();

private:
  void setOperand(OpOperand &operand, const Tensor &values);
  void rotateWriter(LinearOpInterface writer);
  void rotateEntry(Value value);
  void rotateConstant(qg::ConstantOp op);
  void rotateReader(const StreamReader &reader);

  ResidualStream &stream;
  PatternRewriter rewriter;
  const RotationMatrix &rotation;
  /// What every tensor that enters is multiplied with.
  RotationMatrix into;
};

struct FoldRotations : qopt::impl::FoldRotationsBase<FoldRotations> {
  using FoldRotationsBase::FoldRotationsBase;
  void runOnOperation() override;

private:
  struct Decision {
    RotationMatrix rotation;
    std::string name;
  };
  FailureOr<std::optional<Decision>>
  getDecision(const ResidualStream &stream) const;
};
} // namespace

void StreamRotator::setOperand(OpOperand &operand, const Tensor &values) {
  Value old = operand.get();
  rewriter.setInsertionPoint(operand.getOwner());
  Value value = qg::createConstant(rewriter, old.getLoc(), values,
                                   getTensorType(old), "rotated");
  rewriter.modifyOpInPlace(operand.getOwner(), [&] { operand.set(value); });
}

void StreamRotator::rotateWriter(LinearOpInterface writer) {
  setOperand(writer.getWeightOperand(),
             multiplyAlong(*qg::matchConstant(writer.getWeight()),
                           writer.getOutputAxis(), into));
  if (OpOperand *bias = writer.getBiasOperand())
    setOperand(*bias, multiplyAlong(*qg::matchConstant(bias->get()), 0, into));
}

/// A tensor that no linear op made: one product at run time.
void StreamRotator::rotateEntry(Value value) {
  rewriter.setInsertionPointAfterValue(value);
  RankedTensorType type = getTensorType(value);
  auto matrixType = RankedTensorType::get({stream.channels, stream.channels},
                                          type.getElementType());
  Tensor matrix(*qg::getDType(type.getElementType()), matrixType.getShape());
  for (auto [i, entry] : llvm::enumerate(into.entries))
    matrix.setFloat(i, entry);
  Location loc = NameLoc::get(rewriter.getStringAttr(
      (value.getDefiningOp() ? qg::getUserName(value.getDefiningOp())
                             : std::string("input")) +
      "/rotation"));
  Value constant =
      qg::createConstant(rewriter, loc, matrix, matrixType, "rotation");
  auto rotated = qg::MatmulOp::create(rewriter, loc, type, value, constant,
                                      Value(), UnitAttr(), nullptr);
  // Its error would go into everything that reads the stream.
  rotated->setAttr("qg.weights", rewriter.getStringAttr("si8"));
  rewriter.replaceUsesWithIf(value, rotated.getResult(), [&](OpOperand &use) {
    return stream.reads(use.getOwner());
  });
}

void StreamRotator::rotateConstant(qg::ConstantOp op) {
  Tensor values = *qg::matchConstant(op);
  for (OpOperand &use : llvm::make_early_inc_range(op->getUses()))
    if (stream.inside.contains(use.getOwner()))
      setOperand(use, multiplyAlong(values, values.rank() - 1, into));
}

void StreamRotator::rotateReader(const StreamReader &reader) {
  LinearOpInterface linear = reader.linear;
  Tensor weight = *qg::matchConstant(linear.getWeight());
  WeightChannels channels(linear);
  SmallVector<double> shift(linear.countOutputs(), 0);
  for (int64_t i = 0; i < weight.numElements(); ++i) {
    int64_t channel = channels.getInput(i);
    shift[channels.getOutput(i)] += reader.beta[channel] * weight.getFloat(i);
    weight.setFloat(i, reader.gamma[channel] * weight.getFloat(i));
  }
  // Row i of R^T W is the sum over c of R[c, i] W[c]: x -> x R along the
  // input channels.
  setOperand(linear.getWeightOperand(),
             multiplyAlong(weight, linear.getInputAxis(), rotation));
  if (llvm::all_of(shift, [](double number) { return number == 0; }))
    return;
  Tensor bias(weight.dtype(), {int64_t(shift.size())});
  if (linear.getBias())
    bias = *qg::matchConstant(linear.getBias());
  for (auto [o, number] : llvm::enumerate(shift))
    bias.setFloat(o, bias.getFloat(o) + number);
  rewriter.setInsertionPoint(linear);
  auto type = RankedTensorType::get(
      bias.shape(), getTensorType(linear->getResult(0)).getElementType());
  Value value =
      qg::createConstant(rewriter, linear.getLoc(), bias, type, "bias");
  rewriter.modifyOpInPlace(linear, [&] { linear.setBias(value); });
}

void StreamRotator::run() {
  for (LinearOpInterface writer : stream.writers)
    rotateWriter(writer);
  for (qg::ConstantOp constant : stream.constants)
    rotateConstant(constant);
  for (Value entry : stream.entries)
    rotateEntry(entry);
  for (const StreamReader &reader : stream.readers)
    rotateReader(reader);
  // The writers are centered now, and gains and offsets are in the readers.
  for (Normalization &norm : stream.norms)
    if (norm.center)
      rewriter.replaceOp(norm.center, norm.center.getLhs());
  for (Operation *scaling : stream.scalings) {
    Value x = scaling->getOperand(0).getDefiningOp<qg::ConstantOp>()
                  ? scaling->getOperand(1)
                  : scaling->getOperand(0);
    rewriter.replaceOp(scaling, x);
  }
}

/// A matrix that is given instead of a seed.
static std::optional<RotationMatrix> readMatrix(ElementsAttr entries,
                                                int64_t channels) {
  FailureOr<Tensor> numbers = qg::getTensor(entries, entries.getType());
  if (failed(numbers) ||
      numbers->shape() != ArrayRef<int64_t>{channels, channels})
    return std::nullopt;
  RotationMatrix rotation{channels, {}};
  for (int64_t i = 0; i < numbers->numElements(); ++i)
    rotation.entries.push_back(numbers->getFloat(i));
  for (int64_t i = 0; i < channels; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      double sum = i == j ? -1 : 0;
      for (int64_t k = 0; k < channels; ++k)
        sum += rotation(i, k) * rotation(j, k);
      if (!(std::abs(sum) <= 1e-10))
        return std::nullopt;
    }
  return rotation;
}

/// What is decided for this stream, if anything is. An attribute that says
/// nothing usable is an error.
FailureOr<std::optional<FoldRotations::Decision>>
FoldRotations::getDecision(const ResidualStream &stream) const {
  auto fromSeed = [&](uint64_t number) {
    return Decision{getRotationMatrix(stream.channels, number),
                    "seed " + std::to_string(number)};
  };
  for (const Normalization &norm : stream.norms) {
    Operation *op = qg::BinaryOp(norm.result);
    Attribute decision = op->getAttr("qg.rotation");
    if (!decision)
      continue;
    if (auto number = dyn_cast<IntegerAttr>(decision))
      return std::optional(fromSeed(number.getValue().getZExtValue()));
    if (auto entries = dyn_cast<ElementsAttr>(decision))
      if (std::optional<RotationMatrix> rotation =
              readMatrix(entries, stream.channels))
        return std::optional(
            Decision{std::move(*rotation), "the matrix that is given"});
    return op->emitOpError()
           << "expects 'qg.rotation' to be a seed or an orthogonal matrix of "
           << stream.channels << " rows";
  }
  if (seed >= 0)
    return std::optional(fromSeed(uint64_t(seed)));
  return std::optional<Decision>();
}

void FoldRotations::runOnOperation() {
  for (ResidualStream &stream : findResidualStreams(getOperation())) {
    Operation *first = stream.norms.front().result;
    FailureOr<std::optional<Decision>> decision = getDecision(stream);
    if (failed(decision))
      return signalPassFailure();
    if (!*decision)
      continue;
    for (Normalization &norm : stream.norms)
      norm.result->removeAttr("qg.rotation");
    if (stream.obstacle) {
      InFlightDiagnostic remark =
          first->emitRemark()
          << "stream of " << stream.channels << " channels is not rotated: '"
          << qg::getUserName(stream.obstacle) << "' " << stream.reason;
      continue;
    }
    if (!stream.entries.empty() && !explicitRotations) {
      first->emitRemark() << "stream of " << stream.channels
                          << " channels is not rotated: "
                          << stream.entries.size()
                          << " tensors enter that no linear op makes; "
                             "'explicit' rotates them at run time";
      continue;
    }
    int64_t macs = 0;
    for (Value entry : stream.entries)
      macs += getNumElements(getTensorType(entry).getShape()) * stream.channels;
    first->emitRemark() << "stream of " << stream.channels
                        << " channels rotated with " << (*decision)->name
                        << ": " << stream.writers.size() << " writers, "
                        << stream.constants.size() << " constants, "
                        << stream.readers.size() << " readers, "
                        << stream.entries.size() << " rotations at run time ("
                        << macs << " MACs)";
    StreamRotator(stream, (*decision)->rotation).run();
  }
}

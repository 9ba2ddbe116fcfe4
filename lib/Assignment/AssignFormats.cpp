//===- AssignFormats.cpp - Decide what becomes 8 bits ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// From the outputs to the inputs: an op between linear ops is worth integers
// only where everything that reads its result is integer too.
//===----------------------------------------------------------------------===//
#include "AssignWeights.h"
#include "ChannelEncoding.h"
#include "TensorGraph.h"
#include "qopt/Analysis/RowRounding.h"
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Assignment/LayerRules.h"
#include "qopt/Calibration/Observer.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include <cmath>

namespace qopt {
#include "qopt/Assignment/AssignFormats.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
struct AssignFormats : qopt::impl::AssignFormatsBase<AssignFormats> {
  using AssignFormatsBase::AssignFormatsBase;
  void runOnOperation() override;

private:
  LogicalResult readRanges(TensorGraph &graph);
  void decideLinears(TensorGraph &graph);
  void decideTensors(TensorGraph &graph);
  void shareConcatEncodings(TensorGraph &graph);
  LogicalResult assignWeights();
  void writeDecisions(TensorGraph &graph);

  qg::QuantizedType getInputEncoding(LinearOpInterface op);
  std::string judgeOperands(LinearOpInterface op);
  std::string judgeRows(LinearOpInterface op);
  void readKept(TensorGraph &graph);
  bool canBeInteger(TensorGraph &graph, Operation *op);
  void addProducer(TensorGraph &graph, qg::ObserveOp op);
  bool isPreActivation(TensorGraph &graph, qg::ObserveOp op);
  bool canScaleChannels(TensorGraph &graph, qg::ObserveOp op);
  void keepFloatBecause(Operation *op, const Twine &reason) {
    reasons.try_emplace(op, reason.str());
  }

  /// Encoding that an observed tensor would get.
  llvm::DenseMap<Operation *, qg::QuantizedType> encodings;
  /// Ops computed in integers.
  llvm::DenseSet<Operation *> integerOps;
  /// Ops that somebody keeps float, and the regions they are in.
  llvm::DenseSet<Operation *> kept;
  /// Observed tensors that are rounded.
  llvm::DenseSet<Operation *> rounded;
  llvm::DenseMap<Operation *, std::string> reasons;
};
} // namespace

LogicalResult AssignFormats::readRanges(TensorGraph &graph) {
  for (qg::ObserveOp op : graph.observers()) {
    auto range = op->getAttrOfType<DenseF64ArrayAttr>("qg.range");
    if (!range || range.size() != 2)
      return op.emitOpError("expects a range; run qg-apply-profile first");
    // Who names a format has decided, whatever a trial found.
    if (auto reason = op->getAttrOfType<StringAttr>("qg.keep_float");
        reason && !op->hasAttr(kRoundAttr))
      keepFloatBecause(op, reason.getValue());
    if (op->hasAttr("qg.not_finite"))
      keepFloatBecause(op, "the samples give it infinities or NaN; "
                           "samples without them let it be rounded");
    auto own = op->getAttrOfType<IntegerAttr>("qg.bits");
    unsigned bits = own ? own.getInt() : 8;
    if (bits < 1 || bits > 8)
      return op.emitOpError() << "expects qg.bits of 1 to 8, got " << bits;
    AffineParameters parameters =
        getAsymmetricParameters({range[0], range[1]}, bits);
    encodings[op] = qg::QuantizedType::getPerTensor(
        &getContext(), ("ui" + Twine(bits)).str(), parameters.scale,
        parameters.zeroPoint);
    // Who asks for fewer bits has decided.
    auto sqnr = op->getAttrOfType<FloatAttr>("qg.sqnr");
    if (!own && sqnr && sqnr.getValueAsDouble() < minSqnr)
      keepFloatBecause(op, "8 bits give " +
                               Twine(int64_t(sqnr.getValueAsDouble())) +
                               " dB, less than min-sqnr; other samples or "
                               "another --method may give it a better range");
  }
  return success();
}

/// Can a sum of products of bytes fit 32 bits under some scale of the weight?
/// Half a step of rounding each must leave half of the range.
static bool canSumFit(LinearOpInterface op) {
  auto type = cast<RankedTensorType>(op.getWeight().getType());
  int64_t channels = type.getDimSize(op.getOutputAxis());
  return channels == 0 ||
         double(type.getNumElements() / channels) * 127.5 < 0x1p30;
}

void AssignFormats::readKept(TensorGraph &graph) {
  getOperation().walk([&](Operation *op) {
    if (!op->hasAttr(kComputeFloatAttr))
      return;
    kept.insert(op);
    kept.insert(graph.getRepresentative(op));
    keepFloatBecause(op, "kept float by the recipe");
  });
}

/// The encoding that the model itself gives to an activation, in bytes with one
/// scale; null if there is none.
static qg::QuantizedType getOwnEncoding(Value value) {
  auto op = skipMovesBack(value).getDefiningOp<qg::DequantizeOp>();
  if (!op || qg::matchConstant(op.getX()))
    return {};
  qg::QuantizedType type = qg::getQuantizedType(op.getX().getType());
  bool isByte = !type.isDynamic_() && type.isPerTensor() && !type.isTable() &&
                type.getIntegerFormat().storageBits() == 8;
  return isByte ? type : qg::QuantizedType();
}

/// Stored integers that qg-encode-constants wrote, or the model itself.
static bool isEncodedConstant(Value value) {
  auto op = value.getDefiningOp<qg::DequantizeOp>();
  return op && qg::matchConstant(op.getX());
}

/// Of the input of a product that has one.
qg::QuantizedType AssignFormats::getInputEncoding(LinearOpInterface op) {
  qg::ObserveOp observer = getObserver(op.getInput());
  return observer ? encodings[observer] : getOwnEncoding(op.getInput());
}

/// Why the operands of a product have no encodings; empty where they have.
std::string AssignFormats::judgeOperands(LinearOpInterface op) {
  if (Value bias = op.getBias(); bias && !qg::matchConstant(bias))
    return "its bias is computed at run time";
  bool isStored = isa_and_nonnull<qg::DequantizeOp>(
      skipMovesBack(op.getWeight()).getDefiningOp());
  SmallVector<Value> activations{op.getInput()};
  if (!op.canRoundWeight() && !isStored)
    activations.push_back(op.getWeight());
  if (activations.size() == 2 && !op.canComputeWeight())
    return "its weight is computed at run time";
  for (Value value : activations) {
    qg::ObserveOp observer = getObserver(value);
    if (!observer && !getOwnEncoding(value))
      return "one of its operands has no encoding: it is no f32 tensor that "
             "the samples reach";
    if (observer && reasons.count(observer))
      return reasons[observer];
  }
  if (!isStored)
    return "";
  return getReasonAgainstStored(op, getLeastScale(getInputEncoding(op))).str();
}

/// Convolutions and matmuls whose activations are observed and whose weight
/// and bias are constants.
void AssignFormats::decideLinears(TensorGraph &graph) {
  getOperation().walk([&](LinearOpInterface op) {
    if (op.roundsInput())
      return keepFloatBecause(op, "rounds its input at run time");
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    if (type.getElementType().isF64())
      return keepFloatBecause(op, "it computes in f64, which is not rounded; "
                                  "convert the model to f32");
    if (llvm::is_contained(keepFloat, qg::getUserName(op)))
      return keepFloatBecause(op, "kept float by option");
    qg::ObserveOp read = getObserver(op.getInput());
    if (auto reason =
            dyn_cast_or_null<StringAttr>(op->removeAttr("qg.keep_float"));
        reason && !(read && read->hasAttr(kRoundAttr)))
      return keepFloatBecause(op, reason.getValue());
    if (auto own = op->getAttrOfType<StringAttr>("qg.weights");
        own && own == kFloatFormat)
      return keepFloatBecause(op, "kept float by the recipe");
    if (isRoundedAtRunTime(op.getInput()) || isRoundedAtRunTime(op.getWeight()))
      return keepFloatBecause(op,
                              "the model itself rounds its input at run time, "
                              "and it is not rounded again");
    if (kept.contains(op))
      return;
    if (std::string reason = judgeOperands(op); !reason.empty())
      return keepFloatBecause(op, reason);
    if (op.isShared() && !canSumFit(op))
      return keepFloatBecause(op, "its sums need more than 32 bits");
    // Sums of integers are finite whatever their sum in floats would be.
    for (Operation *user : skipClamps(op->getResult(0)).getUsers())
      if (user->hasAttr("qg.not_finite"))
        return keepFloatBecause(op, reasons[user]);
    if (std::string reason = judgeRows(op); !reason.empty())
      return keepFloatBecause(op, reason);
    integerOps.insert(op);
  });
}

/// Why one scale does not serve the rows of a product: they are rounded at run
/// time, or stay float; empty where it does. Weights below 8 bits are rounded
/// on data for static scales only: for them more has to be lost.
std::string AssignFormats::judgeRows(LinearOpInterface op) {
  qg::ObserveOp observer = getObserver(op.getInput());
  if (preActivation != "f32" || op.getLinearGeometry().window || !observer)
    return "";
  auto bits = observer->getAttrOfType<IntegerAttr>("qg.bits");
  // Rows have 8 bits: who asks for fewer has decided.
  if (bits && bits.getInt() < 8)
    return "";
  auto sqnr = observer->getAttrOfType<FloatAttr>("qg.row_sqnr");
  auto own = op->getAttrOfType<StringAttr>("qg.weights");
  std::optional<WeightFormat> format =
      WeightFormat::parse(own ? own.getValue() : StringRef(weightFormat));
  if (!sqnr || !format)
    return "";
  bool isWide = format->element->stored->bits >= 8;
  bool canRoundRows = getReasonAgainstRows(op).empty();
  if (sqnr.getValueAsDouble() >=
      (isWide && canRoundRows ? double(rowSqnr) : double(minSqnr)))
    return "";
  std::string loss = "its rows differ: one scale for all leaves them " +
                     std::to_string(int64_t(sqnr.getValueAsDouble())) + " dB";
  if (canRoundRows)
    op->setAttr(kRowsAttr,
                StringAttr::get(&getContext(), own ? own.getValue()
                                                   : StringRef(weightFormat)));
  return loss;
}

/// Is the tensor read by one pointwise region only, and made by an op that need
/// not round it? That region then reads it in f32 and rounds once.
bool AssignFormats::isPreActivation(TensorGraph &graph, qg::ObserveOp op) {
  if (preActivation != "f32" || op->use_empty() || op->hasAttr(kRoundAttr))
    return false;
  Operation *reader = graph.getRepresentative(*op->user_begin());
  if (!graph.isRegionRoot(reader) ||
      llvm::any_of(op->getUsers(), [&](Operation *user) {
        return graph.getRepresentative(user) != reader;
      }))
    return false;
  Operation *producer = graph.getProducer(op);
  return !producer || isa<LinearOpInterface>(producer) ||
         !canBeInteger(graph, producer);
}

/// An op without weights that has an integer form and whose inputs may be
/// rounded, or need not be.
bool AssignFormats::canBeInteger(TensorGraph &graph, Operation *op) {
  if (kept.contains(op))
    return false;
  if (auto pool = dyn_cast<qg::PoolOp>(op)) {
    if (pool.getKind() != PoolKind::avg)
      return false;
  } else if (auto binary = dyn_cast<qg::BinaryOp>(op);
             binary && graph.getInputs(op).size() == 2) {
    if (binary.getKind() != BinaryKind::add &&
        binary.getKind() != BinaryKind::sub &&
        binary.getKind() != BinaryKind::mul)
      return false;
  } else if (!isa<qg::ConcatOp, qg::ResizeOp>(op)) {
    // A pointwise region of one tensor: a table.
    auto rule = dyn_cast<FormatRuleOpInterface>(op);
    if (!rule || rule.getFormatRule() != FormatRule::Pointwise ||
        graph.getInputs(op).size() != 1 ||
        !llvm::all_of(op->getOperands(), [&](Value operand) {
          return !operand.getDefiningOp<qg::ConstantOp>() ||
                 isSplatConstant(operand);
        }))
      return false;
  }
  return llvm::all_of(graph.getInputs(op), [&](Value input) {
    qg::ObserveOp observer = getObserver(input);
    if (!observer && preActivation == "int8")
      return isEncodedConstant(input) || bool(getOwnEncoding(input));
    return observer && !kept.contains(graph.getProducer(observer)) &&
           (!reasons.count(observer) || isPreActivation(graph, observer));
  });
}

/// Can the channels of the tensor be multiplied before it is rounded? In the
/// weights of a linear op, or in f32 where it comes unrounded.
bool AssignFormats::canScaleChannels(TensorGraph &graph, qg::ObserveOp op) {
  Value x = op.getX();
  while (auto relu = x.getDefiningOp<qg::UnaryOp>()) {
    if (relu.getKind() != UnaryKind::relu || !x.hasOneUse())
      break;
    x = relu.getX();
  }
  if (auto linear = x.getDefiningOp<LinearOpInterface>();
      linear && linear.isConvolution() && integerOps.contains(linear))
    return true;
  Operation *producer = graph.getProducer(op);
  if (preActivation != "f32" || !producer)
    return false;
  if (isa<LinearOpInterface>(producer) || !integerOps.contains(producer))
    return true;
  SmallVector<Value> inputs = graph.getInputs(producer);
  qg::ObserveOp input =
      inputs.size() == 1 ? getObserver(inputs.front()) : qg::ObserveOp();
  return input && graph.isRegionRoot(producer) && isPreActivation(graph, input);
}

/// Is the op a return, or a cast to the model's 16-bit floats that is returned,
/// which the caller does? Observers are looked through.
static bool isReturned(TensorGraph &graph, Operation *reader) {
  if (reader->hasTrait<OpTrait::IsTerminator>())
    return true;
  auto cast = dyn_cast<qg::CastOp>(reader);
  bool isNarrowing = cast &&
                     getTensorType(cast.getX()).getElementType().isF32() &&
                     getTensorType(cast).getElementType().isFloat(16);
  if (!isNarrowing && !isa<qg::ObserveOp>(reader))
    return false;
  return llvm::all_of(graph.getReaders(reader->getResult(0)),
                      [&](Operation *op) { return isReturned(graph, op); });
}

/// Is the op returned, a search for the largest, or a softmax whose result is
/// moved and returned alone?
static bool isEnd(TensorGraph &graph, Operation *reader) {
  if (isa<qg::ArgReduceOp>(reader))
    return true;
  if (!isa<qg::SoftmaxOp>(reader))
    return !isa<qg::ObserveOp>(reader) && isReturned(graph, reader);
  return llvm::all_of(graph.getReaders(reader->getResult(0)),
                      [&](Operation *op) { return isReturned(graph, op); });
}

/// Do encodings of the model follow, and nothing else?
static bool isRoundedByModel(TensorGraph &graph, qg::ObserveOp op) {
  auto readers = graph.getReaders(op.getResult());
  return !readers.empty() &&
         llvm::all_of(readers, llvm::IsaPred<qg::QuantizeOp>);
}

/// What a step, or what stands in front of it, reads besides constants; null
/// for other ops.
static Value getStepInput(Operation *op) {
  if (isa<qg::ObserveOp, qg::UnaryOp, qg::PoolOp, qg::ReshapeOp>(op))
    return op->getOperand(0);
  if (!isa<qg::BinaryOp, qg::CompareOp>(op))
    return {};
  return qg::matchConstant(op->getOperand(1)) ? op->getOperand(0)
                                              : op->getOperand(1);
}

/// One of two numbers, as a comparison says (BipolarQuant), or the sign of
/// sums: no rounding of what is compared leaves all of its results as they are.
static bool isStep(Value value) {
  bool isSign = false;
  while (Operation *op = value.getDefiningOp()) {
    if (auto select = dyn_cast<qg::SelectOp>(op))
      return isSplatConstant(select.getOnTrue()) &&
             isSplatConstant(select.getOnFalse());
    if (isa<LinearOpInterface>(op))
      return isSign;
    auto unary = dyn_cast<qg::UnaryOp>(op);
    isSign |= unary && unary.getKind() == UnaryKind::sign;
    value = getStepInput(op);
    if (!value)
      return false;
  }
  return false;
}

/// What computes the tensor, if that has an integer form.
void AssignFormats::addProducer(TensorGraph &graph, qg::ObserveOp op) {
  Operation *producer = graph.getProducer(op);
  if (producer && !isa<LinearOpInterface>(producer) &&
      canBeInteger(graph, producer))
    integerOps.insert(producer);
}

void AssignFormats::decideTensors(TensorGraph &graph) {
  for (qg::ObserveOp op : llvm::reverse(graph.observers())) {
    if (isPreActivation(graph, op)) {
      reasons[op] = "the pointwise function that reads it rounds once";
      continue;
    }
    if (reasons.count(op))
      continue;
    bool hasInteger = false, hasFloat = false;
    // Without floats, what is returned or read by the softmax before a result
    // is bytes as well.
    bool takesEnds =
        preActivation == "int8" && !op.getX().getDefiningOp<qg::SoftmaxOp>();
    for (Operation *reader : graph.getReaders(op.getResult()))
      (integerOps.contains(reader) || (takesEnds && isEnd(graph, reader))
           ? hasInteger
           : hasFloat) = true;
    if (takesEnds && isRoundedByModel(graph, op)) {
      keepFloatBecause(op, "the model itself rounds it");
      if (!isStep(op.getX()))
        addProducer(graph, op);
      continue;
    }
    if (!hasInteger) {
      keepFloatBecause(op, "only float ops read it");
      continue;
    }
    rounded.insert(op);
    if (takesEnds)
      op->setAttr(kRoundsResultsAttr, UnitAttr::get(&getContext()));
    if (!hasFloat)
      addProducer(graph, op);
    if (qg::QuantizedType type = getChannelEncoding(op);
        type && !op->hasAttr("qg.bits") && !hasFloat &&
        canScaleChannels(graph, op))
      encodings[op] = type;
  }
}

/// What only a concatenation reads is rounded into its encoding at once.
void AssignFormats::shareConcatEncodings(TensorGraph &graph) {
  for (qg::ObserveOp op : llvm::reverse(graph.observers())) {
    auto concat = op.getX().getDefiningOp<qg::ConcatOp>();
    if (!concat || !integerOps.contains(concat))
      continue;
    for (Value input : concat.getInputs()) {
      qg::ObserveOp source = getObserver(input);
      if (source && graph.getReaders(source.getResult()).size() == 1)
        encodings[source] = encodings[op];
    }
  }
}

/// In bodies of loops as well.
static SmallVector<Operation *> getAllOps(func::FuncOp function) {
  SmallVector<Operation *> ops;
  function.getBody().walk<WalkOrder::PreOrder>(
      [&](Operation *op) { ops.push_back(op); });
  return ops;
}

LogicalResult AssignFormats::assignWeights() {
  std::optional<WeightFormat> common = WeightFormat::parse(weightFormat);
  if (!common)
    return getOperation().emitError()
           << "expects weight-format " << getWeightFormatNames() << ", got '"
           << weightFormat << "'";
  for (Operation *each : getAllOps(getOperation())) {
    Operation &op = *each;
    auto linear = dyn_cast<LinearOpInterface>(op);
    auto own = op.getAttrOfType<StringAttr>("qg.weights");
    if (linear)
      op.removeAttr("qg.weights");
    if (!linear || !integerOps.contains(linear) || !linear.canRoundWeight())
      continue;
    std::optional<WeightFormat> format = common;
    if (own && !(format = WeightFormat::parse(own)))
      return op.emitOpError() << "expects qg.weights " << getWeightFormatNames()
                              << ", got " << own;
    FailureOr<qg::QuantizedType> type = getWeightEncoding(
        linear, *format, getLeastScale(getInputEncoding(linear)));
    if (failed(type))
      return failure();
    if (format->element->isLearned)
      op.setAttr(kLearnedAttr, UnitAttr::get(&getContext()));
    op.setAttr("qg.weight_format",
               qg::FormatAttr::get(&getContext(), *type, nullptr));
  }
  return success();
}

void AssignFormats::writeDecisions(TensorGraph &graph) {
  Type f32 = Float32Type::get(&getContext());
  auto setFloat = [&](Operation *op, StringRef reason) {
    op->setAttr("qg.format",
                qg::FormatAttr::get(&getContext(), f32,
                                    StringAttr::get(&getContext(), reason)));
  };
  for (Operation *each : getAllOps(getOperation())) {
    Operation &op = *each;
    auto rule = dyn_cast<FormatRuleOpInterface>(&op);
    if (!rule || op.getNumResults() != 1)
      continue;
    if (isa<qg::ObserveOp>(op)) {
      if (rounded.contains(&op))
        op.setAttr("qg.format",
                   qg::FormatAttr::get(&getContext(), encodings[&op], nullptr));
      else
        setFloat(&op, reasons[&op]);
      continue;
    }
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    if (keepsEncoding(&op) || rule.getFormatRule() == FormatRule::Constant ||
        !type.getElementType().isF32() ||
        integerOps.contains(graph.getRepresentative(&op)) ||
        // A clamp behind an integer op folds into its saturation.
        integerOps.contains(TensorGraph::skipClampsBack(&op)))
      continue;
    auto it = reasons.find(&op);
    if (it != reasons.end())
      setFloat(&op, it->second);
    else if (rule.getFormatRule() == FormatRule::Float)
      setFloat(&op, "needs the range of float");
    else
      setFloat(&op, "a float op reads its result, or it has no integer form");
  }
}

void AssignFormats::runOnOperation() {
  if (preActivation != "f32" && preActivation != "int8") {
    getOperation().emitError()
        << "expects pre-activation f32 or int8, got '" << preActivation << "'";
    return signalPassFailure();
  }
  encodings.clear();
  integerOps.clear();
  kept.clear();
  rounded.clear();
  reasons.clear();
  TensorGraph graph(getOperation());
  if (failed(readRanges(graph)))
    return signalPassFailure();
  readKept(graph);
  decideLinears(graph);
  decideTensors(graph);
  shareConcatEncodings(graph);
  if (failed(assignWeights()))
    return signalPassFailure();
  writeDecisions(graph);
  for (Operation *op : kept)
    op->removeAttr(kComputeFloatAttr);
}

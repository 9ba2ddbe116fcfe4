//===- FindSteps.cpp - Read a network as calls of kernels -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every op finds its kernel or a line that says why it has none; all lines
// come at once.
//===----------------------------------------------------------------------===//
#include "Steps.h"
#include "qopt/Dialect/FXP/IR/StoredConstant.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

/// A pointer to each lies on the stack.
static constexpr int64_t kMostTaps = 1024;

/// Weights that are unpacked at every call lie in RAM meanwhile.
static constexpr int64_t kMostUnpacked = 8192;

/// Positions in each lie on the stack.
static constexpr int64_t kMostDims = 8;
static constexpr const char *kTooManyDims = "expects up to 8 dimensions";

/// Of stored integers, whose kernels are found by isWide.
static bool isStoredTensor(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor && (tensor.getElementType().isSignlessInteger(8) ||
                    tensor.getElementType().isSignlessInteger(16));
}

static bool isByteTensor(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor && tensor.getElementType().isSignlessInteger(8);
}

static bool isConstant(Value value) {
  return bool(value.getDefiningOp<qg::ConstantOp>());
}

bool embedded::isWide(const Step &step) {
  auto hasTwo = [](Value value) { return getElementBytes(value) == 2; };
  return llvm::any_of(step.inputs, hasTwo) || hasTwo(step.output);
}

namespace {
class StepFinder {
public:
  absl::StatusOr<StepList> run(func::FuncOp main) {
    for (BlockArgument argument : main.getArguments())
      if (!isStoredTensor(argument))
        refuse("input '" +
               getName(main.getArgAttrDict(argument.getArgNumber()),
                       argument.getArgNumber()) +
               "' is " + getTypeText(argument) +
               ", and the only integers behind it are not stored in 8 or 16 "
               "bits per tensor");
    end_ = main.front().getTerminator();
    for (Operation &op : main.front().without_terminator())
      visit(&op);
    finishResults(main);
    if (!reasons_.empty())
      return absl::UnimplementedError(llvm::join(reasons_, "\n"));
    return std::move(list_);
  }

private:
  static std::string getName(DictionaryAttr attributes, unsigned index) {
    if (attributes)
      if (auto name = attributes.getAs<StringAttr>("qg.name"))
        return name.str();
    return std::to_string(index);
  }
  static std::string getTypeText(Value value) {
    std::string text;
    llvm::raw_string_ostream(text) << value.getType();
    return text;
  }
  void refuse(const llvm::Twine &text) { reasons_.push_back(text.str()); }
  void refuse(Operation *op, const llvm::Twine &why) {
    refuse("'" + qg::getUserName(op) + "' (" + op->getName().getStringRef() +
           "): " + why);
  }

  /// The only reader of an accumulator, if it is a requantize.
  fxp::RequantizeOp getRequantize(Operation *op) {
    Value result = op->getResult(0);
    if (!result.hasOneUse())
      return {};
    auto requantize = dyn_cast<fxp::RequantizeOp>(*result.getUsers().begin());
    if (!requantize || !isStoredTensor(requantize.getResult()))
      return {};
    return requantize;
  }

  Step &addStep(Step::Kind kind, Operation *op, ArrayRef<Value> inputs,
                Value output) {
    Step &step = list_.steps.emplace_back();
    step.kind = kind;
    step.op = op;
    step.name = op ? qg::getUserName(op) : "copy";
    step.inputs = inputs.vec();
    step.output = output;
    return step;
  }

  static bool isEmpty(Value value) {
    auto tensor = dyn_cast<RankedTensorType>(value.getType());
    return tensor && tensor.hasStaticShape() && tensor.getNumElements() == 0;
  }

  void visit(Operation *op) {
    if (isa<qg::ConstantOp>(op))
      return;
    if (llvm::any_of(op->getOperands(), isEmpty) ||
        llvm::any_of(op->getResults(), isEmpty))
      return refuse(op, "a tensor has no elements");
    if (auto requantize = dyn_cast<fxp::RequantizeOp>(op))
      return visitRequantize(requantize);
    if (isLinear(op) ||
        isa<fxp::MulOp, fxp::SumPoolOp, fxp::SumOp, fxp::ResizeOp>(op))
      return visitAccumulating(op);
    if (auto gather = dyn_cast<qg::GatherOp>(op))
      return visitGather(gather);
    if (auto reduce = dyn_cast<qg::ArgReduceOp>(op);
        reduce && isStoredTensor(reduce.getX()))
      return visitArgReduce(reduce);
    if (isa<qg::ReshapeOp>(op) && isIndex(op->getOperand(0)))
      return void(list_.aliases[op->getResult(0)] =
                      list_.getRoot(op->getOperand(0)));
    if (auto recurrent = dyn_cast<fxp::RecurrentOp>(op))
      return visitRecurrent(recurrent);
    if (!op->getNumResults() || !isStoredTensor(op->getResult(0)) ||
        !llvm::all_of(op->getOperands(), isStoredTensor))
      return refuse(op, isFloat(op) ? "floats have no form in integer-only C"
                                    : "has no kernel in C");
    visitBytes(op);
  }
  static bool isFloat(Operation *op) {
    auto isFloatValue = [](Value value) {
      auto tensor = dyn_cast<RankedTensorType>(value.getType());
      return tensor && isa<FloatType>(tensor.getElementType());
    };
    return llvm::any_of(op->getOperands(), isFloatValue) ||
           llvm::any_of(op->getResults(), isFloatValue);
  }

  bool checkMode(fxp::RequantizeModeAttr mode, Operation *op) {
    if (mode.getKind() != "f32")
      return true;
    refuse(op, "requantization f32 needs floats: use --requant fixed:31");
    return false;
  }

  void visitRequantize(fxp::RequantizeOp op) {
    if (!isStoredTensor(op.getX())) // an accumulating op has taken it
      return;
    if (!checkMode(op.getMode(), op))
      return;
    Step &step = addStep(Step::Rescale, op, op.getX(), op.getResult());
    step.requantize = op;
    step.n = op.getScales().getNumElements();
  }

  /// Into integers; products with scales per group give floats.
  static bool isLinear(Operation *op) {
    if (!isa<LinearOpInterface>(op))
      return false;
    Type element = getTensorType(op->getResult(0)).getElementType();
    return element.isInteger(32) || element.isInteger(64);
  }

  /// Sums that are a result of the network.
  static bool givesSums(Operation *op) {
    return isLinear(op) && op->getResult(0).hasOneUse() &&
           (*op->getResult(0).getUsers().begin())
               ->hasTrait<OpTrait::IsTerminator>();
  }

  void visitAccumulating(Operation *op) {
    fxp::RequantizeOp requantize = getRequantize(op);
    if (!requantize && givesSums(op))
      return visitLinear(cast<LinearOpInterface>(op), {});
    if (!requantize)
      return refuse(op, "its 32-bit sums are not requantized to 8 bits by "
                        "their only reader");
    if (!checkMode(requantize.getMode(), op))
      return;
    if (isLinear(op))
      return visitLinear(cast<LinearOpInterface>(op), requantize);
    if (auto mul = dyn_cast<fxp::MulOp>(op))
      return visitMul(mul, requantize);
    if (auto pool = dyn_cast<fxp::SumPoolOp>(op))
      return visitPool(pool, requantize, Step::SumPool);
    if (auto resize = dyn_cast<fxp::ResizeOp>(op))
      return visitResize(resize, requantize);
    visitSum(cast<fxp::SumOp>(op), requantize);
  }

  /// Bytes of an input or of a result, whose address the caller chooses. A
  /// reshape may come after the step that reads them.
  bool isCallers(Value value) const {
    Value root = list_.getRoot(value);
    if (isa<BlockArgument>(root))
      return true;
    return llvm::any_of(end_->getOperands(), [&](Value result) {
      while (auto reshape = result.getDefiningOp<qg::ReshapeOp>())
        result = reshape.getX();
      return result == root;
    });
  }

  /// Where the columns of a product come from: the input as it lies, or copies
  /// (one or two at a time). Packed rows want whole pairs of words, and their
  /// kernels want columns at words, which the caller's arrays need not be.
  void setColumns(Step &step, bool isDense) {
    if (isWide(step)) { // reads taps where they lie
      step.kind = isDense ? Step::Direct : Step::Gather;
      step.scratch = isDense ? 0 : countBorder(step);
      return;
    }
    step.grid = makeGrid(step);
    step.isPacked =
        (!step.grid.bits || step.grid.bits == 4) && fitsPacked(step);
    if (step.isPacked)
      step.grid = {};
    if (!step.isPacked && !step.grid.bits)
      step.table = makeTable(step);
    if (isDense && step.k == step.getRow() &&
        !(step.isPacked && isCallers(step.inputs[0]))) {
      step.kind = Step::Direct;
      return;
    }
    step.kind = Step::Gather;
    step.scratch = step.getRow() * (step.window.pixels() > 1 ? 2 : 1);
  }

  /// A pixel of border.
  static int64_t countBorder(const Step &step) {
    return step.window.channels * getElementBytes(step.inputs[0]);
  }

  /// Images of one or two spatial dimensions.
  bool getWindow(Operation *op, const qg::Window &from, Window &window) {
    ArrayRef<int64_t> x = getShape(op->getOperand(0));
    ArrayRef<int64_t> y = getShape(op->getResult(0));
    size_t rank = x.size() - 2;
    if (rank < 1 || rank > 2) {
      refuse(op,
             "expects one or two spatial dimensions, got " + llvm::Twine(rank));
      return false;
    }
    bool flat = rank == 1;
    window.height = flat ? 1 : x[1];
    window.width = x[rank];
    window.channels = x.back();
    if (getNumElements(from.kernel) > kMostTaps) {
      refuse(op, "expects windows of at most " + llvm::Twine(kMostTaps) +
                     " positions");
      return false;
    }
    window.outHeight = flat ? 1 : y[1];
    window.outWidth = y[rank];
    for (int i = 0; i < 2; ++i) {
      bool missing = flat && i == 0;
      size_t at = flat ? 0 : i;
      window.kernel[i] = missing ? 1 : from.kernel[at];
      window.strides[i] = missing ? 1 : from.strides[at];
      window.pads[i] = missing ? 0 : from.pads[at];
      window.dilations[i] = missing ? 1 : from.dilations[at];
    }
    return true;
  }

  /// Zero point of an operand.
  static int64_t getZeroPoint(Operation *op, Value value) {
    auto stored = cast<StoredOperandsInterface>(op);
    return stored.getZeroPoint(*stored.findStored(value));
  }

  void visitLinear(LinearOpInterface op, fxp::RequantizeOp requantize) {
    LinearGeometry geometry = op.getLinearGeometry();
    if (geometry.isTransposed)
      return refuse(op, "has no kernel in C");
    if (geometry.window)
      return visitConv(op, geometry, requantize);
    visitMatmul(op, requantize);
  }

  /// The step of a linear op, whose sums may be a result of the network.
  Step &addLinear(LinearOpInterface op, fxp::RequantizeOp requantize) {
    Value result = op->getResult(0);
    if (requantize)
      result = requantize.getResult();
    Step &step = addStep(Step::Direct, op, op.getInput(), result);
    step.requantize = requantize;
    step.isSums = !requantize;
    step.n = op.countOutputs();
    step.macs = op.countMacs();
    return step;
  }

  void visitConv(LinearOpInterface op, const LinearGeometry &geometry,
                 fxp::RequantizeOp requantize) {
    if (!isConstant(op.getWeight()) || !isConstant(op.getBias()))
      return refuse(op, "expects constant weights");
    Window window;
    if (!getWindow(op, *geometry.window, window))
      return;
    window.border = getZeroPoint(op, op.getInput());
    int64_t groups = geometry.groups;
    if (!requantize && groups != 1 && getElementBytes(op.getInput()) == 1)
      return refuse(op, "32-bit sums of groups have no kernel in C");
    Step &step = addLinear(op, requantize);
    step.window = window;
    step.k = window.taps() * getShape(op.getWeight())[geometry.inputAxis];
    step.batch = getShape(op.getInput()).front();
    bool isDense = window.taps() == 1 && window.strides[0] == 1 &&
                   window.strides[1] == 1 &&
                   window.pixels() == window.height * window.width;
    if (groups > 1) {
      bool isDepthwise = groups == window.channels && step.n == groups;
      step.kind = isDepthwise ? Step::Depthwise : Step::Grouped;
      step.scratch = isWide(step) ? countBorder(step) : 0;
      int64_t weights = llvm::alignTo(step.n * step.k, 4);
      if (weights <= kMostUnpacked && !isWide(step))
        step.grid = makeGrid(step);
      if (step.grid.bits)
        step.scratch += weights;
    } else {
      setColumns(step, isDense);
    }
  }

  void visitMatmul(LinearOpInterface op, fxp::RequantizeOp requantize) {
    if (!isConstant(op.getWeight()) || !isConstant(op.getBias()) ||
        !op.isShared())
      return refuse(op, "expects a constant right operand of rank 2");
    auto weight = fxp::StoredConstant::match(op, op.getWeight());
    if (!weight || !weight->bytes())
      return refuse(op, "expects weights that are signed bytes without their "
                        "zero point");
    Step &step = addLinear(op, requantize);
    step.k = getShape(op.getInput()).back();
    int64_t rows = getTensorType(op.getInput()).getNumElements() /
                   std::max<int64_t>(step.k, 1);
    // As a convolution of 1x1 over an image of one row.
    step.window = {1, rows, step.k, 1, rows, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 0};
    setColumns(step, /*isDense=*/true);
  }

  template <typename Op>
  void visitPool(Op op, fxp::RequantizeOp requantize, Step::Kind kind) {
    Window window;
    if (!getWindow(
            op,
            {op.getKernel(), op.getStrides(), op.getPads(), op.getDilations()},
            window))
      return;
    if (requantize && requantize.getScales().getNumElements() != 1)
      return refuse(op, "expects one scale");
    Step &step = addStep(kind, op, op.getX(),
                         requantize ? requantize.getResult() : op.getResult());
    step.requantize = requantize;
    step.window = window;
    step.batch = getShape(op.getX()).front();
    if (auto pool = dyn_cast<fxp::SumPoolOp>(op.getOperation()))
      step.window.border = int64_t(pool.getXZp());
    else
      step.window.border = getElementBytes(op.getX()) == 2 ? -32768 : -128;
    step.n = window.channels;
    step.k = window.taps();
    step.scratch = isWide(step) ? countBorder(step) : 0;
  }

  /// A sum over neighbouring dimensions; those in front are images.
  void visitSum(fxp::SumOp op, fxp::RequantizeOp requantize) {
    ArrayRef<int64_t> x = getShape(op.getX()), axes = op.getAxes();
    int64_t rank = x.size(), first = axes.empty() ? 0 : axes.front();
    bool isRun = !axes.empty();
    for (size_t i = 0; i < axes.size(); ++i)
      isRun &= axes[i] == first + int64_t(i);
    int64_t last = first + int64_t(axes.size());
    if (!isRun || requantize.getScales().getNumElements() != 1)
      return refuse(op, "expects a sum over neighbouring dimensions with one "
                        "scale");
    int64_t taps = getNumElements(x.slice(first, axes.size()));
    int64_t channels = getNumElements(x.take_back(rank - last));
    if (taps > kMostTaps)
      return refuse(op,
                    "expects at most " + llvm::Twine(kMostTaps) + " summands");
    Step &step = addStep(Step::SumPool, op, op.getX(), requantize.getResult());
    step.requantize = requantize;
    step.window = {1,         taps,   channels, 1,      1,
                   {1, taps}, {1, 1}, {0, 0},   {1, 1}, int64_t(op.getXZp())};
    step.batch = getNumElements(x.take_front(first));
    step.n = channels;
    step.k = taps;
    step.scratch = isWide(step) ? countBorder(step) : 0;
  }

  /// Dimensions in front of the resized ones are images, those behind them
  /// lie side by side.
  void visitResize(fxp::ResizeOp op, fxp::RequantizeOp requantize) {
    ArrayRef<int64_t> axes = op.getAxes();
    auto [first, last] = std::minmax_element(axes.begin(), axes.end());
    ArrayRef<int64_t> x = getShape(op.getX());
    if (*last - *first >= kMostDims)
      return refuse(op, kTooManyDims);
    if (requantize.getScales().getNumElements() != 1)
      return refuse(op, "expects one scale");
    if (getNumElements(x) > INT32_MAX)
      return refuse(op, "expects an input below 2 GiB");
    Step &step = addStep(Step::Resize, op, op.getX(), requantize.getResult());
    step.requantize = requantize;
    step.firstAxis = *first;
    step.lastAxis = *last;
    step.batch = getNumElements(x.take_front(*first));
    step.n = getNumElements(x.drop_front(*last + 1));
    step.macs = getNumElements(getShape(op.getResult()));
    for (int64_t taps : op.getTaps())
      step.macs *= taps;
  }

  /// Operands of which the second repeats along leading dimensions.
  bool orderOperands(Operation *op, Value &lhs, Value &rhs, bool &swapped) {
    ArrayRef<int64_t> result = getShape(op->getResult(0));
    auto repeats = [&](Value value) {
      return repeatsInFront(value, op->getResult(0));
    };
    auto isWhole = [&](Value value) {
      return getNumElements(getShape(value)) == getNumElements(result);
    };
    swapped = !isWhole(lhs);
    if (swapped)
      std::swap(lhs, rhs);
    if (isWhole(lhs) && (repeats(rhs) || isWhole(rhs)))
      return true;
    refuse(op, "expects one operand to repeat along leading dimensions");
    return false;
  }

  void visitMul(fxp::MulOp op, fxp::RequantizeOp requantize) {
    Value lhs = op.getLhs(), rhs = op.getRhs();
    bool swapped;
    if (!isStoredTensor(lhs) || !isStoredTensor(rhs) ||
        requantize.getScales().getNumElements() != 1)
      return refuse(op, "expects stored integers and one scale");
    if (!orderOperands(op, lhs, rhs, swapped))
      return;
    Step &step =
        addStep(Step::Multiply, op, {lhs, rhs}, requantize.getResult());
    step.requantize = requantize;
    step.k = swapped;
  }

  /// What an arg_reduce gives, reshaped or not.
  bool isIndex(Value value) const {
    return list_.getRoot(value).getDefiningOp<qg::ArgReduceOp>() != nullptr;
  }

  void visitArgReduce(qg::ArgReduceOp op) {
    SmallVector<Value> indices{op.getResult()};
    for (size_t i = 0; i < indices.size(); ++i)
      for (Operation *user : indices[i].getUsers()) {
        if (isa<qg::ReshapeOp>(user))
          indices.push_back(user->getResult(0));
        else if (user != end_)
          return refuse(op, "its index is read by '" + qg::getUserName(user) +
                                "': indices are results only");
      }
    addStep(Step::ArgReduce, op, op.getX(), op.getResult());
  }

  /// Slices picked by numbers that are known: their copies.
  void visitGather(qg::GatherOp op) {
    ArrayRef<int64_t> x = getShape(op.getX());
    if (!isStoredTensor(op.getX()))
      return refuse(op, isFloat(op) ? "floats have no form in integer-only C"
                                    : "has no kernel in C");
    std::optional<Tensor> indices = qg::matchConstant(op.getIndices());
    if (!indices)
      return refuse(op, "expects constant indices");
    int64_t extent = x[op.getAxis()];
    for (int64_t i = 0; i < indices->numElements(); ++i)
      if (indices->getInt(i) < -extent || indices->getInt(i) >= extent)
        return refuse(op, "index " + llvm::Twine(indices->getInt(i)) +
                              " is out of range");
    if (getNumElements(x.drop_front(op.getAxis())) > INT32_MAX)
      return refuse(op, "expects slices below 2 GiB");
    addStep(Step::Pick, op, op.getX(), op.getResult());
  }

  void visitPad(qg::PadOp op) {
    if (op.getMode() != PadMode::constant)
      return refuse(op, "pads of edges have no kernel in C");
    if (op.getValue() && !isConstant(op.getValue()))
      return refuse(op, "expects a constant to pad with");
    if (getShape(op.getResult()).size() > kMostDims ||
        getShape(op.getResult()).empty())
      return refuse(op, kTooManyDims);
    addStep(Step::Pad, op, op.getX(), op.getResult());
  }

  void visitRecurrent(fxp::RecurrentOp op) {
    for (Value constant :
         {op.getW(), op.getR(), op.getBias(), op.getStateBias()})
      if (!isConstant(constant))
        return refuse(op, "expects constant weights");
    SmallVector<Value> inputs{op.getX(), op.getHidden()};
    if (op.getCell())
      inputs.push_back(op.getCell());
    Step &step = addStep(Step::Recurrent, op, inputs, op.getResult());
    step.n = getShape(op.getR())[0];
    step.k = getShape(op.getX())[2];
    step.macs = op.countMacs();
    step.scratch = RecurrentScratch(op).bytes;
  }

  void visitBytes(Operation *op) {
    Value result = op->getResult(0);
    if (isa<qg::ReshapeOp>(op)) {
      Value x = list_.getRoot(op->getOperand(0));
      list_.aliases[result] = x;
      return;
    }
    if (auto add = dyn_cast<fxp::AddOp>(op)) {
      Value lhs = add.getLhs(), rhs = add.getRhs();
      bool swapped;
      if (checkMode(add.getMode(), op) && orderOperands(op, lhs, rhs, swapped))
        addStep(Step::Add, op, {lhs, rhs}, result).k = swapped;
      return;
    }
    if (isa<fxp::LutOp>(op))
      return void(addStep(Step::LookUp, op, op->getOperand(0), result));
    if (isa<fxp::SoftmaxOp>(op) && isByteTensor(result) &&
        isByteTensor(op->getOperand(0)))
      return void(addStep(Step::Softmax, op, op->getOperand(0), result));
    if (auto pool = dyn_cast<fxp::MaxPoolOp>(op))
      return visitPool(pool, {}, Step::MaxPool);
    if (isa<qg::TransposeOp, qg::SliceOp, qg::BroadcastOp>(op)) {
      if (getShape(result).size() > kMostDims)
        return refuse(op, kTooManyDims);
      return void(addStep(Step::Move, op, op->getOperand(0), result));
    }
    if (auto pad = dyn_cast<qg::PadOp>(op))
      return visitPad(pad);
    if (isa<qg::ConcatOp>(op))
      return void(addStep(Step::Concat, op,
                          SmallVector<Value>(op->getOperands()), result));
    refuse(op, "has no kernel in C");
  }

  /// Every result is written by a step of its own.
  void finishResults(func::FuncOp main) {
    llvm::DenseSet<Value> given;
    for (Value value : main.front().getTerminator()->getOperands()) {
      Operation *op = value.getDefiningOp();
      if (isConstant(value) && !isStoredTensor(value))
        refuse("a result is a constant of " + getTypeText(value) +
               ", which has no array in C");
      if (!isStoredTensor(value) && !(op && givesSums(op)) && !isIndex(value))
        continue; // its op has been refused
      Value root = list_.getRoot(value);
      if (isa<BlockArgument>(root) || !given.insert(root).second ||
          isConstant(root))
        refuse("a result that is an input, a constant or another result has "
               "no step that writes it");
    }
  }

  StepList list_;
  Operation *end_ = nullptr;
  std::vector<std::string> reasons_;
};
} // namespace

absl::StatusOr<StepList> embedded::findSteps(func::FuncOp main) {
  return StepFinder().run(main);
}

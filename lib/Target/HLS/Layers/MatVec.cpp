//===- MatVec.cpp - Matrix-vector and depthwise units ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The pipelined loop is the folded one (rows / pe times columns / simd), and
// what is unrolled inside is pe times simd multipliers: one word of weights a
// cycle.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "Linear.h"
#include "Unit.h"
#include "Verify.h"
#include "Window.h"
#include "qopt/Dialect/FXP/IR/StoredConstant.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

static LogicalResult checkMemory(Operation *op, StringRef memory) {
  if (memory == "auto" || memory == "lutram" || memory == "bram")
    return success();
  return op->emitOpError() << "expects memory auto, lutram or bram, got "
                           << memory;
}

static int64_t getDim(ElementsAttr attr, unsigned dim) {
  return cast<ShapedType>(attr.getType()).getDimSize(dim);
}

static LogicalResult checkWeights(Operation *op, ElementsAttr weights,
                                  ElementsAttr bias) {
  auto type = cast<ShapedType>(weights.getType());
  auto biasType = cast<ShapedType>(bias.getType());
  if (type.getRank() != 2 || !type.getElementType().isSignlessInteger() ||
      type.getElementTypeBitWidth() > 16)
    return op->emitOpError()
           << "expects weights [rows, columns] of up to 16 bits, got " << type;
  if (biasType.getRank() == 1 && biasType.getElementType().isInteger(32) &&
      biasType.getDimSize(0) == type.getDimSize(0))
    return success();
  return op->emitOpError() << "expects a bias of " << type.getDimSize(0)
                           << " i32, got " << biasType;
}

int64_t MatVecOp::getRows() { return getDim(getWeights(), 0); }
int64_t MatVecOp::getColumns() { return getDim(getWeights(), 1); }
int64_t MatVecOp::getVectors() {
  return getInput().getType().getElements() / getColumns();
}

LogicalResult MatVecOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  if (failed(checkWeights(*this, getWeights(), getBias()))) // C1
    return failure();
  int64_t groups = getGroupCount();
  if (groups < 1 || getRows() % groups) // C2
    return emitOpError() << "expects groups that divide " << getRows()
                         << " rows, got " << groups;
  int64_t columns = getColumns(), rows = getRows() / groups;
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkMemory(*this, getMemory())) &&          // C6
      succeeded(checkDivides(*this, getPe(), rows, "pe")) && // C3
      succeeded(checkDivides(*this, columns * groups, in.getElements(),
                             "a number of columns")) &&             // C2
      succeeded(checkDivides(*this, getSimd(), columns, "simd")) && // C4
      succeeded(checkLanes(*this, in, getSimd(), "an input")) &&    // C4
      succeeded(checkLanes(*this, out, getPe(), "a result")) &&     // C3
      succeeded(checkElements(*this, out, in.getElements() / columns * rows,
                              "a result"))); // C5
}

int64_t DepthwiseOp::getChannels() { return getDim(getWeights(), 0); }
int64_t DepthwiseOp::getTaps() { return getDim(getWeights(), 1); }

LogicalResult DepthwiseOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  if (failed(checkWeights(*this, getWeights(), getBias()))) // C1
    return failure();
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkMemory(*this, getMemory())) &&                   // C4
      succeeded(checkDivides(*this, getPe(), getChannels(), "pe")) && // C2
      succeeded(checkLanes(*this, in, getPe(), "an input")) &&        // C2
      succeeded(checkLanes(*this, out, getPe(), "a result")) &&       // C2
      succeeded(checkElements(*this, in, out.getElements() * getTaps(),
                              "an input"))); // C3
}

static FailureOr<LinearParameters> getLinear(Operation *op, Value weights,
                                             Value bias) {
  auto w = fxp::StoredConstant::match(op, weights);
  std::optional<Tensor> b = qg::matchConstant(bias);
  if (!w)
    return refuse(op) << "expects constant weights";
  if (!b)
    return refuse(op) << "expects a constant bias";
  LinearParameters linear;
  std::vector<int32_t> integers = w->integers();
  linear.rows = w->stored.shape().front();
  linear.columns = integers.size() / std::max<int64_t>(linear.rows, 1);
  linear.weights.assign(integers.begin(), integers.end());
  for (int64_t i = 0; i < b->numElements(); ++i)
    linear.bias.push_back(b->getInt(i));
  return linear;
}

/// Integers that hold the sums of a product of what `x` may be; its biases are
/// constants of 32 bits.
static FailureOr<IntegerType>
getSums(Operation *op, const LinearParameters &linear, StreamType x) {
  for (int64_t bias : linear.bias)
    if (bias != int32_t(bias))
      return refuse(op) << "expects biases of 32 bits, got " << bias;
  return getAccumulator(op, linear.getRange(x.getLow(), x.getHigh()));
}

static FailureOr<Value> convertConv(fxp::ConvOp op, Streams &streams) {
  ArrayRef<int64_t> weight = getShape(op.getWeight());
  FailureOr<Geometry> geometry =
      getGeometry(op, *op.getLinearGeometry().window);
  FailureOr<LinearParameters> linear =
      getLinear(op, op.getWeight(), op.getBias());
  if (failed(geometry) || failed(linear))
    return failure();
  int64_t channels = geometry->image[2], groups = op.getGroups();
  bool isDepthwise = groups == channels && weight[0] == channels && groups > 1;
  StreamType type = streams.getType(op.getX());
  linear->foldZeroPoint(op.getXZp());
  FailureOr<IntegerType> element = getSums(op, *linear, type);
  if (failed(element))
    return failure();
  FailureOr<Value> window = makeWindow(
      op, streams, streams.take(op.getX()),
      {*geometry, int64_t(op.getXZp()), /*channelsOuter=*/groups > 1});
  if (failed(window))
    return failure();
  ElementsAttr weights = makeWeights(op->getContext(), *linear);
  ElementsAttr bias =
      makeIntegers(op->getContext(), linear->bias, {linear->rows}, 32, "bias");
  StreamType result = getStream(op.getResultType().getNumElements(), *element);
  return isDepthwise
             ? DepthwiseOp::create(streams.builder(), op.getLoc(), result,
                                   *window, weights, bias, 1, "auto")
                   .getResult()
             : MatVecOp::create(
                   streams.builder(), op.getLoc(), result, *window, weights,
                   bias, 1, 1, "auto",
                   groups > 1 ? streams.builder().getI64IntegerAttr(groups)
                              : IntegerAttr())
                   .getResult();
}

static FailureOr<Value> convertMatmul(fxp::MatmulOp op, Streams &streams) {
  ArrayRef<int64_t> rhs = getShape(op.getRhs());
  if (!qg::matchConstant(op.getRhs()))
    return refuse(op) << "expects a constant right operand";
  if (rhs.size() != 2)
    return refuse(op) << "expects a matrix as right operand, got rank "
                      << rhs.size();
  FailureOr<LinearParameters> linear = getLinear(op, op.getRhs(), op.getBias());
  if (failed(linear))
    return failure();
  if (!op.getTransposeRhs()) {
    std::vector<int64_t> rows(linear->weights.size());
    for (int64_t k = 0; k < rhs[0]; ++k)
      for (int64_t n = 0; n < rhs[1]; ++n)
        rows[n * rhs[0] + k] = linear->weights[k * rhs[1] + n];
    linear->weights = std::move(rows);
    std::swap(linear->rows, linear->columns);
  }
  linear->foldZeroPoint(op.getLhsZp());
  StreamType type = streams.getType(op.getLhs());
  FailureOr<IntegerType> element = getSums(op, *linear, type);
  if (failed(element))
    return failure();
  return MatVecOp::create(
             streams.builder(), op.getLoc(),
             getStream(op.getResultType().getNumElements(), *element),
             streams.take(op.getLhs()), makeWeights(op->getContext(), *linear),
             makeIntegers(op->getContext(), linear->bias, {linear->rows}, 32,
                          "bias"),
             1, 1, "auto", IntegerAttr())
      .getResult();
}

void MatVecOp::addConversions(Conversions &conversions) {
  conversions.addWithParameters(convertConv);
  conversions.addWithParameters(convertMatmul);
  conversions.add(convertResize);
}

namespace {
/// Numbers of bits of a table of weights.
struct Weights {
  std::vector<int64_t> values;
  unsigned bits = 1;
  bool isSigned = false;

  explicit Weights(ElementsAttr attr) : values(getIntegers(attr)) {
    auto [least, most] = std::minmax_element(values.begin(), values.end());
    IntegerType type = getNarrowestType(attr.getContext(), *least, *most);
    bits = type.getWidth();
    isSigned = type.isSigned();
  }
  std::string typeName() const {
    return (Twine(isSigned ? "ap_int<" : "ap_uint<") + Twine(bits) + ">").str();
  }
};

/// A constant that never changes is wiring.
Resources getTable(int64_t depth, int64_t width) {
  return depth == 1 ? Resources() : getMemory(depth, width);
}

/// Multipliers, adder tree and accumulator of one output.
Resources getElement(unsigned weightBits, unsigned bits, int64_t simd,
                     unsigned accumulatorBits, const Part &part) {
  Resources one = getMultiplier(weightBits, bits, part);
  int64_t lut = simd * one.lut + int64_t(weightBits + bits) * (2 * simd - 1) +
                accumulatorBits;
  return {lut * 11 / 10, simd * one.dsp, 0};
}

void emitBind(Text &text, unsigned weightBits, unsigned bits) {
  text.pragma(Twine("BIND_OP variable=product op=mul impl=") +
              (usesDsp(weightBits, bits) ? "dsp" : "fabric"));
}

void emitTablePragmas(Text &text, StringRef table, StringRef memory,
                      ArrayRef<unsigned> dims) {
  for (unsigned dim : dims)
    text.pragma("ARRAY_RESHAPE variable=" + table +
                " complete dim=" + Twine(dim));
  text.pragma("BIND_STORAGE variable=" + table + " type=rom_1p impl=" + memory);
}

class MatVecUnit : public Unit {
public:
  explicit MatVecUnit(MatVecOp op)
      : Unit(op), unit_(op), weights_(op.getWeights()), rows_(op.getRows()),
        columns_(op.getColumns()), vectors_(op.getVectors()),
        groups_(op.getGroupCount()), pe_(op.getPe()), simd_(op.getSimd()) {
    rows_ /= groups_;
    // A token holds channels of one pixel of a window.
    simdLimit_ = columns_;
    Operation *producer = op.getInput().getDefiningOp();
    while (isa_and_nonnull<FifoOp, WidthOp>(producer))
      producer = producer->getOperand(0).getDefiningOp();
    if (auto window = dyn_cast_or_null<WindowOp>(producer)) {
      simdLimit_ = window.getShape()[2] / groups_;
      if (window.getChannelsOuter())
        taps_ = window.getTaps();
    }
  }

  void fold(int64_t cycles) override {
    // The fewest multipliers; of those the widest input, which saves
    // accumulators.
    int64_t best = INT64_MAX;
    pe_ = rows_;
    simd_ = simdLimit_;
    for (int64_t simd = simdLimit_; simd >= 1; --simd) {
      // The window in front writes a token a cycle.
      if (simdLimit_ % simd || vectors_ * (columns_ / simd) > cycles)
        continue;
      int64_t pe = pickDivisor(rows_, [&](int64_t d) {
        return vectors_ * (columns_ / simd) * (rows_ / d) <= cycles;
      });
      if (vectors_ * (columns_ / simd) * (rows_ / pe) <= cycles &&
          pe * simd < best) {
        best = pe * simd;
        pe_ = pe;
        simd_ = simd;
      }
    }
  }
  int64_t inputLanes(unsigned) const override { return simd_; }
  int64_t outputLanes() const override { return pe_; }
  void apply() override {
    Unit::apply();
    unit_.setPe(pe_);
    unit_.setSimd(simd_);
    unit_.setMemory(pickMemory(depth()));
  }

  int64_t cycles() const override { return vectors_ * depth() / groups_; }
  Action action(int64_t iteration) const override {
    int64_t steps = columns_ / simd_;
    int64_t step = iteration % steps, fold = iteration / steps % (rows_ / pe_);
    return {uint8_t(fold == 0), uint8_t(step == steps - 1)};
  }
  int64_t macs() const override { return vectors_ * rows_ * columns_; }
  int64_t weightBits() const override {
    return groups_ * rows_ * columns_ * weights_.bits;
  }

  Resources resources(const Part &part) const override {
    Resources result{300, 0, 0};
    Resources element = getElement(weights_.bits, input().getBits(), simd_,
                                   output().getBits(), part);
    for (int64_t i = 0; i < pe_; ++i)
      result += element;
    result += getTable(depth(), pe_ * simd_ * weights_.bits);
    // The vector is kept for the other rows.
    if (rows_ != pe_)
      result.lut += getLutRam(columns_ / simd_, simd_ * input().getBits());
    return result;
  }

  std::string describe() const override {
    return (Twine(vectors_) + " times " + Twine(rows_) + "x" + Twine(columns_) +
            " weights of " + Twine(weights_.bits) + " bits, " +
            (groups_ == 1 ? std::string()
                          : std::to_string(groups_) + " groups, ") +
            Twine(pe_) + " rows by " + Twine(simd_) + " columns a cycle")
        .str();
  }

  void emitTables(Text &text, StringRef name) const override {
    int64_t folds = groups_ * rows_ / pe_, steps = columns_ / simd_;
    std::vector<int64_t> values;
    for (int64_t n = 0; n < folds; ++n)
      for (int64_t s = 0; s < steps; ++s)
        for (int64_t p = 0; p < pe_; ++p)
          for (int64_t i = 0; i < simd_; ++i)
            values.push_back(
                weights_.values[(n * pe_ + p) * columns_ + getColumn(s, i)]);
    text.line(Twine("// [") + (groups_ == 1 ? "" : "group and ") +
              "row fold][column fold][row][column]");
    emitTable(text, (name + "_weights").str(),
              {weights_.bits, weights_.isSigned}, {folds, steps, pe_, simd_},
              values);
    emitTable(text, (name + "_bias").str(), {32, true}, {folds, pe_},
              getIntegers(unit().getBias()));
  }

  void emit(Text &text, StringRef name) const override {
    int64_t folds = rows_ / pe_, steps = columns_ / simd_;
    StreamType in = input(), out = output();
    std::string weights = (name + "_weights").str(),
                bias = (name + "_bias").str(), sum = getElementName(out);
    openFunction(text, name, op_);
    emitTablePragmas(text, weights, unit().getMemory(), {4, 3});
    text.pragma("ARRAY_RESHAPE variable=" + bias + " complete dim=2");
    if (folds > 1) {
      text.line(getWordName(in) + " vector[" + Twine(steps) +
                "]; // kept for the other rows");
      if (steps <= 4)
        text.pragma("ARRAY_PARTITION variable=vector complete");
      else
        text.pragma("BIND_STORAGE variable=vector type=ram_2p impl=lutram");
    }
    text.line(sum + " sums[" + Twine(pe_) + "];");
    text.pragma("ARRAY_PARTITION variable=sums complete");
    text.loop("v", vectors_ / groups_);
    if (groups_ > 1)
      text.loop("g", groups_);
    text.loop("n", folds);
    text.loop("s", steps);
    text.pragma("PIPELINE II=1 style=flp");
    if (groups_ > 1)
      text.line("const int row = g * " + Twine(folds) + " + n;");
    std::string row = groups_ > 1 ? "[row]" : "[n]";
    if (folds > 1) {
      text.line(getWordName(in) + " word;");
      text.open("if (n == 0)");
      text.line("word = in.read();");
      text.line("vector[s] = word;");
      text.close(" else {");
      text.line("  word = vector[s];");
      text.line("}");
    } else {
      text.line("const " + getWordName(in) + " word = in.read();");
    }
    text.line(getElementName(in) + " x[" + Twine(simd_) + "];");
    text.pragma("ARRAY_PARTITION variable=x complete");
    text.unrolled("i", simd_);
    emitLane(text, in, "element", "word", "i");
    text.line("x[i] = element;");
    text.close();
    text.line(getWordName(out) + " result = 0;");
    text.unrolled("p", pe_);
    text.line(sum + " sum = sums[p];");
    text.line("if (s == 0)");
    text.line("  sum = " + bias + row + "[p];");
    text.unrolled("i", simd_);
    text.line("const ap_int<" + Twine(weights_.bits + in.getBits() + 1) +
              "> product = " + weights + row + "[s][p][i] * x[i];");
    emitBind(text, weights_.bits, in.getBits());
    text.line("sum += product;");
    text.close();
    text.line("sums[p] = sum;");
    emitSetLane(text, out, "result", "p", "sum");
    text.close();
    text.line("if (s == " + Twine(steps - 1) + ")");
    text.line("  out.write(result);");
    for (int i = 0; i < (groups_ > 1 ? 5 : 4); ++i)
      text.close();
  }

private:
  MatVecOp unit() const { return unit_; }
  /// Words of weights.
  int64_t depth() const { return groups_ * (rows_ / pe_) * (columns_ / simd_); }
  /// Column of a lane of a step. Behind a window whose groups of channels are
  /// complete one after the other, taps are inside of them.
  int64_t getColumn(int64_t step, int64_t lane) const {
    if (taps_ == 1)
      return step * simd_ + lane;
    int64_t channels = columns_ / taps_;
    return step % taps_ * channels + step / taps_ * simd_ + lane;
  }

  mutable MatVecOp unit_;
  Weights weights_;
  /// Rows and columns are those of one group.
  int64_t rows_, columns_, vectors_, groups_, pe_, simd_, simdLimit_ = 1;
  /// Of a window with channels_outer.
  int64_t taps_ = 1;
};

class DepthwiseUnit : public Unit {
public:
  explicit DepthwiseUnit(DepthwiseOp op)
      : Unit(op), unit_(op), weights_(op.getWeights()),
        channels_(op.getChannels()), taps_(op.getTaps()), pe_(op.getPe()) {
    positions_ = op.getResult().getType().getElements() / channels_;
  }

  void fold(int64_t cycles) override {
    pe_ = pickDivisor(channels_, [&](int64_t d) {
      return positions_ * taps_ * (channels_ / d) <= cycles;
    });
  }
  int64_t inputLanes(unsigned) const override { return pe_; }
  int64_t outputLanes() const override { return pe_; }
  void apply() override {
    Unit::apply();
    unit_.setPe(pe_);
    unit_.setMemory(pickMemory(channels_ / pe_ * taps_));
  }
  int64_t cycles() const override {
    return positions_ * taps_ * (channels_ / pe_);
  }
  Action action(int64_t iteration) const override {
    return {1, uint8_t(iteration % taps_ == taps_ - 1)};
  }
  int64_t macs() const override { return positions_ * taps_ * channels_; }
  int64_t weightBits() const override {
    return channels_ * taps_ * weights_.bits;
  }

  Resources resources(const Part &part) const override {
    Resources result{300, 0, 0};
    Resources element = getElement(weights_.bits, input().getBits(), 1,
                                   output().getBits(), part);
    for (int64_t i = 0; i < pe_; ++i)
      result += element;
    int64_t depth = channels_ / pe_ * taps_;
    result += getTable(depth, pe_ * weights_.bits);
    return result;
  }

  std::string describe() const override {
    return (Twine(positions_) + " times " + Twine(channels_) + " channels of " +
            Twine(taps_) + " weights of " + Twine(weights_.bits) + " bits, " +
            Twine(pe_) + " channels a cycle")
        .str();
  }

  void emitTables(Text &text, StringRef name) const override {
    int64_t folds = channels_ / pe_;
    std::vector<int64_t> values;
    for (int64_t n = 0; n < folds; ++n)
      for (int64_t k = 0; k < taps_; ++k)
        for (int64_t p = 0; p < pe_; ++p)
          values.push_back(weights_.values[(n * pe_ + p) * taps_ + k]);
    text.line("// [channel fold][tap][channel]");
    emitTable(text, (name + "_weights").str(),
              {weights_.bits, weights_.isSigned}, {folds, taps_, pe_}, values);
    emitTable(text, (name + "_bias").str(), {32, true}, {folds, pe_},
              getIntegers(DepthwiseOp(unit_).getBias()));
  }

  void emit(Text &text, StringRef name) const override {
    StreamType in = input(), out = output();
    std::string weights = (name + "_weights").str(),
                bias = (name + "_bias").str(), sum = getElementName(out);
    openFunction(text, name, op_);
    emitTablePragmas(text, weights, DepthwiseOp(unit_).getMemory(), {3});
    text.pragma("ARRAY_RESHAPE variable=" + bias + " complete dim=2");
    text.line(sum + " sums[" + Twine(pe_) + "];");
    text.pragma("ARRAY_PARTITION variable=sums complete");
    text.loop("v", positions_);
    text.loop("n", channels_ / pe_);
    text.loop("k", taps_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(in) + " word = in.read();");
    text.line(getWordName(out) + " result = 0;");
    text.unrolled("p", pe_);
    emitLane(text, in, "x", "word", "p");
    text.line("const ap_int<" + Twine(weights_.bits + in.getBits() + 1) +
              "> product = " + weights + "[n][k][p] * x;");
    emitBind(text, weights_.bits, in.getBits());
    text.line(sum + " sum = sums[p];");
    text.line("if (k == 0)");
    text.line("  sum = " + bias + "[n][p];");
    text.line("sum += product;");
    text.line("sums[p] = sum;");
    emitSetLane(text, out, "result", "p", "sum");
    text.close();
    text.line("if (k == " + Twine(taps_ - 1) + ")");
    text.line("  out.write(result);");
    for (int i = 0; i < 4; ++i)
      text.close();
  }

private:
  mutable DepthwiseOp unit_;
  Weights weights_;
  int64_t channels_, taps_, positions_, pe_;
};
} // namespace

UnitPtr MatVecOp::createUnit() { return makeUnit<MatVecUnit>(*this); }
UnitPtr DepthwiseOp::createUnit() { return makeUnit<DepthwiseUnit>(*this); }

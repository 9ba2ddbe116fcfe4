//===- Recurrent.cpp - Reference semantics of recurrent layers ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic of one element is that of Numerics/Recurrent.h.
//===----------------------------------------------------------------------===//
#include "Integers.h"

#include "qopt/Numerics/EvalBuilder.h"
#include "qopt/Numerics/Recurrent.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::fxp;
using namespace qopt::fxp::reference;
using numerics::StoredRange;

namespace {
constexpr StoredRange kWord = {0, -32768, 32767};

/// A layer on its operands, for one sequence of the batch at a time.
class Layer {
public:
  Layer(RecurrentOp op, ArrayRef<Tensor> operands)
      : op(op), mode(op.getMode().getRequantizeMode()),
        table(getSigmoidTable()),
        x(load(operands[0], op.getXUnsigned(), op.getXZp())),
        w(load(operands[1], false)), r(load(operands[2], false)),
        bias(load(operands[3], false)), stateBias(load(operands[4], false)),
        inputs(operands[0].shape()[2]), units(operands[2].shape()[1]),
        rows(operands[2].shape()[0]) {}

  LogicalResult readScales() {
    FailureOr<std::vector<float>> ofX = loadScales(op, op.getXScales());
    FailureOr<std::vector<float>> ofState = loadScales(op, op.getStateScales());
    if (failed(ofX) || failed(ofState))
      return failure();
    xScales = *ofX;
    stateScales = *ofState;
    return success();
  }

  /// Begins with bytes, minus their zero points.
  void start(ArrayRef<int32_t> hiddenBytes, ArrayRef<int32_t> cellBytes) {
    h.clear(), c.clear();
    for (int32_t value : hiddenBytes)
      h.push_back(rescale(value, op.getScales()[0], kWord));
    for (int32_t value : cellBytes)
      c.push_back(rescale(value, op.getScales()[4], kWord));
  }

  void step(const int32_t *input) {
    std::vector<int32_t> state(h.size());
    for (int64_t j = 0; j < units; ++j)
      state[j] = toByte(h[j], 0);
    std::vector<int32_t> a(rows), s(rows);
    for (int64_t n = 0; n < rows; ++n) {
      a[n] = rescale(sum(&w[n * inputs], input, inputs, bias[n]), xScales[n],
                     kWord);
      s[n] = multiplyState(n, state);
    }
    if (op.getKind() == "lstm")
      return stepLSTM(a, s);
    if (op.getKind() == "gru")
      return stepGRU(a, s);
    for (int64_t j = 0; j < units; ++j)
      h[j] = numerics::emitRoundUp(b, tanh(a[j], s[j]),
                                   kGateBits - int64_t(op.getHiddenBits()));
  }

  int32_t getHidden(int64_t j) const { return store(h[j], 3); }
  int32_t getCell(int64_t j) const { return store(c[j], 5); }

private:
  int32_t rescale(int32_t value, float scale, const StoredRange &range) const {
    FixedScale fixed = getFixedScale(scale, mode);
    return numerics::emitRequantizeFixed(
        b, value, 0,
        numerics::FixedFactor{fixed.multiplier, int64_t(fixed.shift)}, range);
  }
  /// What products read.
  int32_t toByte(int32_t value, unsigned which) const {
    return rescale(value, op.getScales()[1 + which],
                   {op.getStateZps()[which], -128, 127});
  }
  int32_t store(int32_t value, unsigned scale) const {
    return rescale(value, op.getScales()[scale],
                   {int64_t(op.getZp()), op.getClamp()[0], op.getClamp()[1]});
  }
  int32_t sum(const int32_t *weights, const int32_t *values, int64_t count,
              int32_t start) const {
    for (int64_t k = 0; k < count; ++k)
      start = b.addI(start, b.mulI(weights[k], values[k]));
    return start;
  }
  int32_t multiplyState(int64_t row, ArrayRef<int32_t> state) const {
    return rescale(sum(&r[row * units], state.data(), units, stateBias[row]),
                   stateScales[row], kWord);
  }
  int32_t look(int32_t index) const { return table[index]; }
  int32_t sigmoid(int32_t input, int32_t state) const {
    return numerics::emitSigmoid(b, numerics::emitGateInput(b, input, state),
                                 [&](int32_t i) { return look(i); });
  }
  int32_t tanh(int32_t input, int32_t state) const {
    return numerics::emitTanh(b, numerics::emitGateInput(b, input, state),
                              [&](int32_t i) { return look(i); });
  }

  void stepLSTM(ArrayRef<int32_t> a, ArrayRef<int32_t> s) {
    for (int64_t j = 0; j < units; ++j) {
      int64_t i = j, f = units + j, g = 2 * units + j, o = 3 * units + j;
      c[j] = numerics::emitCell(b, sigmoid(a[f], s[f]) * c[j],
                                sigmoid(a[i], s[i]) * tanh(a[g], s[g]),
                                int64_t(op.getCellBits()));
      int32_t input =
          numerics::emitCellInput(b, c[j], int64_t(op.getCellBits()));
      h[j] = numerics::emitHidden(b, sigmoid(a[o], s[o]), tanh(input, 0),
                                  int64_t(op.getHiddenBits()));
    }
  }

  void stepGRU(ArrayRef<int32_t> a, ArrayRef<int32_t> s) {
    std::vector<int32_t> reset(units), candidate(units), gated(units);
    for (int64_t j = 0; j < units; ++j) {
      reset[j] = sigmoid(a[units + j], s[units + j]);
      gated[j] = toByte(numerics::emitGated(b, reset[j], h[j]), 1);
    }
    for (int64_t j = 0; j < units; ++j) {
      int64_t n = 2 * units + j;
      int32_t input =
          op.getResetFirst()
              ? numerics::emitGateInput(b, a[n], multiplyState(n, gated))
              : numerics::emitResetInput(b, a[n], reset[j], s[n]);
      candidate[j] = tanh(input, 0);
    }
    for (int64_t j = 0; j < units; ++j)
      h[j] = numerics::emitBlend(b, sigmoid(a[j], s[j]), candidate[j], h[j],
                                 int64_t(op.getHiddenBits()));
  }

  mutable RecurrentOp op;
  RequantizeMode mode;
  std::vector<int16_t> table;
  std::vector<int32_t> x, w, r, bias, stateBias;
  int64_t inputs, units, rows;
  std::vector<float> xScales, stateScales;
  std::vector<int32_t> h, c;
  EvalBuilder b;

public:
  const int32_t *getInput(int64_t row) const { return &x[row * inputs]; }
};
} // namespace

LogicalResult RecurrentOp::evaluate(ArrayRef<Tensor> operands,
                                    SmallVectorImpl<Tensor> &results) {
  Layer layer(*this, operands);
  if (failed(layer.readScales()))
    return failure();
  ArrayRef<int64_t> shape = operands[0].shape();
  int64_t steps = shape[0], batch = shape[1];
  int64_t units = operands[5].shape()[1];
  std::vector<int32_t> hidden =
      load(operands[5], getHiddenUnsigned(), getHiddenZp());
  std::vector<int32_t> cell;
  if (getCell())
    cell = load(operands[6], getCellUnsigned(), getCellZp());
  std::vector<int32_t> out(getNumElements(getResultType().getShape()));
  int64_t cellRow = getResultType().getShape()[0] - 1;
  for (int64_t n = 0; n < batch; ++n) {
    layer.start(ArrayRef(hidden).slice(n * units, units),
                getCell() ? ArrayRef(cell).slice(n * units, units)
                          : ArrayRef<int32_t>());
    for (int64_t i = 0; i < steps; ++i) {
      int64_t t = getReversed() ? steps - 1 - i : i;
      layer.step(layer.getInput(t * batch + n));
      int64_t row = getLastOnly() ? 0 : t;
      for (int64_t j = 0; j < units; ++j)
        out[(row * batch + n) * units + j] = layer.getHidden(j);
    }
    for (int64_t j = 0; getWithCell() && j < units; ++j)
      out[(cellRow * batch + n) * units + j] = layer.getCell(j);
  }
  results.push_back(store(out, getResultType()));
  return success();
}

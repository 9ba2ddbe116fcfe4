//===- RecurrentCell.cpp - The step of a recurrent layer in a loop's body -===//
// SPDX-License-Identifier: Apache-2.0
//
// From the next state backwards. Sums and products commute; slices of sums and
// sums of slices are the same.
//===----------------------------------------------------------------------===//
#include "RecurrentCell.h"
#include "qopt/Analysis/SplatConstant.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qgtofxp;

namespace {
/// Both operands of a binary op of a kind.
using Pair = std::optional<std::pair<Value, Value>>;

class CellMatcher {
public:
  explicit CellMatcher(qg::LoopOp loop) : loop(loop) {}

  CellMatch run() {
    if (!checkForm())
      return {std::nullopt, std::move(reason)};
    hidden = loop.getStateArguments()[0];
    input = loop.getSliceArguments()[0];
    Value next = loop.getNextStates()[0];
    std::optional<RecurrentCell> cell =
        loop.getStates().size() == 2 ? matchLSTM(next) : matchGRU(next);
    if (!cell && loop.getStates().size() == 1)
      cell = matchRNN(next);
    if (!cell && reason.empty())
      reason = "its step is none of an LSTM, GRU or RNN with sigmoid and tanh";
    return {std::move(cell), std::move(reason)};
  }

private:
  bool refuse(StringRef why) {
    if (reason.empty())
      reason = why.str();
    return false;
  }

  bool checkForm() {
    if (loop.getCondition())
      return refuse("data decide the number of its steps");
    size_t states = loop.getStates().size();
    if (states < 1 || states > 2 || loop.getSlices().size() != 1)
      return refuse("it is no recurrent layer of one input");
    for (Operation &op : loop.getBlock())
      if (op.getName().getStringRef() == "qg.select")
        return refuse("sequences of different lengths");
    for (Value element : loop.getElements())
      if (element != loop.getNextStates()[0])
        return refuse("it stacks something else than hidden states");
    for (unsigned i = 0; i < loop.getStacked().size(); ++i)
      if (loop.isResultReversed(i) != loop.isSliceReversed(0))
        return refuse("inputs and results run in different directions");
    auto state = getShape(loop.getStates()[0]);
    if (state.size() != 2 || getShape(loop.getSlices()[0]).size() != 3)
      return refuse("it is no recurrent layer of one input");
    width = state[1];
    return true;
  }

  static Pair match(BinaryKind kind, Value value) {
    auto op = value.getDefiningOp<qg::BinaryOp>();
    if (!op || op.getKind() != kind || op.getClamp())
      return std::nullopt;
    return std::pair(op.getLhs(), op.getRhs());
  }
  static Value match(UnaryKind kind, Value value) {
    auto op = value.getDefiningOp<qg::UnaryOp>();
    return op && op.getKind() == kind ? op.getX() : Value();
  }

  /// Both orders of the operands of a sum or product.
  bool either(BinaryKind kind, Value value,
              function_ref<bool(Value, Value)> accept) {
    Pair pair = match(kind, value);
    return pair && (accept(pair->first, pair->second) ||
                    accept(pair->second, pair->first));
  }

  /// Adds what `value`, from column `first` on, is the sum of.
  bool addTo(GateSum &sum, Value value, int64_t first) {
    if (auto slice = value.getDefiningOp<qg::SliceOp>()) {
      auto isOne = [](int64_t s) { return s == 1; };
      if (getShape(value).size() != 2 || slice.getOffsets()[0] != 0 ||
          getShape(value)[0] != getShape(slice.getX())[0] ||
          !llvm::all_of(slice.getStrides(), isOne))
        return false;
      return addTo(sum, slice.getX(), first + slice.getOffsets()[1]);
    }
    if (Pair pair = match(BinaryKind::add, value))
      return getShape(pair->first) == getShape(pair->second) &&
             addTo(sum, pair->first, first) && addTo(sum, pair->second, first);
    if (value == input && sum.inputColumn < 0) {
      sum.inputColumn = first;
      return true;
    }
    auto product = value.getDefiningOp<qg::MatmulOp>();
    // Products of a cell state have other forms by now than a factor.
    if (!product || sum.product)
      return refuse("a gate sums more than inputs and one product of the "
                    "hidden state (peepholes?)");
    sum.product = product;
    sum.stateColumn = first;
    return true;
  }

  std::optional<GateSum> getSum(Value value) {
    GateSum sum;
    if (!value || getShape(value).size() != 2 || getShape(value)[1] != width ||
        !addTo(sum, value, 0) || !sum.isWhole())
      return std::nullopt;
    return sum;
  }
  std::optional<GateSum> getGate(UnaryKind kind, Value value) {
    Value x = match(kind, value);
    if (x && (match(BinaryKind::min, x) || match(BinaryKind::max, x)))
      refuse("gates with limits ('clip')");
    return getSum(x);
  }

  /// A product that reads the state rounded to bytes.
  bool readsState(const GateSum &sum) const {
    qg::MatmulOp product = sum.product;
    auto quantize = product.getLhs().getDefiningOp<qg::QuantizeOp>();
    return quantize && quantize.getX() == hidden;
  }
  bool checkProduct(const GateSum &sum) {
    return readsState(sum) ||
           refuse("its product of the state is not rounded to bytes");
  }

  std::optional<RecurrentCell> matchRNN(Value next) {
    std::optional<GateSum> sum = getGate(UnaryKind::tanh, next);
    if (!sum || !checkProduct(*sum))
      return std::nullopt;
    return RecurrentCell{"rnn", {*sum}};
  }

  std::optional<RecurrentCell> matchLSTM(Value next) {
    Value cell = loop.getStateArguments()[1];
    Value nextCell = loop.getNextStates()[1];
    std::optional<GateSum> i, f, g, o;
    bool hasHidden = either(BinaryKind::mul, next, [&](Value gate, Value t) {
      return match(UnaryKind::tanh, t) == nextCell &&
             (o = getGate(UnaryKind::sigmoid, gate));
    });
    bool hasCell = either(BinaryKind::add, nextCell, [&](Value a, Value b) {
      return either(BinaryKind::mul, a,
                    [&](Value gate, Value state) {
                      return state == cell &&
                             (f = getGate(UnaryKind::sigmoid, gate));
                    }) &&
             either(BinaryKind::mul, b, [&](Value gate, Value fresh) {
               return (i = getGate(UnaryKind::sigmoid, gate)) &&
                      (g = getGate(UnaryKind::tanh, fresh));
             });
    });
    if (!hasHidden || !hasCell || !checkProduct(*i) || !checkProduct(*f) ||
        !checkProduct(*g) || !checkProduct(*o))
      return std::nullopt;
    return RecurrentCell{"lstm", {*i, *f, *g, *o}};
  }

  /// 1 - z.
  static bool isRest(Value value, Value z) {
    Pair pair = match(BinaryKind::sub, value);
    return pair && pair->second == z && matchSplatConstant(pair->first) == 1.0;
  }

  std::optional<RecurrentCell> matchGRU(Value next) {
    Value z, n;
    bool isBlend = either(BinaryKind::add, next, [&](Value a, Value b) {
      return either(BinaryKind::mul, a,
                    [&](Value gate, Value state) {
                      z = gate;
                      return state == hidden;
                    }) &&
             either(BinaryKind::mul, b, [&](Value rest, Value fresh) {
               n = fresh;
               return isRest(rest, z);
             });
    });
    if (!isBlend)
      return std::nullopt;
    std::optional<GateSum> update = getGate(UnaryKind::sigmoid, z);
    Value candidate = match(UnaryKind::tanh, n);
    if (!update || !candidate || !checkProduct(*update))
      return std::nullopt;
    RecurrentCell cell{"gru", {*update}};
    if (matchResetLast(candidate, cell) || matchResetFirst(candidate, cell))
      return cell;
    return std::nullopt;
  }

  /// a + r * b.
  bool matchResetLast(Value candidate, RecurrentCell &cell) {
    std::optional<GateSum> r;
    GateSum n;
    bool isMatch = either(BinaryKind::add, candidate, [&](Value x, Value y) {
      return either(BinaryKind::mul, y, [&](Value gate, Value state) {
        n = {};
        return match(UnaryKind::sigmoid, gate) && addTo(n, x, 0) &&
               addTo(n, state, 0) && n.isWhole() && readsState(n) &&
               (r = getGate(UnaryKind::sigmoid, gate));
      });
    });
    if (!isMatch || !readsState(*r))
      return false;
    cell.gates.append({*r, n});
    reason.clear();
    return true;
  }

  /// The product of r * h.
  bool matchResetFirst(Value candidate, RecurrentCell &cell) {
    reason.clear();
    std::optional<GateSum> n = getSum(candidate), r;
    auto quantize = n ? n->product.getLhs().getDefiningOp<qg::QuantizeOp>()
                      : qg::QuantizeOp();
    if (!quantize)
      return refuse("its product of the state is not rounded to bytes");
    bool isMatch =
        either(BinaryKind::mul, quantize.getX(), [&](Value gate, Value state) {
          return state == hidden && (r = getGate(UnaryKind::sigmoid, gate));
        });
    if (!isMatch || !readsState(*r))
      return false;
    cell.gates.append({*r, *n});
    cell.resetFirst = true;
    return true;
  }

  qg::LoopOp loop;
  Value hidden, input;
  int64_t width = 0;
  std::string reason;
};
} // namespace

CellMatch qgtofxp::matchCell(qg::LoopOp loop) {
  return CellMatcher(loop).run();
}

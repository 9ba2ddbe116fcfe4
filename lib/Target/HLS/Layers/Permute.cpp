//===- Permute.cpp - Elements in another order ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One copy of a block arrives while the other leaves: a token a cycle on both
// sides, and a block of latency.
//===----------------------------------------------------------------------===//
#include "Permute.h"
#include "Convert.h"
#include "Unit.h"
#include "Verify.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

unsigned PermuteOp::getOuterRank() {
  unsigned rank = 0;
  while (rank < getPermutation().size() && getPermutation()[rank] == rank)
    ++rank;
  return rank;
}

unsigned PermuteOp::getInnerRank() {
  unsigned all = getPermutation().size(), rank = 0;
  while (rank < all && getPermutation()[all - 1 - rank] == all - 1 - rank)
    ++rank;
  return rank;
}

static int64_t multiply(ArrayRef<int64_t> extents) {
  int64_t product = 1;
  for (int64_t extent : extents)
    product *= extent;
  return product;
}

int64_t PermuteOp::getRun() {
  return multiply(getShape().take_back(getInnerRank()));
}

int64_t PermuteOp::getBlock() {
  return multiply(getShape().drop_front(getOuterRank()));
}

LogicalResult PermuteOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  SmallVector<bool> seen(getShape().size(), false);
  for (int64_t dim : getPermutation())
    if (dim >= 0 && dim < int64_t(seen.size()))
      seen[dim] = true;
  if (getPermutation().size() != getShape().size() ||
      !llvm::all_of(seen, [](bool isThere) { return isThere; })) // C1
    return emitOpError("expects a permutation of the dimensions of shape");
  if (llvm::any_of(getShape(), [](int64_t extent) { return extent < 1; })) // C1
    return emitOpError("expects positive extents");
  if (getOuterRank() == getShape().size()) // C1
    return emitOpError("expects an order that is another");
  if (in.getElement() != out.getElement()) // C2
    return emitOpError("expects equal elements on both sides");
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(
          checkElements(*this, in, multiply(getShape()), "an input")) && // C2
      succeeded(
          checkElements(*this, out, in.getElements(), "a result")) &&    // C2
      succeeded(checkLanes(*this, out, in.getLanes(), "a result")) &&    // C2
      succeeded(checkDivides(*this, in.getLanes(), getRun(), "lanes"))); // C3
}

Value hls::permute(OpBuilder &builder, Location loc, Value stream,
                   ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation) {
  // Dimensions of one element move for free.
  SmallVector<int64_t> kept, extents, order;
  for (auto [dim, extent] : llvm::enumerate(shape))
    if (extent != 1) {
      kept.push_back(dim);
      extents.push_back(extent);
    }
  for (int64_t dim : permutation)
    if (auto it = llvm::find(kept, dim); it != kept.end())
      order.push_back(it - kept.begin());
  if (llvm::is_sorted(order))
    return stream;
  return PermuteOp::create(builder, loc, stream.getType(), stream, extents,
                           order)
      .getResult();
}

static FailureOr<Value> convertTranspose(qg::TransposeOp op, Streams &streams) {
  return permute(streams.builder(), op.getLoc(), streams.take(op.getX()),
                 getShape(op.getX()), op.getPermutation());
}

/// The order of elements does not change: no unit.
static FailureOr<Value> convertReshape(qg::ReshapeOp op, Streams &streams) {
  return streams.take(op.getX());
}

void PermuteOp::addConversions(Conversions &conversions) {
  conversions.add(convertTranspose);
  conversions.add(convertReshape);
}

namespace {
class PermuteUnit : public Unit {
public:
  explicit PermuteUnit(PermuteOp op)
      : Unit(op), permute_(op), run_(op.getRun()), block_(op.getBlock()),
        blocks_(input().getElements() / op.getBlock()),
        lanes_(input().getLanes()) {}

  void fold(int64_t cycles) override {
    lanes_ = pickDivisor(run_, [&](int64_t lanes) {
      return (blocks_ + 1) * (block_ / lanes) <= cycles;
    });
  }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return (blocks_ + 1) * tokens(); }
  Action action(int64_t iteration) const override {
    return {uint8_t(iteration < blocks_ * tokens()),
            uint8_t(iteration >= tokens())};
  }
  Resources resources(const Part &) const override {
    Resources result{100, 0, 0};
    result += getMemory(depth(), lanes_ * input().getBits());
    return result;
  }
  std::string describe() const override {
    PermuteOp op = permute_;
    std::string text = "dimensions ";
    llvm::raw_string_ostream os(text);
    llvm::interleave(op.getPermutation(), os, " ");
    os << " of ";
    llvm::interleave(op.getShape(), os, "x");
    os << ", blocks of " << block_ << " elements";
    return text;
  }

  void emit(Text &text, StringRef name) const override {
    std::string word = getWordName(input());
    openFunction(text, name, op_);
    text.line("// A block arrives while the one before it leaves.");
    text.line("static " + word + " kept[" + Twine(copies()) + "][" +
              Twine(tokens()) + "];");
    text.pragma(Twine("BIND_STORAGE variable=kept type=ram_s2p impl=") +
                pickMemory(depth()));
    if (int64_t distance = getLeastDistance(); distance >= 3)
      text.pragma(
          "DEPENDENCE variable=kept type=inter direction=RAW distance=" +
          Twine(distance) + " dependent=true");
    text.loop("block", blocks_ + 1);
    text.line("int arrival = 0; // place of a token in the order of reading");
    std::string place;
    unsigned depth = 0;
    for (auto [extent, stride] : getLoops()) {
      std::string index = ("i" + Twine(depth++)).str();
      text.loop(index, extent);
      place += (place.empty() ? "" : " + ") + index +
               (stride == 1 ? "" : " * " + std::to_string(stride));
    }
    text.pragma("PIPELINE II=1 style=flp");
    bool isPair = copies() == 2;
    text.line("if (block > 0)");
    text.line("  out.write(kept[" + Twine(isPair ? "(block - 1) % 2" : "0") +
              "][" + place + "]);");
    text.line("if (block < " + Twine(blocks_) + ")");
    text.line("  kept[" + Twine(isPair ? "block % 2" : "0") +
              "][arrival] = in.read();");
    text.line("++arrival;");
    for (unsigned i = 0; i < depth + 2; ++i)
      text.close();
  }

private:
  /// Tokens of a block.
  int64_t tokens() const { return block_ / lanes_; }
  int64_t copies() const { return blocks_ > 1 ? 2 : 1; }
  int64_t depth() const { return copies() * tokens(); }

  /// Loops in the order of writing: extents, and strides in that of reading.
  SmallVector<std::pair<int64_t, int64_t>> getLoops() const {
    PermuteOp op = permute_;
    unsigned inner = op.getShape().size() - op.getInnerRank();
    SmallVector<std::pair<int64_t, int64_t>> loops;
    for (int64_t dim : op.getPermutation().slice(op.getOuterRank(),
                                                 inner - op.getOuterRank())) {
      int64_t stride = run_ / lanes_;
      for (unsigned d = dim + 1; d < inner; ++d)
        stride *= op.getShape()[d];
      if (op.getShape()[dim] != 1)
        loops.push_back({op.getShape()[dim], stride});
    }
    if (run_ != lanes_)
      loops.push_back({run_ / lanes_, 1});
    return loops;
  }

  /// Iterations between the arrival of a token and its departure.
  int64_t getLeastDistance() const {
    SmallVector<std::pair<int64_t, int64_t>> loops = getLoops();
    int64_t least = INT64_MAX;
    for (int64_t i = 0; i < tokens(); ++i) {
      int64_t place = 0, rest = i;
      for (auto [extent, stride] : llvm::reverse(loops)) {
        place += rest % extent * stride;
        rest /= extent;
      }
      least = std::min(least, tokens() - place + i);
    }
    return least;
  }

  mutable PermuteOp permute_;
  int64_t run_, block_, blocks_, lanes_;
};
} // namespace

UnitPtr PermuteOp::createUnit() { return makeUnit<PermuteUnit>(*this); }

//===- Convert.cpp - Integer ops on their way to units --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A stream has one reader, so what several read is forked where it is made.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "Unit.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

bool Streams::has(Value tensor) const {
  auto it = streams_.find(tensor);
  return it != streams_.end() && !it->second.empty();
}

StreamType Streams::getType(Value tensor) const {
  return cast<StreamType>(streams_.find(tensor)->second.back().getType());
}

Value Streams::take(Value tensor) {
  SmallVector<Value> &copies = streams_[tensor];
  return copies.pop_back_val();
}

void Streams::addSource(Value constant) {
  std::optional<Tensor> values = qg::matchConstant(constant);
  unsigned bits = getTensorType(constant).getElementTypeBitWidth();
  if (!values || values->numElements() == 0 || bits > 32)
    return;
  bool isUnsigned = isReadUnsigned(constant);
  int64_t mask = (int64_t(1) << bits) - 1;
  int64_t least = INT64_MAX, most = INT64_MIN;
  for (int64_t i = 0; i < values->numElements(); ++i) {
    int64_t value = isUnsigned ? values->getInt(i) & mask : values->getInt(i);
    least = std::min(least, value);
    most = std::max(most, value);
  }
  IntegerType element = getNarrowestType(constant.getContext(), least, most);
  auto op = constant.getDefiningOp<qg::ConstantOp>();
  streams_[constant].push_back(SourceOp::create(
      builder_, op.getLoc(), getStream(values->numElements(), element),
      op.getValue(), /*count=*/1));
}

void Streams::define(Value tensor, Value stream, Location loc) {
  auto readers =
      llvm::count_if(tensor.getUses(), [](OpOperand &) { return true; });
  SmallVector<Value> &copies = streams_[tensor];
  if (readers == 1) {
    copies.push_back(stream);
    return;
  }
  if (readers == 0)
    return;
  // A chain of forks where one has too few results; its last copy goes on.
  for (size_t missing = readers; missing > 0;) {
    size_t count = std::min(missing, kMostStreams);
    SmallVector<Type> types(count, stream.getType());
    auto fork = ForkOp::create(builder_, loc, types, stream);
    bool isLast = count == missing;
    llvm::append_range(copies, fork.getCopies().drop_back(isLast ? 0 : 1));
    stream = fork.getCopies().back();
    missing -= isLast ? count : count - 1;
  }
  // Readers take them from the back.
  std::reverse(copies.begin(), copies.end());
}

Conversions::Conversions(MLIRContext *context) {
  context->getOrLoadDialect<HLSDialect>();
  // Not getRegisteredOperationsByDialect, whose comparison is no order and
  // finds none of them (llvm/llvm-project#146940, mended behind LLVM 22.1).
  for (RegisteredOperationName name : context->getRegisteredOperations())
    if (auto *unit = name.getInterface<UnitOpInterface>())
      unit->addConversions(*this);
}

const Conversions::Conversion *Conversions::find(Operation *op) const {
  auto it = conversions_.find(op->getName().getStringRef());
  return it == conversions_.end() ? nullptr : &it->second;
}

InFlightDiagnostic hls::refuse(Operation *op) {
  return op->emitError() << "'" << op->getName() << "' (" << qg::getUserName(op)
                         << ") has no unit: ";
}

/// Of which a product with a multiplier of 14 bits has 62.
static constexpr unsigned kMostSumBits = 48;

StreamType hls::getStream(int64_t elements, IntegerType element) {
  return StreamType::get(element.getContext(), elements, 1, element);
}

FailureOr<IntegerType> hls::getAccumulator(Operation *op,
                                           std::pair<int64_t, int64_t> range) {
  // Sums of 16-bit integers that are rounded may be wider; ports have 32 bits.
  bool isWide =
      getTensorType(op->getResult(0)).getElementType().isInteger(64) &&
      llvm::all_of(op->getUsers(), llvm::IsaPred<fxp::RequantizeOp>);
  unsigned bits = isWide ? kMostSumBits : 32;
  int64_t most = (int64_t(1) << (bits - 1)) - 1;
  if (range.first < -most - 1 || range.second > most)
    return refuse(op) << "its sums reach from " << range.first << " to "
                      << range.second << ", more than " << bits << " bits hold";
  return getNarrowestType(op->getContext(), range.first, range.second);
}

bool hls::isReadUnsigned(Value value) {
  return llvm::any_of(value.getUses(), [](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<func::ReturnOp>(user)) {
      auto element =
          user->getParentOfType<func::FuncOp>().getResultAttrOfType<TypeAttr>(
              use.getOperandNumber(), kElementAttr);
      return element && element.getValue().isUnsignedInteger();
    }
    // Indices are no elements of what they pick.
    bool moves =
        isa<qg::GatherOp>(user)
            ? use.getOperandNumber() == 0
            : isa<qg::ReshapeOp, qg::TransposeOp, qg::ConcatOp, qg::SliceOp,
                  qg::PadOp, qg::BroadcastOp, fxp::MaxPoolOp>(user);
    if (moves && !user->hasAttr("x_unsigned"))
      return isReadUnsigned(user->getResult(0));
    return user->hasAttr("x_unsigned") ||
           user->hasAttr(use.getOperandNumber() ? "rhs_unsigned"
                                                : "lhs_unsigned");
  });
}

ElementsAttr hls::makeIntegers(MLIRContext *context, ArrayRef<int64_t> values,
                               ArrayRef<int64_t> shape, unsigned bits,
                               StringRef hint) {
  Tensor tensor(bits == 8    ? DType::i8
                : bits == 16 ? DType::i16
                             : DType::i32,
                shape);
  for (auto [i, value] : llvm::enumerate(values))
    tensor.setInt(i, value);
  return qg::getElementsAttr(
      tensor, RankedTensorType::get(shape, IntegerType::get(context, bits)),
      hint);
}

//===- LinalgBuilder.cpp - Short spellings of linalg.generic --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Loop order is the reference's accumulation order wherever it matters.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/LinalgBuilder.h"
#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;
using utils::IteratorType;

Value LinalgBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value LinalgBuilder::integer(Type type, int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
}

Value LinalgBuilder::real(Type type, double value) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
}

Value LinalgBuilder::constant(const Tensor &tensor, StringRef hint) {
  Type element = qg::getStorageElementType(
      qg::getElementType(b.getContext(), tensor.dtype()));
  // getElementsAttr wants the type of the values; storage is signless.
  auto type = RankedTensorType::get(tensor.shape(), element);
  return arith::ConstantOp::create(b, loc,
                                   qg::getElementsAttr(tensor, type, hint));
}

Value LinalgBuilder::empty(ArrayRef<int64_t> shape, Type element) {
  return tensor::EmptyOp::create(b, loc, shape, element);
}

Value LinalgBuilder::fill(ArrayRef<int64_t> shape, Value scalar) {
  Value out = empty(shape, scalar.getType());
  return linalg::FillOp::create(b, loc, scalar, out).getResult(0);
}

AffineMap qopt::getBroadcastMap(MLIRContext *context, ArrayRef<int64_t> shape,
                                ArrayRef<int64_t> result) {
  SmallVector<AffineExpr> exprs;
  unsigned offset = result.size() - shape.size();
  for (auto [i, extent] : llvm::enumerate(shape))
    exprs.push_back(extent == 1 && result[offset + i] != 1
                        ? getAffineConstantExpr(0, context)
                        : getAffineDimExpr(offset + i, context));
  return AffineMap::get(result.size(), 0, exprs, context);
}

Value LinalgBuilder::pointwise(ArrayRef<int64_t> shape, Type element,
                               ValueRange operands, ScalarBody body) {
  SmallVector<AffineMap> maps;
  for (Value operand : operands)
    maps.push_back(getBroadcastMap(b.getContext(),
                                   getTensorType(operand).getShape(), shape));
  return gather(shape, element, operands, maps, body);
}

Value LinalgBuilder::gather(ArrayRef<int64_t> shape, Type element,
                            ValueRange operands, ArrayRef<AffineMap> maps,
                            ScalarBody body) {
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(b.getMultiDimIdentityMap(shape.size()));
  SmallVector<IteratorType> iterators(shape.size(), IteratorType::parallel);
  Value out = empty(shape, element);
  auto op = linalg::GenericOp::create(
      b, loc, out.getType(), operands, out, allMaps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange args) {
        linalg::YieldOp::create(nested, loc,
                                body(nested, loc, args.drop_back()));
      });
  return op.getResult(0);
}

Value LinalgBuilder::reduce(ValueRange operands, Value init,
                            ArrayRef<AffineMap> maps,
                            ArrayRef<IteratorType> iterators, ScalarBody body) {
  auto op = linalg::GenericOp::create(
      b, loc, init.getType(), operands, init, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange args) {
        linalg::YieldOp::create(nested, loc, body(nested, loc, args));
      });
  return op.getResult(0);
}

static Value collapseAll(LinalgBuilder &self, Value x) {
  RankedTensorType type = getTensorType(x);
  if (type.getRank() == 1)
    return x;
  auto flat =
      RankedTensorType::get({type.getNumElements()}, type.getElementType());
  SmallVector<ReassociationIndices> groups;
  if (type.getRank() == 0) {
    return tensor::ExpandShapeOp::create(self.b, self.loc, flat, x, groups);
  }
  groups.push_back(llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
  return tensor::CollapseShapeOp::create(self.b, self.loc, flat, x, groups);
}

Value LinalgBuilder::reshape(Value x, ArrayRef<int64_t> shape) {
  RankedTensorType from = getTensorType(x);
  if (from.getShape() == shape)
    return x;
  auto to = RankedTensorType::get(shape, from.getElementType());
  // A pure collapse or expansion keeps more for later passes than two views.
  if (auto groups = getReassociationIndicesForReshape(from, to)) {
    if (from.getRank() > to.getRank())
      return tensor::CollapseShapeOp::create(b, loc, to, x, *groups);
    if (from.getRank() < to.getRank())
      return tensor::ExpandShapeOp::create(b, loc, to, x, *groups);
  }
  Value flat = collapseAll(*this, x);
  if (to.getRank() == 1)
    return flat;
  SmallVector<ReassociationIndices> groups;
  if (to.getRank() == 0)
    return tensor::CollapseShapeOp::create(b, loc, to, flat, groups);
  groups.push_back(llvm::to_vector(llvm::seq<int64_t>(0, to.getRank())));
  return tensor::ExpandShapeOp::create(b, loc, to, flat, groups);
}

std::optional<Tensor> qopt::matchHostConstant(Value value) {
  if (std::optional<Tensor> tensor = qg::matchConstant(value))
    return tensor;
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  if (!constant)
    return std::nullopt;
  auto elements = dyn_cast<ElementsAttr>(constant.getValue());
  if (!elements)
    return std::nullopt;
  FailureOr<Tensor> tensor = qg::getTensor(elements, value.getType());
  if (failed(tensor))
    return std::nullopt;
  return *tensor;
}

/// Moves the bytes of `x` into permuted order.
static Tensor transposeHost(const Tensor &x, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> shape, stride(x.rank(), 1), sourceStride;
  for (int64_t i = x.rank() - 2; i >= 0; --i)
    stride[i] = stride[i + 1] * x.shape()[i + 1];
  for (int64_t source : permutation) {
    shape.push_back(x.shape()[source]);
    sourceStride.push_back(stride[source]);
  }
  Tensor result(x.dtype(), shape);
  int64_t width = getByteWidth(x.dtype()), count = x.numElements(), from = 0;
  char *out = result.mutableData();
  SmallVector<int64_t> position(shape.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(out + i * width, x.data() + from * width, width);
    for (int64_t d = int64_t(shape.size()) - 1; d >= 0; --d) {
      from += sourceStride[d];
      if (++position[d] < shape[d])
        break;
      from -= sourceStride[d] * shape[d];
      position[d] = 0;
    }
  }
  return result;
}

Value LinalgBuilder::transpose(Value x, ArrayRef<int64_t> permutation) {
  bool isIdentity = true;
  for (auto [i, source] : llvm::enumerate(permutation))
    isIdentity &= int64_t(i) == source;
  if (isIdentity)
    return x;
  if (std::optional<Tensor> host = matchHostConstant(x))
    return constant(transposeHost(*host, permutation), "t");
  RankedTensorType type = getTensorType(x);
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> exprs(permutation.size());
  for (auto [i, source] : llvm::enumerate(permutation)) {
    shape.push_back(type.getDimSize(source));
    exprs[source] = b.getAffineDimExpr(i);
  }
  AffineMap map = AffineMap::get(shape.size(), 0, exprs, b.getContext());
  return gather(shape, type.getElementType(), x, map,
                [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

Value LinalgBuilder::pad(Value x, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                         Value scalar) {
  RankedTensorType type = getTensorType(x);
  SmallVector<OpFoldResult> cropAt, cropSize, ones, padAt;
  SmallVector<int64_t> shape, inner;
  bool crops = false, pads = false;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t begin = std::max<int64_t>(-low[i], 0);
    int64_t end = std::max<int64_t>(-high[i], 0);
    crops |= begin || end;
    pads |= low[i] > 0 || high[i] > 0;
    inner.push_back(std::max<int64_t>(type.getDimSize(i) - begin - end, 0));
    shape.push_back(type.getDimSize(i) + low[i] + high[i]);
    cropAt.push_back(b.getIndexAttr(begin));
    cropSize.push_back(b.getIndexAttr(inner.back()));
    padAt.push_back(b.getIndexAttr(std::max<int64_t>(low[i], 0)));
    ones.push_back(b.getIndexAttr(1));
  }
  // Nothing of x is left, and no slice may start behind its end.
  if (getNumElements(inner) == 0)
    return fill(shape, scalar);
  if (crops)
    x = tensor::ExtractSliceOp::create(
        b, loc, RankedTensorType::get(inner, type.getElementType()), x, cropAt,
        cropSize, ones);
  if (!pads)
    return x;
  Value out = fill(shape, scalar);
  return tensor::InsertSliceOp::create(b, loc, x, out, padAt, cropSize, ones);
}

bool WindowLoops::hasPadding() const {
  return llvm::any_of(pads, [](int64_t pad) { return pad != 0; });
}

static AffineMap getDimMap(OpBuilder &b, unsigned rank,
                           ArrayRef<unsigned> dims) {
  SmallVector<AffineExpr> exprs;
  for (unsigned dim : dims)
    exprs.push_back(b.getAffineDimExpr(dim));
  return AffineMap::get(rank, 0, exprs, b.getContext());
}

/// x read directly: every tap of every position is inside.
static AffineMap getWindowMap(OpBuilder &b, const WindowLoops &loops) {
  SmallVector<AffineExpr> exprs{b.getAffineDimExpr(0)};
  for (unsigned i = 0; i < loops.getSpatialRank(); ++i)
    exprs.push_back(b.getAffineDimExpr(loops.getPosition(i)) *
                        loops.strides[i] +
                    b.getAffineDimExpr(loops.getTap(i)) * loops.dilations[i]);
  for (unsigned tail : loops.xTail)
    exprs.push_back(b.getAffineDimExpr(loops.getTail(tail)));
  return AffineMap::get(loops.getRank(), 0, exprs, b.getContext());
}

/// Position along spatial dimension `i`, and whether it is inside [0, extent).
static std::pair<Value, Value> buildTap(LinalgBuilder &self,
                                        const WindowLoops &loops, unsigned i,
                                        int64_t extent) {
  OpBuilder &b = self.b;
  Location loc = self.loc;
  Value p = linalg::IndexOp::create(b, loc, loops.getPosition(i));
  Value k = linalg::IndexOp::create(b, loc, loops.getTap(i));
  Value reach =
      arith::MulIOp::create(b, loc, k, self.index(loops.dilations[i]));
  Value position, inside;
  if (!loops.transposed) {
    Value start =
        arith::MulIOp::create(b, loc, p, self.index(loops.strides[i]));
    Value sum = arith::AddIOp::create(b, loc, start, reach);
    position = arith::SubIOp::create(b, loc, sum, self.index(loops.pads[i]));
    inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, position,
                                   self.index(extent));
  } else {
    Value shifted = arith::AddIOp::create(b, loc, p, self.index(loops.pads[i]));
    Value at = arith::SubIOp::create(b, loc, shifted, reach);
    Value stride = self.index(loops.strides[i]);
    Value within = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at,
                                         self.index(extent * loops.strides[i]));
    Value rest = arith::RemUIOp::create(b, loc, at, stride);
    Value divides = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                          rest, self.index(0));
    inside = arith::AndIOp::create(b, loc, within, divides);
    position = arith::DivUIOp::create(b, loc, at, stride);
  }
  Value clamped =
      arith::SelectOp::create(b, loc, inside, position, self.index(0));
  return {clamped, inside};
}

/// x read through computed positions; outside, the accumulator stays.
static Value buildGuardedBody(LinalgBuilder self, const WindowLoops &loops,
                              Value x, ValueRange args, ScalarBody body) {
  RankedTensorType type = getTensorType(x);
  SmallVector<Value> indices{linalg::IndexOp::create(self.b, self.loc, 0)};
  Value inside;
  for (unsigned i = 0; i < loops.getSpatialRank(); ++i) {
    auto [position, ok] = buildTap(self, loops, i, type.getDimSize(i + 1));
    indices.push_back(position);
    inside = inside ? arith::AndIOp::create(self.b, self.loc, inside, ok) : ok;
  }
  for (unsigned tail : loops.xTail)
    indices.push_back(
        linalg::IndexOp::create(self.b, self.loc, loops.getTail(tail)));
  SmallVector<Value> operands{
      tensor::ExtractOp::create(self.b, self.loc, x, indices)};
  llvm::append_range(operands, args);
  Value updated = body(self.b, self.loc, operands);
  return arith::SelectOp::create(self.b, self.loc, inside, updated,
                                 args.back());
}

Value qopt::buildWindow(LinalgBuilder &builder, const WindowLoops &loops,
                        const WindowOperands &from, ScalarBody body) {
  OpBuilder &b = builder.b;
  unsigned rank = loops.getRank(), spatial = loops.getSpatialRank();
  SmallVector<IteratorType> iterators(1 + spatial, IteratorType::parallel);
  iterators.append(spatial, IteratorType::reduction);
  llvm::append_range(iterators, loops.tail);

  bool guarded = loops.hasPadding() || loops.transposed;
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  if (!guarded) {
    operands.push_back(from.x);
    maps.push_back(getWindowMap(b, loops));
  }
  if (from.weight) {
    operands.push_back(from.weight);
    maps.push_back(getDimMap(b, rank, from.weightDims));
  } else {
    // Nothing else says how many taps there are; this is never read.
    operands.push_back(builder.empty(loops.kernel, b.getI8Type()));
    SmallVector<unsigned> taps;
    for (unsigned i = 0; i < spatial; ++i)
      taps.push_back(loops.getTap(i));
    maps.push_back(getDimMap(b, rank, taps));
  }
  maps.push_back(getDimMap(b, rank, from.initDims));
  return builder.reduce(
      operands, from.init, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange args) -> Value {
        if (guarded)
          return buildGuardedBody({nested, loc}, loops, from.x, args, body);
        return body(nested, loc, args);
      });
}

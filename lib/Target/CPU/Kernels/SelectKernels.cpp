//===- SelectKernels.cpp - Products with constant weights to kernels ------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every product is brought to one form, a 2-D window over [N, H, W, C]; then
// the target's dot product decides how input and weights are prepared.
//===----------------------------------------------------------------------===//
#include "ActivationKernel.h"
#include "DecodeKernel.h"
#include "GroupKernel.h"
#include "KernelFrame.h"
#include "PackWeights.h"
#include "Product.h"
#include "WeightCode.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Machine/KernelTarget.h"
#include "qopt/Target/CPU/IR/QCPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/TargetParser/Triple.h"

namespace qopt::qcpu {
#include "qopt/Target/CPU/Kernels/SelectKernels.h.inc"
} // namespace qopt::qcpu

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;

namespace {
class KernelBuilder {
public:
  KernelBuilder(const KernelTarget &target, Product product, bool hasHalves)
      : target(target), p(std::move(product)), hasHalves(hasHalves) {}

  void build(OpBuilder &builder);

private:
  bool isFloat() const { return p.weight.dtype() == DType::f32; }
  int64_t inputChannels() const { return p.weight.shape()[3]; }
  void chooseDot();
  void chooseTile();
  Value stageInput(OpBuilder &builder);
  Tensor foldZeroPoint() const;
  Tensor packBias(const Packing &packing) const;
  Tensor pack(const Packing &packing) const;
  void stageDepth(OpBuilder &builder);
  DenseI64ArrayAttr getPlanes(OpBuilder &builder) const;
  Value createConstant(OpBuilder &builder, const Tensor &tensor) const;
  template <typename WindowOp>
  Value createWindow(OpBuilder &builder, KernelFrame &frame, Value x);

  const KernelTarget &target;
  Product p;
  DotChoice dot;
  bool isRun = false, isDepthwise = false;
  /// The target widens f16 by an instruction.
  bool hasHalves;
};
} // namespace

void KernelBuilder::chooseDot() {
  int64_t channels = p.weight.shape()[0];
  isDepthwise = p.groups > 1 && p.groups == channels && inputChannels() == 1;
  dot = isFloat() ? target.real : target.integer;
  isRun = p.kernelW() > 1 && p.dilations[1] == 1 && p.groups == 1;
  int64_t length = inputChannels() * (isRun ? p.kernelW() : 1);
  if (!isFloat())
    dot = isDepthwise ? getGenericIntegerDot(target)
                      : fitIntegerDot(target, length);
  if (isDepthwise)
    dot.lanes = target.lanes;
}

void KernelBuilder::chooseTile() {
  int64_t channels = p.weight.shape()[0] / (isDepthwise ? 1 : p.groups);
  int64_t pixels = p.isPointwise() ? p.outputPixels() : p.shape[2];
  if (isDepthwise) {
    dot.vectors = 1;
    dot.rows = std::min(pixels, target.depthwiseRows);
    return;
  }
  fitTile(dot, channels, pixels);
}

Value KernelBuilder::stageInput(OpBuilder &builder) {
  // Runs span pixels: they need an input that is known to be contiguous.
  bool hasRuns = isRun && inputChannels() % dot.pack != 0;
  KernelInput input{p.op->getLoc(), p.x, p.pads, p.zeroPoint, p.isUnsigned};
  Value staged = qcpu::stageInput(builder, dot, input, hasRuns);
  p.zeroPoint = input.zeroPoint;
  return staged;
}

/// Planes in front of a volume and behind it; then the planes of all volumes
/// are images.
void KernelBuilder::stageDepth(OpBuilder &builder) {
  Location loc = p.op->getLoc();
  int64_t front = p.depth->front, back = p.depth->back;
  if (front + back != 0) {
    int64_t planes = p.depth->size;
    SmallVector<int64_t> shape{p.xShape[0] / planes, planes,
                               p.xShape[1] * p.xShape[2], p.xShape[3]};
    Value x = castShape(builder, loc, p.x, shape);
    shape[1] += front + back;
    Type element = cast<RankedTensorType>(x.getType()).getElementType();
    auto type = RankedTensorType::get(shape, element);
    Value init = tensor::EmptyOp::create(builder, loc, shape, element);
    p.x = StageOp::create(builder, loc, TypeRange{type},
                          ArrayRef<int64_t>{front, 0, back, 0}, /*subtract=*/0,
                          p.zeroPoint, p.isUnsigned, x, init)
              .getResult(0);
    p.depth->size = shape[1];
    p.xShape[0] = shape[0] * shape[1];
  }
  p.x = castShape(builder, loc, p.x, p.xShape);
}

/// Of an input whose borders are in place.
DenseI64ArrayAttr KernelBuilder::getPlanes(OpBuilder &builder) const {
  if (!p.depth)
    return {};
  int64_t height = p.xShape[1] + p.pads[0] + p.pads[2];
  return builder.getDenseI64ArrayAttr(
      {p.depth->kernel, p.depth->dilation * height,
       p.shape[1] / p.depth->result, p.depth->stride * height});
}

/// acc = bias - zp * sum(w) + sum x * w; wraps like the accumulator does.
Tensor KernelBuilder::foldZeroPoint() const {
  if (isFloat() || p.zeroPoint == 0)
    return p.bias;
  Tensor bias = p.bias;
  int64_t perChannel = p.weight.numElements() / p.weight.shape()[0];
  ArrayRef<int8_t> weights = p.weight.span<int8_t>();
  for (auto [channel, value] : llvm::enumerate(bias.mutableSpan<int32_t>())) {
    int64_t sum = 0;
    for (int8_t weight : weights.slice(channel * perChannel, perChannel))
      sum += weight;
    value = int32_t(uint64_t(int64_t(value)) -
                    uint64_t(sum) * uint64_t(p.zeroPoint));
  }
  return bias;
}

Value KernelBuilder::createConstant(OpBuilder &builder,
                                    const Tensor &tensor) const {
  return createPacked(builder, p.op->getLoc(), tensor);
}

/// One element where sums begin with zeros (-0 is none) and the kernel need not
/// load them.
Tensor KernelBuilder::packBias(const Packing &packing) const {
  Tensor bias = padChannels(foldZeroPoint(), packing);
  bool isZero = llvm::all_of(bias.span<int32_t>(),
                             [](int32_t value) { return value == 0; });
  return isZero && !isDepthwise && dot.lanes > 1 ? Tensor(bias.dtype(), {1})
                                                 : bias;
}

Tensor KernelBuilder::pack(const Packing &packing) const {
  if (isDepthwise)
    return packDepthwiseWeights(p.weight, packing);
  Tensor packed = packConvWeights(p.weight, packing);
  return dot.name == "fma" ? narrowFloats(packed, hasHalves) : packed;
}

template <typename WindowOp>
Value KernelBuilder::createWindow(OpBuilder &builder, KernelFrame &frame,
                                  Value x) {
  Location loc = p.op->getLoc();
  Packing packing{
      isDepthwise ? 1 : p.groups, dot.vectors, dot.lanes, dot.pack, isRun,
      getFill(p.weight, p.levels)};
  Tensor packed = pack(packing);
  int64_t step = dot.vectors * dot.lanes * (isDepthwise ? 1 : dot.pack);
  WeightCode code = chooseWeightCode(packed, step, p.levels, target.tables);
  // A word holds codes of 4 bits for both rows of a tile, or bytes.
  if (dot.name == "smlad" && code.isPacked() && !code.isTable())
    code = code.bits <= 4 ? WeightCode{4, code.offset} : WeightCode();
  // Codes are decoded by whole steps.
  packing.endsEarly = !isDepthwise && packing.groups == 1 && !code.isPacked();
  if (packing.endsEarly && p.weight.shape()[0] % (dot.vectors * dot.lanes))
    packed = pack(packing);
  Value weight = createConstant(
      builder, code.isPacked() ? encodeWeights(packed, step, code) : packed);
  Value bias = createConstant(builder, packBias(packing));
  SmallVector<Value> extras =
      frame.createExtras(p.shape, [&](const Tensor &values) {
        return padChannels(values, packing);
      });
  Value init = tensor::EmptyOp::create(builder, loc, p.shape,
                                       frame.getType().getElementType());
  bool isUnsigned = p.isUnsigned && dot.input != DotInput::s16;
  auto op = WindowOp::create(
      builder, loc, TypeRange{init.getType()}, builder.getStringAttr(dot.name),
      builder.getDenseI64ArrayAttr(
          {dot.rows, dot.vectors, dot.lanes, dot.pack}),
      builder.getDenseI64ArrayAttr({p.kernelH(), p.kernelW()}),
      builder.getDenseI64ArrayAttr(p.strides),
      builder.getDenseI64ArrayAttr(p.dilations), getPlanes(builder),
      builder.getI64IntegerAttr(packing.groups),
      isUnsigned ? builder.getUnitAttr() : UnitAttr(),
      /*own_weights=*/UnitAttr(), /*x_order=*/DenseI64ArrayAttr(),
      /*y_order=*/DenseI64ArrayAttr(), x, weight, bias, extras, init);
  setWeightCode(op, code);
  EpilogueStyle style;
  style.hasFMA = target.real.name == "fma";
  style.hasVectors = dot.lanes > 1;
  frame.fill(op, cast<RankedTensorType>(bias.getType()).getElementType(),
             extras, style);
  return op.getResult(0);
}

void KernelBuilder::build(OpBuilder &builder) {
  KernelFrame frame(builder, p.op,
                    {/*prefersWords=*/target.hasWords, /*hasBroadcasts=*/true});
  if (p.depth)
    stageDepth(builder);
  else
    p.x = castShape(builder, p.op->getLoc(), p.x, p.xShape);
  chooseDot();
  chooseTile();
  Value x = stageInput(builder);
  // The planes of a volume lie below each other.
  if (p.depth) {
    SmallVector<int64_t> shape(cast<RankedTensorType>(x.getType()).getShape());
    shape[1] *= p.depth->size;
    shape[0] /= p.depth->size;
    x = castShape(builder, p.op->getLoc(), x, shape);
  }
  frame.replaceBy(isDepthwise ? createWindow<DepthwiseOp>(builder, frame, x)
                              : createWindow<ConvOp>(builder, frame, x));
}

/// Pieces of 16 entries for qcpu.lut.
static Tensor packLutTable(const Tensor &table) {
  Tensor packed(DType::i8, {512});
  ArrayRef<int8_t> entries = table.span<int8_t>();
  MutableArrayRef<int8_t> bytes = packed.mutableSpan<int8_t>();
  for (int64_t i = 0; i < 512; ++i) {
    int64_t piece = i / 32, entry = piece * 16 + i % 16;
    bytes[i] = entries[entry] ^ (piece % 8 ? entries[entry - 16] : 0);
  }
  return packed;
}

/// Elements from which on shuffles pay.
static constexpr int64_t kLeastLookups = 64;

static void selectLut(fxp::LutOp op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  FailureOr<Tensor> table =
      qg::getTensor(op.getTable(), op.getTable().getType());
  if (failed(table) || op.getX().getType() != type ||
      !type.getElementType().isInteger(8) ||
      type.getNumElements() < kLeastLookups)
    return;
  OpBuilder builder(op);
  Tensor packed = packLutTable(table->bitcast(DType::i8));
  auto packedType = RankedTensorType::get({512}, builder.getI8Type());
  Value pieces =
      qg::createConstant(builder, op.getLoc(), packed, packedType, "table");
  Value init = tensor::EmptyOp::create(builder, op.getLoc(), type.getShape(),
                                       type.getElementType());
  auto lut = LutOp::create(builder, op.getLoc(), TypeRange{type}, op.getX(),
                           pieces, init);
  op.getResult().replaceAllUsesWith(lut.getResult(0));
  op.erase();
}

/// f16 becomes f32 by an instruction, not by a call of a library.
static bool widensHalves(const llvm::Triple &triple, StringRef features) {
  return triple.isAArch64() || features.contains("+f16c") ||
         features.contains("+avx512f");
}

namespace {
struct SelectKernelsPass
    : public qopt::qcpu::impl::SelectKernelsBase<SelectKernelsPass> {
  using SelectKernelsBase::SelectKernelsBase;

  void runOnOperation() override {
    KernelTarget target = getKernelTarget(triple, features);
    raisePointwise(getOperation());
    // Some become products of floats.
    SmallVector<fxp::DecodeMatmulOp> decoded;
    getOperation().walk([&](fxp::DecodeMatmulOp op) { decoded.push_back(op); });
    for (fxp::DecodeMatmulOp op : decoded)
      selectDecodeMatmul(op, target);
    SmallVector<Operation *> candidates;
    SmallVector<fxp::LutOp> lookups;
    SmallVector<fxp::GroupMatmulOp> grouped;
    getOperation().walk([&](Operation *op) {
      if (auto lut = dyn_cast<fxp::LutOp>(op))
        lookups.push_back(lut);
      if (auto product = dyn_cast<fxp::GroupMatmulOp>(op))
        grouped.push_back(product);
      if (isProduct(op))
        candidates.push_back(op);
    });
    if (target.tables == TableLookup::Pshufb)
      for (fxp::LutOp op : lookups)
        selectLut(op);
    for (fxp::GroupMatmulOp op : grouped)
      selectGroupMatmul(op, target);
    OpBuilder builder(&getContext());
    bool hasHalves = widensHalves(llvm::Triple(triple), features);
    for (Operation *op : candidates) {
      std::optional<Product> product = matchProduct(op);
      if (!product)
        selectActivations(op, target);
      else if (!target.hasWords || product->weight.dtype() != DType::f32)
        KernelBuilder(target, std::move(*product), hasHalves).build(builder);
    }
  }
};
} // namespace

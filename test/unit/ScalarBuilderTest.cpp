//===- ScalarBuilderTest.cpp - Compiled functions equal interpreted ones --===//
// SPDX-License-Identifier: Apache-2.0
//
// Every unary and binary kind on floats is written as arith and math ops on
// vectors, compiled for this machine, and compared with EvalBuilder bit by
// bit.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/ScalarBuilder.h"
#include "RunModule.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "qopt/Numerics/Affine.h"
#include "qopt/Numerics/ArrayKernels.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/TargetSelect.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace qopt;

namespace {
constexpr int64_t kLanes = 8;
/// out[0..8) = f(x[0..8), y[0..8)).
using VectorFunction = void (*)(const void *, const void *, void *);
using Emit = llvm::function_ref<Value(OpBuilder &, Location, Value, Value)>;

/// Functions on vectors of one module, compiled together.
class VectorModule {
public:
  VectorModule() : builder_(&test::getContext()) {
    DialectRegistry registry;
    registerBuiltinDialectTranslation(registry);
    registerLLVMDialectTranslation(registry);
    test::getContext().appendDialectRegistry(registry);
    test::getContext().loadAllAvailableDialects();
    module_ = ModuleOp::create(builder_.getUnknownLoc());
  }

  void add(const std::string &name, Type argument, Emit emit) {
    builder_.setInsertionPointToEnd(module_->getBody());
    Location loc = builder_.getUnknownLoc();
    Type pointer = LLVM::LLVMPointerType::get(builder_.getContext());
    auto type = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(builder_.getContext()),
        {pointer, pointer, pointer});
    auto function = LLVM::LLVMFuncOp::create(builder_, loc, name, type);
    Block *entry = function.addEntryBlock(builder_);
    builder_.setInsertionPointToStart(entry);
    Type vector = VectorType::get({kLanes}, argument);
    auto load = [&](unsigned i) {
      return LLVM::LoadOp::create(builder_, loc, vector, entry->getArgument(i),
                                  /*alignment=*/1);
    };
    Value x = load(0), y = load(1);
    Value result = emit(builder_, loc, x, y);
    LLVM::StoreOp::create(builder_, loc, result, entry->getArgument(2),
                          /*alignment=*/1);
    LLVM::ReturnOp::create(builder_, loc, ValueRange());
  }

  bool compile() {
    PassManager pm(module_->getContext());
    pm.addNestedPass<LLVM::LLVMFuncOp>(createConvertMathToLLVMPass());
    pm.addPass(createArithToLLVMConversionPass());
    pm.addPass(createReconcileUnrealizedCastsPass());
    if (failed(pm.run(*module_)))
      return false;
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    auto context = std::make_unique<llvm::LLVMContext>();
    auto translated = translateModuleToLLVMIR(*module_, *context);
    auto jit = llvm::orc::LLJITBuilder().create();
    if (!translated || !jit) {
      llvm::consumeError(jit.takeError());
      return false;
    }
    jit_ = std::move(*jit);
    translated->setDataLayout(jit_->getDataLayout());
    return !llvm::errorToBool(jit_->addIRModule(llvm::orc::ThreadSafeModule(
        std::move(translated), std::move(context))));
  }

  VectorFunction lookup(const std::string &name) {
    auto symbol = jit_->lookup(name);
    if (!symbol) {
      llvm::consumeError(symbol.takeError());
      return nullptr;
    }
    return symbol->toPtr<VectorFunction>();
  }

private:
  OpBuilder builder_;
  OwningOpRef<ModuleOp> module_;
  std::unique_ptr<llvm::orc::LLJIT> jit_;
};
} // namespace

template <typename T> static std::vector<T> makeArguments() {
  std::vector<T> values = {0,
                           T(-0.0),
                           1,
                           -1,
                           T(0.5),
                           T(-0.5),
                           2,
                           -3,
                           INFINITY,
                           -INFINITY,
                           NAN,
                           std::numeric_limits<T>::denorm_min(),
                           std::numeric_limits<T>::min(),
                           std::numeric_limits<T>::max(),
                           T(88.5),
                           T(-87.5),
                           T(0.999),
                           T(1.001)};
  Tensor random = test::makeRandom(DType::f64, {2000}, -1, 1, 42);
  for (int64_t i = 0; i < 2000; ++i)
    values.push_back(T(std::ldexp(random.getFloat(i), int(i % 40) - 25)));
  while (values.size() % kLanes)
    values.push_back(1);
  return values;
}

template <typename T> static bool isSame(T a, T b) {
  return (a != a && b != b) || std::memcmp(&a, &b, sizeof(T)) == 0;
}

/// A name per kind and type.
template <typename Kind> static std::string getName(Kind kind, Type type) {
  std::string name;
  llvm::raw_string_ostream(name) << "k" << unsigned(kind) << type;
  return name;
}

static bool isNumberFunction(UnaryKind kind) {
  return numerics::isDefinedOn(kind, numerics::ElementClass::Float) &&
         kind != UnaryKind::is_nan && kind != UnaryKind::is_inf;
}

template <typename T> static void compareUnary(Type type) {
  VectorModule module;
  std::vector<UnaryKind> kinds;
  for (uint32_t i = 0; auto kind = symbolizeUnaryKind(i); ++i)
    if (isNumberFunction(*kind))
      kinds.push_back(*kind);
  for (UnaryKind kind : kinds)
    module.add(getName(kind, type), type,
               [&](OpBuilder &b, Location loc, Value x, Value) {
                 return emitUnary(b, loc, kind, x);
               });
  ASSERT_TRUE(module.compile());
  std::vector<T> x = makeArguments<T>(), got(x.size()), want(x.size());
  for (UnaryKind kind : kinds) {
    VectorFunction function = module.lookup(getName(kind, type));
    ASSERT_TRUE(function);
    for (size_t i = 0; i < x.size(); i += kLanes)
      function(&x[i], &x[i], &got[i]);
    applyUnary(kind, x.data(), want.data(), x.size());
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_TRUE(isSame(got[i], want[i]))
          << stringifyUnaryKind(kind).str() << " of " << x[i] << ": compiled "
          << got[i] << ", interpreted " << want[i];
  }
}

template <typename T> static void compareBinary(Type type) {
  VectorModule module;
  std::vector<BinaryKind> kinds;
  for (uint32_t i = 0; auto kind = symbolizeBinaryKind(i); ++i)
    if (numerics::isDefinedOn(*kind, numerics::ElementClass::Float))
      kinds.push_back(*kind);
  for (BinaryKind kind : kinds)
    module.add(getName(kind, type), type,
               [&](OpBuilder &b, Location loc, Value x, Value y) {
                 return emitBinary(b, loc, kind, {x, y});
               });
  ASSERT_TRUE(module.compile());
  std::vector<T> x = makeArguments<T>(), y = x;
  std::rotate(y.begin(), y.begin() + 13, y.end());
  std::vector<T> got(x.size()), want(x.size());
  for (BinaryKind kind : kinds) {
    VectorFunction function = module.lookup(getName(kind, type));
    ASSERT_TRUE(function);
    for (size_t i = 0; i < x.size(); i += kLanes)
      function(&x[i], &y[i], &got[i]);
    applyBinary(kind, x.data(), y.data(), want.data(), x.size());
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_TRUE(isSame(got[i], want[i]))
          << stringifyBinaryKind(kind).str() << " of " << x[i] << ", " << y[i]
          << ": compiled " << got[i] << ", interpreted " << want[i];
  }
}

static Type getF32() { return Float32Type::get(&test::getContext()); }
static Type getF64() { return Float64Type::get(&test::getContext()); }

TEST(ScalarBuilder, UnaryF32) { compareUnary<float>(getF32()); }
TEST(ScalarBuilder, UnaryF64) { compareUnary<double>(getF64()); }
TEST(ScalarBuilder, BinaryF32) { compareBinary<float>(getF32()); }
TEST(ScalarBuilder, BinaryF64) { compareBinary<double>(getF64()); }

TEST(ScalarBuilder, BinaryI8NeverTraps) {
  VectorModule module;
  Type type = IntegerType::get(&test::getContext(), 8);
  std::vector<BinaryKind> kinds;
  for (uint32_t i = 0; auto kind = symbolizeBinaryKind(i); ++i)
    kinds.push_back(*kind);
  for (BinaryKind kind : kinds)
    for (bool isUnsigned : {false, true})
      module.add(getName(kind, type) + (isUnsigned ? "u" : "s"), type,
                 [&](OpBuilder &b, Location loc, Value x, Value y) {
                   return emitBinary(b, loc, kind, {x, y}, isUnsigned);
                 });
  ASSERT_TRUE(module.compile());
  EvalBuilder eval;
  for (BinaryKind kind : kinds)
    for (bool isUnsigned : {false, true}) {
      VectorFunction function =
          module.lookup(getName(kind, type) + (isUnsigned ? "u" : "s"));
      ASSERT_TRUE(function);
      for (int x = -128; x < 128; x += kLanes)
        for (int y = -128; y < 128; ++y) {
          int8_t lhs[kLanes], rhs[kLanes], got[kLanes];
          for (int i = 0; i < kLanes; ++i) {
            lhs[i] = int8_t(x + i);
            rhs[i] = int8_t(y);
          }
          function(lhs, rhs, got);
          for (int i = 0; i < kLanes; ++i)
            ASSERT_EQ(got[i], numerics::emitBinaryInt(eval, kind, lhs[i],
                                                      rhs[i], isUnsigned))
                << stringifyBinaryKind(kind).str() << " " << int(lhs[i]) << " "
                << y;
        }
    }
}

TEST(ScalarBuilder, RequantizeIsTheReference) {
  VectorModule module;
  Type i32 = IntegerType::get(&test::getContext(), 32);
  numerics::StoredRange range{-5, -128, 127};
  FixedScale fixed = getFixedScale(0.0123f, {RequantizeMode::Fixed, 31});
  module.add("f32", i32, [&](OpBuilder &builder, Location loc, Value x, Value) {
    IRScalarBuilder b(builder, loc);
    auto type = VectorType::get({kLanes}, builder.getF32Type());
    Value zero = arith::ConstantOp::create(
        builder, loc, cast<TypedAttr>(builder.getZeroAttr(type)));
    return numerics::emitRequantize(b, x, 3, b.floatLike(zero, 0.0123f), range);
  });
  module.add("fixed", i32,
             [&](OpBuilder &builder, Location loc, Value x, Value) {
               IRScalarBuilder b(builder, loc);
               Value like = b.extendToI64(x);
               return numerics::emitRequantizeFixed(
                   b, x, 3,
                   numerics::FixedFactor{b.intLike(like, fixed.multiplier),
                                         b.intLike(like, fixed.shift)},
                   range);
             });
  ASSERT_TRUE(module.compile());
  EvalBuilder eval;
  Tensor random = test::makeRandom(DType::i32, {4096}, -20000, 20000, 5);
  ArrayRef<int32_t> x = random.span<int32_t>();
  int32_t got[kLanes];
  for (size_t i = 0; i < x.size(); i += kLanes) {
    module.lookup("f32")(&x[i], &x[i], got);
    for (int lane = 0; lane < kLanes; ++lane)
      ASSERT_EQ(got[lane],
                numerics::emitRequantize(eval, x[i + lane], 3, 0.0123f, range));
    module.lookup("fixed")(&x[i], &x[i], got);
    for (int lane = 0; lane < kLanes; ++lane)
      ASSERT_EQ(got[lane], numerics::emitRequantizeFixed(
                               eval, x[i + lane], 3,
                               numerics::FixedFactor{fixed.multiplier,
                                                     int64_t(fixed.shift)},
                               range));
  }
}

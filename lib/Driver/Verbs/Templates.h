//===- Templates.h - What `qopt new` writes -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Texts with @WORDS@ in them. Every test among them fails until somebody does
// the work.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DRIVER_VERBS_TEMPLATES_H
#define QOPT_DRIVER_VERBS_TEMPLATES_H

namespace qopt::driver {

constexpr const char *kPassSource = R"__(@BANNER@
// SPDX-License-Identifier: Apache-2.0
//
// Why one wants it, in one to four lines.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace @SPACE@ {
#include "qopt/@STAGE@/@NAME@.h.inc"
} // namespace @SPACE@

using namespace mlir;
using namespace qopt;

namespace {
/// before -> after, in one line
struct @NAME@Pattern : OpRewritePattern<qg::UnaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::UnaryOp op,
                                PatternRewriter &rewriter) const override {
    return rewriter.notifyMatchFailure(op, "the pattern is not written");
  }
};

struct @NAME@ : @SPACE@::impl::@NAME@Base<@NAME@> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<@NAME@Pattern>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
)__";

constexpr const char *kPassDefinition =
    R"__(def @NAME@ : Pass<"@FLAG@", "::mlir::func::FuncOp"> {
  let summary = "TODO: one sentence";
  let description = [{
    TODO: what it does, why one wants it, when it declines.

    {{example test/@STAGE@/@KEBAB@.mlir}}
  }];
  let dependentDialects = ["::qopt::qg::QGDialect"];
}

)__";

constexpr const char *kPassTest =
    R"__(// RUN: qopt-opt %s --@FLAG@ | FileCheck %s

// CHECK-LABEL: func @idea_in_the_name
// CHECK: this fails until @NAME@ does something
func.func @idea_in_the_name(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = qg.unary relu %x : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func @where_it_declines
// CHECK: qg.unary neg
func.func @where_it_declines(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = qg.unary neg %x : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}
)__";

constexpr const char *kPluginCMake = R"__(cmake_minimum_required(VERSION 3.25)
project(@NAME@ LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(Qopt CONFIG REQUIRED)
add_library(@NAME@ MODULE @NAME@.cpp)
target_link_libraries(@NAME@ PRIVATE Qopt::Qopt)
target_compile_options(@NAME@ PRIVATE -fno-exceptions)
)__";

constexpr const char *kPluginSource = R"__(@BANNER@
//
// qopt-opt --load-pass-plugin=lib@NAME@.so
//   --pass-pipeline="builtin.module(@KEBAB@)" x.mlir
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace {
struct @NAME@ : PassWrapper<@NAME@, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(@NAME@)
  StringRef getArgument() const final { return "@KEBAB@"; }
  StringRef getDescription() const final { return "counts linear ops"; }
  void runOnOperation() override {
    unsigned count = 0;
    getOperation().walk([&](Operation *op) {
      if (auto rule = dyn_cast<qopt::FormatRuleOpInterface>(op))
        count += rule.getFormatRule() == qopt::FormatRule::Linear;
    });
    getOperation()->setAttr(
        "qg.linear_ops", Builder(&getContext()).getI64IntegerAttr(count));
  }
};
} // namespace

extern "C" ::mlir::PassPluginLibraryInfo LLVM_ATTRIBUTE_WEAK
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "@NAME@", "0.1",
          []() { PassRegistration<@NAME@>(); }};
}
)__";

constexpr const char *kOpHandler =
    R"__(static LogicalResult import@NAME@(OpBinder &op) {
  Value x = op.in(0);
  // A null value means that something was reported, and passes through.
  if (!x)
    return failure();
  return op.unsupported("@NAME@ is not written");
}

)__";

constexpr const char *kOpRow =
    R"__(  registry.add("@NAME@", /*since=*/@SINCE@, import@NAME@);
)__";

constexpr const char *kOpTest = R"__(# TODO: what it becomes, in one sentence.
# RUN: %python %S/Inputs/import_each.py %s | FileCheck %s

# CHECK-LABEL: === idea_in_the_name
# CHECK: this fails until @NAME@ is imported
#--- idea_in_the_name opset=@OPSET@
(float[2,3] x) => (y)
{ y = @NAME@ (x) }
)__";

constexpr const char *kFormatTest =
    R"__(// RUN: qopt-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @type
// CHECK-SAME: tensor<4x!qg.q<@NAME@
func.func @type(%x: tensor<4x!qg.q<@NAME@, 5.000000e-01 : 0>>) -> tensor<4x!qg.q<@NAME@, 5.000000e-01 : 0>> {
  // CHECK: this fails until an op shows what @NAME@ is for
  return %x : tensor<4x!qg.q<@NAME@, 5.000000e-01 : 0>>
}
)__";

constexpr const char *kTableTest =
    R"__(// RUN: qopt-opt %s --qg-quantize-dynamic=weight-format=@NAME@ | FileCheck %s

// CHECK-LABEL: func @weights
// CHECK: qg.constant {{.*}}!qg.q<@STORED@, axis = 0, {{.*}}table = {{.*}}>
func.func @weights(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<[[1.0, -0.5, 0.25, 0.0], [2.0, 1.0, 0.0, -2.0]]> : tensor<2x4xf32> -> tensor<2x4xf32>
  // CHECK: this fails until it says to which levels @NAME@ rounds
  %y = qg.matmul %x, %w transpose_rhs : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
)__";

constexpr const char *kVerbSource = R"__(@BANNER@
// SPDX-License-Identifier: Apache-2.0
//
// What one learns or gets from it, in one to four lines.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"

using namespace qopt;
using namespace qopt::driver;

static absl::StatusOr<ExitCode> run@NAME@(const Arguments &arguments,
                                          Session &session) {
  QOPT_ASSIGN(ImportOptions options, getImportOptions(arguments));
  QOPT_ASSIGN(auto module,
              loadModel(session.context(), arguments.positional()[0], options));
  QOPT_ASSIGN(ModelInterface interface, getInterface(*module));
  session.out() << interface.inputs.size() << " inputs\n";
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb get@NAME@Verb() {
  return {"@KEBAB@", "TODO: what it does, in a few words", "MODEL [options]",
          1, 1, {getImportFlags()}, run@NAME@,
          /*place=*/200};
}
} // namespace qopt::driver
)__";

constexpr const char *kVerbTest = R"__(# TODO: what it shows, in one sentence.
RUN: qopt @KEBAB@ %S/Inputs/cnn.onnxtxt | FileCheck %s
CHECK: 1 inputs
CHECK: this fails until @KEBAB@ says more

# Every refusal has its text and its exit code.
RUN: %python %S/Inputs/exit_code.py 4 qopt @KEBAB@ %s 2>&1 | FileCheck %s --check-prefix=REFUSED
REFUSED: error[QOPT
)__";

constexpr const char *kLayerDefinition =
    R"__(def HLS_@NAME@Op : HLS_Layer<"@SNAKE@"> {
  let summary = "TODO: what the unit does, in a few words";
  let description = [{
    TODO: the formula, and the order of what it reads and writes.

    * C1: the result has the lanes and elements of the input.

    Example:
    ```mlir
    %y = hls.@SNAKE@ %x : !hls.stream<64 x 4 x si8> -> !hls.stream<64 x 4 x si8>
    ```
  }];
  let arguments = (ins HLS_StreamType:$input);
  let results = (outs HLS_StreamType:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

)__";

constexpr const char *kLayerSource = R"__(@BANNER@
// SPDX-License-Identifier: Apache-2.0
//
// In which order it reads and writes, and what it keeps, in one to four lines.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "Unit.h"
#include "Verify.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

LogicalResult @NAME@Op::verify() {
  return checkMap(*this, getInput().getType(), getResult().getType()); // C1
}

void @NAME@Op::addConversions(Conversions &conversions) {
  // TODO: conversions.add(convertFoo), for
  // static FailureOr<Value> convertFoo(fxp::FooOp op, Streams &streams)
}

namespace {
class @NAME@Unit : public Unit {
public:
  explicit @NAME@Unit(@NAME@Op op) : Unit(op), lanes_(input().getLanes()) {}

  void fold(int64_t cycles) override {
    int64_t elements = input().getElements();
    lanes_ = pickDivisor(elements,
                         [&](int64_t d) { return elements / d <= cycles; });
  }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return input().getElements() / lanes_; }
  Action action(int64_t) const override { return {1, 1}; }
  // LUTs, DSPs, block memories.
  Resources resources(const Part &) const override { return {40, 0, 0}; }
  std::string describe() const override {
    return std::to_string(lanes_) + " a cycle";
  }

  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    text.loop("token", cycles());
    text.pragma("PIPELINE II=1 style=flp");
    // TODO: the function; this one copies.
    text.line("out.write(in.read());");
    text.close();
    text.close();
  }

private:
  int64_t lanes_;
};
} // namespace

UnitPtr @NAME@Op::createUnit() { return makeUnit<@NAME@Unit>(*this); }
)__";

constexpr const char *kLayerTest =
    R"__(// RUN: qopt-opt %s --hls-fold=cycles=16 -split-input-file -verify-diagnostics | FileCheck %s

// 64 elements in 16 cycles: four a cycle.
// CHECK-LABEL: func.func @folded
// CHECK: hls.@SNAKE@ %{{.*}} : <16 x 4 x si8> -> <16 x 4 x si8>
func.func @folded(%x: !hls.stream<64 x 1 x si8>) -> !hls.stream<64 x 1 x si8> {
  // CHECK: this fails until @NAME@ does something
  %y = hls.@SNAKE@ %x : !hls.stream<64 x 1 x si8> -> !hls.stream<64 x 1 x si8>
  return %y : !hls.stream<64 x 1 x si8>
}

// -----
func.func @lanes(%x: !hls.stream<64 x 4 x si8>) {
  // C1: expected-error@+1 {{'hls.@SNAKE@' op expects a result with 4 lanes, got 2}}
  %y = hls.@SNAKE@ %x : !hls.stream<64 x 4 x si8> -> !hls.stream<128 x 2 x si8>
  return
}
)__";

constexpr const char *kTargetSource = R"__(@BANNER@
// SPDX-License-Identifier: Apache-2.0
//
// What it writes, and what it leaves to the caller.
//===----------------------------------------------------------------------===//
#include "qopt/Target/Target.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Target/Integer/LowerToIntegers.h"

#include "llvm/Support/FormatVariadic.h"

using namespace qopt;

static constexpr EmitKind kKinds[] = {{"@KEBAB@", /*suffix=*/nullptr}};

static constexpr TargetStage kStages[] = {
    {"@KEBAB@-lowered", "exact integer ops between integers"},
};

namespace {
class @NAME@Target : public Target {
public:
  static absl::StatusOr<std::unique_ptr<Target>>
  create(const TargetRequest &request) {
    auto target = std::make_unique<@NAME@Target>();
    target->dropsHead_ = request.dropsHead;
    return target;
  }

  std::string getRequantize() const override { return "fixed:31"; }
  absl::StatusOr<llvm::json::Object> describe() const override {
    return llvm::json::Object();
  }
  bool isIntegerOnly() const override { return true; }

  std::string getPipeline(llvm::StringRef stage,
                          const TargetInput &input) const override {
    return llvm::formatv(
               "qopt-lower-to-integers{{requantize-mode={0} drop-head={1}}",
               input.requantize, dropsHead_ ? "true" : "false")
        .str();
  }

  absl::StatusOr<Emission> emit(TargetInput &input,
                                const std::set<std::string> &) const override {
    mlir::OwningOpRef<mlir::ModuleOp> module(input.quantized.clone());
    QOPT_RETURN_IF_ERROR(
        lowerToIntegers(*module, {input.requantize, dropsHead_}));
    // TODO: the target's own form; this one names the ops.
    std::string text;
    module->walk([&](mlir::Operation *op) {
      text += op->getName().getStringRef().str() + "\n";
    });
    Emission emission;
    emission.files["ops.txt"].bytes = std::move(text);
    return emission;
  }

private:
  bool dropsHead_ = false;
};
} // namespace

namespace qopt {
const TargetRow &get@NAME@Target() {
  static const TargetRow kRow = {
      "@KEBAB@",
      /*flags=*/{},
      kKinds,
      kStages,
      /*hasBundle=*/false,
      @NAME@Target::create,
      [](const llvm::json::Object &) { return FlagValues(); }};
  return kRow;
}
} // namespace qopt
)__";

constexpr const char *kTargetTest =
    R"__(// TODO: what it writes, in one sentence.
// RUN: rm -rf %t && qopt compile %s --scheme float --emit=@KEBAB@ -o %t/ -q
// RUN: FileCheck %s < %t/ops.txt
// CHECK: fxp.requantize
// CHECK: this fails until @NAME@ does something

// The stage is what --emit=ir prints.
// RUN: qopt compile %s --scheme float --emit=ir:@KEBAB@-lowered -o %t.ir -q
// RUN: FileCheck %s --check-prefix=STAGE < %t.ir.@KEBAB@-lowered.mlir
// STAGE: fxp.requantize
func.func @main(%x: tensor<1x6xi8> {qg.name = "x", qg.encoding = !qg.q<si8, 0.5 : 3>})
    -> (tensor<1x6xi8> {qg.name = "y", qg.encoding = !qg.q<si8, 1.0 : 0>}) {
  %0 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 3 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x6xi8> -> tensor<1x6xi8>
  return %0 : tensor<1x6xi8>
}
)__";

constexpr const char *kTargetRow =
    "| Target/@NAME@ | TODO: what it is for, in a few words | Conversion, "
    "Dialect, Numerics, Support, Target, Target/Integer, Target/Memory |\n";

constexpr const char *kRoundingRow =
    R"__(QOPT_ROUNDER(round@NAME@, "@KEBAB@", false,
             "TODO: what it does, in a few words",
             "TODO: authors, title, year")
)__";

constexpr const char *kRoundingSource = R"__(@BANNER@
// SPDX-License-Identifier: Apache-2.0
//
// The idea and where it is from, in one to four lines.
//===----------------------------------------------------------------------===//
#include "../ChannelBlock.h"

using namespace qopt;

/// Every weight at its nearest level under `parameters`.
static Trial makeTrial(const ChannelBlock &block, Choice parameters) {
  Trial result = block.makeTrial(std::move(parameters));
  int64_t columns = block.numColumns();
  for (int64_t r = 0; r < block.numRows(); ++r)
    for (int64_t c = 0; c < columns; ++c)
      result.values(r, c) =
          roundToGrid(block.getWeights()(r, c),
                      block.scaled(block.at(result.parameters, r, c)),
                      result.stored[r * columns + c]);
  result.losses = block.measure(block.getWeights() - result.values);
  return result;
}

void qopt::round@NAME@(ChannelBlock &block) {
  // TODO: better trials; the best of a channel stays.
  block.offer(makeTrial(block, block.fitByDiagonal()));
}
)__";

} // namespace qopt::driver

#endif // QOPT_DRIVER_VERBS_TEMPLATES_H

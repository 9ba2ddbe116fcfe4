// RUN: not qopt-opt %s "--qg-apply-plan=file=%S/Inputs/plan-foreign.json" 2>&1 | FileCheck %s
// RUN: not qopt-opt %s "--qg-apply-plan=file=%S/Inputs/plan-newer.json" 2>&1 | FileCheck %s --check-prefix=NEWER
// RUN: not qopt-opt %s "--qg-apply-plan=file=%s" 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: not qopt-opt %s "--qg-apply-plan=file=%S/missing.json" 2>&1 | FileCheck %s --check-prefix=MISSING

// Everything that is wrong is said at once.
// CHECK: the plan does not fit the model: 'nowhere': the model has no such qg.matmul
// CHECK: note: 'second': expected a format si2 to si8{{.*}}, got 'si9'
// CHECK: note: 'second': expected rounding gptq, nearest, descent or gpfq, got 'up'
// CHECK: note: 'second': is decided twice, si9 and si4
// NEWER: was written by a newer qopt (qopt.plan/2, this one reads qopt.plan/1)
// TEXT: apply-plan-invalid.mlir':
// MISSING: missing.json
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %0 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("second")
  return %0 : tensor<1x2xf32>
}

// RUN: qopt-opt %s --convert-qg-to-linalg --canonicalize --cse --cpu-fuse-elementwise --cpu-bufferize --plan-memory --cpu-outline-steps | FileCheck %s

// The chain is one step that reads and writes buffers of its own

// CHECK-LABEL: func.func @main
// CHECK-SAME:    (%[[X:.*]]: memref<2x3xf32> {qg.name = "x"}, %[[Y:.*]]: memref<2x6xf32> {qg.name = "y"})
// CHECK:         call @step_0({{.*}}qopt.extent = 1
// CHECK:         call @step_1(
// CHECK:         return
// CHECK:       func.func private @step_0(%{{.*}}: memref<{{.*}}> {llvm.noalias}
// CHECK:         scf.for
// CHECK:         arith.addf
// CHECK:         arith.mulf
// CHECK:         memref.store
func.func @main(%x: tensor<2x3xf32> {qg.name = "x"}) -> (tensor<2x6xf32> {qg.name = "y"}) {
  %a = qg.binary add %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %b = qg.binary mul %a, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %c = qg.concat %b, %x axis 1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  return %c : tensor<2x6xf32>
}

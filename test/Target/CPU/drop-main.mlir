// RUN: qopt-opt %s --split-input-file --verify-diagnostics --cpu-drop-main | FileCheck %s

// What is left is what @main called

// CHECK-NOT:   @main
// CHECK-NOT:   memref.global
// CHECK-LABEL: func.func private @step_0
memref.global "private" constant @weights : memref<4xf32> = dense<1.0>
func.func @main(%x: memref<4xf32>, %y: memref<4xf32>) {
  %lo = arith.constant 0 : index
  %hi = arith.constant 1 : index
  func.call @step_0(%x, %y, %lo, %hi) : (memref<4xf32>, memref<4xf32>, index, index) -> ()
  return
}
func.func private @step_0(%x: memref<4xf32>, %y: memref<4xf32>, %lo: index, %hi: index) {
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  return
}

// -----

func.func @main(%x: memref<4xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{expects @main to call its steps}}
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  return
}

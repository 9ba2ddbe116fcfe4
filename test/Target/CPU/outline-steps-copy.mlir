// RUN: qopt-opt %s --cpu-outline-steps | FileCheck %s

// The pass brings the dialect of the loop nest that a copy becomes: no op of
// this module does.
// CHECK-LABEL: func.func @main
// CHECK:       call @step_0(
// CHECK:       func.func private @step_0(
// CHECK:       scf.for
func.func @main(%x: memref<4xf32>, %y: memref<4xf32>) {
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  return
}

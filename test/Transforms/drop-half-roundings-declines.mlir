// RUN: qopt-opt %s --qg-drop-half-roundings | FileCheck %s

// A cast of f64 is none of f32.
// CHECK-LABEL: func @other_floats
// CHECK:         qg.cast {{.*}} -> tensor<2xf16>
// CHECK:         qg.cast {{.*}} -> tensor<2xf32>
func.func @other_floats(%x: tensor<2xf64>) -> tensor<2xf32> {
  %0 = qg.cast %x : tensor<2xf64> -> tensor<2xf16>
  %1 = qg.cast %0 : tensor<2xf16> -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

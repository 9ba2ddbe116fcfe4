// RUN: qopt-opt %s --qg-drop-half-roundings | FileCheck %s

// Casts stay where the caller has 16-bit floats.
// CHECK-LABEL: func @chain
// CHECK-NEXT:    %[[X:.*]] = qg.cast %arg0 : tensor<2x3xf16> -> tensor<2x3xf32>
// CHECK-NEXT:    %[[T:.*]] = qg.transpose %[[X]] perm [1, 0]
// CHECK-NEXT:    %[[R:.*]] = qg.unary relu %[[T]]
// CHECK-NEXT:    %[[S:.*]] = qg.reshape %[[R]] : tensor<3x2xf32> -> tensor<6xf32>
// CHECK-NEXT:    %[[U:.*]] = qg.unary tanh %[[S]] : tensor<6xf32>
// CHECK-NEXT:    %[[Y:.*]] = qg.cast %[[U]] : tensor<6xf32> -> tensor<6xf16>
// CHECK-NEXT:    return %[[Y]]
func.func @chain(%x: tensor<2x3xf16>) -> tensor<6xf16> {
  %t = qg.transpose %x perm [1, 0] : tensor<2x3xf16> -> tensor<3x2xf16>
  %0 = qg.cast %t : tensor<3x2xf16> -> tensor<3x2xf32>
  %1 = qg.unary relu %0 : tensor<3x2xf32> -> tensor<3x2xf32>
  %2 = qg.cast %1 : tensor<3x2xf32> -> tensor<3x2xf16>
  %3 = qg.reshape %2 : tensor<3x2xf16> -> tensor<6xf16>
  %4 = qg.cast %3 : tensor<6xf16> -> tensor<6xf32>
  %5 = qg.unary tanh %4 : tensor<6xf32> -> tensor<6xf32>
  %6 = qg.cast %5 : tensor<6xf32> -> tensor<6xf16>
  return %6 : tensor<6xf16>
}

// Indices are none of the floats, what a border holds is one.
// CHECK-LABEL: func @picked
// CHECK:         %[[Z:.*]] = qg.constant dense<0.000000e+00> : tensor<f16>
// CHECK:         %[[X:.*]] = qg.cast %arg0 : tensor<3xf16> -> tensor<3xf32>
// CHECK:         %[[G:.*]] = qg.gather %[[X]], %{{.*}} axis 0 : (tensor<3xf32>, tensor<2xi64>)
// CHECK:         %[[V:.*]] = qg.cast %[[Z]] : tensor<f16> -> tensor<f32>
// CHECK:         qg.pad constant %[[G]] value %[[V]] {{.*}}tensor<4xf32>
func.func @picked(%x: tensor<3xf16>) -> tensor<4xf32> {
  %i = qg.constant dense<[2, 0]> : tensor<2xi64> -> tensor<2xi64>
  %z = qg.constant dense<0.0> : tensor<f16> -> tensor<f16>
  %g = qg.gather %x, %i axis 0 : (tensor<3xf16>, tensor<2xi64>) -> tensor<2xf16>
  %p = qg.pad constant %g value %z low [1] high [1] : (tensor<2xf16>, tensor<f16>) -> tensor<4xf16>
  %w = qg.cast %p : tensor<4xf16> -> tensor<4xf32>
  return %w : tensor<4xf32>
}

// Every part of a concatenation; another reader keeps the 16 bits.
// CHECK-LABEL: func @concat
// CHECK-DAG:     %[[A:.*]] = qg.cast %arg0 : tensor<2xbf16> -> tensor<2xf32>
// CHECK-DAG:     %[[B:.*]] = qg.cast %arg1 : tensor<3xbf16> -> tensor<3xf32>
// CHECK:         %[[WIDE:.*]] = qg.concat %[[A]], %[[B]] {{.*}}tensor<5xf32>
// CHECK:         %[[HALF:.*]] = qg.concat %arg0, %arg1 {{.*}}tensor<5xbf16>
// CHECK:         return %[[WIDE]], %[[HALF]]
func.func @concat(%a: tensor<2xbf16>, %b: tensor<3xbf16>) -> (tensor<5xf32>, tensor<5xbf16>) {
  %c = qg.concat %a, %b axis 0 : (tensor<2xbf16>, tensor<3xbf16>) -> tensor<5xbf16>
  %w = qg.cast %c : tensor<5xbf16> -> tensor<5xf32>
  return %w, %c : tensor<5xf32>, tensor<5xbf16>
}

// RUN: qopt-opt %s --qg-fold-qdq --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qg-fold-qdq=wide --split-input-file | FileCheck %s --check-prefix=WIDE

// 200 - 3 and 255 - 3 leave a signed byte: 127 + 70 and 127 + 125. Channel 0 of
// the two is read again, by the rest.
// CHECK-LABEL: func @conv
// CHECK-DAG:     %[[W:.*]] = qg.constant dense<{{\[\[\[\[}}127, 7, 70]]], {{\[\[\[}}127, -3, 125]]]]> : tensor<2x1x1x3xi8> -> tensor<2x1x1x3x!qg.q<si8, 2.500000e-01 : 0>>
// CHECK-DAG:     %[[PICKED:.*]] = qg.constant dense<[0, 1, 0]> : tensor<3xi64>
// CHECK:         %[[X:.*]] = qg.gather %arg0, %[[PICKED]] axis 3
// CHECK:         qg.conv %[[X]], %[[W]]
func.func @conv(%q: tensor<1x2x2x2x!qg.q<ui8, 0.5 : 9>>) -> tensor<1x2x2x2xf32> {
  %x = qg.dequantize %q : tensor<1x2x2x2x!qg.q<ui8, 0.5 : 9>> -> tensor<1x2x2x2xf32>
  %qw = qg.constant dense<[[[[200, 10]]], [[[255, 0]]]]> : tensor<2x1x1x2xi8> -> tensor<2x1x1x2x!qg.q<ui8, 0.25 : 3>>
  %w = qg.dequantize %qw : tensor<2x1x1x2x!qg.q<ui8, 0.25 : 3>> -> tensor<2x1x1x2xf32>
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x2x2x2xf32>
  return %y : tensor<1x2x2x2xf32>
}

// -----
// A matrix keeps its zero point but for targets that round sums as integers.
// 255 = 127 + 127 + 1.
// CHECK-LABEL: func @matrix
// CHECK:         qg.matmul %arg0, {{.*}}tensor<2x1x!qg.q<ui8, 2.500000e-01 : 0>>
// WIDE-LABEL:  func @matrix
// WIDE-DAG:      %[[W:.*]] = qg.constant dense<{{\[\[}}127], [5], [127], [1]]> : tensor<4x1xi8>
// WIDE-DAG:      %[[PICKED:.*]] = qg.constant dense<[0, 1, 0, 0]> : tensor<4xi64>
// WIDE:          %[[X:.*]] = qg.gather %arg0, %[[PICKED]] axis 1
// WIDE:          qg.matmul %[[X]], %[[W]]
func.func @matrix(%q: tensor<1x2x!qg.q<ui8, 0.5 : 9>>) -> tensor<1x1xf32> {
  %x = qg.dequantize %q : tensor<1x2x!qg.q<ui8, 0.5 : 9>> -> tensor<1x2xf32>
  %qw = qg.constant dense<[[255], [5]]> : tensor<2x1xi8> -> tensor<2x1x!qg.q<ui8, 0.25 : 0>>
  %w = qg.dequantize %qw : tensor<2x1x!qg.q<ui8, 0.25 : 0>> -> tensor<2x1xf32>
  %y = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----
// Zero points by column: no product takes them.
// CHECK-LABEL: func @columns
// CHECK-DAG:     %[[W:.*]] = qg.constant dense<{{\[\[}}127, 5], [100, 0]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si8, axis = 1,
// CHECK:         %[[X:.*]] = qg.gather %arg0, %{{.*}} axis 1
// CHECK:         qg.matmul %[[X]], %[[W]]
func.func @columns(%q: tensor<1x1x!qg.q<ui8, 0.5 : 9>>) -> tensor<1x2xf32> {
  %x = qg.dequantize %q : tensor<1x1x!qg.q<ui8, 0.5 : 9>> -> tensor<1x1xf32>
  %qw = qg.constant dense<[[-29, -118]]> : tensor<1x2xi8> -> tensor<1x2x!qg.q<ui8, axis = 1, dense_resource<s> : tensor<2xf32>, dense_resource<z> : tensor<2xi32>>>
  %w = qg.dequantize %qw : tensor<1x2x!qg.q<ui8, axis = 1, dense_resource<s> : tensor<2xf32>, dense_resource<z> : tensor<2xi32>>> -> tensor<1x2xf32>
  %y = qg.matmul %x, %w : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
{-# dialect_resources: { builtin: {
  s: "0x040000000000003f0000803e",
  z: "0x040000000000000085000000"
} } #-}

// -----
// 16-bit activations, on targets that round their sums as integers.
// WIDE-LABEL: func @sixteen
// WIDE:         %[[X:.*]] = qg.gather %arg0, %{{.*}} axis 3
// WIDE:         qg.conv %[[X]], {{.*}} tensor<1x1x1x2x!qg.q<si8, 2.500000e-01 : 0>>
func.func @sixteen(%q: tensor<1x2x2x1x!qg.q<si16, 0.5 : 0>>) -> tensor<1x2x2x1x!qg.q<si16, 1.0 : 0>> {
  %x = qg.dequantize %q : tensor<1x2x2x1x!qg.q<si16, 0.5 : 0>> -> tensor<1x2x2x1xf32>
  %qw = qg.constant dense<-56> : tensor<1x1x1x1xi8> -> tensor<1x1x1x1x!qg.q<ui8, 0.25 : 3>>
  %w = qg.dequantize %qw : tensor<1x1x1x1x!qg.q<ui8, 0.25 : 3>> -> tensor<1x1x1x1xf32>
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  %r = qg.quantize %y : tensor<1x2x2x1xf32> -> tensor<1x2x2x1x!qg.q<si16, 1.0 : 0>>
  return %r : tensor<1x2x2x1x!qg.q<si16, 1.0 : 0>>
}

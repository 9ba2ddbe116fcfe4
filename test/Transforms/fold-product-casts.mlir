// RUN: qopt-opt %s --qg-fold-product-casts | FileCheck %s

!x = !qg.q<ui8, 1.0 : 9>
!w = !qg.q<si8, 1.0 : 0>

// MatMulInteger with zero points of its columns, Cast and Mul.
// CHECK-LABEL: func @columns
// CHECK-DAG:     %[[S:.*]] = qg.constant dense<{{\[\[}}100, 5], [-93, 7]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si8, axis = 1,
// CHECK-DAG:     %[[W:.*]] = qg.dequantize %[[S]]
// CHECK-DAG:     %[[X:.*]] = qg.dequantize %arg0
// CHECK:         qg.matmul %[[X]], %[[W]] : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
func.func @columns(%x: tensor<1x2x!x>) -> tensor<1x2xf32> {
  %w = qg.constant dense<[[100, 5], [-93, 7]]> : tensor<2x2xi8> -> tensor<2x2x!w>
  %ones = qg.constant dense<1> : tensor<2x2xi8> -> tensor<2x2x!w>
  %rest = qg.constant dense<[-90, 0]> : tensor<2xi32> -> tensor<2xi32>
  %a = qg.matmul %x, %w : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2xi32>
  %b = qg.matmul %x, %ones : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2xi32>
  %c = qg.binary mul %b, %rest : (tensor<1x2xi32>, tensor<2xi32>) -> tensor<1x2xi32>
  %d = qg.binary sub %a, %c : (tensor<1x2xi32>, tensor<1x2xi32>) -> tensor<1x2xi32>
  %y = qg.cast %d : tensor<1x2xi32> -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// The scale is that of the weights.
// CHECK-LABEL: func @scaled
// CHECK:         qg.constant dense<{{\[\[}}3], [4]]> : {{.*}} -> tensor<2x1x!qg.q<si8, axis = 1,
// CHECK:         %[[Y:.*]] = qg.matmul {{.*}} -> tensor<1x1xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @scaled(%x: tensor<1x2x!x>) -> tensor<1x1xf32> {
  %w = qg.constant dense<[[3], [4]]> : tensor<2x1xi8> -> tensor<2x1x!w>
  %factor = qg.constant dense<0.25> : tensor<f32> -> tensor<f32>
  %a = qg.matmul %x, %w : (tensor<1x2x!x>, tensor<2x1x!w>) -> tensor<1x1xi32>
  %b = qg.cast %a : tensor<1x1xi32> -> tensor<1x1xf32>
  %y = qg.binary mul %b, %factor : (tensor<1x1xf32>, tensor<f32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

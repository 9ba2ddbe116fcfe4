// RUN: qopt-opt %s --qg-fold-qdq=wide | FileCheck %s
// RUN: qopt-opt %s --qg-fold-qdq | FileCheck %s --check-prefix=NARROW

!x = !qg.q<ui8, 1.0 : 9>
!w = !qg.q<si8, 1.0 : 0>
!y = !qg.q<si8, 0.5 : -128>

// MatMulInteger, Cast and Mul, as exporters write them: the factor is the scale
// of the weights. What the sums with ones take off are zero points by output:
// 100 + 90 leaves a byte.
// CHECK-LABEL: func @scaled
// CHECK-DAG:     qg.constant dense<{{\[\[}}127, 5], [-3, 7], [63, 0]]> : tensor<3x2xi8> -> tensor<3x2x!qg.q<si8, axis = 1,
// CHECK-DAG:     %[[PICKED:.*]] = qg.constant dense<[0, 1, 0]>
// CHECK:         %[[X:.*]] = qg.gather %arg0, %[[PICKED]] axis 1
// CHECK-NEXT:    %[[Y:.*]] = qg.matmul %[[X]], {{.*}} -> tensor<1x2x!qg.q<si8, 5.000000e-01 : -128>>
// CHECK-NEXT:    return %[[Y]]
// NARROW-LABEL: func @scaled
// NARROW:        qg.matmul {{.*}} -> tensor<1x2xi32>
func.func @scaled(%x: tensor<1x2x!x>) -> tensor<1x2x!y> {
  %w = qg.constant dense<[[100, 5], [-93, 7]]> : tensor<2x2xi8> -> tensor<2x2x!w>
  %ones = qg.constant dense<1> : tensor<2x2xi8> -> tensor<2x2x!w>
  %rest = qg.constant dense<[-90, 0]> : tensor<2xi32> -> tensor<2xi32>
  %factor = qg.constant dense<0.25> : tensor<f32> -> tensor<f32>
  %a = qg.matmul %x, %w : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2xi32>
  %b = qg.matmul %x, %ones : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2xi32>
  %c = qg.binary mul %b, %rest : (tensor<1x2xi32>, tensor<2xi32>) -> tensor<1x2xi32>
  %d = qg.binary sub %a, %c : (tensor<1x2xi32>, tensor<1x2xi32>) -> tensor<1x2xi32>
  %e = qg.cast %d : tensor<1x2xi32> -> tensor<1x2xf32>
  %f = qg.binary mul %e, %factor : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %g = qg.unary relu %f : tensor<1x2xf32> -> tensor<1x2xf32>
  %y = qg.quantize %g : tensor<1x2xf32> -> tensor<1x2x!y>
  return %y : tensor<1x2x!y>
}

// A cast alone is the product with a float result.
// CHECK-LABEL: func @cast
// CHECK:         %[[Y:.*]] = qg.matmul %arg0, %{{.*}} -> tensor<1x1xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @cast(%x: tensor<1x2x!x>) -> tensor<1x1xf32> {
  %w = qg.constant dense<[[3], [4]]> : tensor<2x1xi8> -> tensor<2x1x!w>
  %a = qg.matmul %x, %w : (tensor<1x2x!x>, tensor<2x1x!w>) -> tensor<1x1xi32>
  %y = qg.cast %a : tensor<1x1xi32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// RUN: qopt-opt %s --qg-fold-product-casts | FileCheck %s

!x = !qg.q<ui8, 1.0 : 9>
!w = !qg.q<si8, 1.0 : 0>

// Sums in other steps than 1 are no real numbers; sums of another input have
// nothing to do with the zero points.
// CHECK-LABEL: func @declines
// CHECK:         qg.matmul {{.*}} -> tensor<1x1xi32>
// CHECK:         qg.matmul {{.*}} -> tensor<1x1xi32>
// CHECK:         qg.matmul {{.*}} -> tensor<1x1xi32>
func.func @declines(%x: tensor<1x2x!x>, %z: tensor<1x2x!x>, %h: tensor<1x2x!qg.q<ui8, 0.5 : 9>>) -> (tensor<1x1xf32>, tensor<1x1xf32>) {
  %w = qg.constant dense<[[3], [4]]> : tensor<2x1xi8> -> tensor<2x1x!w>
  %ones = qg.constant dense<1> : tensor<2x1xi8> -> tensor<2x1x!w>
  %rest = qg.constant dense<[5]> : tensor<1xi32> -> tensor<1xi32>
  %a = qg.matmul %h, %w : (tensor<1x2x!qg.q<ui8, 0.5 : 9>>, tensor<2x1x!w>) -> tensor<1x1xi32>
  %b = qg.cast %a : tensor<1x1xi32> -> tensor<1x1xf32>
  %c = qg.matmul %x, %w : (tensor<1x2x!x>, tensor<2x1x!w>) -> tensor<1x1xi32>
  %d = qg.matmul %z, %ones : (tensor<1x2x!x>, tensor<2x1x!w>) -> tensor<1x1xi32>
  %e = qg.binary mul %d, %rest : (tensor<1x1xi32>, tensor<1xi32>) -> tensor<1x1xi32>
  %f = qg.binary sub %c, %e : (tensor<1x1xi32>, tensor<1x1xi32>) -> tensor<1x1xi32>
  %g = qg.cast %f : tensor<1x1xi32> -> tensor<1x1xf32>
  return %b, %g : tensor<1x1xf32>, tensor<1x1xf32>
}

// RUN: qopt-opt %s --qcpu-select-kernels=features=+avx2,+fma,+avx512f,+avx512vnni | FileCheck %s

// Heads stay where they are: no transpose is left. Zero points in the middle
// of their range are gone with the signs.

// CHECK-LABEL: func @heads
// CHECK-SAME: (%[[A:.*]]: tensor<1x8x2x32xi8>, %[[B:.*]]: tensor<1x8x2x32xi8>)
// CHECK-NOT: transpose
// CHECK: %[[P:.*]] = qcpu.pack order [0, 2, 3, 1] tile [8, 1, 16, 4] subtract 128 ins(%[[B]]) {{.*}} -> tensor<1024xi8>
// CHECK-NOT: linalg.generic
// CHECK: qcpu.conv "vpdpbusd512" {{.*}} x_unsigned own_weights x_order [0, 2, 1, 3] y_order [0, 2, 1, 3] ins(%[[A]], %[[P]], %{{[^,]*}}) extras() {{.*}} -> tensor<1x8x2x8xi32>
// CHECK-NOT: fxp.matmul
func.func @heads(%a: tensor<1x8x2x32xi8>, %b: tensor<1x8x2x32xi8>) -> tensor<1x8x2x8xi32> {
  %c = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %q = qg.transpose %a perm [0, 2, 1, 3] : tensor<1x8x2x32xi8> -> tensor<1x2x8x32xi8>
  %k = qg.transpose %b perm [0, 2, 3, 1] : tensor<1x8x2x32xi8> -> tensor<1x2x32x8xi8>
  %s = fxp.matmul %q, %k, %c lhs_zp 0 lhs_unsigned rhs_zp 128 rhs_unsigned : (tensor<1x2x8x32xi8>, tensor<1x2x32x8xi8>, tensor<8xi32>) -> tensor<1x2x8x8xi32>
  %y = qg.transpose %s perm [0, 2, 1, 3] : tensor<1x2x8x8xi32> -> tensor<1x8x2x8xi32>
  return %y : tensor<1x8x2x8xi32>
}

// Sums of columns are a bias of every row of the image, those of rows an extra.

// CHECK-LABEL: func @zero_points
// CHECK: linalg.generic
// CHECK: %[[BIAS:.*]] = tensor.collapse_shape {{.*}} into tensor<3x7xi32>
// CHECK: %[[ROWS:.*]] = tensor.expand_shape {{.*}} into tensor<1x3x5x1xi32>
// CHECK: qcpu.conv {{.*}} own_weights {{.*}} ins(%{{[^,]*}}, %{{[^,]*}}, %[[BIAS]]) extras(%[[ROWS]])
// CHECK: arith.addi
func.func @zero_points(%a: tensor<3x5x8xi8>, %b: tensor<3x8x7xi8>) -> tensor<3x5x7xi32> {
  %c = qg.constant dense<1> : tensor<7xi32> -> tensor<7xi32>
  %s = fxp.matmul %a, %b, %c lhs_zp 9 lhs_unsigned rhs_zp -4 : (tensor<3x5x8xi8>, tensor<3x8x7xi8>, tensor<7xi32>) -> tensor<3x5x7xi32>
  return %s : tensor<3x5x7xi32>
}

// One matrix for all batches is one product; a constant on the left is a factor
// like others.

// CHECK-LABEL: func @one_matrix
// CHECK: qcpu.pack order [0, 1, 2, 3]
// CHECK: qcpu.conv "fma" tile [10, 1, 16, 1] kernel [1, 1] strides [1, 1] dilations [1, 1] groups 1 x_order
// CHECK: qcpu.pack order [0, 1, 3, 2]
// CHECK: qcpu.conv "fma"
// CHECK-NOT: qg.matmul
func.func @one_matrix(%a: tensor<2x5x7xf32>, %b: tensor<7x3xf32>, %c: tensor<3x7xf32>) -> (tensor<2x5x3xf32>, tensor<5x3xf32>) {
  %w = qg.constant dense<1.0> : tensor<5x7xf32> -> tensor<5x7xf32>
  %0 = qg.matmul %a, %b : (tensor<2x5x7xf32>, tensor<7x3xf32>) -> tensor<2x5x3xf32>
  %1 = qg.matmul %w, %c transpose_rhs : (tensor<5x7xf32>, tensor<3x7xf32>) -> tensor<5x3xf32>
  return %0, %1 : tensor<2x5x3xf32>, tensor<5x3xf32>
}

// RUN: qopt-opt %s --qcpu-select-kernels="triple=x86_64-unknown-linux-gnu features=+avx2,+fma" | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: qopt-opt %s --qcpu-select-kernels="triple=x86_64-unknown-linux-gnu features=+avx2,+fma,+avx512f,+avx512vnni" | FileCheck %s --check-prefixes=CHECK,BYTES

// Zero points of groups are taken off by sums of rows of bytes, whatever the
// product reads; what is common to all zero points is a number.
// CHECK-LABEL: func @zero_points
func.func @zero_points(%x: tensor<3x12xi8>, %r: tensor<3xf32>) -> tensor<3x2xf32> {
  %w = qg.constant dense<[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15]]> : tensor<2x12xi8> -> tensor<2x12xi8>
  %s = qg.constant dense<[[0.5, 1.0], [0.25, 2.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %z = qg.constant dense<[[3, 5], [4, 9]]> : tensor<2x2xi8> -> tensor<2x2xi8>
  %b = qg.constant dense<0.0> : tensor<2xf32> -> tensor<2xf32>
  // CHECK-COUNT-2: fxp.sum {{.*}} axes [2] x_zp 0 : tensor<3x1x{{8|4}}xi8> -> tensor<3x1xi32>
  // CHECK: %[[SUMS:.*]] = qg.concat {{.*}} -> tensor<3x2xi32>
  // WIDE: qcpu.group_matmul "maddwd" tile {{.*}} group 8 zp 3 4 ins({{.*}}%[[SUMS]]
  // BYTES: qcpu.group_matmul "vpdpbusd512w" tile {{.*}} group 8 zp 3 4 ins({{.*}}%[[SUMS]]
  %0 = fxp.group_matmul %x, %w, %s, %b, %r rhs_zps %z group 8 lhs_zp 0 lhs_scale 1.0 : (tensor<3x12xi8>, tensor<2x12xi8>, tensor<2x2xf32>, tensor<2xf32>, tensor<3xf32>, tensor<2x2xi8>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

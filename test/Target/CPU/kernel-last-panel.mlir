// RUN: qopt-opt %s --qcpu-select-kernels="triple=x86_64-unknown-linux-gnu features=+avx2,+fma,+avx512f,+avx512bw,+avx512vl,+avx512vnni" | FileCheck %s

// The last panel ends with the vector in use: 4 of 3 + 1 vectors, not 6, of 16
// channels and 8 terms; sums that begin with zeros need no bias.
// CHECK-LABEL: func @last_panel
func.func @last_panel(%x: tensor<40x8xf32>) -> tensor<40x52xf32> {
  %w = qg.constant dense<1.1> : tensor<52x8xf32> -> tensor<52x8xf32>
  // CHECK-DAG: qg.constant {{.*}} -> tensor<512xf32>
  // CHECK-DAG: qg.constant {{.*}} -> tensor<1xf32>
  // CHECK: qcpu.conv "fma" tile [{{[0-9]+}}, 3, 16, 1]
  %y = qg.matmul %x, %w transpose_rhs : (tensor<40x8xf32>, tensor<52x8xf32>) -> tensor<40x52xf32>
  return %y : tensor<40x52xf32>
}

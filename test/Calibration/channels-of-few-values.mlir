// RUN: qopt-opt %s --qg-apply-profile="profile=%S/Inputs/channels.json method=min-max" | FileCheck %s

// 64 values of a channel have not shown its largest: the range grows by
// sqrt(ln 4096 / ln 64) = sqrt(2), up to the tensor's own. 4,096 have.
// CHECK: qg.observe "few" {{.*}}qg.channel_ranges = array<f64: 2.500000e-01, -6.250000e-01, 1.4142135{{[0-9]*}}, 2.500000e+00>
// CHECK: qg.observe "many" {{.*}}qg.channel_ranges = array<f64: 2.500000e-01, -6.250000e-01, 1.000000e+00, 2.500000e+00>
func.func @main(%a: tensor<4x2xf32>, %b: tensor<256x2xf32>) -> (tensor<4x2xf32>, tensor<256x2xf32>) {
  %0 = qg.observe "few" %a {qg.per_channel} : tensor<4x2xf32> -> tensor<4x2xf32>
  %1 = qg.observe "many" %b {qg.per_channel} : tensor<256x2xf32> -> tensor<256x2xf32>
  return %0, %1 : tensor<4x2xf32>, tensor<256x2xf32>
}

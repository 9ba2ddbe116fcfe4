// RUN: qopt-opt %s --qg-refine-biases=split=true | FileCheck %s
// RUN: qopt-opt %s --qg-refine-biases | FileCheck %s --check-prefix=GROWN
// RUN: qopt-opt %s --qg-refine-biases="split=true marked=true" | FileCheck %s --check-prefix=MARKED

// Sums into floats: the bias is added to those. Without `split` the weights
// grow to 64, all that a byte holds of 1.
// CHECK-LABEL: func @into_floats
// CHECK: %[[B:.*]] = qg.constant dense<[4.000000e-01, -3.000000e-01]>
// CHECK: %[[S:.*]] = qg.matmul %{{.*}}, %{{.*}} : (tensor<1x2x!qg.q<si2
// CHECK: %[[Y:.*]] = qg.binary add %[[S]], %[[B]]
// CHECK: return %[[Y]]
// GROWN-LABEL: func @into_floats
// GROWN: qg.constant dense<{{\[}}[2, 0], [0, 2]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<lut2, axis = 1, {{.*}}, table = [-64, 0, 64, 64]>>
// GROWN: qg.matmul %{{.*}} bias
// MARKED-LABEL: func @into_floats
// MARKED: qg.matmul %{{.*}} bias
func.func @into_floats(%x: tensor<1x2x!qg.q<si2, 1.0 : 0>>) -> tensor<1x2xf32> {
  %w = qg.constant dense<[[1, -1], [-1, 1]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si2, 1.0 : 0>>
  %b = qg.constant dense<[0.4, -0.3]> : tensor<2xf32> -> tensor<2xf32>
  %y = qg.matmul %x, %w bias %b : (tensor<1x2x!qg.q<si2, 1.0 : 0>>, tensor<2x2x!qg.q<si2, 1.0 : 0>>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Into bytes: 3 bits more are enough for a bias of an eighth.
// CHECK-LABEL: func @into_bytes
// CHECK: qg.constant dense<{{\[}}[4, 2], [0, 4]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<lut3, axis = 1, dense_resource<[[S:.*]]> : tensor<2xf32>, table = [-24, -16, -8, 0, 8, 8, 8, 8]>>
// CHECK: qg.matmul %{{.*}} bias
func.func @into_bytes(%x: tensor<1x2x!qg.q<ui4, 1.0 : 0>>) -> tensor<1x2x!qg.q<si8, 1.0 : 0>> {
  %w = qg.constant dense<[[1, -1], [-3, 1]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si3, 1.0 : 0>>
  %b = qg.constant dense<[0.125, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %y = qg.matmul %x, %w bias %b : (tensor<1x2x!qg.q<ui4, 1.0 : 0>>, tensor<2x2x!qg.q<si3, 1.0 : 0>>, tensor<2xf32>) -> tensor<1x2x!qg.q<si8, 1.0 : 0>>
  return %y : tensor<1x2x!qg.q<si8, 1.0 : 0>>
}

// MARKED-LABEL: func @marked
// MARKED: %[[S:.*]] = qg.matmul %{{[^ ]*}}, %{{[^ ]*}} :
// MARKED: qg.binary add %[[S]]
// MARKED-NOT: qg.model_weight
func.func @marked(%x: tensor<1x2x!qg.q<si8, 1.0 : 0>>) -> tensor<1x2xf32> {
  %w = qg.constant dense<[[1, -1], [-1, 1]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si2, 1.0 : 0>>
  %b = qg.constant dense<[0.4, -0.3]> : tensor<2xf32> -> tensor<2xf32>
  %y = qg.matmul %x, %w bias %b {qg.model_weight} : (tensor<1x2x!qg.q<si8, 1.0 : 0>>, tensor<2x2x!qg.q<si2, 1.0 : 0>>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Steps of an eighth.
// CHECK: [[S]]: "0x400000000000003E0000003E"

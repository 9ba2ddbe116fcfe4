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

// Into bytes of 4 sums each: every bias between 0 and 1 rounds sums as 0.125
// does, 0 and 1 at other ties. One bit more makes a whole step of 0.5.
// CHECK-LABEL: func @into_bytes
// CHECK: %[[W:.*]] = qg.constant dense<{{\[}}[4, 2], [0, 4]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<lut3, axis = 1, dense_resource<[[S:.*]]> : tensor<2xf32>, table = [-6, -4, -2, 0, 2, 2, 2, 2]>>
// CHECK: %[[B:.*]] = qg.constant dense<[5.000000e-01, 2.000000e+00]>
// CHECK: qg.matmul %{{.*}}, %[[W]] bias %[[B]]
func.func @into_bytes(%x: tensor<1x2x!qg.q<ui4, 1.0 : 0>>) -> tensor<1x2x!qg.q<si8, 4.0 : 0>> {
  %w = qg.constant dense<[[1, -1], [-3, 1]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si3, 1.0 : 0>>
  %b = qg.constant dense<[0.125, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %y = qg.matmul %x, %w bias %b : (tensor<1x2x!qg.q<ui4, 1.0 : 0>>, tensor<2x2x!qg.q<si3, 1.0 : 0>>, tensor<2xf32>) -> tensor<1x2x!qg.q<si8, 4.0 : 0>>
  return %y : tensor<1x2x!qg.q<si8, 4.0 : 0>>
}

// A whole step that rounds alike: 0 for 0.125 in front of bytes of one sum.
// CHECK-LABEL: func @whole_step_that_rounds_alike
// CHECK: qg.constant dense<[0.000000e+00, 2.000000e+00]>
// CHECK: qg.matmul %{{.*}} tensor<2x2x!qg.q<si3, 1.000000e+00 : 0>>
func.func @whole_step_that_rounds_alike(%x: tensor<1x2x!qg.q<ui4, 1.0 : 0>>) -> tensor<1x2x!qg.q<si8, 1.0 : 0>> {
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

// Results of 4 levels, beside weights without room: the model's line meets 1.25,
// 3.75 and 6.25 behind sums of 0, 3 and 5. No whole bias does, but 1 does in steps
// of 25/28 to 15/16 of what they were, of which it takes the middle.
// CHECK-LABEL: func @line
// CHECK-DAG: %[[W:.*]] = qg.constant dense<1> : tensor<1x1xi8> -> tensor<1x1x!qg.q<si8, axis = 1, dense_resource<[[L:.*]]> : tensor<1xf32>>>
// CHECK-DAG: %[[B:.*]] = qg.constant dense<0.915178418> : tensor<1xf32>
// CHECK: qg.matmul %arg0, %[[W]] bias %[[B]]
func.func @line(%x: tensor<1x1x!qg.q<ui8, 1.0 : 0>>) -> tensor<1x1x!qg.q<ui2, 2.5 : 0>> {
  %w = qg.constant dense<1> : tensor<1x1xi8> -> tensor<1x1x!qg.q<si8, 1.0 : 0>>
  %b = qg.constant dense<0.4> : tensor<1xf32> -> tensor<1xf32>
  %y = qg.matmul %x, %w bias %b : (tensor<1x1x!qg.q<ui8, 1.0 : 0>>, tensor<1x1x!qg.q<si8, 1.0 : 0>>, tensor<1xf32>) -> tensor<1x1x!qg.q<ui2, 2.5 : 0>>
  return %y : tensor<1x1x!qg.q<ui2, 2.5 : 0>>
}

// Steps of a half, and of 0.915.
// CHECK-DAG: [[L]]: "0x4000000022496A3F"
// CHECK-DAG: [[S]]: "0x400000000000003F0000003F"

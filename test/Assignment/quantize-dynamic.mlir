// RUN: qopt-opt %s --qg-quantize-dynamic --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qg-quantize-dynamic=weight-format=si4:g2 --split-input-file | FileCheck %s --check-prefix=GROUPS
// RUN: not qopt-opt %s --qg-quantize-dynamic=weight-format=si9 --split-input-file 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: weight-format: expected si2 to si8, {{.*}} got 'si9'

// Scales are 127 / 127 and 254 / 127; the bias stays f32.
// CHECK-LABEL: func @product
// GROUPS-LABEL: func @product
func.func @product(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %w = qg.constant dense<[[127.0, 2.0], [-1.0, 254.0], [3.0, 0.0], [0.0, -4.0]]> : tensor<4x2xf32> -> tensor<4x2xf32>
  %b = qg.constant dense<[0.5, 1000.0]> : tensor<2xf32> -> tensor<2xf32>
  // CHECK-DAG: %[[B:.*]] = qg.constant dense<[5.000000e-01, 1.000000e+03]> : tensor<2xf32>
  // CHECK-DAG: %[[W:.*]] = qg.constant dense<{{\[}}[127, 1], [-1, 127], [3, 0], [0, -2]]> : tensor<4x2xi8> -> tensor<4x2x!qg.q<si8, axis = 1,
  // CHECK: qg.dynamic_matmul %arg0, %[[W]] bias %[[B]] : (
  // GROUPS: qg.constant {{.*}} -> tensor<4x2x!qg.q<si4, axis = 1, group = 2,
  // GROUPS: qg.dynamic_matmul
  %y = qg.matmul %x, %w bias %b : (tensor<3x4xf32>, tensor<4x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----
// The matrix may be transposed, the rows may be in batches.
// CHECK-LABEL: func @batches
func.func @batches(%x: tensor<5x1x2xf32>) -> tensor<5x1x3xf32> {
  %w = qg.constant dense<[[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]]> : tensor<3x2xf32> -> tensor<3x2xf32>
  // CHECK: qg.dynamic_matmul %arg0, %{{.*}} transpose_rhs : (tensor<5x1x2xf32>, tensor<3x2x!qg.q<si8, axis = 0,
  %y = qg.matmul %x, %w transpose_rhs : (tensor<5x1x2xf32>, tensor<3x2xf32>) -> tensor<5x1x3xf32>
  return %y : tensor<5x1x3xf32>
}

// -----
// CHECK-LABEL: func @attention
func.func @attention(%x: tensor<2x3x4xf32>, %y: tensor<2x4x3xf32>) -> tensor<2x3x3xf32> {
  // CHECK: qg.matmul {{.*}} {qg.float_reason = "both operands are computed at run time; --scheme w8a8 --data PATH rounds such products"}
  %z = qg.matmul %x, %y : (tensor<2x3x4xf32>, tensor<2x4x3xf32>) -> tensor<2x3x3xf32>
  return %z : tensor<2x3x3xf32>
}

// -----
// Stored weights behind an op that no kernel takes along.
// CHECK-LABEL: func @computed_weights
func.func @computed_weights(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = qg.constant dense<[[1.0, -2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  // CHECK: qg.matmul {{.*}} {qg.float_reason = "ops between its stored weights and itself are computed at every call; an exporter may fold them"}
  %r = qg.unary relu %w : tensor<2x2xf32> -> tensor<2x2xf32>
  %z = qg.matmul %x, %r : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %z : tensor<3x2xf32>
}

// -----
// CHECK-LABEL: func @stack
func.func @stack(%x: tensor<2x3x2xf32>) -> tensor<2x3x1xf32> {
  %w = qg.constant dense<1.0> : tensor<2x2x1xf32> -> tensor<2x2x1xf32>
  // CHECK: qg.matmul {{.*}} {qg.float_reason = "its weights are no single matrix; --scheme w8a8 --data PATH may round it"}
  %z = qg.matmul %x, %w : (tensor<2x3x2xf32>, tensor<2x2x1xf32>) -> tensor<2x3x1xf32>
  return %z : tensor<2x3x1xf32>
}

// -----
// CHECK-LABEL: func @doubles
func.func @doubles(%x: tensor<3x2xf64>) -> tensor<3x1xf64> {
  %w = qg.constant dense<1.0> : tensor<2x1xf64> -> tensor<2x1xf64>
  // CHECK: qg.matmul {{.*}} {qg.float_reason = "only f32 products are rounded at run time; convert the model to f32"}
  %z = qg.matmul %x, %w : (tensor<3x2xf64>, tensor<2x1xf64>) -> tensor<3x1xf64>
  return %z : tensor<3x1xf64>
}

// -----
// CHECK-LABEL: func @convolution
func.func @convolution(%x: tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32> {
  %w = qg.constant dense<1.0> : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  // CHECK: qg.conv {{.*}} {qg.float_reason = "only matrix products are rounded at run time; --scheme w8a8 --data PATH rounds convolutions"}
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  return %y : tensor<1x2x2x1xf32>
}

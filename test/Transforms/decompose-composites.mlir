// RUN: qopt-opt %s --qg-decompose-composites --split-input-file | FileCheck %s

// CHECK-LABEL: func @normalization
// CHECK: %[[S:.*]] = qg.reduce sum %arg0 axes [1] : tensor<2x4xf32> -> tensor<2xf32>
// CHECK: %[[K:.*]] = qg.reshape %[[S]] : tensor<2xf32> -> tensor<2x1xf32>
// CHECK: %[[M:.*]] = qg.binary div %[[K]]
// CHECK: %[[D:.*]] = qg.binary sub %arg0, %[[M]]
// CHECK: %[[Q:.*]] = qg.binary mul %[[D]], %[[D]]
// CHECK: qg.reduce sum %[[Q]] axes [1]
// CHECK: %[[R:.*]] = qg.unary sqrt
// CHECK: %[[I:.*]] = qg.binary div %{{.*}}, %[[R]]
// CHECK: %[[Y:.*]] = qg.binary mul %[[D]], %[[I]]
// CHECK: return %[[Y]]
func.func @normalization(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %0 = qg.normalize reciprocal %x axes [1] epsilon 1.0e-5 centered : tensor<2x4xf32> -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----
// CHECK-LABEL: func @other_forms
// CHECK-NOT: qg.binary sub
// CHECK: %[[R:.*]] = qg.unary sqrt
// CHECK: %[[Y:.*]] = qg.binary div %arg0, %[[R]]
// CHECK: %[[I:.*]] = qg.unary rsqrt
// CHECK: qg.binary mul %[[Y]], %[[I]]
func.func @other_forms(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %0 = qg.normalize quotient %x axes [1] epsilon 0.0 : tensor<2x4xf32> -> tensor<2x4xf32>
  %1 = qg.normalize rsqrt %0 axes [1] epsilon 0.0 : tensor<2x4xf32> -> tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}

// -----
// Both factors get the root of the scale; two query heads read one key head.
// CHECK-LABEL: func @grouped_attention
// CHECK: %[[K:.*]] = qg.broadcast %{{.*}} : tensor<1x2x1x3x4xf32> -> tensor<1x2x2x3x4xf32>
// CHECK: qg.broadcast
// CHECK: %[[H:.*]] = qg.constant dense<5.000000e-01> : tensor<f32>
// CHECK: %[[Q:.*]] = qg.binary mul %arg0, %[[H]]
// CHECK: qg.transpose %{{.*}} perm [0, 1, 3, 2]
// CHECK: %[[S:.*]] = qg.matmul %[[Q]]
// A key ahead of its query is minus infinity (0xFF800000).
// CHECK: qg.constant dense<{{\[\[}}0.000000e+00, 0.000000e+00, 0xFF800000], [0.000000e+00, 0.000000e+00, 0.000000e+00]]>
// CHECK: qg.binary add %[[S]]
// CHECK: qg.softmax
// CHECK: qg.select
// CHECK: qg.matmul
func.func @grouped_attention(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>) -> tensor<1x4x2x4xf32> {
  %0 = qg.attention %q, %k, %k scale 0.25 {causal, offset = 1 : i64} : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x4x2x4xf32>
  return %0 : tensor<1x4x2x4xf32>
}

// -----
// CHECK-LABEL: func @capped_scores
// CHECK: %[[D:.*]] = qg.binary div
// CHECK: %[[T:.*]] = qg.unary tanh %[[D]]
// CHECK: qg.binary mul %[[T]]
// CHECK: qg.cast %{{.*}} : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf64>
// CHECK: qg.softmax %{{.*}} : tensor<1x1x2x2xf64>
func.func @capped_scores(%q: tensor<1x1x2x4xf32>) -> tensor<1x1x2x4xf32> {
  %0 = qg.attention %q, %q, %q scale 0.25 {softcap = 30.0, softmax_type = f64} : (tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>) -> tensor<1x1x2x4xf32>
  return %0 : tensor<1x1x2x4xf32>
}

// -----
// Two of six channels stay.
// CHECK-LABEL: func @rotary
// CHECK: %[[R:.*]] = qg.slice %arg0 offsets [0, 0, 0]
// CHECK: qg.slice %[[R]] offsets [0, 0, 0] strides [1, 1, 2]
// CHECK: qg.slice %[[R]] offsets [0, 0, 1] strides [1, 1, 2]
// CHECK: %[[P:.*]] = qg.reshape %{{.*}} : tensor<1x5x2x2xf32> -> tensor<1x5x4xf32>
// CHECK: %[[T:.*]] = qg.slice %arg0 offsets [0, 0, 4]
// CHECK: qg.concat %[[P]], %[[T]] axis 2
func.func @rotary(%x: tensor<1x5x6xf32>, %c: tensor<5x2xf32>) -> tensor<1x5x6xf32> {
  %0 = qg.rotary %x, %c, %c interleaved : (tensor<1x5x6xf32>, tensor<5x2xf32>, tensor<5x2xf32>) -> tensor<1x5x6xf32>
  return %0 : tensor<1x5x6xf32>
}

// -----
// CHECK-LABEL: func @gate
// CHECK: %[[S:.*]] = qg.unary sigmoid %arg0
// CHECK: %[[G:.*]] = qg.binary mul %arg0, %[[S]]
// CHECK: qg.binary mul %[[G]], %arg1
func.func @gate(%g: tensor<4xf32>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = qg.gate swish %g, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// From the first position on, no position need be computed.
// CHECK-LABEL: func @cache_from_the_start
// CHECK: %[[R:.*]] = qg.slice %arg0 offsets [0, 0, 2, 0]
// CHECK: qg.concat %arg1, %[[R]] axis 2
// CHECK-NOT: qg.gather
func.func @cache_from_the_start(%c: tensor<2x1x8x4xf32>, %u: tensor<2x1x2x4xf32>) -> tensor<2x1x8x4xf32> {
  %0 = qg.cache_append %c, %u axis 2 : (tensor<2x1x8x4xf32>, tensor<2x1x2x4xf32>) -> tensor<2x1x8x4xf32>
  return %0 : tensor<2x1x8x4xf32>
}

// -----
// CHECK-LABEL: func @circular_cache
// CHECK: qg.binary mod
// CHECK: %[[G:.*]] = qg.gather
// CHECK: qg.select
func.func @circular_cache(%c: tensor<2x8x4xi8>, %u: tensor<2x3x4xi8>, %s: tensor<2xi64>) -> tensor<2x8x4xi8> {
  %0 = qg.cache_append %c, %u start %s axis 1 circular : (tensor<2x8x4xi8>, tensor<2x3x4xi8>, tensor<2xi64>) -> tensor<2x8x4xi8>
  return %0 : tensor<2x8x4xi8>
}

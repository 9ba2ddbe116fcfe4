// RUN: qopt-opt %s --split-input-file --qg-assign-formats | FileCheck %s
// RUN: qopt-opt %s --split-input-file --qg-assign-formats --qg-apply-formats --qg-fold-qdq --canonicalize | FileCheck %s --check-prefix=FOLDED
// RUN: qopt-opt %s --split-input-file --qg-assign-formats=pre-activation=int8 | FileCheck %s --check-prefix=TABLE

// A depthwise convolution reads it: channel 0 is rounded in steps of 0.01,
// channel 1 in steps of 0.04, under one zero point. In integers that is one
// step of 0.04, because the first convolution makes four times as much of
// channel 0 (its weight's scale of 1 becomes 4, its bias 0.5 becomes 2) and the
// depthwise one takes it back (1 becomes 0.25).
// CHECK-LABEL: func @behind_convolution
// TABLE-LABEL: func @behind_convolution
// FOLDED-LABEL: func @behind_convolution
func.func @behind_convolution(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %w = qg.constant dense<127.0> : tensor<2x1x1x2xf32> -> tensor<2x1x1x2xf32>
  %b = qg.constant dense<[0.5, 0.25]> : tensor<2xf32> -> tensor<2xf32>
  %d = qg.constant dense<127.0> : tensor<2x1x1x1xf32> -> tensor<2x1x1x1xf32>
  %0 = qg.observe "x" %x {qg.range = array<f64: 0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  // FOLDED-DAG: %[[D:.*]] = qg.constant dense<127> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!qg.q<si8, axis = 0, dense_resource<[[DS:.*]]> : tensor<2xf32>>>
  // FOLDED-DAG: %[[W:.*]] = qg.constant dense<127> : tensor<2x1x1x2xi8> -> tensor<2x1x1x2x!qg.q<si8, axis = 0, dense_resource<[[WS:.*]]> : tensor<2xf32>>>
  // FOLDED-DAG: %[[B:.*]] = qg.constant dense<[2.000000e+00, 2.500000e-01]>
  // FOLDED: %[[Y:.*]] = qg.conv %{{.*}}, %[[W]] bias %[[B]] {{.*}} -> tensor<1x2x2x2x!qg.q<ui8, 4.000000e-02 : 0>>
  // FOLDED-NEXT: qg.conv %[[Y]], %[[D]]
  %1 = qg.conv %0, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  %2 = qg.unary relu %1 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  // CHECK: qg.observe "y" {{.*}}qg.format = #qg.format<!qg.q<ui8, axis = 3, {{.*}}tensor<2xf32>>>
  // TABLE: qg.observe "y" {{.*}}qg.format = #qg.format<!qg.q<ui8, axis = 3,
  %3 = qg.observe "y" %2 {qg.per_channel, qg.range = array<f64: 0.0, 10.2>, qg.channel_ranges = array<f64: 0.0, 0.0, 2.55, 10.2>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %4 = qg.conv %3, %d strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x2x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  return %4 : tensor<1x2x2x2xf32>
}

// FOLDED: [[DS]]: "0x400000000000803E0000803F"
// FOLDED: [[WS]]: "0x40000000000080400000803F"

// -----

// Behind a sigmoid the channels are multiplied in f32, before the one rounding;
// a table for all channels cannot.
// CHECK-LABEL: func @behind_region
// TABLE-LABEL: func @behind_region
// FOLDED-LABEL: func @behind_region
func.func @behind_region(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %w = qg.constant dense<127.0> : tensor<2x1x1x2xf32> -> tensor<2x1x1x2xf32>
  %d = qg.constant dense<127.0> : tensor<2x1x1x1xf32> -> tensor<2x1x1x1xf32>
  %0 = qg.observe "x" %x {qg.range = array<f64: 0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  // FOLDED-DAG: %[[F:.*]] = qg.constant dense<[4.000000e+00, 1.000000e+00]>
  // FOLDED: %[[C:.*]] = qg.conv {{.*}} -> tensor<1x2x2x2xf32>
  // FOLDED-NEXT: %[[S:.*]] = qg.unary sigmoid %[[C]]
  // FOLDED-NEXT: %[[P:.*]] = qg.binary mul %[[S]], %[[F]]
  // FOLDED-NEXT: qg.quantize %[[P]] {{.*}}!qg.q<ui8, 4.000000e-02 : 0>>
  %1 = qg.conv %0, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x2x2x2xf32>
  %2 = qg.observe "sum" %1 {qg.range = array<f64: 0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %3 = qg.unary sigmoid %2 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  // CHECK: qg.observe "y" {{.*}}qg.format = #qg.format<!qg.q<ui8, axis = 3,
  // TABLE: qg.observe "y" {{.*}}qg.format = #qg.format<!qg.q<ui8, 4.000000e-02 : 0>>
  %4 = qg.observe "y" %3 {qg.per_channel, qg.range = array<f64: 0.0, 10.2>, qg.channel_ranges = array<f64: 0.0, 0.0, 2.55, 10.2>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %5 = qg.conv %4, %d strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x2x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  return %5 : tensor<1x2x2x2xf32>
}

// -----

// Channels that are alike stay in one encoding.
// CHECK-LABEL: func @alike
func.func @alike(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %w = qg.constant dense<127.0> : tensor<2x1x1x2xf32> -> tensor<2x1x1x2xf32>
  %d = qg.constant dense<127.0> : tensor<2x1x1x1xf32> -> tensor<2x1x1x1xf32>
  %0 = qg.observe "x" %x {qg.range = array<f64: 0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %1 = qg.conv %0, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x2x2x2xf32>
  // CHECK: qg.observe "y" {{.*}}qg.format = #qg.format<!qg.q<ui8, 4.000000e-02 : 0>>
  %2 = qg.observe "y" %1 {qg.per_channel, qg.range = array<f64: 0.0, 10.2>, qg.channel_ranges = array<f64: 0.0, 0.0, 10.1, 10.2>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %3 = qg.conv %2, %d strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x2x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  return %3 : tensor<1x2x2x2xf32>
}

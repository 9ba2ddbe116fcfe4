// RUN: qopt-opt %s --convert-qg-to-fxp --split-input-file -verify-diagnostics | FileCheck %s

// A channel without weights is its bias, 1 / 1e-12 steps of its accumulator:
// more than 32 bits hold, and 2^-10 of it in steps of 1.024e-9 is the same.
// Weights that cannot move the result (255e-12 of steps of 0.5) are none.
// CHECK-LABEL: func @dead
func.func @dead(%x: tensor<1x1x1x1x!qg.q<ui8, 1.0 : 0>>) -> tensor<1x1x1x2x!qg.q<ui8, 0.5 : 0>> {
  // CHECK-DAG: qg.constant dense<0> : tensor<2x1x1x1xi8>
  // CHECK-DAG: qg.constant dense<[976562504, -976562504]> : tensor<2xi32>
  // CHECK: fxp.requantize %{{.*}} scales dense<2.048000e-09> : tensor<1xf32>
  %w = qg.constant dense<[[[[0]]], [[[1]]]]> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!qg.q<si8, 1.0e-12 : 0>>
  %b = qg.constant dense<[1.0, -1.0]> : tensor<2xf32> -> tensor<2xf32>
  %y = qg.conv %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1
     : (tensor<1x1x1x1x!qg.q<ui8, 1.0 : 0>>, tensor<2x1x1x1x!qg.q<si8, 1.0e-12 : 0>>, tensor<2xf32>) -> tensor<1x1x1x2x!qg.q<ui8, 0.5 : 0>>
  return %y : tensor<1x1x1x2x!qg.q<ui8, 0.5 : 0>>
}

// -----

// On the edge between two results the weights do count.
func.func @edge(%x: tensor<1x1x1x1x!qg.q<ui8, 1.0 : 0>>) -> tensor<1x1x1x1x!qg.q<ui8, 0.5 : 0>> {
  %w = qg.constant dense<1> : tensor<1x1x1x1xi8> -> tensor<1x1x1x1x!qg.q<si8, 1.0e-12 : 0>>
  %b = qg.constant dense<1.25> : tensor<1xf32> -> tensor<1xf32>
  // expected-error @below {{expects a bias that fits 32 bits in the accumulator's scale, got 1.25}}
  // expected-error @below {{failed to legalize}}
  %y = qg.conv %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1
     : (tensor<1x1x1x1x!qg.q<ui8, 1.0 : 0>>, tensor<1x1x1x1x!qg.q<si8, 1.0e-12 : 0>>, tensor<1xf32>) -> tensor<1x1x1x1x!qg.q<ui8, 0.5 : 0>>
  return %y : tensor<1x1x1x1x!qg.q<ui8, 0.5 : 0>>
}

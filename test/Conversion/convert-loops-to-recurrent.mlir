// RUN: qopt-opt %s --convert-loops-to-recurrent | FileCheck %s

// An RNN of one unit: the scale in front of tanh is 0.5 * 0.25 * 2^12, the bias
// of the inputs 1 / (0.5 * 0.25); the state is rounded to signed bytes, whose
// zero point 2 - 128 is in the bias of its product: 126 * 3.
// CHECK-LABEL: func @rnn
// CHECK-DAG: %[[W:.*]] = qg.constant dense<{{\[\[}}1, 2]]> : tensor<1x2xi8>
// CHECK-DAG: %[[R:.*]] = qg.constant dense<3> : tensor<1x1xi8>
// CHECK-DAG: %[[B:.*]] = qg.constant dense<8> : tensor<1xi32>
// CHECK-DAG: %[[S:.*]] = qg.constant dense<378> : tensor<1xi32>
// CHECK: %[[Y:.*]] = fxp.recurrent %{{.*}}, %[[W]], %[[R]], %[[B]], %[[S]], %{{.*}} {
// CHECK-SAME: kind = "rnn"
// CHECK-SAME: reversed
// CHECK-SAME: state_scales = dense<1.600000e+01> : tensor<1xf32>
// CHECK-SAME: state_zps = array<i64: -126, -126>
// CHECK-SAME: x_scales = dense<5.120000e+02> : tensor<1xf32>
// CHECK-SAME: -> tensor<3x1x1xi8>
// CHECK: qg.dequantize
// CHECK-NOT: qg.loop
func.func @rnn(%x: tensor<3x2x!qg.q<si8, 0.5 : 0>>) -> tensor<3x1x1xf32> {
  %w = qg.constant dense<[[1], [2]]> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 0.25 : 0>>
  %b = qg.constant dense<1.0> : tensor<1xf32> -> tensor<1xf32>
  %h = qg.constant dense<0.0> : tensor<1x1xf32> -> tensor<1x1xf32>
  %p = qg.matmul %x, %w bias %b : (tensor<3x2x!qg.q<si8, 0.5 : 0>>, tensor<2x1x!qg.q<si8, 0.25 : 0>>, tensor<1xf32>) -> tensor<3x1xf32>
  %s = qg.reshape %p : tensor<3x1xf32> -> tensor<3x1x1xf32>
  %last, %all = qg.loop 3 states(%h) slices(%s) captures() reversed [true, true] {
  ^bb0(%step: tensor<i64>, %state: tensor<1x1xf32>, %xt: tensor<1x1xf32>):
    %r = qg.constant dense<3> : tensor<1x1xi8> -> tensor<1x1x!qg.q<si8, 0.5 : 0>>
    %q = qg.quantize %state : tensor<1x1xf32> -> tensor<1x1x!qg.q<ui8, 0.0078125 : 2>>
    %m = qg.matmul %q, %r : (tensor<1x1x!qg.q<ui8, 0.0078125 : 2>>, tensor<1x1x!qg.q<si8, 0.5 : 0>>) -> tensor<1x1xf32>
    %z = qg.binary add %m, %xt : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
    %n = qg.unary tanh %z : tensor<1x1xf32> -> tensor<1x1xf32>
    qg.yield %n, %n : tensor<1x1xf32>, tensor<1x1xf32>
  } : (tensor<1x1xf32>, tensor<3x1x1xf32>) -> (tensor<1x1xf32>, tensor<3x1x1xf32>)
  return %all : tensor<3x1x1xf32>
}

// RUN: qopt-opt %s --qg-fold-channel-scales --canonicalize | FileCheck %s

// Scales of 0.5 and 2 become one of 2: channel 0 is four times as large before
// it is rounded, and the depthwise weights of channel 0 a quarter.
// CHECK-LABEL: func @depthwise
// CHECK-DAG: %[[F:.*]] = qg.constant dense<[4.000000e+00, 1.000000e+00]>
// CHECK-DAG: %[[W:.*]] = qg.constant dense<{{.*}}3{{.*}}5{{.*}}> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!qg.q<si8, axis = 0, dense_resource<[[S:[a-z_0-9]+]]> : tensor<2xf32>>>
// CHECK: %[[X:.*]] = qg.binary mul %arg0, %[[F]]
// CHECK: qg.quantize %[[X]] : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!qg.q<ui8, 2.000000e+00 : 7>>
// CHECK: %[[D:.*]] = qg.dequantize %[[W]]
// CHECK: qg.conv %{{.*}}, %[[D]]
func.func @depthwise(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %q = qg.quantize %x : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!qg.q<ui8, axis = 3, dense_resource<steps> : tensor<2xf32>, dense_resource<zeros> : tensor<2xi32>>>
  %d = qg.dequantize %q : tensor<1x1x1x2x!qg.q<ui8, axis = 3, dense_resource<steps> : tensor<2xf32>, dense_resource<zeros> : tensor<2xi32>>> -> tensor<1x1x1x2xf32>
  %w = qg.constant dense<[[[[3]]], [[[5]]]]> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!qg.q<si8, axis = 0, dense_resource<ones> : tensor<2xf32>>>
  %v = qg.dequantize %w : tensor<2x1x1x1x!qg.q<si8, axis = 0, dense_resource<ones> : tensor<2xf32>>> -> tensor<2x1x1x1xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// A result reads it as well: nobody else could undo the factors.
// CHECK-LABEL: func @also_returned
// CHECK: qg.quantize %arg0 {{.*}}axis = 3
func.func @also_returned(%x: tensor<1x1x1x2xf32>) -> (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) {
  %q = qg.quantize %x : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!qg.q<ui8, axis = 3, dense_resource<steps> : tensor<2xf32>, dense_resource<zeros> : tensor<2xi32>>>
  %d = qg.dequantize %q : tensor<1x1x1x2x!qg.q<ui8, axis = 3, dense_resource<steps> : tensor<2xf32>, dense_resource<zeros> : tensor<2xi32>>> -> tensor<1x1x1x2xf32>
  %w = qg.constant dense<[[[[3]]], [[[5]]]]> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!qg.q<si8, axis = 0, dense_resource<ones> : tensor<2xf32>>>
  %v = qg.dequantize %w : tensor<2x1x1x1x!qg.q<si8, axis = 0, dense_resource<ones> : tensor<2xf32>>> -> tensor<2x1x1x1xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  return %y, %d : tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>
}

// CHECK: [[S]]: "0x400000000000803E0000803F"
{-#
  dialect_resources: {
    builtin: {
      steps: "0x040000000000003F00000040",
      zeros: "0x040000000700000007000000",
      ones: "0x040000000000803F0000803F"
    }
  }
#-}

// RUN: qopt-opt %s | qopt-opt | FileCheck %s
// RUN: qopt-opt %s --emit-bytecode | qopt-opt | FileCheck %s

// Every op in text and in bytecode; what is left out of the text is the default.

!q = !qg.q<ui8, 0.5 : 128>
!w = !qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>, dense_resource<z> : tensor<2xi32>>

// CHECK-LABEL: func @linear
func.func @linear(%x: tensor<1x4x4x2x!q>, %w: tensor<2x1x1x2x!w>, %b: tensor<2xf32>) -> tensor<1x4x2x!q> {
  // CHECK: qg.conv %{{.*}}, %{{.*}} bias %{{.*}} strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 clamp [128, 255] : (tensor<1x4x4x2x!qg.q<ui8, 5.000000e-01 : 128>>, tensor<2x1x1x2x!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>, dense_resource<z> : tensor<2xi32>>>, tensor<2xf32>)
  %0 = qg.conv %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 clamp [128, 255] : (tensor<1x4x4x2x!q>, tensor<2x1x1x2x!w>, tensor<2xf32>) -> tensor<1x4x4x2x!q>
  // CHECK: qg.conv_transpose %{{.*}}, %{{.*}} strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] output_padding [0, 0] groups 1 :
  %1 = qg.conv_transpose %0, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] output_padding [0, 0] groups 1 : (tensor<1x4x4x2x!q>, tensor<2x1x1x2x!w>) -> tensor<1x4x4x2x!q>
  // CHECK: qg.pool max %{{.*}} kernel [1, 2] strides [1, 2] pads [0, 0, 0, 0] dilations [1, 1] : {{.*}} -> tensor<1x4x2x2x!qg.q<ui8, 5.000000e-01 : 128>>
  %2 = qg.pool max %1 kernel [1, 2] strides [1, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x2x!q> -> tensor<1x4x2x2x!q>
  // CHECK: qg.pool avg %{{.*}} kernel [1, 2] strides [1, 2] pads [0, 0, 0, 1] dilations [1, 1] count_include_pad :
  %3 = qg.pool avg %2 kernel [1, 2] strides [1, 2] pads [0, 0, 0, 1] dilations [1, 1] count_include_pad : tensor<1x4x2x2x!q> -> tensor<1x4x1x2x!q>
  %4 = qg.reshape %3 : tensor<1x4x1x2x!q> -> tensor<1x4x2x!q>
  // CHECK: qg.matmul %{{.*}}, %{{.*}} transpose_rhs clamp [0, 9] :
  %5 = qg.matmul %4, %4 transpose_rhs clamp [0, 9] : (tensor<1x4x2x!q>, tensor<1x4x2x!q>) -> tensor<1x4x4x!q>
  // CHECK: qg.matmul %{{.*}}, %{{.*}} : (tensor<1x4x4x!qg
  %6 = qg.matmul %5, %4 : (tensor<1x4x4x!q>, tensor<1x4x2x!q>) -> tensor<1x4x2x!q>
  return %6 : tensor<1x4x2x!q>
}

// CHECK-LABEL: func @reductions
func.func @reductions(%x: tensor<2x3xf32>) -> (tensor<2xf32>, tensor<3xi64>, tensor<2x3xf32>) {
  // CHECK: qg.reduce prod %{{.*}} axes [1] : tensor<2x3xf32> -> tensor<2xf32>
  %0 = qg.reduce prod %x axes [1] : tensor<2x3xf32> -> tensor<2xf32>
  // CHECK: qg.arg_reduce min %{{.*}} axis 0 select_last : tensor<2x3xf32> -> tensor<3xi64>
  %1 = qg.arg_reduce min %x axis 0 select_last : tensor<2x3xf32> -> tensor<3xi64>
  // CHECK: qg.softmax %{{.*}} : tensor<2x3xf32> -> tensor<2x3xf32>
  %2 = qg.softmax %x : tensor<2x3xf32> -> tensor<2x3xf32>
  return %0, %1, %2 : tensor<2xf32>, tensor<3xi64>, tensor<2x3xf32>
}

// CHECK-LABEL: func @selections
func.func @selections(%x: tensor<2x5xf32>, %m: tensor<5xi1>, %b: tensor<3x5x4xf32>, %v: tensor<3x5xi1>, %o: tensor<f32>, %l: tensor<i64>) -> (tensor<2x3xi64>, tensor<4xi64>, tensor<3x5xi1>) {
  // CHECK: qg.top_k max %{{.*}} axis 1 : tensor<2x5xf32> -> tensor<2x3xi64>
  %0 = qg.top_k max %x axis 1 : tensor<2x5xf32> -> tensor<2x3xi64>
  // CHECK: qg.compact %{{.*}} : tensor<5xi1> -> tensor<4xi64>
  %1 = qg.compact %m : tensor<5xi1> -> tensor<4xi64>
  // CHECK: qg.suppress %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<3x5x4xf32>, tensor<3x5xi1>, tensor<f32>, tensor<i64>) -> tensor<3x5xi1>
  %2 = qg.suppress %b, %v, %o, %l : (tensor<3x5x4xf32>, tensor<3x5xi1>, tensor<f32>, tensor<i64>) -> tensor<3x5xi1>
  return %0, %1, %2 : tensor<2x3xi64>, tensor<4xi64>, tensor<3x5xi1>
}

// CHECK-LABEL: func @movement
func.func @movement(%x: tensor<2x3x!q>, %i: tensor<2xi64>, %v: tensor<!q>) -> tensor<6x6x!q> {
  // CHECK: qg.transpose %{{.*}} perm [1, 0]
  %0 = qg.transpose %x perm [1, 0] : tensor<2x3x!q> -> tensor<3x2x!q>
  // CHECK: qg.broadcast %{{.*}} : tensor<3x2x!qg.q<ui8, 5.000000e-01 : 128>> -> tensor<2x3x2x!qg
  %1 = qg.broadcast %0 : tensor<3x2x!q> -> tensor<2x3x2x!q>
  // CHECK: qg.slice %{{.*}} offsets [1, 2, 0] strides [1, -1, 1]
  %2 = qg.slice %1 offsets [1, 2, 0] strides [1, -1, 1] : tensor<2x3x2x!q> -> tensor<1x3x2x!q>
  // CHECK: qg.gather %{{.*}}, %{{.*}} axis 2 : (tensor<1x3x2x!qg.q<{{.*}}>>, tensor<2xi64>)
  %3 = qg.gather %2, %i axis 2 : (tensor<1x3x2x!q>, tensor<2xi64>) -> tensor<1x3x2x!q>
  // CHECK: qg.concat %{{.*}}, %{{.*}} axis 1
  %4 = qg.concat %3, %2 axis 1 : (tensor<1x3x2x!q>, tensor<1x3x2x!q>) -> tensor<1x6x2x!q>
  %5 = qg.reshape %4 : tensor<1x6x2x!q> -> tensor<6x2x!q>
  // CHECK: qg.pad constant %{{.*}} value %{{.*}} low [0, 1] high [0, 0]
  %6 = qg.pad constant %5 value %v low [0, 1] high [0, 0] : (tensor<6x2x!q>, tensor<!q>) -> tensor<6x3x!q>
  // CHECK: qg.pad wrap %{{.*}} low [0, 1] high [0, 1] : (tensor<6x3x!qg
  %7 = qg.pad wrap %6 low [0, 1] high [0, 1] : (tensor<6x3x!q>) -> tensor<6x5x!q>
  // CHECK: qg.pad reflect
  %8 = qg.pad reflect %7 low [0, 0] high [0, 1] : (tensor<6x5x!q>) -> tensor<6x6x!q>
  return %8 : tensor<6x6x!q>
}

// CHECK-LABEL: func @positions
func.func @positions(%x: tensor<2x3xf32>, %q: tensor<2x3x!q>, %i: tensor<2xi64>) -> (tensor<4x6xf32>, tensor<4x2xf32>, tensor<4x3x!q>, tensor<2x3xf32>) {
  // CHECK: qg.resize linear half_pixel %{{.*}} axes [1, 0] scales [2.000000e+00, 2.000000e+00] : tensor<2x3xf32> -> tensor<4x6xf32>
  %0 = qg.resize linear half_pixel %x axes [1, 0] scales [2.0, 2.0] : tensor<2x3xf32> -> tensor<4x6xf32>
  // CHECK: qg.resize cubic align_corners %{{.*}} axes [1] scales [5.000000e-01] cubic_a -5.000000e-01 exclude_outside antialias : tensor<4x6xf32> -> tensor<4x2xf32>
  %1 = qg.resize cubic align_corners %0 axes [1] scales [0.5] cubic_a -5.000000e-01 exclude_outside antialias : tensor<4x6xf32> -> tensor<4x2xf32>
  // CHECK: qg.resize linear tf_crop_and_resize %{{.*}} axes [0] scales [2.000000e+00] roi [0.000000e+00, 1.000000e+00] : tensor<2x3x!qg
  %2 = qg.resize linear tf_crop_and_resize %q axes [0] scales [2.0] roi [0.0, 1.0] : tensor<2x3x!q> -> tensor<4x3x!q>
  // CHECK: qg.scatter add %{{.*}}, %{{.*}}, %{{.*}} : (tensor<2x3xf32>, tensor<2xi64>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %3 = qg.scatter add %x, %i, %x : (tensor<2x3xf32>, tensor<2xi64>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0, %1, %2, %3 : tensor<4x6xf32>, tensor<4x2xf32>, tensor<4x3x!q>, tensor<2x3xf32>
}

// Decisions and observations of the passes between.
// CHECK-LABEL: func @decisions
func.func @decisions(%x: tensor<4xf32>) -> tensor<4x!qg.q<si8, 2.5e-1 : 0>> {
  // CHECK: qg.observe "a name" %{{.*}} : tensor<4xf32>
  %0 = qg.observe "a name" %x : tensor<4xf32> -> tensor<4xf32>
  // CHECK: qg.unary exp %{{.*}} {qg.format = #qg.format<!qg.q<ui8, 5.000000e-01 : 0>>}
  %1 = qg.unary exp %0 {qg.format = #qg.format<!qg.q<ui8, 0.5 : 0>>} : tensor<4xf32> -> tensor<4xf32>
  // CHECK: {qg.format = #qg.format<f32, "hurts">}
  %2 = qg.unary exp %1 {qg.format = #qg.format<f32, "hurts">} : tensor<4xf32> -> tensor<4xf32>
  %3 = qg.quantize %2 : tensor<4xf32> -> tensor<4x!q>
  // CHECK: qg.requantize %{{.*}} : tensor<4x!qg.q<ui8, 5.000000e-01 : 128>> -> tensor<4x!qg.q<si8, 2.500000e-01 : 0>>
  %4 = qg.requantize %3 : tensor<4x!q> -> tensor<4x!qg.q<si8, 0.25 : 0>>
  return %4 : tensor<4x!qg.q<si8, 2.5e-1 : 0>>
}

// CHECK-LABEL: func @bits
func.func @bits(%x: tensor<2x3xf32>) -> tensor<2x3xui32> {
  // CHECK: qg.bitcast %{{.*}} : tensor<2x3xf32> -> tensor<2x3xui32>
  %0 = qg.bitcast %x : tensor<2x3xf32> -> tensor<2x3xui32>
  return %0 : tensor<2x3xui32>
}

// Groups along an axis, and parameters that are known at run time only.
// CHECK-LABEL: func private @formats
// CHECK-SAME: tensor<4x64x!qg.q<si4, axis = 1, group = 32, dense_resource<s> : tensor<2xf32>>>
// CHECK-SAME: tensor<4x!qg.q<si8, ?>>
func.func private @formats(tensor<4x64x!qg.q<si4, axis = 1, group = 32, dense_resource<s> : tensor<2xf32>>>, tensor<4x!qg.q<si8, ?>>)

// CHECK: s: "0x040000000000803F0000003F"
// CHECK: z: "0x040000000100000002000000"
{-# dialect_resources: { builtin: { s: "0x040000000000803F0000003F", z: "0x040000000100000002000000" } } #-}

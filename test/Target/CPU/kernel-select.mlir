// RUN: qopt-opt %s --qcpu-select-kernels=features=+avx2,+fma | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: qopt-opt %s --qcpu-select-kernels=features=+avx2,+fma,+avx512f,+avx512vnni | FileCheck %s --check-prefixes=CHECK,VNNI
// RUN: qopt-opt %s --qcpu-select-kernels="triple=aarch64-unknown-linux-gnu features=+dotprod" | FileCheck %s --check-prefixes=CHECK,NEON
// RUN: qopt-opt %s --qcpu-select-kernels=triple=riscv64-unknown-linux-gnu | FileCheck %s --check-prefixes=CHECK,PLAIN

// Padding, zero point and sign are gone before the product; the kernel stores
// bytes.

// CHECK-LABEL: func @conv
// AVX2: qcpu.stage pads [1, 1, 1, 1] subtract 128 fill 0 x_unsigned {{.*}}-> tensor<1x10x10x4xi16>
// AVX2: qcpu.conv "maddwd" tile [6, 2, 8, 2] kernel [3, 3]
// VNNI: qcpu.stage pads [1, 1, 1, 1] subtract 0 fill 128 x_unsigned {{.*}}-> tensor<1x10x10x4xi8>
// VNNI: qcpu.conv "vpdpbusd512" tile [{{[0-9]+}}, 1, 16, 4]
// NEON: qcpu.stage pads [1, 1, 1, 1] subtract 128 fill 0 x_unsigned {{.*}}-> tensor<1x10x10x4xi8>
// NEON: qcpu.conv "sdot" tile [5, 4, 4, 4]
// PLAIN: qcpu.stage pads [1, 1, 1, 1] subtract 0 fill 128 x_unsigned
// PLAIN: qcpu.conv "mul"
// CHECK-NOT: fxp.
// CHECK: qcpu.yield %{{.*}} : i8
func.func @conv(%x: tensor<1x8x8x4xi8>) -> tensor<1x8x8x16xi8> {
  %w = qg.constant dense<1> : tensor<16x3x3x4xi8> -> tensor<16x3x3x4xi8>
  %b = qg.constant dense<5> : tensor<16xi32> -> tensor<16xi32>
  %a = fxp.conv %x, %w, %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1]
       groups 1 x_zp 128 x_unsigned
       : (tensor<1x8x8x4xi8>, tensor<16x3x3x4xi8>, tensor<16xi32>) -> tensor<1x8x8x16xi32>
  %y = fxp.requantize %a scales dense<0.25> : tensor<1xf32> x_zp 0 zp 128
       clamp [0, 255] unsigned mode <"f32"> : tensor<1x8x8x16xi32> -> tensor<1x8x8x16xi8>
  return %y : tensor<1x8x8x16xi8>
}

// The residual is an operand of the kernel.

// CHECK-LABEL: func @residual
// CHECK-SAME: (%{{.*}}: tensor<2x32xi8>, %[[R:.*]]: tensor<2x8xi8>)
// CHECK: %[[R4:.*]] = qg.reshape %[[R]] : tensor<2x8xi8> -> tensor<1x1x2x8xi8>
// CHECK: qcpu.conv {{.*}} extras(%{{.*}}, %[[R4]])
// CHECK: math.fma
// CHECK: qg.reshape %{{.*}} : tensor<1x1x2x8xi8> -> tensor<2x8xi8>
func.func @residual(%x: tensor<2x32xi8>, %r: tensor<2x8xi8>) -> tensor<2x8xi8> {
  %w = qg.constant dense<1> : tensor<32x8xi8> -> tensor<32x8xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %a = fxp.matmul %x, %w, %b lhs_zp 0 lhs_unsigned rhs_zp 0
       : (tensor<2x32xi8>, tensor<32x8xi8>, tensor<8xi32>) -> tensor<2x8xi32>
  %q = fxp.requantize %a scales dense<0.25> : tensor<1xf32> x_zp 0 zp 128
       clamp [0, 255] unsigned mode <"f32"> : tensor<2x8xi32> -> tensor<2x8xi8>
  %y = fxp.add %q, %r scales [5.000000e-01, 2.500000e-01] zps [128, 0] zp 3
       clamp [0, 255] lhs_unsigned rhs_unsigned unsigned mode <"f32">
       : (tensor<2x8xi8>, tensor<2x8xi8>) -> tensor<2x8xi8>
  return %y : tensor<2x8xi8>
}

// An accumulator with two users is stored as it is.

// CHECK-LABEL: func @two_users
// CHECK: qcpu.yield %{{.*}} : i32
// CHECK: fxp.requantize
// CHECK: fxp.requantize
func.func @two_users(%x: tensor<2x32xi8>) -> (tensor<2x8xi8>, tensor<2x8xi8>) {
  %w = qg.constant dense<1> : tensor<32x8xi8> -> tensor<32x8xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %a = fxp.matmul %x, %w, %b lhs_zp 0 lhs_unsigned rhs_zp 0
       : (tensor<2x32xi8>, tensor<32x8xi8>, tensor<8xi32>) -> tensor<2x8xi32>
  %p = fxp.requantize %a scales dense<0.25> : tensor<1xf32> x_zp 0 zp 128
       clamp [0, 255] unsigned mode <"f32"> : tensor<2x8xi32> -> tensor<2x8xi8>
  %q = fxp.requantize %a scales dense<0.5> : tensor<1xf32> x_zp 0 zp 128
       clamp [0, 255] unsigned mode <"f32"> : tensor<2x8xi32> -> tensor<2x8xi8>
  return %p, %q : tensor<2x8xi8>, tensor<2x8xi8>
}

// CHECK-LABEL: func @depthwise
// CHECK: qcpu.depthwise "mul"
func.func @depthwise(%x: tensor<1x4x4x8xi8>) -> tensor<1x2x2x8xi32> {
  %w = qg.constant dense<1> : tensor<8x3x3x1xi8> -> tensor<8x3x3x1xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %a = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
       groups 8 x_zp 0 x_unsigned
       : (tensor<1x4x4x8xi8>, tensor<8x3x3x1xi8>, tensor<8xi32>) -> tensor<1x2x2x8xi32>
  return %a : tensor<1x2x2x8xi32>
}

// CHECK-LABEL: func @float
// AVX2: qcpu.conv "fma" tile [5, 1, 8, 1]
// PLAIN: qcpu.conv "muladd"
func.func @float(%x: tensor<5x7xf32>) -> tensor<5x3xf32> {
  %w = qg.constant dense<1.0> : tensor<7x3xf32> -> tensor<7x3xf32>
  %y = qg.matmul %x, %w : (tensor<5x7xf32>, tensor<7x3xf32>) -> tensor<5x3xf32>
  return %y : tensor<5x3xf32>
}

// Weights that are not constant are packed at run time.

// CHECK-LABEL: func @activations
// CHECK: %[[P:.*]] = qcpu.pack
// CHECK: qcpu.conv {{.*}} ins(%{{[^,]*}}, %[[P]],
// CHECK-NOT: qg.matmul
func.func @activations(%x: tensor<9x7xf32>, %w: tensor<7x3xf32>) -> tensor<9x3xf32> {
  %y = qg.matmul %x, %w : (tensor<9x7xf32>, tensor<7x3xf32>) -> tensor<9x3xf32>
  return %y : tensor<9x3xf32>
}

// A pointwise region in f32, its branches and the quantization behind it are a
// part of the kernel: no f32 tensor exists. A residual is dequantized inside.

// CHECK-LABEL: func @region
// CHECK: qcpu.conv {{.*}} -> tensor<1x4x4x8xi8>
// CHECK: ^bb0(%[[ACC:.*]]: i32, %[[SCALE:.*]]: f32):
// CHECK: %[[INT:.*]] = arith.sitofp %[[ACC]] : i32 to f32
// CHECK: %[[X:.*]] = arith.mulf %[[INT]], %[[SCALE]]
// CHECK: arith.mulf %[[X]], %{{.*}} : f32
// CHECK: qcpu.yield %{{.*}} : i8
// CHECK-NOT: xf32>
// CHECK: return
func.func @region(%x: tensor<1x4x4x16xi8>) -> tensor<1x4x4x8xi8> {
  %w = qg.constant dense<1> : tensor<8x1x1x16xi8> -> tensor<8x1x1x16xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %three = qg.constant dense<3.0> : tensor<f32> -> tensor<f32>
  %zero = qg.constant dense<0.0> : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32>
  %a = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
       groups 1 x_zp 0 x_unsigned
       : (tensor<1x4x4x16xi8>, tensor<8x1x1x16xi8>, tensor<8xi32>) -> tensor<1x4x4x8xi32>
  %f = fxp.dequantize %a scales dense<[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]> : tensor<8xf32>
       zps [0, 0, 0, 0, 0, 0, 0, 0] axis 3 : tensor<1x4x4x8xi32> -> tensor<1x4x4x8xf32>
  %p = qg.binary add %f, %three : (tensor<1x4x4x8xf32>, tensor<f32>) -> tensor<1x4x4x8xf32>
  %r = qg.binary max %p, %zero : (tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  %h = qg.binary mul %f, %r : (tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  %y = fxp.quantize %h scales dense<0.5> : tensor<1xf32> zps [3] axis 0
       clamp [0, 255] unsigned : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xi8>
  return %y : tensor<1x4x4x8xi8>
}

// CHECK-LABEL: func @residual_region
// CHECK-SAME: (%{{.*}}: tensor<1x4x4x16xi8>, %[[R:.*]]: tensor<1x4x4x8xi8>)
// The residual's floats are read elsewhere too and stay.
// CHECK: fxp.dequantize %[[R]]
// CHECK: qcpu.conv {{.*}} extras(%[[R]]) {{.*}} -> tensor<1x4x4x8xi8>
// CHECK: ^bb0(%{{.*}}: i32, %[[BYTE:.*]]: i8):
// CHECK: arith.extui %[[BYTE]] : i8 to i32
// CHECK-NOT: fxp.quantize
// CHECK: return
func.func @residual_region(%x: tensor<1x4x4x16xi8>, %r: tensor<1x4x4x8xi8>)
    -> (tensor<1x4x4x8xi8>, tensor<1x4x4x8xf32>) {
  %w = qg.constant dense<1> : tensor<8x1x1x16xi8> -> tensor<8x1x1x16xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %a = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
       groups 1 x_zp 0 x_unsigned
       : (tensor<1x4x4x16xi8>, tensor<8x1x1x16xi8>, tensor<8xi32>) -> tensor<1x4x4x8xi32>
  %f = fxp.dequantize %a scales dense<0.1> : tensor<1xf32>
       zps [0] axis 0 : tensor<1x4x4x8xi32> -> tensor<1x4x4x8xf32>
  %o = fxp.dequantize %r scales dense<0.2> : tensor<1xf32> zps [4] axis 0
       x_unsigned : tensor<1x4x4x8xi8> -> tensor<1x4x4x8xf32>
  %s = qg.binary add %f, %o : (tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  %y = fxp.quantize %s scales dense<0.5> : tensor<1xf32> zps [3] axis 0
       clamp [0, 255] unsigned : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xi8>
  return %y, %o : tensor<1x4x4x8xi8>, tensor<1x4x4x8xf32>
}

// A branch that something else reads is stored; what follows is not fused.

// CHECK-LABEL: func @open_branch
// CHECK: qcpu.yield %{{.*}} : f32
// CHECK: qg.unary sigmoid
// CHECK: fxp.quantize
func.func @open_branch(%x: tensor<2x32xi8>) -> (tensor<2x8xi8>, tensor<2x8xf32>) {
  %w = qg.constant dense<1> : tensor<32x8xi8> -> tensor<32x8xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %a = fxp.matmul %x, %w, %b lhs_zp 0 lhs_unsigned rhs_zp 0
       : (tensor<2x32xi8>, tensor<32x8xi8>, tensor<8xi32>) -> tensor<2x8xi32>
  %f = fxp.dequantize %a scales dense<0.25> : tensor<1xf32> zps [0] axis 0
       : tensor<2x8xi32> -> tensor<2x8xf32>
  %s = qg.unary sigmoid %f : tensor<2x8xf32> -> tensor<2x8xf32>
  %y = fxp.quantize %s scales dense<0.5> : tensor<1xf32> zps [3] axis 0
       clamp [0, 255] unsigned : tensor<2x8xf32> -> tensor<2x8xi8>
  return %y, %f : tensor<2x8xi8>, tensor<2x8xf32>
}

// A scalar function passes the transpose between it and its product.

// CHECK-LABEL: func @raise
// CHECK: qcpu.conv {{.*}} -> tensor<1x2x2x4xi8>
// CHECK: math.fma
// CHECK: %[[T:.*]] = qg.transpose %{{.*}} perm [0, 3, 1, 2] : tensor<1x2x2x4xi8> -> tensor<1x4x2x2xi8>
// CHECK: %[[R:.*]] = qg.reshape %[[T]] : tensor<1x4x2x2xi8> -> tensor<16xi8>
// CHECK: return %[[R]]
func.func @raise(%x: tensor<1x2x2x8xi8>) -> tensor<16xi8> {
  %w = qg.constant dense<1> : tensor<4x1x1x8xi8> -> tensor<4x1x1x8xi8>
  %b = qg.constant dense<0> : tensor<4xi32> -> tensor<4xi32>
  %one = qg.constant dense<1.0> : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  %a = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
       groups 1 x_zp 0 x_unsigned
       : (tensor<1x2x2x8xi8>, tensor<4x1x1x8xi8>, tensor<4xi32>) -> tensor<1x2x2x4xi32>
  %f = fxp.dequantize %a scales dense<0.1> : tensor<1xf32> zps [0] axis 0
       : tensor<1x2x2x4xi32> -> tensor<1x2x2x4xf32>
  %t = qg.transpose %f perm [0, 3, 1, 2] : tensor<1x2x2x4xf32> -> tensor<1x4x2x2xf32>
  %p = qg.binary add %t, %one : (tensor<1x4x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x4x2x2xf32>
  %r = qg.reshape %p : tensor<1x4x2x2xf32> -> tensor<16xf32>
  %s = qg.unary sigmoid %r : tensor<16xf32> -> tensor<16xf32>
  %y = fxp.quantize %s scales dense<0.5> : tensor<1xf32> zps [3] axis 0
       clamp [0, 255] unsigned : tensor<16xf32> -> tensor<16xi8>
  return %y : tensor<16xi8>
}

// Zero points and scales of the run are operands that the kernel repeats: by
// column, by row, and one for all.

// CHECK-LABEL: func @run_time_scales
// CHECK-SAME: (%{{.*}}: tensor<6x32xi8>, %[[Z:.*]]: tensor<8xi32>, %[[S:.*]]: tensor<6x1xf32>, %[[T:.*]]: tensor<f32>)
// CHECK-DAG: %[[Z4:.*]] = qg.reshape %[[Z]] : tensor<8xi32> -> tensor<1x1x1x8xi32>
// CHECK-DAG: %[[S4:.*]] = qg.reshape %[[S]] : tensor<6x1xf32> -> tensor<1x1x6x1xf32>
// CHECK-DAG: %[[T4:.*]] = qg.reshape %[[T]] : tensor<f32> -> tensor<1x1x1x1xf32>
// CHECK: qcpu.conv {{.*}} extras(%[[Z4]], %[[S4]], %[[T4]])
// CHECK: arith.subi
// CHECK: arith.sitofp
// CHECK: arith.mulf
// CHECK: arith.mulf
// CHECK-NOT: qg.binary
func.func @run_time_scales(%x: tensor<6x32xi8>, %z: tensor<8xi32>, %s: tensor<6x1xf32>,
                           %t: tensor<f32>) -> tensor<6x8xf32> {
  %w = qg.constant dense<1> : tensor<32x8xi8> -> tensor<32x8xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %a = fxp.matmul %x, %w, %b lhs_zp 0 lhs_unsigned rhs_zp 0
       : (tensor<6x32xi8>, tensor<32x8xi8>, tensor<8xi32>) -> tensor<6x8xi32>
  %d = qg.binary sub %a, %z : (tensor<6x8xi32>, tensor<8xi32>) -> tensor<6x8xi32>
  %f = qg.cast %d : tensor<6x8xi32> -> tensor<6x8xf32>
  %m = qg.binary mul %f, %s : (tensor<6x8xf32>, tensor<6x1xf32>) -> tensor<6x8xf32>
  %y = qg.binary mul %m, %t : (tensor<6x8xf32>, tensor<f32>) -> tensor<6x8xf32>
  return %y : tensor<6x8xf32>
}

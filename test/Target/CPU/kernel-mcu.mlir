// RUN: qopt-opt %s --qcpu-select-kernels="triple=thumbv7em-none-eabi features=+thumb2,+dsp" | FileCheck %s --check-prefixes=CHECK,DSP
// RUN: qopt-opt %s --qcpu-select-kernels="triple=thumbv8.1m.main-none-eabi features=+thumb2,+dsp,+mve" | FileCheck %s --check-prefixes=CHECK,MVE
// RUN: qopt-opt %s --qcpu-select-kernels="triple=thumbv7m-none-eabi features=+thumb2" | FileCheck %s --check-prefixes=CHECK,PLAIN
// RUN: qopt-opt %s --qcpu-select-kernels=triple=riscv32-none-elf | FileCheck %s --check-prefixes=CHECK,PLAIN

// Two rows of weights times two pixels; multipliers and what their products
// are shifted by behind the upper word are i32.

// CHECK-LABEL: func @conv
// DSP: qcpu.conv "smlad" tile [2, 2, 1, 4]
// MVE: qcpu.conv "vmladava" tile [2, 2, 1, 16]
// PLAIN: qcpu.conv "mul" tile [2, 2, 1, 1]
// CHECK: ^bb0(%[[ACC:.*]]: i32, %[[M:.*]]: i32, %[[RIGHT:.*]]: i32):
// DSP: %[[LOW:.*]], %[[HIGH:.*]] = arith.mulsi_extended %[[ACC]], %[[M]]
// DSP: arith.cmpi ne, %[[LOW]]
// CHECK: arith.shrsi %{{.*}}, %[[RIGHT]] : i32
// CHECK: qcpu.yield %{{.*}} : i8

func.func @conv(%x: tensor<1x4x4x32xi8>) -> tensor<1x4x4x2xi8> {
  %w = qg.constant dense<[[[[100, -100, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32]]],
                          [[[1, -2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127]]]]>
       : tensor<2x1x1x32xi8> -> tensor<2x1x1x32xi8>
  %b = qg.constant dense<5> : tensor<2xi32> -> tensor<2xi32>
  %a = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
       groups 1 x_zp 3
       : (tensor<1x4x4x32xi8>, tensor<2x1x1x32xi8>, tensor<2xi32>) -> tensor<1x4x4x2xi32>
  %y = fxp.requantize %a scales dense<0.01> : tensor<1xf32> x_zp 0 zp 1
       clamp [-128, 127] mode <"fixed", 31> : tensor<1x4x4x2xi32> -> tensor<1x4x4x2xi8>
  return %y : tensor<1x4x4x2xi8>
}

// A scale of 1/2 leaves less than the upper word: products of 64 bits. One
// pixel: four rows. Weights of 4 bits: two rows in a word, masked and moved.

// CHECK-LABEL: func @low_bits
// DSP: qcpu.conv "smlad" tile [1, 4, 1, 4]
// DSP-SAME: weight_code = array<i64: 4, -7>
// MVE: qcpu.conv "vmladava" tile [1, 4, 1, 8]
// MVE-SAME: weight_code = array<i64: 4, -7>
// PLAIN-NOT: weight_code
// CHECK: ^bb0(%{{.*}}: i32, %{{.*}}: i64, %{{.*}}: i64):

func.func @low_bits(%x: tensor<1x8xi8>) -> tensor<1x4xi8> {
  %w = qg.constant dense<[[1, -2, 3, 7], [5, 6, 7, -7], [0, 1, 2, 3], [4, 5, 6, 7],
                          [1, -2, 3, 7], [5, 6, 7, -7], [0, 1, 2, 3], [4, 5, 6, 7]]>
       : tensor<8x4xi8> -> tensor<8x4xi8>
  %b = qg.constant dense<0> : tensor<4xi32> -> tensor<4xi32>
  %a = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0
       : (tensor<1x8xi8>, tensor<8x4xi8>, tensor<4xi32>) -> tensor<1x4xi32>
  %y = fxp.requantize %a scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0
       clamp [-128, 127] mode <"fixed", 31> : tensor<1x4xi32> -> tensor<1x4xi8>
  return %y : tensor<1x4xi8>
}

// Sums of a row of pixels share what they read.

// CHECK-LABEL: func @depthwise
// DSP: qcpu.depthwise "mul" tile [6, 1, 1, 1]
// MVE: qcpu.depthwise "mul" tile [3, 1, 4, 1]
func.func @depthwise(%x: tensor<1x10x10x8xi8>) -> tensor<1x8x8x8xi32> {
  %w = qg.constant dense<1> : tensor<8x3x3x1xi8> -> tensor<8x3x3x1xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %a = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
       groups 8 x_zp 0
       : (tensor<1x10x10x8xi8>, tensor<8x3x3x1xi8>, tensor<8xi32>) -> tensor<1x8x8x8xi32>
  return %a : tensor<1x8x8x8xi32>
}

// RUN: qopt-opt %s --split-input-file --qcpu-select-kernels=features=+avx2,+fma | FileCheck %s

// The twin of the products below: constant weights and bias become a kernel.
// CHECK-LABEL: func @twin
// CHECK: qcpu.conv
// CHECK-NOT: fxp.conv
func.func @twin(%x: tensor<1x4x4x8xi8>) -> tensor<1x4x4x8xi32> {
  %w = qg.constant dense<1> : tensor<8x1x1x8xi8> -> tensor<8x1x1x8xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %0 = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 3 x_unsigned : (tensor<1x4x4x8xi8>, tensor<8x1x1x8xi8>, tensor<8xi32>) -> tensor<1x4x4x8xi32>
  return %0 : tensor<1x4x4x8xi32>
}

// -----
// Weights cannot be packed before they are known.
// CHECK-LABEL: func @computed_weight
// CHECK: fxp.conv
// CHECK-NOT: qcpu.
func.func @computed_weight(%x: tensor<1x4x4x8xi8>, %w: tensor<8x1x1x8xi8>) -> tensor<1x4x4x8xi32> {
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %0 = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 3 x_unsigned : (tensor<1x4x4x8xi8>, tensor<8x1x1x8xi8>, tensor<8xi32>) -> tensor<1x4x4x8xi32>
  return %0 : tensor<1x4x4x8xi32>
}

// -----
// The zero point is folded into the bias: that must be known as well.
// CHECK-LABEL: func @computed_bias
// CHECK: fxp.conv
// CHECK-NOT: qcpu.
func.func @computed_bias(%x: tensor<1x4x4x8xi8>, %b: tensor<8xi32>) -> tensor<1x4x4x8xi32> {
  %w = qg.constant dense<1> : tensor<8x1x1x8xi8> -> tensor<8x1x1x8xi8>
  %0 = fxp.conv %x, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 3 x_unsigned : (tensor<1x4x4x8xi8>, tensor<8x1x1x8xi8>, tensor<8xi32>) -> tensor<1x4x4x8xi32>
  return %0 : tensor<1x4x4x8xi32>
}

// -----
// 255 - 0 is no signed byte; 255 - 200 is one.
// CHECK-LABEL: func @wide_weights
// CHECK: fxp.matmul {{.*}} rhs_zp 0 rhs_unsigned
// CHECK: qcpu.conv
// CHECK-NOT: fxp.matmul
func.func @wide_weights(%x: tensor<2x8xi8>) -> (tensor<2x8xi32>, tensor<2x8xi32>) {
  %w = qg.constant dense<-1> : tensor<8x8xi8> -> tensor<8x8xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %0 = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 rhs_unsigned : (tensor<2x8xi8>, tensor<8x8xi8>, tensor<8xi32>) -> tensor<2x8xi32>
  %1 = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 200 rhs_unsigned : (tensor<2x8xi8>, tensor<8x8xi8>, tensor<8xi32>) -> tensor<2x8xi32>
  return %0, %1 : tensor<2x8xi32>, tensor<2x8xi32>
}

// -----
// Seven rows do not pay for packing a factor whose rows are contiguous, three of
// none.
// CHECK-LABEL: func @batches
// CHECK: qg.matmul
// CHECK-NOT: qcpu.
func.func @batches(%x: tensor<2x7x7xf32>, %w: tensor<2x7x3xf32>, %u: tensor<2x3x7xf32>, %v: tensor<2x3x7xf32>) -> (tensor<2x7x3xf32>, tensor<2x3x3xf32>) {
  %0 = qg.matmul %x, %w : (tensor<2x7x7xf32>, tensor<2x7x3xf32>) -> tensor<2x7x3xf32>
  %1 = qg.matmul %u, %v transpose_rhs : (tensor<2x3x7xf32>, tensor<2x3x7xf32>) -> tensor<2x3x3xf32>
  return %0, %1 : tensor<2x7x3xf32>, tensor<2x3x3xf32>
}

// -----
// The bias of a product of two activations is a constant or none.
// CHECK-LABEL: func @bias_at_run_time
// CHECK: qg.matmul
// CHECK-NOT: qcpu.
func.func @bias_at_run_time(%x: tensor<8x7xf32>, %w: tensor<7x3xf32>, %b: tensor<3xf32>) -> tensor<8x3xf32> {
  %0 = qg.matmul %x, %w bias %b : (tensor<8x7xf32>, tensor<7x3xf32>, tensor<3xf32>) -> tensor<8x3xf32>
  return %0 : tensor<8x3xf32>
}

// -----
// Four spatial dimensions are no window over an image or a volume.
// CHECK-LABEL: func @four
// CHECK: qg.conv
// CHECK-NOT: qcpu.
func.func @four(%x: tensor<1x2x2x2x2x8xf32>) -> tensor<1x2x2x2x2x8xf32> {
  %w = qg.constant dense<1.0> : tensor<8x1x1x1x1x8xf32> -> tensor<8x1x1x1x1x8xf32>
  %0 = qg.conv %x, %w strides [1, 1, 1, 1] pads [0, 0, 0, 0, 0, 0, 0, 0] dilations [1, 1, 1, 1] groups 1 : (tensor<1x2x2x2x2x8xf32>, tensor<8x1x1x1x1x8xf32>) -> tensor<1x2x2x2x2x8xf32>
  return %0 : tensor<1x2x2x2x2x8xf32>
}

// -----
// The kernel multiplies the border: 0 * NaN is NaN where there is no input, and
// -0 + 0 is 0. Without a border neither matters.
// CHECK-LABEL: func @border
// CHECK: qg.conv %{{.*}} pads [1, 1]
// CHECK: qg.conv %{{.*}} pads [1, 1]
// CHECK: qcpu.conv
// CHECK-NOT: qg.conv
func.func @border(%x: tensor<1x4x8xf32>) -> (tensor<1x4x8xf32>, tensor<1x4x8xf32>, tensor<1x2x8xf32>) {
  %w = qg.constant dense<1.0> : tensor<8x3x8xf32> -> tensor<8x3x8xf32>
  %nan = qg.constant dense<0x7FC00000> : tensor<8x3x8xf32> -> tensor<8x3x8xf32>
  %b = qg.constant dense<-0.0> : tensor<8xf32> -> tensor<8xf32>
  %0 = qg.conv %x, %nan strides [1] pads [1, 1] dilations [1] groups 1 : (tensor<1x4x8xf32>, tensor<8x3x8xf32>) -> tensor<1x4x8xf32>
  %1 = qg.conv %x, %w bias %b strides [1] pads [1, 1] dilations [1] groups 1 : (tensor<1x4x8xf32>, tensor<8x3x8xf32>, tensor<8xf32>) -> tensor<1x4x8xf32>
  %2 = qg.conv %x, %nan strides [1] pads [0, 0] dilations [1] groups 1 : (tensor<1x4x8xf32>, tensor<8x3x8xf32>) -> tensor<1x2x8xf32>
  return %0, %1, %2 : tensor<1x4x8xf32>, tensor<1x4x8xf32>, tensor<1x2x8xf32>
}

// -----
// A shuffle of 16 bytes does not pay for 63 lookups.
// CHECK-LABEL: func @lookups
// CHECK: fxp.lut
// CHECK: qcpu.lut
// CHECK-NOT: fxp.lut
func.func @lookups(%x: tensor<63xi8>, %y: tensor<64xi8>) -> (tensor<63xi8>, tensor<64xi8>) {
  %0 = fxp.lut %x table dense<1> : tensor<256xi8> : tensor<63xi8> -> tensor<63xi8>
  %1 = fxp.lut %y table dense<1> : tensor<256xi8> : tensor<64xi8> -> tensor<64xi8>
  return %0, %1 : tensor<63xi8>, tensor<64xi8>
}

// -----
// The scales of the groups are not known.
// CHECK-LABEL: func @groups
// CHECK: fxp.group_matmul
// CHECK-NOT: qcpu.
func.func @groups(%x: tensor<1x8xi8>, %s: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<1> : tensor<2x8xi8> -> tensor<2x8xi8>
  %b = qg.constant dense<0.0> : tensor<2xf32> -> tensor<2xf32>
  %0 = fxp.group_matmul %x, %w, %s, %b group 4 lhs_zp 0 lhs_scale 0.5 : (tensor<1x8xi8>, tensor<2x8xi8>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----
// Without rows, columns or terms there is no tile.
// CHECK-LABEL: func @empty
// CHECK-COUNT-3: qg.matmul
// CHECK: fxp.conv
// CHECK-NOT: qcpu.
func.func @empty(%m: tensor<0x3xf32>, %x: tensor<2x3xf32>, %k: tensor<2x0xf32>, %c: tensor<0x4x4x2xi8>) -> (tensor<0x2xf32>, tensor<2x0xf32>, tensor<2x2xf32>, tensor<0x4x4x8xi32>) {
  %w = qg.constant dense<1.0> : tensor<3x2xf32> -> tensor<3x2xf32>
  %n = qg.constant dense<> : tensor<3x0xf32> -> tensor<3x0xf32>
  %z = qg.constant dense<> : tensor<0x2xf32> -> tensor<0x2xf32>
  %u = qg.constant dense<1> : tensor<8x1x1x2xi8> -> tensor<8x1x1x2xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %0 = qg.matmul %m, %w : (tensor<0x3xf32>, tensor<3x2xf32>) -> tensor<0x2xf32>
  %1 = qg.matmul %x, %n : (tensor<2x3xf32>, tensor<3x0xf32>) -> tensor<2x0xf32>
  %2 = qg.matmul %k, %z : (tensor<2x0xf32>, tensor<0x2xf32>) -> tensor<2x2xf32>
  %3 = fxp.conv %c, %u, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 0 x_unsigned : (tensor<0x4x4x2xi8>, tensor<8x1x1x2xi8>, tensor<8xi32>) -> tensor<0x4x4x8xi32>
  return %0, %1, %2, %3 : tensor<0x2xf32>, tensor<2x0xf32>, tensor<2x2xf32>, tensor<0x4x4x8xi32>
}

// -----
// An operand that is repeated within pixels, but not along all of them, has no
// one distance.
// CHECK-LABEL: func @scales_by_image
// CHECK: qcpu.conv {{.*}} extras()
// CHECK: qg.binary
func.func @scales_by_image(%x: tensor<2x3x8xi8>, %s: tensor<2x1x1xf32>) -> tensor<2x3x8xf32> {
  %w = qg.constant dense<1> : tensor<8x8xi8> -> tensor<8x8xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %a = fxp.matmul %x, %w, %b lhs_zp 0 lhs_unsigned rhs_zp 0 : (tensor<2x3x8xi8>, tensor<8x8xi8>, tensor<8xi32>) -> tensor<2x3x8xi32>
  %f = qg.cast %a : tensor<2x3x8xi32> -> tensor<2x3x8xf32>
  %y = qg.binary mul %f, %s : (tensor<2x3x8xf32>, tensor<2x1x1xf32>) -> tensor<2x3x8xf32>
  return %y : tensor<2x3x8xf32>
}

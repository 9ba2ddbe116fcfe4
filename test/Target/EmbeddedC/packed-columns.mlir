// RUN: qopt-translate --fxp-to-c %s | FileCheck %s

// The caller's arrays begin anywhere, and weights of 4 bits want columns at
// words: columns in an input or in a result are copied, those in the arena are
// read where they lie.
// CHECK: QOPT_STEP void model_0_conv(
// CHECK: qopt_linear4_1(scratch,
// CHECK: QOPT_STEP void model_1_linear(
// CHECK: qopt_linear4_1(x,
// CHECK: QOPT_STEP void model_2_conv(
// CHECK: qopt_linear4_1(scratch,

// Weights of 4 bits whose sums in sixteenths leave 32 bits stay bytes.
// CHECK: QOPT_STEP void model_3_linear(
// CHECK: qopt_linear_1(x,

// CHECK: model_2_conv((const int8_t *)call->outputs[0], arena{{.*}}
func.func @main(%x: tensor<1x8xi8> {qg.encoding = !qg.q<si8, 0.5 : 0>})
    -> (tensor<8xi8> {qg.encoding = !qg.q<si8, 0.5 : 0>},
        tensor<1x8xi8> {qg.encoding = !qg.q<si8, 0.5 : 0>}) {
  %w = qg.constant dense<1> : tensor<8x8xi8> -> tensor<8x8xi8>
  %b = qg.constant dense<0> : tensor<8xi32> -> tensor<8xi32>
  %large = qg.constant dense<2147480000> : tensor<8xi32> -> tensor<8xi32>
  %0 = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<1x8xi8>, tensor<8x8xi8>, tensor<8xi32>) -> tensor<1x8xi32>
  %1 = fxp.requantize %0 scales dense<0.01> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x8xi32> -> tensor<1x8xi8>
  %2 = fxp.matmul %1, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<1x8xi8>, tensor<8x8xi8>, tensor<8xi32>) -> tensor<1x8xi32>
  %3 = fxp.requantize %2 scales dense<0.01> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x8xi32> -> tensor<1x8xi8>
  %4 = fxp.matmul %3, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<1x8xi8>, tensor<8x8xi8>, tensor<8xi32>) -> tensor<1x8xi32>
  %5 = fxp.requantize %4 scales dense<0.01> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x8xi32> -> tensor<1x8xi8>
  %6 = fxp.matmul %5, %w, %large lhs_zp 0 rhs_zp 0 : (tensor<1x8xi8>, tensor<8x8xi8>, tensor<8xi32>) -> tensor<1x8xi32>
  %7 = fxp.requantize %6 scales dense<0.01> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x8xi32> -> tensor<1x8xi8>
  %8 = qg.reshape %3 : tensor<1x8xi8> -> tensor<8xi8>
  return %8, %7 : tensor<8xi8>, tensor<1x8xi8>
}

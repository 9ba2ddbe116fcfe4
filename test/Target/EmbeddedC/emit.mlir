// RUN: qopt-translate --fxp-to-c %s | FileCheck %s
// RUN: qopt-translate --fxp-to-c %s --file model.h | FileCheck %s --check-prefix=HEADER
// RUN: qopt-translate --fxp-to-c %s --file model_weights.h | FileCheck %s --check-prefix=WEIGHTS
// RUN: qopt-translate --fxp-to-c %s --file README.md | FileCheck %s --check-prefix=README
// RUN: qopt-translate --fxp-to-c %s --file qopt_embedded.h | FileCheck %s --check-prefix=RUNTIME

// Rows of 27 weights are padded to whole words; pairs of pixels, and no pixel
// left (6 x 6); the last window value is the border: the zero point.
// CHECK: /* stem: 3x3 conv 1x6x6x3 -> 1x6x6x4, 3888 products */
// CHECK-NEXT: QOPT_STEP void model_0_conv(const int8_t *restrict x, int8_t *restrict y,
// CHECK-NEXT:     const model_weights *restrict weights, int8_t *restrict scratch) {
// CHECK-NEXT: const qopt_scales scales = {.bias = weights->bias0,
// CHECK-NEXT:   .multiplier = weights->multiplier0, .shift = weights->shift0,
// CHECK-NEXT:   .zero_point = -128, .low = -128, .high = 127, .wide = 0, .untied = 1};
// CHECK-NEXT: static const qopt_shape shape = {.n = 4, .k = 28};
// CHECK-NEXT: static const qopt_window window = {.height = 6, .width = 6, .channels = 3,
// CHECK-NEXT:   .out_width = 6, .kernel_y = 3, .kernel_x = 3, .stride_y = 1,
// CHECK-NEXT:   .stride_x = 1, .pad_y = 1, .pad_x = 1, .dilation_y = 1, .dilation_x = 1,
// CHECK-NEXT:   .border = -5};
// CHECK-NEXT: for (size_t pixel = 0; pixel < 36; pixel += 2) {
// CHECK-NEXT: size_t next = pixel + 1;
// CHECK-NEXT: qopt_gather(scratch, x, pixel, &window);
// CHECK-NEXT: qopt_gather(scratch + 28, x, next, &window);
// CHECK: int8_t *out = y + at;
// CHECK-NEXT: qopt_linear_2(scratch, out, weights->weights0, &shape, &scales);

// A scale of 1/2 has shift 31: the exact 64-bit rounding.
// CHECK: QOPT_STEP void model_1_depthwise(
// CHECK: .zero_point = 3, .low = -128, .high = 127, .wide = 1};
// CHECK: static const qopt_shape shape = {.n = 4, .k = 4};
// No window leaves the image: there is no border.
// CHECK: const int8_t *taps[4];
// CHECK-NOT: border
// CHECK: qopt_find_taps(taps, x, x, pixel, &window);
// CHECK: qopt_depthwise(taps, out, weights->weights1, &shape, &scales);

// Columns that lie in the input as they are need no copy; one row.
// CHECK: QOPT_STEP void model_2_linear(
// CHECK: static const qopt_shape shape = {.n = 3, .k = 36};
// CHECK-NEXT: qopt_linear_1(x, y, weights->weights2, &shape, &scales);

// CHECK: int model_run(const qopt_call *const call) {
// CHECK: return QOPT_EABI;
// CHECK: return QOPT_EARENA;
// CHECK: model_0_conv((const int8_t *)call->inputs[0], arena{{.*}}, weights, arena + {{[0-9]+}});
// CHECK: model_2_linear(arena{{.*}}, (int8_t *)call->outputs[0], weights);
// CHECK: return QOPT_OK;

// 6*6*4 + 3*3*4 bytes of tensors, 56 of scratch in the first step.
// HEADER: #define MODEL_ARENA_BYTES 200
// HEADER: /* input 0: 'image', int8_t [1x6x6x3], stands for 0.5f * (x - -5) */
// HEADER: #define MODEL_OUTPUT_0_ZERO_POINT 9
// HEADER: Reentrant
// HEADER: extern int model_run(const qopt_call *call);

// bias - zero point * sum of weights: 10 + 5 * 27 * 9.
// WEIGHTS: /* bias0 */ {
// WEIGHTS-NEXT: 1225, 1225, 1225, 1225,
// 0.01 = 1374389504 / 2^37, the multiplier of 31 bits: no sum of this layer
// ties, so shifts are those less 33.
// WEIGHTS: /* multiplier0 */ {
// WEIGHTS-NEXT: 1374389504,
// WEIGHTS: /* shift0 */ {
// WEIGHTS-NEXT: 4,

// README: * RAM: an arena of 200 bytes
// README: | 0 stem | conv | 3888 | 1x6x6x4 |

// RUNTIME: #ifndef QOPT_EMBEDDED_H

func.func @main(%x: tensor<1x6x6x3xi8> {qg.name = "image", qg.encoding = !qg.q<si8, 0.5 : -5>})
    -> (tensor<1x3xi8> {qg.name = "scores", qg.encoding = !qg.q<si8, 0.25 : 9>}) {
  %w0 = qg.constant dense<9> : tensor<4x3x3x3xi8> -> tensor<4x3x3x3xi8>
  %b0 = qg.constant dense<10> : tensor<4xi32> -> tensor<4xi32>
  %w1 = qg.constant dense<9> : tensor<4x2x2x1xi8> -> tensor<4x2x2x1xi8>
  %b1 = qg.constant dense<0> : tensor<4xi32> -> tensor<4xi32>
  %w2 = qg.constant dense<9> : tensor<36x3xi8> -> tensor<36x3xi8>
  %b2 = qg.constant dense<0> : tensor<3xi32> -> tensor<3xi32>
  %0 = fxp.conv %x, %w0, %b0 strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 x_zp -5 : (tensor<1x6x6x3xi8>, tensor<4x3x3x3xi8>, tensor<4xi32>) -> tensor<1x6x6x4xi32> loc("stem")
  %1 = fxp.requantize %0 scales dense<0.01> : tensor<1xf32> x_zp 0 zp -128 clamp [-128, 127] mode <"fixed", 31> : tensor<1x6x6x4xi32> -> tensor<1x6x6x4xi8>
  %2 = fxp.conv %1, %w1, %b1 strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] groups 4 x_zp -128 : (tensor<1x6x6x4xi8>, tensor<4x2x2x1xi8>, tensor<4xi32>) -> tensor<1x3x3x4xi32>
  %3 = fxp.requantize %2 scales dense<0.5> : tensor<1xf32> x_zp 0 zp 3 clamp [-128, 127] mode <"fixed", 31> : tensor<1x3x3x4xi32> -> tensor<1x3x3x4xi8>
  %4 = qg.reshape %3 : tensor<1x3x3x4xi8> -> tensor<1x36xi8>
  %5 = fxp.matmul %4, %w2, %b2 lhs_zp 0 rhs_zp 0 : (tensor<1x36xi8>, tensor<36x3xi8>, tensor<3xi32>) -> tensor<1x3xi32>
  %6 = fxp.requantize %5 scales dense<0.01> : tensor<1xf32> x_zp 0 zp 9 clamp [-128, 127] mode <"fixed", 31> : tensor<1x3xi32> -> tensor<1x3xi8>
  return %6 : tensor<1x3xi8>
}

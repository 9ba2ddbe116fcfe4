// A result that no op computes is an array all the same, and is written; one
// that C has no type for is refused.
// RUN: qopt-translate --fxp-to-c %s | FileCheck %s
// RUN: qopt-translate --fxp-to-c %s --file model.h | FileCheck %s --check-prefix=HEADER
// RUN: %python -c "import sys; print(open(sys.argv[1]).read().replace('f32', 'f16'))" %s > %t.mlir
// RUN: not qopt-translate --fxp-to-c %t.mlir 2>&1 | FileCheck %s --check-prefix=REFUSED

// HEADER: /* output 1: 'anchors', float [2] */
// HEADER: _OUTPUT_1_BYTES 8
// HEADER: /* output 2: 'numbers', int64_t [1x2] */
// HEADER: _OUTPUT_2_BYTES 16
// CHECK: (int8_t *)call->outputs[1]
// CHECK: (int8_t *)call->outputs[2]
// CHECK: QOPT_F32
// CHECK: QOPT_I64
// REFUSED: a result is a constant of tensor<2xf16>, which has no array in C
func.func @main(%x: tensor<1x4xi8> {qg.name = "x"})
    -> (tensor<1x4xi8> {qg.name = "y"}, tensor<2xf32> {qg.name = "anchors"}, tensor<1x2xi64> {qg.name = "numbers"}) {
  %0 = qg.reshape %x : tensor<1x4xi8> -> tensor<1x1x4xi8>
  %y = fxp.max_pool %0 kernel [1] strides [1] pads [0, 0] dilations [1] : tensor<1x1x4xi8> -> tensor<1x1x4xi8>
  %z = qg.reshape %y : tensor<1x1x4xi8> -> tensor<1x4xi8>
  %a = qg.constant dense<[0.5, 300.75]> : tensor<2xf32> -> tensor<2xf32>
  %n = qg.constant dense<[[1, -2]]> : tensor<1x2xi64> -> tensor<1x2xi64>
  return %z, %a, %n : tensor<1x4xi8>, tensor<2xf32>, tensor<1x2xi64>
}

// RUN: not qopt-translate --fxp-to-c %s 2>&1 | FileCheck %s

// Every op without a form is named, at once.
// CHECK: 'scaled' (fxp.requantize): requantization f32 needs floats: use --requant fixed:31
// CHECK-NEXT: 'deep' (fxp.max_pool): expects one or two spatial dimensions, got 3
// CHECK-NEXT: 'many' (fxp.max_pool): expects windows of at most 1024 positions
// CHECK-NEXT: 'floats' (fxp.dequantize): floats have no form in integer-only C
// CHECK-NEXT: 'nothing' (qg.slice): a tensor has no elements
// CHECK-NEXT: 'product' (fxp.matmul): expects a constant right operand of rank 2
// CHECK-NEXT: 'channels' (fxp.resize): expects one scale
// CHECK-NEXT: 'dimensions' (fxp.resize): expects up to 8 dimensions
// CHECK-NEXT: 'large' (fxp.resize): expects an input below 2 GiB
func.func @main(%x: tensor<1x4xi8>, %v: tensor<1x2x2x2x4xi8>, %m: tensor<1x40x40x4xi8>, %n: tensor<2x1x1x1x1x1x1x1x2xi8>, %l: tensor<2x1073741824xi8>)
    -> (tensor<1x4xi8>, tensor<1x1x1x1x4xi8>, tensor<1x1x1x4xi8>, tensor<1x4xf32>, tensor<1x0xi8>, tensor<1x1xi8>, tensor<1x4xi8>, tensor<1x1x1x1x1x1x1x1x1xi8>, tensor<1x1073741824xi8>) {
  %0 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"f32"> : tensor<1x4xi8> -> tensor<1x4xi8> loc("scaled")
  %1 = fxp.max_pool %v kernel [2, 2, 2] strides [1, 1, 1] pads [0, 0, 0, 0, 0, 0] dilations [1, 1, 1] : tensor<1x2x2x2x4xi8> -> tensor<1x1x1x1x4xi8> loc("deep")
  %2 = fxp.max_pool %m kernel [40, 40] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x40x40x4xi8> -> tensor<1x1x1x4xi8> loc("many")
  %3 = fxp.dequantize %x scales dense<0.5> : tensor<1xf32> zps [0] axis 0 : tensor<1x4xi8> -> tensor<1x4xf32> loc("floats")
  %4 = qg.slice %x offsets [0, 0] strides [1, 1] : tensor<1x4xi8> -> tensor<1x0xi8> loc("nothing")
  %b = qg.constant dense<0> : tensor<1xi32> -> tensor<1xi32>
  %t = qg.reshape %x : tensor<1x4xi8> -> tensor<4x1xi8>
  %5 = fxp.matmul %x, %t, %b lhs_zp 0 rhs_zp 0 : (tensor<1x4xi8>, tensor<4x1xi8>, tensor<1xi32>) -> tensor<1x1xi32> loc("product")
  %6 = fxp.requantize %5 scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x1xi32> -> tensor<1x1xi8>
  %7 = fxp.resize %x axes [0] taps [1] positions [0] coefficients [1] x_zp 0 : tensor<1x4xi8> -> tensor<1x4xi32> loc("channels")
  %8 = fxp.requantize %7 scales dense<[0.5, 0.25, 0.5, 0.25]> : tensor<4xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x4xi32> -> tensor<1x4xi8>
  %9 = fxp.resize %n axes [8, 0] taps [1, 1] positions [0, 0] coefficients [1, 1] x_zp 0 : tensor<2x1x1x1x1x1x1x1x2xi8> -> tensor<1x1x1x1x1x1x1x1x1xi32> loc("dimensions")
  %10 = fxp.requantize %9 scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x1x1x1x1x1x1x1x1xi32> -> tensor<1x1x1x1x1x1x1x1x1xi8>
  %11 = fxp.resize %l axes [0] taps [1] positions [0] coefficients [1] x_zp 0 : tensor<2x1073741824xi8> -> tensor<1x1073741824xi32> loc("large")
  %12 = fxp.requantize %11 scales dense<0.5> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x1073741824xi32> -> tensor<1x1073741824xi8>
  return %0, %1, %2, %3, %4, %6, %8, %10, %12 : tensor<1x4xi8>, tensor<1x1x1x1x4xi8>, tensor<1x1x1x4xi8>, tensor<1x4xf32>, tensor<1x0xi8>, tensor<1x1xi8>, tensor<1x4xi8>, tensor<1x1x1x1x1x1x1x1x1xi8>, tensor<1x1073741824xi8>
}

// Every kernel of the C target at sizes that leave a rest: odd channels, odd
// pixels, rows of weights that are no whole words, borders on all sides.
func.func @main(%x: tensor<1x7x5x3xi8> {qg.name = "x", qg.encoding = !qg.q<ui8, 0.5 : 120>})
    -> (tensor<1x455xi8> {qg.name = "y", qg.encoding = !qg.q<si8, 0.5 : 0>}) {
  %w0 = qg.constant dense<[[[[-3, 5, 127], [7, -128, 1]], [[2, -9, 4], [100, -50, 3]]], [[[1, 2, 3], [-4, -5, -6]], [[70, 80, 90], [-10, -20, -30]]], [[[11, -12, 13], [14, 15, -16]], [[-17, 18, 19], [20, -21, 22]]], [[[9, 8, 7], [6, 5, 4]], [[3, 2, 1], [0, -1, -2]]], [[[33, 0, -33], [55, 0, -55]], [[-77, 0, 77], [99, 0, -99]]]]> : tensor<5x2x2x3xi8> -> tensor<5x2x2x3xi8>
  %b0 = qg.constant dense<[100, -200, 300, -400, 500]> : tensor<5xi32> -> tensor<5xi32>
  %0 = fxp.conv %x, %w0, %b0 strides [1, 1] pads [1, 0, 0, 1] dilations [1, 1] groups 1 x_zp 120 x_unsigned : (tensor<1x7x5x3xi8>, tensor<5x2x2x3xi8>, tensor<5xi32>) -> tensor<1x7x5x5xi32>
  %1 = fxp.requantize %0 scales dense<[0.01, 0.02, 0.005, 0.1, 0.003]> : tensor<5xf32> x_zp 0 zp 128 clamp [0, 255] unsigned mode <"fixed", 31> : tensor<1x7x5x5xi32> -> tensor<1x7x5x5xi8>
  %wd = qg.constant dense<[[[[1], [-2], [3]], [[-4], [5], [-6]], [[7], [-8], [9]]], [[[10], [20], [30]], [[40], [50], [60]], [[-70], [-80], [-90]]], [[[5], [4], [3]], [[2], [1], [0]], [[-1], [-2], [-3]]], [[[127], [-128], [127]], [[-128], [127], [-128]], [[127], [-128], [127]]], [[[6], [6], [6]], [[6], [6], [6]], [[6], [6], [6]]]]> : tensor<5x3x3x1xi8> -> tensor<5x3x3x1xi8>
  %2 = fxp.conv %1, %wd, %b0 strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] groups 5 x_zp 128 x_unsigned : (tensor<1x7x5x5xi8>, tensor<5x3x3x1xi8>, tensor<5xi32>) -> tensor<1x4x3x5xi32>
  %3 = fxp.requantize %2 scales dense<0.02> : tensor<1xf32> x_zp 0 zp 0 clamp [0, 200] unsigned mode <"fixed", 17> : tensor<1x4x3x5xi32> -> tensor<1x4x3x5xi8>
  // Scales above 1/4: the rounding in 64 bits.
  %4 = fxp.requantize %1 scales dense<0.75> : tensor<1xf32> x_zp 128 x_unsigned zp -3 clamp [-100, 100] mode <"fixed", 31> : tensor<1x7x5x5xi8> -> tensor<1x7x5x5xi8>
  %5 = fxp.max_pool %4 kernel [3, 2] strides [1, 1] pads [1, 0, 1, 1] dilations [1, 1] : tensor<1x7x5x5xi8> -> tensor<1x7x5x5xi8>
  %6 = fxp.add %4, %5 scales [0.9, -0.3] zps [-3, 2] zp 7 clamp [-128, 127] mode <"fixed", 31> : (tensor<1x7x5x5xi8>, tensor<1x7x5x5xi8>) -> tensor<1x7x5x5xi8>
  %g = qg.constant dense<[1, -2, 3, -4, 5]> : tensor<5xi8> -> tensor<5xi8>
  %7 = fxp.mul %g, %6 zps [1, -3] : (tensor<5xi8>, tensor<1x7x5x5xi8>) -> tensor<1x7x5x5xi32>
  %8 = fxp.requantize %7 scales dense<0.21> : tensor<1xf32> x_zp 0 zp 1 clamp [-128, 127] mode <"pow2"> : tensor<1x7x5x5xi32> -> tensor<1x7x5x5xi8>
  // Dilated, in one row of an image: columns of 10 bytes.
  %w1 = qg.constant dense<[[[1, 2, 3, 4, 5], [-5, -4, -3, -2, -1]], [[50, 60, 70, 80, 90], [9, 8, 7, 6, 5]], [[-9, 9, -9, 9, -9], [3, -3, 3, -3, 3]]]> : tensor<3x2x5xi8> -> tensor<3x2x5xi8>
  %b1 = qg.constant dense<[1, 2, 3]> : tensor<3xi32> -> tensor<3xi32>
  %r = qg.reshape %8 : tensor<1x7x5x5xi8> -> tensor<1x35x5xi8>
  %9 = fxp.conv %r, %w1, %b1 strides [3] pads [2, 3] dilations [2] groups 1 x_zp 1 : (tensor<1x35x5xi8>, tensor<3x2x5xi8>, tensor<3xi32>) -> tensor<1x13x3xi32>
  %10 = fxp.requantize %9 scales dense<0.03> : tensor<1xf32> x_zp 0 zp 5 clamp [-128, 127] mode <"fixed", 31> : tensor<1x13x3xi32> -> tensor<1x13x3xi8>
  // Two groups of two channels.
  %t = qg.transpose %8 perm [0, 2, 1, 3] : tensor<1x7x5x5xi8> -> tensor<1x5x7x5xi8>
  %s = qg.slice %t offsets [0, 0, 1, 1] strides [1, 2, 1, 1] : tensor<1x5x7x5xi8> -> tensor<1x3x6x4xi8>
  %wg = qg.constant dense<[[[[1, -2]]], [[[3, 4]]], [[[-5, 6]]], [[[7, 8]]]]> : tensor<4x1x1x2xi8> -> tensor<4x1x1x2xi8>
  %bg = qg.constant dense<[9, 8, 7, 6]> : tensor<4xi32> -> tensor<4xi32>
  %11 = fxp.conv %s, %wg, %bg strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 x_zp 0 : (tensor<1x3x6x4xi8>, tensor<4x1x1x2xi8>, tensor<4xi32>) -> tensor<1x3x6x4xi32>
  %12 = fxp.requantize %11 scales dense<0.2> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x3x6x4xi32> -> tensor<1x3x6x4xi8>
  %13 = fxp.sum_pool %12 kernel [2, 3] strides [1, 3] pads [0, 0, 0, 0] dilations [1, 1] x_zp 4 : tensor<1x3x6x4xi8> -> tensor<1x2x2x4xi32>
  %14 = fxp.requantize %13 scales dense<0.16> : tensor<1xf32> x_zp 0 zp -1 clamp [-128, 127] mode <"fixed", 31> : tensor<1x2x2x4xi32> -> tensor<1x2x2x4xi8>
  %15 = fxp.sum %8 axes [1, 2] x_zp -2 : tensor<1x7x5x5xi8> -> tensor<1x5xi32>
  %16 = fxp.requantize %15 scales dense<0.03> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x5xi32> -> tensor<1x5xi8>
  // By fractions along two dimensions, in runs of four.
  %rs = fxp.resize %12 axes [2, 1] taps [2, 3] positions [0, 1, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 0, 1, 2, 2, 1, 0, 1, 1, 2] coefficients [3, 1, -1, 5, 2, 2, 1, 3, 4, 0, 2, 2, 2, 2, 6, -1, 1, 8, -3, 1, 0, 5, 1] x_zp 3 : tensor<1x3x6x4xi8> -> tensor<1x3x7x4xi32>
  %rq = fxp.requantize %rs scales dense<0.04> : tensor<1xf32> x_zp 0 zp 6 clamp [-128, 127] mode <"fixed", 31> : tensor<1x3x7x4xi32> -> tensor<1x3x7x4xi8>
  // Columns of 7 bytes, one pixel.
  %ws = qg.constant dense<[[1, -1, 2, -2, 3], [10, 20, 30, 40, 50], [-7, 7, -7, 7, -7]]> : tensor<3x5xi8> -> tensor<3x5xi8>
  %17 = fxp.matmul %16, %ws, %b1 lhs_zp 0 rhs_zp 0 transpose_rhs : (tensor<1x5xi8>, tensor<3x5xi8>, tensor<3xi32>) -> tensor<1x3xi32>
  %18 = fxp.requantize %17 scales dense<0.05> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x3xi32> -> tensor<1x3xi8>
  %c0 = qg.reshape %3 : tensor<1x4x3x5xi8> -> tensor<1x60xi8>
  %c0s = fxp.requantize %c0 scales dense<1.0> : tensor<1xf32> x_zp 0 x_unsigned zp -100 clamp [-128, 127] mode <"fixed", 31> : tensor<1x60xi8> -> tensor<1x60xi8>
  %c1 = qg.reshape %6 : tensor<1x7x5x5xi8> -> tensor<1x175xi8>
  %c2 = qg.reshape %10 : tensor<1x13x3xi8> -> tensor<1x39xi8>
  %c3 = qg.reshape %12 : tensor<1x3x6x4xi8> -> tensor<1x72xi8>
  %c4 = qg.reshape %14 : tensor<1x2x2x4xi8> -> tensor<1x16xi8>
  %sm = fxp.softmax %c0s table dense<4096> : tensor<256xi32> zp -128 clamp [-128, 127] : tensor<1x60xi8> -> tensor<1x60xi8>
  %sb = qg.slice %sm offsets [0, 54] strides [1, 1] : tensor<1x60xi8> -> tensor<1x6xi8>
  %c5 = qg.reshape %rq : tensor<1x3x7x4xi8> -> tensor<1x84xi8>
  %y = qg.concat %c0s, %c1, %c2, %c3, %c4, %18, %sb, %c5 axis 1 : (tensor<1x60xi8>, tensor<1x175xi8>, tensor<1x39xi8>, tensor<1x72xi8>, tensor<1x16xi8>, tensor<1x3xi8>, tensor<1x6xi8>, tensor<1x84xi8>) -> tensor<1x455xi8>
  return %y : tensor<1x455xi8>
}

// What moves bytes without looking at them, and operands that repeat inside.
func.func @main(%x: tensor<1x4x5x3xi8> {qg.name = "x", qg.encoding = !qg.q<ui8, 0.5 : 120>})
    -> (tensor<1x378xi8> {qg.name = "y", qg.encoding = !qg.q<ui8, 0.5 : 120>}) {
  // Rows twice, the last one first, counted from the end.
  %i = qg.constant dense<[-1, 0, 0, 2, 1, -4]> : tensor<6xi64> -> tensor<6xi64>
  %0 = qg.gather %x, %i axis 1 : (tensor<1x4x5x3xi8>, tensor<6xi64>) -> tensor<1x6x5x3xi8>
  %c = qg.constant dense<[[2, 0], [1, 1]]> : tensor<2x2xi64> -> tensor<2x2xi64>
  %1 = qg.gather %x, %c axis 3 : (tensor<1x4x5x3xi8>, tensor<2x2xi64>) -> tensor<1x4x5x2x2xi8>
  // Borders on some sides, a crop on others, and no element of the input.
  %z = qg.constant dense<120> : tensor<i8> -> tensor<i8>
  %2 = qg.pad constant %x value %z low [0, 2, -1, 0] high [0, -1, 3, 0] : (tensor<1x4x5x3xi8>, tensor<i8>) -> tensor<1x5x7x3xi8>
  %4 = qg.pad constant %x value %z low [0, -4, 1, 0] high [0, 1, 0, 0] : (tensor<1x4x5x3xi8>, tensor<i8>) -> tensor<1x1x6x3xi8>
  // A map of one channel, and one number a channel of another image.
  %m = qg.slice %x offsets [0, 0, 0, 1] strides [1, 1, 1, 1] : tensor<1x4x5x3xi8> -> tensor<1x4x5x1xi8>
  %5 = fxp.mul %x, %m zps [120, 120] lhs_unsigned rhs_unsigned : (tensor<1x4x5x3xi8>, tensor<1x4x5x1xi8>) -> tensor<1x4x5x3xi32>
  %6 = fxp.requantize %5 scales dense<0.01> : tensor<1xf32> x_zp 0 zp 120 clamp [0, 255] unsigned mode <"fixed", 31> : tensor<1x4x5x3xi32> -> tensor<1x4x5x3xi8>
  %c0 = qg.reshape %0 : tensor<1x6x5x3xi8> -> tensor<1x90xi8>
  %c1 = qg.reshape %1 : tensor<1x4x5x2x2xi8> -> tensor<1x80xi8>
  %c2 = qg.reshape %2 : tensor<1x5x7x3xi8> -> tensor<1x105xi8>
  %c4 = qg.reshape %4 : tensor<1x1x6x3xi8> -> tensor<1x18xi8>
  %c6 = qg.reshape %6 : tensor<1x4x5x3xi8> -> tensor<1x60xi8>
  %p = qg.slice %x offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : tensor<1x4x5x3xi8> -> tensor<1x1x5x1xi8>
  %q = qg.slice %x offsets [0, 1, 2, 0] strides [1, 1, 1, 1] : tensor<1x4x5x3xi8> -> tensor<1x1x1x3xi8>
  // Neither is whole.
  %7 = fxp.add %p, %q scales [0.5, 0.5] zps [120, 120] zp 120 clamp [0, 255] lhs_unsigned rhs_unsigned unsigned mode <"fixed", 31> : (tensor<1x1x5x1xi8>, tensor<1x1x1x3xi8>) -> tensor<1x1x5x3xi8>
  %c7 = qg.reshape %7 : tensor<1x1x5x3xi8> -> tensor<1x15xi8>
  %s = qg.slice %c0 offsets [0, 80] strides [1, 1] : tensor<1x90xi8> -> tensor<1x10xi8>
  %y = qg.concat %c0, %c1, %c2, %c4, %c6, %c7, %s axis 1 : (tensor<1x90xi8>, tensor<1x80xi8>, tensor<1x105xi8>, tensor<1x18xi8>, tensor<1x60xi8>, tensor<1x15xi8>, tensor<1x10xi8>) -> tensor<1x378xi8>
  return %y : tensor<1x378xi8>
}

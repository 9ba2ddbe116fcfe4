// A product whose weights reach both ends of a byte.
func.func @main(%x: tensor<2x8xi8> {qg.encoding = !qg.q<si8, 0.5 : 0>})
    -> (tensor<2x3xi8> {qg.encoding = !qg.q<si8, 0.5 : 0>}) {
  %w = qg.constant dense<[[-56, 3, -128, 127, 5, 6, -7, 0],
                          [1, 2, 3, 4, 5, 6, 7, 8],
                          [-1, -2, -3, -4, -5, -6, -7, -8]]> : tensor<3x8xi8> -> tensor<3x8xi8>
  %b = qg.constant dense<[5, -6, 7]> : tensor<3xi32> -> tensor<3xi32>
  %0 = fxp.matmul %x, %w, %b lhs_zp 3 rhs_zp 0 rhs_unsigned transpose_rhs : (tensor<2x8xi8>, tensor<3x8xi8>, tensor<3xi32>) -> tensor<2x3xi32>
  %1 = fxp.requantize %0 scales dense<0.01> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<2x3xi32> -> tensor<2x3xi8>
  return %1 : tensor<2x3xi8>
}

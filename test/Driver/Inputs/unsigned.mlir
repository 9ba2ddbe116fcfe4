// The integer form: signless elements, encodings as attributes; that of `z` is
// of another width than its elements and says nothing.
func.func @main(%x: tensor<4xi8> {qg.name = "x", qg.encoding = !qg.q<ui8, 0.5 : 0>},
                %z: tensor<4xi8> {qg.name = "z", qg.encoding = !qg.q<si32, 0.5 : 0>})
    -> (tensor<4xi8> {qg.name = "y", qg.encoding = !qg.q<ui8, 0.5 : 0>},
        tensor<4xi8> {qg.name = "w", qg.encoding = !qg.q<si8, 0.5 : 0>}) {
  %0 = fxp.requantize %x scales dense<1.0> : tensor<1xf32> x_zp 0 x_unsigned zp 0 clamp [0, 255] unsigned mode <"f32"> : tensor<4xi8> -> tensor<4xi8>
  %1 = fxp.requantize %x scales dense<0.5> : tensor<1xf32> x_zp 128 x_unsigned zp 0 clamp [-128, 127] mode <"f32"> : tensor<4xi8> -> tensor<4xi8>
  return %0, %1 : tensor<4xi8>, tensor<4xi8>
}

// Three scores of an image: sums of its channels.
func.func @main(%x: tensor<1x3x2x2xf32> {qg.name = "image"})
    -> (tensor<1x3xf32> {qg.name = "scores"}) {
  %s = qg.reduce sum %x axes [2, 3] : tensor<1x3x2x2xf32> -> tensor<1x3xf32>
  return %s : tensor<1x3xf32>
}

func.func @main(%x: tensor<7x4xf32> {qg.name = "x"})
    -> (tensor<7x4xf32> {qg.name = "y"}) {
  %y = qg.binary add %x, %x : (tensor<7x4xf32>, tensor<7x4xf32>) -> tensor<7x4xf32>
  return %y : tensor<7x4xf32>
}

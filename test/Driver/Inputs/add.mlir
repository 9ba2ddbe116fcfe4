func.func @main(%a: tensor<1x4xf32> {qg.name = "a"}, %b: tensor<4xf32> {qg.name = "b"})
    -> (tensor<1x4xf32> {qg.name = "sum"}) {
  %s = qg.binary add %a, %b : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  return %s : tensor<1x4xf32>
}

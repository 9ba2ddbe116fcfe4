// A layer that brings its format, as a rotation at run time does, and another.
func.func @main(%x: tensor<1x4xf32> {qg.name = "x"})
    -> (tensor<1x3xf32> {qg.name = "y"}) {
  %a = qg.constant dense<[[0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5], [0.5, 0.5, -0.5, -0.5], [0.5, -0.5, -0.5, 0.5]]> : tensor<4x4xf32> -> tensor<4x4xf32>
  %b = qg.constant dense<[[0.9, -0.31, 0.2], [-0.77, 0.4, 0.1], [0.13, 0.6, -0.5], [0.3, 0.21, 0.83]]> : tensor<4x3xf32> -> tensor<4x3xf32>
  %0 = qg.matmul %x, %a {qg.weights = "si8"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32> loc("rotation")
  %1 = qg.matmul %0, %b : (tensor<1x4xf32>, tensor<4x3xf32>) -> tensor<1x3xf32> loc("head")
  return %1 : tensor<1x3xf32>
}

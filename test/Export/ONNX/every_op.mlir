// REQUIRES: onnxruntime
// RUN: qopt-translate --export-onnx %s -o %t.onnx
// RUN: %python %S/Inputs/interpret.py %t.onnx %s %t

// ONNX Runtime computes from what is written what reference semantics compute.
func.func @main(%x: tensor<2x3x4x6xf32> {qg.name = "x"}) -> (tensor<2x8x12x4xf32> {qg.name = "a"}, tensor<2x5xf32> {qg.name = "b"}, tensor<2x3xi64> {qg.name = "c"}, tensor<2x3x4x6xf32> {qg.name = "d"}, tensor<2x3x2x4xf32> {qg.name = "e"}) {
  %w = qg.constant dense<[[[[0.5, 1.0, -1.0]]], [[[0.25, 2.0, 0.0]]], [[[1.0, 0.5, 0.75]]], [[[-0.5, 1.5, 1.0]]]]> : tensor<4x1x1x3xf32> -> tensor<4x1x1x3xf32>
  %b = qg.constant dense<[0.5, -0.5, 1.0, 2.0]> : tensor<4xf32> -> tensor<4xf32>
  %v = qg.constant dense<0.5> : tensor<4x2x2x2xf32> -> tensor<4x2x2x2xf32>
  %half = qg.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %chan = qg.constant dense<[[[1.0]], [[2.0]], [[3.0]]]> : tensor<3x1x1xf32> -> tensor<3x1x1xf32>
  %q = qg.constant dense<[[1, -2, 3, 4, 5], [2, 1, 0, -1, -2], [7, 1, 3, 1, 2], [1, 1, 1, 1, 1]]> : tensor<4x5xi8> -> tensor<4x5x!qg.q<si8, 0.25 : 0>>
  %m = qg.dequantize %q : tensor<4x5x!qg.q<si8, 0.25 : 0>> -> tensor<4x5xf32>
  // A convolution, its integer-rounded result, a grouped transposed one.
  %0 = qg.transpose %x perm [0, 2, 3, 1] : tensor<2x3x4x6xf32> -> tensor<2x4x6x3xf32>
  %1 = qg.conv %0, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<2x4x6x3xf32>, tensor<4x1x1x3xf32>, tensor<4xf32>) -> tensor<2x4x6x4xf32>
  %2 = qg.quantize %1 : tensor<2x4x6x4xf32> -> tensor<2x4x6x4x!qg.q<ui8, 0.05 : 100>>
  %3 = qg.dequantize %2 : tensor<2x4x6x4x!qg.q<ui8, 0.05 : 100>> -> tensor<2x4x6x4xf32>
  %4 = qg.conv_transpose %3, %v strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] output_padding [0, 0] groups 2 : (tensor<2x4x6x4xf32>, tensor<4x2x2x2xf32>) -> tensor<2x8x12x4xf32>
  // Pooling, pointwise ops that follow, a classifier with an integer weight.
  %5 = qg.pool avg %3 kernel [4, 6] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<2x4x6x4xf32> -> tensor<2x1x1x4xf32>
  %6 = qg.unary sigmoid %5 : tensor<2x1x1x4xf32> -> tensor<2x1x1x4xf32>
  %7 = qg.reshape %6 : tensor<2x1x1x4xf32> -> tensor<2x4xf32>
  %8 = qg.matmul %7, %m : (tensor<2x4xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  %9 = qg.softmax %8 : tensor<2x5xf32> -> tensor<2x5xf32>
  // Reductions and indices.
  %10 = qg.reduce max %x axes [3] : tensor<2x3x4x6xf32> -> tensor<2x3x4xf32>
  %11 = qg.arg_reduce min %10 axis 2 : tensor<2x3x4xf32> -> tensor<2x3xi64>
  // Comparison, selection, composed kinds, a constant by channel.
  %12 = qg.compare ge %x, %half : (tensor<2x3x4x6xf32>, tensor<f32>) -> tensor<2x3x4x6xi1>
  %13 = qg.binary mul %x, %chan : (tensor<2x3x4x6xf32>, tensor<3x1x1xf32>) -> tensor<2x3x4x6xf32>
  %14 = qg.binary mod %13, %half : (tensor<2x3x4x6xf32>, tensor<f32>) -> tensor<2x3x4x6xf32>
  %15 = qg.unary exp %x : tensor<2x3x4x6xf32> -> tensor<2x3x4x6xf32>
  %16 = qg.unary rsqrt %15 : tensor<2x3x4x6xf32> -> tensor<2x3x4x6xf32>
  %17 = qg.select %12, %14, %16 : (tensor<2x3x4x6xi1>, tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>) -> tensor<2x3x4x6xf32>
  // Movement: negative strides, reflection, concatenation, gathering.
  %i = qg.constant dense<[1, 0]> : tensor<2xi64> -> tensor<2xi64>
  %18 = qg.slice %x offsets [0, 0, 3, 1] strides [1, 1, -1, 2] : tensor<2x3x4x6xf32> -> tensor<2x3x4x2xf32>
  %19 = qg.pad reflect %18 low [0, 0, 0, 1] high [0, 0, 0, 1] : (tensor<2x3x4x2xf32>) -> tensor<2x3x4x4xf32>
  %20 = qg.gather %19, %i axis 2 : (tensor<2x3x4x4xf32>, tensor<2xi64>) -> tensor<2x3x2x4xf32>
  return %4, %9, %11, %17, %20 : tensor<2x8x12x4xf32>, tensor<2x5xf32>, tensor<2x3xi64>, tensor<2x3x4x6xf32>, tensor<2x3x2x4xf32>
}

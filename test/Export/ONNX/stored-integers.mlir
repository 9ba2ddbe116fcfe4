// REQUIRES: onnxruntime
// RUN: qopt-translate --export-onnx %s -o %t.onnx
// RUN: %python %S/Inputs/interpret.py %t.onnx %s %t

// What is computed on stored integers: maxima of bytes and of wider integers,
// and 32-bit integers around a zero point, which DequantizeLinear has not.
func.func @main(%x: tensor<1x2x5x5xf32> {qg.name = "x"}) -> (tensor<1x2x4x4xf32> {qg.name = "a"}, tensor<1x2x2x2xf32> {qg.name = "b"}, tensor<1x2x5x5xf32> {qg.name = "c"}, tensor<2x3xf32> {qg.name = "d"}) {
  %0 = qg.transpose %x perm [0, 2, 3, 1] : tensor<1x2x5x5xf32> -> tensor<1x5x5x2xf32>
  %1 = qg.quantize %0 : tensor<1x5x5x2xf32> -> tensor<1x5x5x2x!qg.q<si8, 0.05 : 3>>
  %2 = qg.pool max %1 kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x5x5x2x!qg.q<si8, 0.05 : 3>> -> tensor<1x4x4x2x!qg.q<si8, 0.05 : 3>>
  %3 = qg.dequantize %2 : tensor<1x4x4x2x!qg.q<si8, 0.05 : 3>> -> tensor<1x4x4x2xf32>
  %4 = qg.transpose %3 perm [0, 3, 1, 2] : tensor<1x4x4x2xf32> -> tensor<1x2x4x4xf32>
  %5 = qg.quantize %0 : tensor<1x5x5x2xf32> -> tensor<1x5x5x2x!qg.q<si16, 0.001 : -7>>
  %6 = qg.pool max %5 kernel [3, 3] strides [3, 3] pads [1, 1, 1, 1] dilations [1, 1] : tensor<1x5x5x2x!qg.q<si16, 0.001 : -7>> -> tensor<1x2x2x2x!qg.q<si16, 0.001 : -7>>
  %7 = qg.dequantize %6 : tensor<1x2x2x2x!qg.q<si16, 0.001 : -7>> -> tensor<1x2x2x2xf32>
  %8 = qg.transpose %7 perm [0, 3, 1, 2] : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %w = qg.constant dense<[[[[2147483640]], [[-2147483648]]]]> : tensor<1x2x1x1xi32> -> tensor<1x2x1x1x!qg.q<si32, 1.0e-9 : -5>>
  %9 = qg.dequantize %w : tensor<1x2x1x1x!qg.q<si32, 1.0e-9 : -5>> -> tensor<1x2x1x1xf32>
  %10 = qg.binary mul %x, %9 : (tensor<1x2x5x5xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x5x5xf32>
  %v = qg.constant dense<[[-2147483640, 7, 9], [1, -2, 16777217]]> : tensor<2x3xi32> -> tensor<2x3x!qg.q<si32, axis = 0, dense_resource<s> : tensor<2xf32>, dense_resource<z> : tensor<2xi32>>>
  %11 = qg.dequantize %v : tensor<2x3x!qg.q<si32, axis = 0, dense_resource<s> : tensor<2xf32>, dense_resource<z> : tensor<2xi32>>> -> tensor<2x3xf32>
  return %4, %8, %10, %11 : tensor<1x2x4x4xf32>, tensor<1x2x2x2xf32>, tensor<1x2x5x5xf32>, tensor<2x3xf32>
}

{-#
  dialect_resources: {
    builtin: {
      s: "0x040000000000003F0000003E",
      z: "0x04000000FEFFFFFFFBFFFFFF"
    }
  }
#-}

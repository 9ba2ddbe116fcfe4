// A float bias between encoded operands is added to the accumulators as an
// integer: so it is in the file, in the scale of the products.
// RUN: qopt-translate --export-onnx %s -o %t.onnx
// RUN: qopt-translate --import-onnx %t.onnx | FileCheck %s

func.func @main(%x: tensor<2x3xf32> {qg.name = "x"}) -> (tensor<2x2xf32> {qg.name = "y"}, tensor<2x2xf32> {qg.name = "z"}) {
  %b = qg.constant dense<[1.0, -0.26]> : tensor<2xf32> -> tensor<2xf32>
  %w = qg.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8> -> tensor<3x2x!qg.q<si8, 0.25 : 0>>
  %wd = qg.dequantize %w : tensor<3x2x!qg.q<si8, 0.25 : 0>> -> tensor<3x2xf32>
  %q = qg.quantize %x : tensor<2x3xf32> -> tensor<2x3x!qg.q<ui8, 0.5 : 0>>
  %d = qg.dequantize %q : tensor<2x3x!qg.q<ui8, 0.5 : 0>> -> tensor<2x3xf32>
  // 1 / 0.125 and -0.26 / 0.125, to the nearest.
  // CHECK-DAG: %[[B:.*]] = qg.constant dense<[8, -2]> : tensor<2xi32> -> tensor<2x!qg.q<si32, 1.250000e-01 : 0>>
  // CHECK-DAG: %[[BD:.*]] = qg.dequantize %[[B]]
  // CHECK: qg.matmul %{{.*}}, %{{.*}} bias %[[BD]]
  %y = qg.matmul %d, %wd bias %b : (tensor<2x3xf32>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  // A float product keeps its bias.
  // CHECK: %[[F:.*]] = qg.constant dense<[1.000000e+00, -2.600000e-01]> : tensor<2xf32>
  // CHECK: qg.matmul %arg0, %{{.*}} bias %[[F]]
  %z = qg.matmul %x, %wd bias %b : (tensor<2x3xf32>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %y, %z : tensor<2x2xf32>, tensor<2x2xf32>
}

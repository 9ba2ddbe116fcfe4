// RUN: not qopt-translate --export-onnx %s 2>&1 | FileCheck %s

// Integer arithmetic has no standard form; the stage before it has.
// CHECK: error: expects float arithmetic between quantize and dequantize for ONNX, got 'qg.binary' on quantized tensors; export an earlier stage
func.func @main(%x: tensor<2x!qg.q<ui8, 0.5 : 0>>) -> tensor<2x!qg.q<ui8, 0.5 : 0>> {
  %0 = qg.binary add %x, %x : (tensor<2x!qg.q<ui8, 0.5 : 0>>, tensor<2x!qg.q<ui8, 0.5 : 0>>) -> tensor<2x!qg.q<ui8, 0.5 : 0>>
  return %0 : tensor<2x!qg.q<ui8, 0.5 : 0>>
}

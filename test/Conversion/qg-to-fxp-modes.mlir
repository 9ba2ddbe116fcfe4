// RUN: qopt-opt %s --convert-qg-to-fxp=requantize-mode=fixed:17 | FileCheck %s --check-prefixes=ALL,FIXED
// RUN: qopt-opt %s --convert-qg-to-fxp=requantize-mode=pow2 | FileCheck %s --check-prefixes=ALL,POW2

// The mode stands on every op that rounds; scales stay exact, and what does not
// round has none.
// ALL-LABEL: func @every_rounding
// FIXED-COUNT-4: mode <fixed, 17>
// POW2-COUNT-4: mode <pow2>
// ALL-NOT: mode
// ALL: return
!a = !qg.q<ui8, 0.5 : 3>
!b = !qg.q<si8, 0.25 : 0>
func.func @every_rounding(%x: tensor<1x4x!a>, %y: tensor<1x4x!b>)
    -> (tensor<1x4x!a>, tensor<1x4x!b>, tensor<1x4x!a>, tensor<1x2x!a>) {
  %w = qg.constant dense<1> : tensor<4x2xi8> -> tensor<4x2x!b>
  %0 = qg.binary add %x, %y : (tensor<1x4x!a>, tensor<1x4x!b>) -> tensor<1x4x!a>
  %1 = qg.requantize %x : tensor<1x4x!a> -> tensor<1x4x!b>
  %2 = qg.binary mul %x, %y : (tensor<1x4x!a>, tensor<1x4x!b>) -> tensor<1x4x!a>
  %3 = qg.matmul %x, %w : (tensor<1x4x!a>, tensor<4x2x!b>) -> tensor<1x2x!a>
  return %0, %1, %2, %3 : tensor<1x4x!a>, tensor<1x4x!b>, tensor<1x4x!a>, tensor<1x2x!a>
}

// Boundaries are float in every mode: they belong to the encoding, not to the
// accumulator.
// ALL-LABEL: func @boundary
// ALL: fxp.quantize %{{.*}} scales dense<5.000000e-01> : tensor<1xf32> zps [3] axis 0 clamp [0, 255] unsigned :
// ALL: fxp.dequantize
func.func @boundary(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = qg.quantize %x : tensor<4xf32> -> tensor<4x!a>
  %1 = qg.dequantize %0 : tensor<4x!a> -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// Whether bytes are unsigned is known behind gathers and pads: a table that only
// they read has entries of that sign.
// RUN: qopt-opt %s --convert-fxp-to-hls | FileCheck %s

// CHECK: hls.lut {{.*}} : <4 x 1 x si8> -> <4 x 1 x ui8>
func.func @main(%x: tensor<1x4xi8>) -> (tensor<1x8xi8> {hls.element = ui8}) {
  %t = fxp.lut %x table dense<-3> : tensor<256xi8> : tensor<1x4xi8> -> tensor<1x4xi8>
  %i = qg.constant dense<[0, 0, 1, 1, 2, 3]> : tensor<6xi64> -> tensor<6xi64>
  %g = qg.gather %t, %i axis 1 : (tensor<1x4xi8>, tensor<6xi64>) -> tensor<1x6xi8>
  %z = qg.constant dense<7> : tensor<i8> -> tensor<i8>
  %p = qg.pad constant %g value %z low [0, 1] high [0, 1] : (tensor<1x6xi8>, tensor<i8>) -> tensor<1x8xi8>
  return %p : tensor<1x8xi8>
}

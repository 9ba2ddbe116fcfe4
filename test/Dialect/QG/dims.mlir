// RUN: qopt-opt %s | qopt-opt | FileCheck %s
// RUN: qopt-opt %s --emit-bytecode | qopt-opt | FileCheck %s

// Extents that vary are bounds with a name.
// CHECK-LABEL: func private @lengths
// CHECK-SAME: tensor<1x512x384xf32, #qg.dims<[_, seq, _]>>
// CHECK-SAME: tensor<8x8xi8, #qg.dims<[n, n]>>
func.func private @lengths(tensor<1x512x384xf32, #qg.dims<[_, seq, _]>>, tensor<8x8xi8, #qg.dims<[n, n]>>)

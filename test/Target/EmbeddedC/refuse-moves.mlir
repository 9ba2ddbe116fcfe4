// RUN: not qopt-translate --fxp-to-c %s 2>&1 | FileCheck %s

// Moves whose numbers are not known, or that no kernel has.
// CHECK: 'far' (qg.gather): index 4 is out of range
// CHECK-NEXT: 'chosen' (qg.gather): expects constant indices
// CHECK-NEXT: 'edge' (qg.pad): pads of edges have no kernel in C
// CHECK-NEXT: 'filled' (qg.pad): expects a constant to pad with
func.func @main(%x: tensor<4xi8>, %i: tensor<2xi64>, %v: tensor<i8>) -> (tensor<1xi8>, tensor<2xi8>, tensor<6xi8>, tensor<6xi8>) {
  %c = qg.constant dense<4> : tensor<1xi64> -> tensor<1xi64>
  %0 = qg.gather %x, %c axis 0 : (tensor<4xi8>, tensor<1xi64>) -> tensor<1xi8> loc("far")
  %1 = qg.gather %x, %i axis 0 : (tensor<4xi8>, tensor<2xi64>) -> tensor<2xi8> loc("chosen")
  %2 = qg.pad edge %x low [1] high [1] : (tensor<4xi8>) -> tensor<6xi8> loc("edge")
  %3 = qg.pad constant %x value %v low [1] high [1] : (tensor<4xi8>, tensor<i8>) -> tensor<6xi8> loc("filled")
  return %0, %1, %2, %3 : tensor<1xi8>, tensor<2xi8>, tensor<6xi8>, tensor<6xi8>
}

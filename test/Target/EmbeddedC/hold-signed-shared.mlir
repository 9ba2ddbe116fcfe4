// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(fxp-hold-signed))' -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: qopt run %s --reference --input u=1x2xu8=200 --input s=1x2xi8=-7 > %t.before
// RUN: qopt run %t.mlir --reference --input u=1x2xu8=200 --input s=1x2xi8=-7 > %t.after
// RUN: diff %t.before %t.after
// RUN: FileCheck %s --check-prefix=VALUES < %t.after

// One scalar stands for what two pads put around unsigned and signed bytes:
// each reader gets the constant of its sign, of which there is one.
// CHECK-LABEL: func.func @main
// CHECK-DAG: %[[S:.*]] = qg.constant dense<7> : tensor<i8>
// CHECK-DAG: %[[U:.*]] = qg.constant dense<-121> : tensor<i8>
// CHECK-NOT: qg.constant
// CHECK: qg.pad constant %{{.*}} value %[[U]] low [0, 1] high [0, 0]
// CHECK: qg.pad constant %arg1 value %[[S]] low [0, 1] high [0, 0]
// CHECK: qg.pad constant %arg1 value %[[S]] low [0, 0] high [0, 2]
// CHECK: qg.pad constant %{{.*}} value %[[U]] low [0, 0] high [0, 2]

// VALUES: p: u8 1x3 = 7 200 200
// VALUES: q: i8 1x3 = 7 -7 -7
// VALUES: r: i8 1x4 = -7 -7 7 7
// VALUES: t: u8 1x4 = 200 200 7 7
func.func @main(%u: tensor<1x2xi8> {qg.name = "u", qg.encoding = !qg.q<ui8, 0.5 : 7>},
                %s: tensor<1x2xi8> {qg.name = "s", qg.encoding = !qg.q<si8, 0.5 : 7>})
    -> (tensor<1x3xi8> {qg.name = "p", qg.encoding = !qg.q<ui8, 0.5 : 7>},
        tensor<1x3xi8> {qg.name = "q", qg.encoding = !qg.q<si8, 0.5 : 7>},
        tensor<1x4xi8> {qg.name = "r", qg.encoding = !qg.q<si8, 0.5 : 7>},
        tensor<1x4xi8> {qg.name = "t", qg.encoding = !qg.q<ui8, 0.5 : 7>}) {
  %v = qg.constant dense<7> : tensor<i8> -> tensor<i8>
  %0 = qg.pad constant %u value %v low [0, 1] high [0, 0] : (tensor<1x2xi8>, tensor<i8>) -> tensor<1x3xi8>
  %1 = qg.pad constant %s value %v low [0, 1] high [0, 0] : (tensor<1x2xi8>, tensor<i8>) -> tensor<1x3xi8>
  %2 = qg.pad constant %s value %v low [0, 0] high [0, 2] : (tensor<1x2xi8>, tensor<i8>) -> tensor<1x4xi8>
  %3 = qg.pad constant %u value %v low [0, 0] high [0, 2] : (tensor<1x2xi8>, tensor<i8>) -> tensor<1x4xi8>
  return %0, %1, %2, %3 : tensor<1x3xi8>, tensor<1x3xi8>, tensor<1x4xi8>, tensor<1x4xi8>
}

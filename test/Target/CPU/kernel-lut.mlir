// RUN: qopt-opt %s --pass-pipeline="builtin.module(qcpu-select-kernels{triple=x86_64-linux-gnu features=+avx2})" | FileCheck %s
// RUN: qopt-opt %s --pass-pipeline="builtin.module(qcpu-select-kernels{triple=aarch64-linux-gnu features=+dotprod})" | FileCheck %s --check-prefix=SCALAR

// Shuffles where the machine has them.
// CHECK-LABEL: func.func @lookup
// CHECK: qcpu.lut ins(%{{.*}}, %{{.*}}) outs(%{{.*}}) : (tensor<100xi8>, tensor<512xi8>, tensor<100xi8>) -> tensor<100xi8>
// CHECK-NOT: fxp.lut
// SCALAR: fxp.lut
// SCALAR-NOT: qcpu.lut
func.func @lookup(%x: tensor<100xi8>) -> tensor<100xi8> {
  %y = fxp.lut %x table dense<7> : tensor<256xi8> : tensor<100xi8> -> tensor<100xi8>
  return %y : tensor<100xi8>
}

// Too few elements.
// CHECK-LABEL: func.func @few
// CHECK: fxp.lut
func.func @few(%x: tensor<4xi8>) -> tensor<4xi8> {
  %y = fxp.lut %x table dense<7> : tensor<256xi8> : tensor<4xi8> -> tensor<4xi8>
  return %y : tensor<4xi8>
}

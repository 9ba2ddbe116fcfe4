// RUN: qopt-opt %s --qcpu-select-kernels="triple=x86_64-linux-gnu features=+avx2,+fma" | FileCheck %s --check-prefixes=CHECK,X86
// RUN: qopt-opt %s --qcpu-select-kernels="triple=aarch64-linux-gnu features=+dotprod" | FileCheck %s --check-prefixes=CHECK,ARM64
// RUN: qopt-opt %s --qcpu-select-kernels="triple=thumbv7em-none-eabi features=+thumb2,+dsp" | FileCheck %s --check-prefixes=CHECK,DSP

// Weights that are levels of a table are held as codes: four levels in 2 bits.
// Where bytes are not shuffled, the table lies in front of the codes.

// CHECK-LABEL: func @levels
// X86: weight_code = array<i64: 2, -100>, weight_lookup = "pshufb", weight_table = array<i8: -100, -3, 0, 90>{{.*}}tensor<32xi8>
// ARM64: weight_code = array<i64: 2, -100>, weight_lookup = "tbl", weight_table = array<i8: -100, -3, 0, 90>{{.*}}tensor<32xi8>
// DSP: weight_code = array<i64: 2, -100>, weight_lookup = "memory", weight_table = array<i8: -100, -3, 0, 90>{{.*}}tensor<40xi8>

// CHECK-LABEL: func @no_levels
// CHECK-NOT: weight_code

// A weight that is no level: the attribute is not trusted.
// CHECK-LABEL: func @stray
// CHECK-NOT: weight_code

func.func @levels(%x: tensor<1x16xi8>) -> tensor<1x8xi32> {
  %w = qg.constant dense<"0x5A9C00FD5A9C00FD5A9C00FD5A9C00FD9C5A005AFDFDFDFD9C5AFD5AFDFD5AFD009C5A005A5A5A5AFD9CFD5A9CFDFD9C009C9CFD005AFD5A9C005A00FD9C0000FDFD5AFD9CFDFD9C00005AFD5A9CFD00FD5AFD5A00FD9C9C9C5A9C9CFD0000FD005AFD9C9CFD5AFD009CFDFD00FD005A00FD5A9C9C9C5A005A5A5A5AFD5A009C"> : tensor<8x16xi8> -> tensor<8x16xi8>
  %b = qg.constant dense<5> : tensor<8xi32> -> tensor<8xi32>
  %y = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 transpose_rhs {fxp.levels = array<i8: 90, -100, 0, -3>} : (tensor<1x16xi8>, tensor<8x16xi8>, tensor<8xi32>) -> tensor<1x8xi32>
  return %y : tensor<1x8xi32>
}

func.func @no_levels(%x: tensor<1x16xi8>) -> tensor<1x8xi32> {
  %w = qg.constant dense<"0x5A9C00FD5A9C00FD5A9C00FD5A9C00FD005A9C00005A9C9C009C0000FD00FDFD5A5A00FD00FD9C005A009CFD5A9C5AFD9C5A9CFDFD9CFD9C5AFD00FD5A009C9C5A005A5A00009CFD009C5A5A9CFD9C5AFD9C005A9CFD9CFD5AFD00FD5A00FD005A9C9C009C00FD9C005AFD00FD9C5A5A5A9C9C9C9C0000000000005A009CFD9C"> : tensor<8x16xi8> -> tensor<8x16xi8>
  %b = qg.constant dense<5> : tensor<8xi32> -> tensor<8xi32>
  %y = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 transpose_rhs : (tensor<1x16xi8>, tensor<8x16xi8>, tensor<8xi32>) -> tensor<1x8xi32>
  return %y : tensor<1x8xi32>
}

func.func @stray(%x: tensor<1x16xi8>) -> tensor<1x8xi32> {
  %w = qg.constant dense<"0x5A9C00FD5A9C00FD5A9C00FD5A9C00FD5A005AFD5AFD9C9C005AFD5A9C5A0000005AFD005A5A005A5A5AFD5A5A9C9CFD9C5AFD9C9C9C5AFDFD0000FD005A9C005A5A5A0000FDFD00FD5A5A00FD37009CFD00009C9C009C9C005A005AFD5A009CFD005A009C00009C005A5A9C9C5A9CFD5A005A5A5A5A0000FDFD9C5A005A9C9C"> : tensor<8x16xi8> -> tensor<8x16xi8>
  %b = qg.constant dense<5> : tensor<8xi32> -> tensor<8xi32>
  %y = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 transpose_rhs {fxp.levels = array<i8: 90, -100, 0, -3>} : (tensor<1x16xi8>, tensor<8x16xi8>, tensor<8xi32>) -> tensor<1x8xi32>
  return %y : tensor<1x8xi32>
}

// RUN: split-file %s %t
// RUN: qopt-opt %t/vnni.mlir --qcpu-lower-kernels | mlir-opt --expand-strided-metadata --lower-affine --convert-scf-to-cf --convert-vector-to-llvm --convert-arith-to-llvm --finalize-memref-to-llvm --convert-func-to-llvm=use-bare-ptr-memref-call-conv=1 --convert-cf-to-llvm --reconcile-unrealized-casts | mlir-translate --mlir-to-llvmir | llc -mtriple=x86_64-linux-gnu -mattr=+avx2,+fma,+avx512f,+avx512vnni | FileCheck %s --check-prefix=VNNI
// RUN: qopt-opt %t/avxvnni.mlir --qcpu-lower-kernels | mlir-opt --expand-strided-metadata --lower-affine --convert-scf-to-cf --convert-vector-to-llvm --convert-arith-to-llvm --finalize-memref-to-llvm --convert-func-to-llvm=use-bare-ptr-memref-call-conv=1 --convert-cf-to-llvm --reconcile-unrealized-casts | mlir-translate --mlir-to-llvmir | llc -mtriple=x86_64-linux-gnu -mattr=+avx2,+fma,+avxvnni | FileCheck %s --check-prefix=AVXVNNI
// RUN: qopt-opt %t/avx2.mlir --qcpu-lower-kernels | mlir-opt --expand-strided-metadata --lower-affine --convert-scf-to-cf --convert-vector-to-llvm --convert-arith-to-llvm --finalize-memref-to-llvm --convert-func-to-llvm=use-bare-ptr-memref-call-conv=1 --convert-cf-to-llvm --reconcile-unrealized-casts | mlir-translate --mlir-to-llvmir | llc -mtriple=x86_64-linux-gnu -mattr=+avx2,+fma | FileCheck %s --check-prefix=AVX2
// RUN: qopt-opt %t/neon.mlir --qcpu-lower-kernels=triple=aarch64-linux-gnu | mlir-opt --expand-strided-metadata --lower-affine --convert-scf-to-cf --convert-vector-to-llvm --convert-arith-to-llvm --finalize-memref-to-llvm --convert-func-to-llvm=use-bare-ptr-memref-call-conv=1 --convert-cf-to-llvm --reconcile-unrealized-casts | mlir-translate --mlir-to-llvmir | llc -mtriple=aarch64-linux-gnu -mattr=+dotprod | FileCheck %s --check-prefix=NEON

// The product is one instruction, its input one broadcast from memory, and
// nothing is spilled.

// VNNI-NOT: {{[0-9]}}(%rsp)
// VNNI: vpdpbusd {{.*}}%zmm
// VNNI: retq

// AVXVNNI-NOT: {{[0-9]}}(%rsp)
// AVXVNNI: {vex} vpdpbusd {{.*}}%ymm
// AVXVNNI: retq

// AVX2: vpmovsxbw {{.*}}%ymm
// AVX2: vpbroadcastd {{.*}}(%{{.*}}), %ymm
// AVX2: vpmaddwd {{.*}}%ymm
// AVX2: retq

// NEON: ldr s
// NEON: sdot v{{[0-9]+}}.4s, v{{[0-9]+}}.16b, v{{[0-9]+}}.4b[0]
// NEON: ret

//--- vnni.mlir
func.func @conv(%x: memref<1x1x8x64xi8>, %w: memref<3072xi8>, %b: memref<48xi32>, %y: memref<1x1x8x48xi32>) {
  qcpu.conv "vpdpbusd512" tile [8, 3, 16, 4] kernel [1, 1] strides [1, 1]
      dilations [1, 1] groups 1 x_unsigned ins(%x, %w, %b) extras() outs(%y)
      : (memref<1x1x8x64xi8>, memref<3072xi8>, memref<48xi32>, memref<1x1x8x48xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}
//--- avxvnni.mlir
func.func @conv(%x: memref<1x1x6x64xi8>, %w: memref<1024xi8>, %b: memref<16xi32>, %y: memref<1x1x6x16xi32>) {
  qcpu.conv "vpdpbusd256" tile [6, 2, 8, 4] kernel [1, 1] strides [1, 1]
      dilations [1, 1] groups 1 x_unsigned ins(%x, %w, %b) extras() outs(%y)
      : (memref<1x1x6x64xi8>, memref<1024xi8>, memref<16xi32>, memref<1x1x6x16xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}
//--- avx2.mlir
func.func @conv(%x: memref<1x1x6x64xi16>, %w: memref<1024xi8>, %b: memref<16xi32>, %y: memref<1x1x6x16xi32>) {
  qcpu.conv "maddwd" tile [6, 2, 8, 2] kernel [1, 1] strides [1, 1]
      dilations [1, 1] groups 1 ins(%x, %w, %b) extras() outs(%y)
      : (memref<1x1x6x64xi16>, memref<1024xi8>, memref<16xi32>, memref<1x1x6x16xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}
//--- neon.mlir
func.func @conv(%x: memref<1x1x5x64xi8>, %w: memref<1024xi8>, %b: memref<16xi32>, %y: memref<1x1x5x16xi32>) {
  qcpu.conv "sdot" tile [5, 4, 4, 4] kernel [1, 1] strides [1, 1]
      dilations [1, 1] groups 1 ins(%x, %w, %b) extras() outs(%y)
      : (memref<1x1x5x64xi8>, memref<1024xi8>, memref<16xi32>, memref<1x1x5x16xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}

// RUN: qopt-opt %s --split-input-file --cpu-vectors-to-llvm | FileCheck %s

// A contraction has no instruction: it stays for whoever unrolls it.
// CHECK-LABEL: func.func @contraction
// CHECK: vector.contract
// CHECK-NOT: llvm.
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
func.func @contraction(%x: vector<2x3xf32>, %y: vector<3x4xf32>, %z: vector<2x4xf32>) -> vector<2x4xf32> {
  %r = vector.contract {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} %x, %y, %z : vector<2x3xf32>, vector<3x4xf32> into vector<2x4xf32>
  return %r : vector<2x4xf32>
}

// -----
// Nor has a sum over one dimension of two.
// CHECK-LABEL: func.func @rows
// CHECK: vector.multi_reduction
// CHECK-NOT: llvm.
func.func @rows(%x: vector<2x3xf32>, %z: vector<2xf32>) -> vector<2xf32> {
  %r = vector.multi_reduction <add>, %x, %z [1] : vector<2x3xf32> to vector<2xf32>
  return %r : vector<2xf32>
}

// -----
// Scalars and memory are the business of other passes.
// CHECK-LABEL: func.func @scalars
// CHECK: memref.load
// CHECK: arith.addf
// CHECK-NOT: llvm.
func.func @scalars(%x: memref<4xf32>, %at: index) -> f32 {
  %0 = memref.load %x[%at] : memref<4xf32>
  %1 = arith.addf %0, %0 : f32
  return %1 : f32
}

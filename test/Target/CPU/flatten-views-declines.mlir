// RUN: qopt-opt %s --cpu-flatten-views | FileCheck %s

// Indices of dimensions that are only split are sums.
// CHECK-LABEL: func.func @split
// CHECK:         memref.expand_shape
// CHECK-NOT:     reinterpret_cast
func.func @split(%x: memref<96xf32>, %i: index) -> f32 {
  %rows = memref.expand_shape %x [[0, 1]] output_shape [6, 16] : memref<96xf32> into memref<6x16xf32>
  %y = memref.load %rows[%i, %i] : memref<6x16xf32>
  return %y : f32
}

// A part of a buffer has gaps between its rows.
// CHECK-LABEL: func.func @part
// CHECK:         memref.collapse_shape
// CHECK-NOT:     reinterpret_cast
func.func @part(%x: memref<4x2x8xf32, strided<[32, 16, 1]>>, %i: index) -> f32 {
  %rows = memref.collapse_shape %x [[0, 1], [2]] : memref<4x2x8xf32, strided<[32, 16, 1]>> into memref<8x8xf32, strided<[16, 1]>>
  %y = memref.load %rows[%i, %i] : memref<8x8xf32, strided<[16, 1]>>
  return %y : f32
}

// CHECK-LABEL: func.func @symbolic
// CHECK:         memref.collapse_shape
// CHECK-NOT:     reinterpret_cast
func.func @symbolic(%x: memref<?x8xf32>, %i: index) -> f32 {
  %flat = memref.collapse_shape %x [[0, 1]] : memref<?x8xf32> into memref<?xf32>
  %y = memref.load %flat[%i] : memref<?xf32>
  return %y : f32
}

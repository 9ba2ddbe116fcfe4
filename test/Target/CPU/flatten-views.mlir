// RUN: qopt-opt %s --cpu-flatten-views | FileCheck %s

// CHECK-LABEL: func.func @merged_and_split
// CHECK-SAME:    (%[[X:.*]]: memref<6x2x1x8xf32>
// CHECK:         %[[VIEW:.*]] = memref.reinterpret_cast %[[X]] to offset: [0], sizes: [1, 6, 16], strides: [96, 16, 1]
// CHECK:         memref.load %[[VIEW]]
func.func @merged_and_split(%x: memref<6x2x1x8xf32>, %i: index, %j: index) -> f32 {
  %c0 = arith.constant 0 : index
  %flat = memref.collapse_shape %x [[0, 1, 2, 3]] : memref<6x2x1x8xf32> into memref<96xf32>
  %rows = memref.expand_shape %flat [[0, 1, 2]] output_shape [1, 6, 16] : memref<96xf32> into memref<1x6x16xf32>
  %y = memref.load %rows[%c0, %i, %j] : memref<1x6x16xf32>
  return %y : f32
}

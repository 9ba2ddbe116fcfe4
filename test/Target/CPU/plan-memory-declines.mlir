// RUN: qopt-opt %s --split-input-file --plan-memory | FileCheck %s

// The twin: two buffers that never live at one step share their bytes.
// CHECK-LABEL: func.func @main
// CHECK-SAME:  qopt.arena_bytes = 64
// CHECK:       memref.alloc() {qopt.offset = 0 : i64}
// CHECK:       memref.alloc() {qopt.offset = 0 : i64}
func.func @main(%x: memref<16xf32>, %y: memref<16xf32>) {
  %a = memref.alloc() : memref<16xf32>
  %b = memref.alloc() : memref<16xf32>
  memref.copy %x, %a : memref<16xf32> to memref<16xf32>
  memref.copy %a, %y : memref<16xf32> to memref<16xf32>
  memref.copy %x, %b : memref<16xf32> to memref<16xf32>
  memref.copy %b, %y : memref<16xf32> to memref<16xf32>
  return
}

// -----
// Both are alive in the second step: it reads one and writes the other.
// CHECK-LABEL: func.func @main
// CHECK-SAME:  qopt.arena_bytes = 128
// CHECK-DAG:   memref.alloc() {qopt.offset = 0 : i64}
// CHECK-DAG:   memref.alloc() {qopt.offset = 64 : i64}
func.func @main(%x: memref<16xf32>, %y: memref<16xf32>) {
  %a = memref.alloc() : memref<16xf32>
  %b = memref.alloc() : memref<16xf32>
  memref.copy %x, %a : memref<16xf32> to memref<16xf32>
  memref.copy %a, %b : memref<16xf32> to memref<16xf32>
  memref.copy %b, %y : memref<16xf32> to memref<16xf32>
  return
}

// -----
// A view keeps the buffer behind it alive.
// CHECK-LABEL: func.func @main
// CHECK-SAME:  qopt.arena_bytes = 128
func.func @main(%x: memref<16xf32>, %y: memref<16xf32>, %z: memref<2x8xf32>) {
  %a = memref.alloc() : memref<16xf32>
  %b = memref.alloc() : memref<16xf32>
  %v = memref.expand_shape %a [[0, 1]] output_shape [2, 8] : memref<16xf32> into memref<2x8xf32>
  memref.copy %x, %a : memref<16xf32> to memref<16xf32>
  memref.copy %x, %b : memref<16xf32> to memref<16xf32>
  memref.copy %b, %y : memref<16xf32> to memref<16xf32>
  memref.copy %v, %z : memref<2x8xf32> to memref<2x8xf32>
  return
}

// -----
// Weights are no part of the arena, nor is a buffer that no step touches.
// CHECK-LABEL: func.func @main
// CHECK-SAME:  qopt.arena_bytes = 0
// CHECK-NOT:   qopt.offset
memref.global "private" constant @w : memref<16xf32> = dense<1.0>
func.func @main(%y: memref<16xf32>) {
  %w = memref.get_global @w : memref<16xf32>
  %unused = memref.alloc() : memref<16xf32>
  memref.copy %w, %y : memref<16xf32> to memref<16xf32>
  return
}

// -----
// Only @main is called from outside.
// CHECK-LABEL: func.func @other
// CHECK-NOT:   qopt.
func.func @other(%x: memref<16xf32>, %y: memref<16xf32>) {
  %a = memref.alloc() : memref<16xf32>
  memref.copy %x, %a : memref<16xf32> to memref<16xf32>
  memref.copy %a, %y : memref<16xf32> to memref<16xf32>
  return
}

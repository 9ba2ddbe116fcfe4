// RUN: qopt-opt %s --split-input-file --cpu-outline-steps | FileCheck %s

// The twin: rows enough to wake a second thread are distributed.
// CHECK-LABEL: func.func @main
// CHECK:       call @step_0({{.*}}qopt.extent = 40000
// CHECK:       func.func private @step_0({{.*}}, %[[LOW:[^:]*]]: index, %[[HIGH:[^:]*]]: index)
// CHECK:       scf.for %{{.*}} = %[[LOW]] to %[[HIGH]]
func.func @main(%x: memref<40000xf32>, %y: memref<40000xf32>) {
  linalg.copy ins(%x : memref<40000xf32>) outs(%y : memref<40000xf32>)
  return
}

// -----
// Work below the price of a thread is not distributed.
// CHECK-LABEL: func.func @main
// CHECK:       call @step_0({{.*}}qopt.extent = 1 : i64
// CHECK:       scf.for %{{.*}} = %c0
func.func @main(%x: memref<400xf32>, %y: memref<400xf32>) {
  linalg.copy ins(%x : memref<400xf32>) outs(%y : memref<400xf32>)
  return
}

// -----
// Threads would add to one sum at once.
// CHECK-LABEL: func.func @main
// CHECK:       call @step_0({{.*}}qopt.extent = 1 : i64
#in = affine_map<(k) -> (k)>
#out = affine_map<(k) -> (0)>
func.func @main(%x: memref<400000xf32>, %y: memref<1xf32>) {
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["reduction"]} ins(%x : memref<400000xf32>) outs(%y : memref<1xf32>) {
  ^bb0(%in: f32, %sum: f32):
    %0 = arith.addf %in, %sum : f32
    linalg.yield %0 : f32
  }
  return
}

// -----
// A loop that does not say that its iterations are independent keeps its order.
// CHECK-LABEL: func.func @main
// CHECK:       call @step_0({{.*}}qopt.extent = 1 : i64
// CHECK:       func.func private @step_0(
// CHECK-NOT:   passthrough
// CHECK:       scf.for %{{.*}} = %c1
func.func @main(%y: memref<400000xf32>) {
  %c1 = arith.constant 1 : index
  %n = arith.constant 400000 : index
  scf.for %i = %c1 to %n step %c1 {
    %before = arith.subi %i, %c1 : index
    %0 = memref.load %y[%before] : memref<400000xf32>
    memref.store %0, %y[%i] : memref<400000xf32>
  }
  return
}

// -----
// What only computes or reads is cloned into the steps that need it; a copy of
// a buffer to itself is none.
// CHECK-LABEL: func.func @main
// CHECK-NOT:   call
// CHECK:       return
// CHECK-NOT:   @step_
func.func @main(%x: memref<4xf32>, %i: index) {
  %0 = memref.load %x[%i] : memref<4xf32>
  %1 = arith.addf %0, %0 : f32
  memref.copy %x, %x : memref<4xf32> to memref<4xf32>
  return
}

// -----
// Bodies that differ in one constant are two functions.
// CHECK-LABEL: func.func @main
// CHECK:       call @step_0(
// CHECK:       call @step_1(
// CHECK:       call @step_0(
func.func @main(%y: memref<4xf32>, %z: memref<4xf32>) {
  %one = arith.constant 1.0 : f32
  %two = arith.constant 2.0 : f32
  linalg.fill ins(%one : f32) outs(%y : memref<4xf32>)
  linalg.fill ins(%two : f32) outs(%y : memref<4xf32>)
  linalg.fill ins(%one : f32) outs(%z : memref<4xf32>)
  return
}

// RUN: qopt-opt %s --split-input-file --cpu-outline-steps | FileCheck %s

// A range counts iterations: a loop that begins elsewhere or takes longer steps
// places them.
// CHECK-LABEL: func.func @main
// CHECK:       call @step_0({{.*}}qopt.extent = 333 : i64, qopt.grain = 10 : i64
// CHECK:       func.func private @step_0({{.*}}, %[[LOW:[^:]*]]: index, %[[HIGH:[^:]*]]: index
// CHECK-DAG:   %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG:   %[[C3:.*]] = arith.constant 3 : index
// CHECK:       %[[L:.*]] = arith.muli %[[LOW]], %[[C3]]
// CHECK:       %[[FROM:.*]] = arith.addi %[[C1]], %[[L]]
// CHECK:       %[[H:.*]] = arith.muli %[[HIGH]], %[[C3]]
// CHECK:       %[[TO:.*]] = arith.addi %[[C1]], %[[H]]
// CHECK:       scf.for %{{.*}} = %[[FROM]] to %[[TO]] step %[[C3]]
func.func @main(%y: memref<1000xf32>) {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %n = arith.constant 1000 : index
  %one = arith.constant 1.0 : f32
  scf.for %i = %c1 to %n step %c3 {
    memref.store %one, %y[%i] : memref<1000xf32>
  } {qopt.parallel, qopt.grain = 10 : i64}
  return
}

// -----
// From zero in steps of one the range is the loop's.
// CHECK-LABEL: func.func @main
// CHECK:       func.func private @step_0({{.*}}, %[[LOW:[^:]*]]: index, %[[HIGH:[^:]*]]: index
// CHECK-NOT:   arith.addi
// CHECK:       scf.for %{{.*}} = %[[LOW]] to %[[HIGH]]
func.func @main(%y: memref<1000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 1000 : index
  %one = arith.constant 1.0 : f32
  scf.for %i = %c0 to %n step %c1 {
    memref.store %one, %y[%i] : memref<1000xf32>
  } {qopt.parallel}
  return
}

// -----
// Narrow integers may not hold the end of the last range.
// CHECK-LABEL: func.func @main
// CHECK:       call @step_0({{.*}}qopt.extent = 1 : i64
func.func @main(%y: memref<1000xf32>) {
  %c0 = arith.constant 0 : i32
  %c2 = arith.constant 2 : i32
  %n = arith.constant 1000 : i32
  %one = arith.constant 1.0 : f32
  scf.for %i = %c0 to %n step %c2 : i32 {
    %0 = arith.index_cast %i : i32 to index
    memref.store %one, %y[%0] : memref<1000xf32>
  } {qopt.parallel}
  return
}

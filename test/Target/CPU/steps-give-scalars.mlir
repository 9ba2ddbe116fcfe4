// RUN: qopt-opt %s --cpu-bufferize --plan-memory --cpu-outline-steps | FileCheck %s

// What a loop finds goes to the next step through buffers: an index as i64.

// CHECK-LABEL: func.func @main
// CHECK-DAG:     %[[AT:.*]] = memref.alloc() {{.*}} : memref<i64>
// CHECK-DAG:     %[[BEST:.*]] = memref.alloc() {{.*}} : memref<f32>
// CHECK:         call @step_0({{.*}}%[[AT]]
// CHECK:         call @step_1({{.*}}
// CHECK:         return
// CHECK:       func.func private @step_0
// CHECK:         %[[FOUND:.*]]:2 = scf.for
// CHECK:         arith.index_cast %[[FOUND]]#0 : index to i64
// CHECK:         memref.store {{.*}} : memref<i64>
// CHECK:         memref.store %[[FOUND]]#1, {{.*}} : memref<f32>
// CHECK:       func.func private @step_1
// CHECK:         memref.load {{.*}}[] : memref<
func.func @main(%x: tensor<4xf32>) -> (tensor<1xi64>, tensor<1xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %least = arith.constant 0xFF800000 : f32
  %found:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%at = %c0, %best = %least) -> (index, f32) {
    %now = tensor.extract %x[%i] : tensor<4xf32>
    %is = arith.cmpf ogt, %now, %best : f32
    %next = arith.select %is, %i, %at : index
    %value = arith.select %is, %now, %best : f32
    scf.yield %next, %value : index, f32
  }
  %place = arith.index_cast %found#0 : index to i64
  %0 = tensor.empty() : tensor<1xi64>
  %1 = tensor.insert %place into %0[%c0] : tensor<1xi64>
  %2 = tensor.empty() : tensor<1xf32>
  %3 = tensor.insert %found#1 into %2[%c0] : tensor<1xf32>
  return %1, %3 : tensor<1xi64>, tensor<1xf32>
}

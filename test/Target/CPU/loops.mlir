// RUN: qopt-opt %s --pass-pipeline='builtin.module(qopt-cpu-kernels,qopt-cpu-linalg,qopt-cpu-buffers)' | FileCheck %s --check-prefix=BUFFERS
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qopt-cpu)' | FileCheck %s --check-prefix=STEPS

// A loop of steps: states are written over, what is stacked goes to the caller,
// and buffers from outside live as long as the loop does.

// BUFFERS-LABEL: func.func @main
// BUFFERS-SAME: %[[H:[^:]*]]: memref<4xf32>, %[[X:[^:]*]]: memref<3x4xf32>, %{{[^:]*}}: memref<4xf32>, %[[ALL:[^:]*]]: memref<3x4xf32>
// BUFFERS: %[[S:.*]] = memref.alloc() {{.*}} : memref<4xf32>
// BUFFERS: memref.copy %[[H]], %[[S]]
// BUFFERS: scf.for
// BUFFERS-NOT: memref.alloc
// BUFFERS: %[[XT:.*]] = memref.subview %[[X]]
// BUFFERS: %[[Y:.*]] = memref.subview %[[ALL]]
// BUFFERS: linalg.generic {{.*}} ins(%[[S]], %[[XT]] : {{.*}}) outs(%[[Y]] :
// BUFFERS: memref.copy %[[Y]], %[[S]]
// BUFFERS: } {qopt.steps}

// STEPS-LABEL: func.func @main
// STEPS: scf.for %[[I:.*]] = %{{.*}} to
// STEPS: func.call @step_{{.*}}(%{{.*}}) {{.*}}qopt.extent
// STEPS: } {qopt.offset = {{.*}} : i64, qopt.steps}
func.func @main(%h: tensor<4xf32>, %x: tensor<3x4xf32>) -> (tensor<4xf32>, tensor<3x4xf32>) {
  %last, %all = qg.loop 3 states(%h) slices(%x) captures() reversed [true, false] {
  ^bb0(%step: tensor<i64>, %state: tensor<4xf32>, %xt: tensor<4xf32>):
    %sum = qg.binary add %state, %xt : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    qg.yield %sum, %sum : tensor<4xf32>, tensor<4xf32>
  } : (tensor<4xf32>, tensor<3x4xf32>) -> (tensor<4xf32>, tensor<3x4xf32>)
  return %last, %all : tensor<4xf32>, tensor<3x4xf32>
}

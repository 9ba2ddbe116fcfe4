// RUN: qopt-opt %s | qopt-opt | FileCheck %s
// RUN: qopt-opt %s --emit-bytecode | qopt-opt | FileCheck %s

// CHECK-LABEL: func @scan
func.func @scan(%h: tensor<4xf32>, %x: tensor<3x4xf32>, %k: tensor<f32>) -> (tensor<4xf32>, tensor<3x4xf32>) {
  // CHECK: qg.loop 3 states(%{{.*}}) slices(%{{.*}}) captures(%{{.*}}) reversed [true, false] {
  // CHECK: ^bb0(%{{.*}}: tensor<i64>, %{{.*}}: tensor<4xf32>, %{{.*}}: tensor<4xf32>, %{{.*}}: tensor<f32>):
  %last, %all = qg.loop 3 states(%h) slices(%x) captures(%k) reversed [true, false] {
  ^bb0(%step: tensor<i64>, %state: tensor<4xf32>, %xt: tensor<4xf32>, %c: tensor<f32>):
    %sum = qg.binary add %state, %xt : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %next = qg.binary mul %sum, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
    // CHECK: qg.yield %{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4xf32>
    qg.yield %next, %sum : tensor<4xf32>, tensor<4xf32>
  } : (tensor<4xf32>, tensor<3x4xf32>, tensor<f32>) -> (tensor<4xf32>, tensor<3x4xf32>)
  return %last, %all : tensor<4xf32>, tensor<3x4xf32>
}

// CHECK-LABEL: func @guarded
func.func @guarded(%go: tensor<i1>, %n: tensor<i64>) -> tensor<i64> {
  // CHECK: qg.loop 9 while %{{.*}} states(%{{.*}}) slices() captures(%{{.*}}) reversed [] {
  %last = qg.loop 9 while %go states(%n) slices() captures(%n) reversed [] {
  ^bb0(%step: tensor<i64>, %state: tensor<i64>, %limit: tensor<i64>):
    %next = qg.binary add %state, %step : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %again = qg.compare lt %next, %limit : (tensor<i64>, tensor<i64>) -> tensor<i1>
    qg.yield %again, %next : tensor<i1>, tensor<i64>
  } : (tensor<i1>, tensor<i64>, tensor<i64>) -> tensor<i64>
  return %last : tensor<i64>
}

// RUN: qopt-opt %s --split-input-file --convert-qg-to-linalg --canonicalize --cpu-fuse-elementwise | FileCheck %s

// The twin of what follows: one reader of equal size takes the producer in.
// CHECK-LABEL: func @one_reader
// CHECK-COUNT-1: linalg.generic
// CHECK-NOT: linalg.generic
func.func @one_reader(%x: tensor<7x3xf32>, %y: tensor<7x3xf32>) -> tensor<7x3xf32> {
  %0 = qg.binary add %x, %y : (tensor<7x3xf32>, tensor<7x3xf32>) -> tensor<7x3xf32>
  %1 = qg.binary mul %0, %y : (tensor<7x3xf32>, tensor<7x3xf32>) -> tensor<7x3xf32>
  return %1 : tensor<7x3xf32>
}

// -----
// Two readers would each compute the sum again.
// CHECK-LABEL: func @sum_read_twice
// CHECK-COUNT-3: linalg.generic
func.func @sum_read_twice(%x: tensor<7x3xf32>, %y: tensor<7x3xf32>) -> (tensor<7x3xf32>, tensor<7x3xf32>) {
  %0 = qg.binary add %x, %y : (tensor<7x3xf32>, tensor<7x3xf32>) -> tensor<7x3xf32>
  %1 = qg.binary mul %0, %y : (tensor<7x3xf32>, tensor<7x3xf32>) -> tensor<7x3xf32>
  %2 = qg.binary max %0, %y : (tensor<7x3xf32>, tensor<7x3xf32>) -> tensor<7x3xf32>
  return %1, %2 : tensor<7x3xf32>, tensor<7x3xf32>
}

// -----
// A row that is broadcast would be computed for each of the 7 rows.
// CHECK-LABEL: func @broadcast_reader
// CHECK-COUNT-2: linalg.generic
func.func @broadcast_reader(%x: tensor<3xf32>, %y: tensor<7x3xf32>) -> tensor<7x3xf32> {
  %0 = qg.unary exp %x : tensor<3xf32> -> tensor<3xf32>
  %1 = qg.binary mul %0, %y : (tensor<3xf32>, tensor<7x3xf32>) -> tensor<7x3xf32>
  return %1 : tensor<7x3xf32>
}

// -----
// A sum over rows is no scalar function of the product.
// CHECK-LABEL: func @reduction_reader
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
#all = affine_map<(m, k) -> (m, k)>
#rows = affine_map<(m, k) -> (m)>
func.func @reduction_reader(%x: tensor<7x3xi32>, %init: tensor<7xi32>) -> tensor<7xi32> {
  %0 = qg.binary mul %x, %x : (tensor<7x3xi32>, tensor<7x3xi32>) -> tensor<7x3xi32>
  %1 = linalg.generic {indexing_maps = [#all, #rows], iterator_types = ["parallel", "reduction"]} ins(%0 : tensor<7x3xi32>) outs(%init : tensor<7xi32>) {
  ^bb0(%in: i32, %out: i32):
    %sum = arith.addi %in, %out : i32
    linalg.yield %sum : i32
  } -> tensor<7xi32>
  return %1 : tensor<7xi32>
}

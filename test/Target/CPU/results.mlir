// RUN: qopt-opt %s --split-input-file --convert-qg-to-linalg --canonicalize --cse --cpu-bufferize --cpu-verify-results | FileCheck %s

// Each product is summed up in the buffer of its own result

// CHECK-LABEL: func.func @main
// CHECK-SAME:    %[[Y0:[^:]*]]: memref<2x4xf32> {qg.name = "y0"}, %[[Y1:[^:]*]]: memref<2x4xf32> {qg.name = "y1"}
// CHECK-NOT:     memref.alloc
// CHECK:         linalg.fill {{.*}} outs(%[[Y0]]
// CHECK-NEXT:    linalg.generic {{.*}} outs(%[[Y0]]
// CHECK:         linalg.fill {{.*}} outs(%[[Y1]]
// CHECK-NEXT:    linalg.generic {{.*}} outs(%[[Y1]]
// CHECK-NOT:     memref.copy
func.func @main(%t: tensor<2x3xf32>, %u: tensor<2x3xf32>, %v: tensor<3x4xf32>) -> (tensor<2x4xf32> {qg.name = "y0"}, tensor<2x4xf32> {qg.name = "y1"}) {
  %0 = qg.matmul %t, %v : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %1 = qg.matmul %u, %v : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

// A value returned twice is computed in one of the two buffers

// CHECK-LABEL: func.func @main
// CHECK-SAME:    %[[Y0:[^:]*]]: memref<4xf32> {qg.name = "y0"}, %[[Y1:[^:]*]]: memref<4xf32> {qg.name = "y1"}
// CHECK-NOT:     memref.alloc
// CHECK:         linalg.generic {{.*}} outs(%[[Y0]]
// CHECK:         memref.copy %[[Y0]], %[[Y1]]
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32> {qg.name = "y0"}, tensor<4xf32> {qg.name = "y1"}) {
  %0 = qg.unary relu %x : tensor<4xf32> -> tensor<4xf32>
  return %0, %0 : tensor<4xf32>, tensor<4xf32>
}

// -----

// The later value continues the earlier one: only that is computed in its place

// CHECK-LABEL: func.func @main
// CHECK-SAME:    %[[LATE:[^:]*]]: memref<4xf32> {qg.name = "late"}, %[[EARLY:[^:]*]]: memref<4xf32> {qg.name = "early"}
// CHECK:         linalg.generic {{.*}} outs(%[[EARLY]]
// CHECK:         memref.copy %[[EARLY]], %[[OTHER:.*]] :
// CHECK:         linalg.generic {{.*}} outs(%[[OTHER]]
// CHECK:         memref.copy %[[OTHER]], %[[LATE]]
#id = affine_map<(d0) -> (d0)>
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32> {qg.name = "late"}, tensor<4xf32> {qg.name = "early"}) {
  %empty = tensor.empty() : tensor<4xf32>
  %early = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%empty : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %sum = arith.addf %in, %in : f32
    linalg.yield %sum : f32
  } -> tensor<4xf32>
  %late = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%early : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %product = arith.mulf %in, %out : f32
    linalg.yield %product : f32
  } -> tensor<4xf32>
  return %late, %early : tensor<4xf32>, tensor<4xf32>
}

// -----

// Another shape of a value is computed in the caller's buffer as well

// CHECK-LABEL: func.func @main
// CHECK-SAME:    %[[WIDE:[^:]*]]: memref<2x3x1xf32> {qg.name = "wide"}, %[[ONE:[^:]*]]: memref<f32> {qg.name = "one"}, %[[BOTH:[^:]*]]: memref<6xf32> {qg.name = "both"}, %[[SAME:[^:]*]]: memref<2x3xf32> {qg.name = "same"}
// CHECK-DAG:     %[[FLAT:.*]] = memref.collapse_shape %[[WIDE]]
// CHECK-DAG:     %[[SCALAR:.*]] = memref.expand_shape %[[ONE]]
// CHECK-DAG:     %[[PAIR:.*]] = memref.expand_shape %[[BOTH]]
// CHECK-NOT:     memref.alloc
// CHECK:         linalg.generic {{.*}} outs(%[[FLAT]]
// CHECK:         linalg.generic {{.*}} outs(%[[SCALAR]]
// CHECK:         linalg.generic {{.*}} outs(%[[PAIR]]
// CHECK:         memref.copy %[[PAIR]], %[[SAME]]
func.func @main(%x: tensor<6xf32>, %y: tensor<1x1xf32>, %z: tensor<2x3xf32>) -> (tensor<2x3x1xf32> {qg.name = "wide"}, tensor<f32> {qg.name = "one"}, tensor<6xf32> {qg.name = "both"}, tensor<2x3xf32> {qg.name = "same"}) {
  %0 = qg.unary relu %x : tensor<6xf32> -> tensor<6xf32>
  %wide = qg.reshape %0 : tensor<6xf32> -> tensor<2x3x1xf32>
  %1 = qg.unary relu %y : tensor<1x1xf32> -> tensor<1x1xf32>
  %one = qg.reshape %1 : tensor<1x1xf32> -> tensor<f32>
  %2 = qg.unary relu %z : tensor<2x3xf32> -> tensor<2x3xf32>
  %both = qg.reshape %2 : tensor<2x3xf32> -> tensor<6xf32>
  return %wide, %one, %both, %2 : tensor<2x3x1xf32>, tensor<f32>, tensor<6xf32>, tensor<2x3xf32>
}

// RUN: qopt-opt %s --convert-qg-to-linalg --split-input-file | FileCheck %s

// A maximum of unsigned bytes compares them as such and starts from 0.
// CHECK-LABEL: func.func @unsigned_pool
// CHECK:       %[[ZERO:.*]] = arith.constant 0 : i8
// CHECK:       linalg.fill ins(%[[ZERO]] : i8)
// CHECK:       arith.maxui %{{.*}} : i8
func.func @unsigned_pool(%x: tensor<1x4x4x2xui8>) -> tensor<1x2x2x2xui8> {
  %0 = qg.pool max %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x2xui8> -> tensor<1x2x2x2xui8>
  return %0 : tensor<1x2x2x2xui8>
}

// -----

// CHECK-LABEL: func.func @signed_pool
// CHECK:       %[[LOW:.*]] = arith.constant -128 : i8
// CHECK:       linalg.fill ins(%[[LOW]] : i8)
// CHECK:       arith.maxsi %{{.*}} : i8
func.func @signed_pool(%x: tensor<1x4x4x2xi8>) -> tensor<1x2x2x2xi8> {
  %0 = qg.pool max %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x2xi8> -> tensor<1x2x2x2xi8>
  return %0 : tensor<1x2x2x2xi8>
}

// -----

// Nothing is read for an empty slice, whose offset may be the extent.
// CHECK-LABEL: func.func @empty_slice
// CHECK-NOT:   extract_slice
// CHECK:       %[[E:.*]] = tensor.empty() : tensor<2x0xf32>
// CHECK:       return %[[E]]
func.func @empty_slice(%x: tensor<2x8xf32>) -> tensor<2x0xf32> {
  %0 = qg.slice %x offsets [0, 8] strides [1, 1] : tensor<2x8xf32> -> tensor<2x0xf32>
  return %0 : tensor<2x0xf32>
}

// -----

// An empty operand adds nothing, at an offset where no slice may start.
// CHECK-LABEL: func.func @concat_with_nothing
// CHECK:       tensor.insert_slice %{{.*}}[0, 0] [2, 8] [1, 1]
// CHECK-NOT:   tensor.insert_slice
// CHECK:       return
func.func @concat_with_nothing(%x: tensor<2x8xf32>, %e: tensor<2x0xf32>) -> tensor<2x8xf32> {
  %0 = qg.concat %x, %e axis 1 : (tensor<2x8xf32>, tensor<2x0xf32>) -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// RUN: qopt-opt %s --convert-qg-to-linalg --split-input-file | FileCheck %s

// Taps outside are skipped: the accumulator stays.
// CHECK-LABEL: func @padded_convolution
// CHECK:       linalg.generic
// CHECK:       tensor.extract
// CHECK:       %[[FMA:.*]] = math.fma
// CHECK:       %[[KEPT:.*]] = arith.select %{{.*}}, %[[FMA]], %{{.*}} : f32
// CHECK:       linalg.yield %[[KEPT]]
func.func @padded_convolution(%x: tensor<1x4x4x2xf32>, %w: tensor<3x3x3x2xf32>, %b: tensor<3xf32>) -> tensor<1x4x4x3xf32> {
  %y = qg.conv %x, %w bias %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1
    : (tensor<1x4x4x2xf32>, tensor<3x3x3x2xf32>, tensor<3xf32>) -> tensor<1x4x4x3xf32>
  return %y : tensor<1x4x4x3xf32>
}

// -----
// Sixteen lanes, then a tree of 8, 4, 2, 1.
// CHECK-LABEL: func @row_sums
// CHECK:       scf.for
// CHECK:         vector.transfer_read {{.*}} vector<16xf32>
// CHECK:         arith.addf {{.*}} : vector<16xf32>
// CHECK:       arith.addf {{.*}} : vector<8xf32>
// CHECK:       arith.addf {{.*}} : vector<4xf32>
// CHECK:       arith.addf {{.*}} : vector<2xf32>
// CHECK:       arith.addf {{.*}} : vector<1xf32>
func.func @row_sums(%x: tensor<2x32xf32>) -> tensor<2xf32> {
  %y = qg.reduce sum %x axes [1] : tensor<2x32xf32> -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----
// A slice that goes forward is a view, one that goes back an index map on one,
// and so are steps over elements that kernels want side by side.
// CHECK-DAG:   #[[BACK:.*]] = affine_map<(d0, d1) -> (-d0 + 1, d1)>
// CHECK-DAG:   #[[STEP:.*]] = affine_map<(d0, d1) -> (d0, d1 * 2)>
// CHECK-LABEL: func @slices
// CHECK:       tensor.extract_slice %{{.*}}[1, 0] [2, 3] [2, 1]
// CHECK:       tensor.extract_slice %{{.*}}[2, 0] [2, 2] [2, 1]
// CHECK:       linalg.generic {indexing_maps = [#[[BACK]]
// CHECK:       tensor.extract_slice %{{.*}}[3, 0] [1, 3] [1, 1]
// CHECK:       linalg.generic {indexing_maps = [#[[STEP]]
func.func @slices(%x: tensor<5x3xi8>) -> (tensor<2x3xi8>, tensor<2x2xi8>, tensor<1x2xi8>) {
  %a = qg.slice %x offsets [1, 0] strides [2, 1] : tensor<5x3xi8> -> tensor<2x3xi8>
  %b = qg.slice %x offsets [4, 0] strides [-2, 1] : tensor<5x3xi8> -> tensor<2x2xi8>
  %c = qg.slice %x offsets [3, 0] strides [-1, 2] : tensor<5x3xi8> -> tensor<1x2xi8>
  return %a, %b, %c : tensor<2x3xi8>, tensor<2x2xi8>, tensor<1x2xi8>
}

// -----
// Signedness leaves the types and stays in the operations.
// CHECK-LABEL: func @unsigned_storage
// CHECK-SAME:    (%{{.*}}: tensor<3xi8>) -> tensor<3xf32>
// CHECK:       arith.uitofp
func.func @unsigned_storage(%x: tensor<3xui8>) -> tensor<3xf32> {
  %y = qg.cast %x : tensor<3xui8> -> tensor<3xf32>
  return %y : tensor<3xf32>
}

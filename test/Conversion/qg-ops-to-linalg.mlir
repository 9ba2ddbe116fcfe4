// RUN: qopt-opt %s --convert-qg-to-linalg --split-input-file | FileCheck %s

// Negative indices count from the end, those outside are clamped.
// CHECK-LABEL: func @gather
// CHECK:       arith.cmpi slt
// CHECK:       %[[FIVE:.*]] = arith.constant 5 : index
// CHECK:       arith.addi %{{.*}}, %[[FIVE]] : index
// CHECK:       arith.maxsi
// CHECK:       %[[LAST:.*]] = arith.constant 4 : index
// CHECK:       %[[I:.*]] = arith.minsi %{{.*}}, %[[LAST]] : index
// CHECK:       tensor.extract %arg0[%[[I]], %{{.*}}]
func.func @gather(%x: tensor<5x3xf32>, %i: tensor<2xi64>) -> tensor<2x3xf32> {
  %y = qg.gather %x, %i axis 0 : (tensor<5x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----
// A constant border is filled, a crop is a view, a reflection an index.
// CHECK-LABEL: func @pads
// CHECK:       linalg.fill
// CHECK:       tensor.insert_slice %arg0 into %{{.*}}[1] [3] [1]
// CHECK:       arith.remsi
// CHECK:       tensor.extract %arg0
// CHECK:       tensor.extract_slice %arg0[1] [2] [1]
func.func @pads(%x: tensor<3xf32>) -> (tensor<5xf32>, tensor<5xf32>, tensor<2xf32>) {
  %0 = qg.pad constant %x low [1] high [1] : (tensor<3xf32>) -> tensor<5xf32>
  %1 = qg.pad reflect %x low [1] high [1] : (tensor<3xf32>) -> tensor<5xf32>
  %2 = qg.pad constant %x low [-1] high [0] : (tensor<3xf32>) -> tensor<2xf32>
  return %0, %1, %2 : tensor<5xf32>, tensor<5xf32>, tensor<2xf32>
}

// -----
// A float that fits no byte never reaches fptosi; integers wrap; truth is != 0.
// CHECK-LABEL: func @casts
// CHECK:       math.trunc
// CHECK:       arith.cmpf oge
// CHECK:       arith.cmpf olt
// CHECK:       arith.cmpf une
// CHECK:       %[[SAFE:.*]] = arith.select
// CHECK:       arith.fptosi %[[SAFE]] : f32 to i8
// CHECK:       arith.trunci %{{.*}} : i64 to i8
// CHECK:       arith.cmpi ne
func.func @casts(%x: tensor<3xf32>, %i: tensor<3xi64>) -> (tensor<3xi8>, tensor<3xi8>, tensor<3xi1>) {
  %0 = qg.cast %x : tensor<3xf32> -> tensor<3xi8>
  %1 = qg.cast %i : tensor<3xi64> -> tensor<3xi8>
  %2 = qg.cast %i : tensor<3xi64> -> tensor<3xi1>
  return %0, %1, %2 : tensor<3xi8>, tensor<3xi8>, tensor<3xi1>
}

// -----
// The sum goes in the order of k, fused, and columns lie innermost.
// CHECK-DAG:   #[[LHS:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG:   #[[RHS:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func @matmul
// CHECK:       linalg.generic {indexing_maps = [#[[LHS]], #[[RHS]], #{{.*}}], iterator_types = ["parallel", "reduction", "parallel"]}
// CHECK:       math.fma
func.func @matmul(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %0 = qg.matmul %x, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----
// A NaN wins and stays; of equal elements the last is taken.
// CHECK-LABEL: func @last_maximum
// CHECK:       scf.for
// CHECK:       arith.cmpf une
// CHECK:       arith.cmpf olt
// CHECK:       arith.cmpf oeq
// CHECK:       %[[NUMBER:.*]] = arith.cmpf oeq, %[[BEST:.*]], %[[BEST]] : f32
// CHECK:       arith.andi %{{.*}}, %[[NUMBER]]
func.func @last_maximum(%x: tensor<2x3xf32>) -> tensor<2xi64> {
  %0 = qg.arg_reduce max %x axis 1 select_last : tensor<2x3xf32> -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// -----
// Division by zero is 0, and INT_MIN / -1 is no trap.
// CHECK-LABEL: func @integer_division
// CHECK:       %[[ZERO:.*]] = arith.cmpi eq
// CHECK:       %[[MINUS:.*]] = arith.cmpi eq
// CHECK:       arith.ori %[[ZERO]], %[[MINUS]]
// CHECK:       %[[SAFE:.*]] = arith.select
// CHECK:       arith.divsi %{{.*}}, %[[SAFE]]
// CHECK:       arith.select %[[MINUS]]
// CHECK:       arith.select %[[ZERO]]
func.func @integer_division(%a: tensor<3xi32>, %b: tensor<3xi32>) -> tensor<3xi32> {
  %0 = qg.binary div %a, %b : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  return %0 : tensor<3xi32>
}

// -----
// Unsigned bytes compare and shift as such; shifts by the width give 0.
// CHECK-LABEL: func @unsigned
// CHECK:       arith.cmpi ult
// CHECK:       arith.constant 7 : i8
// CHECK:       arith.shrui
// CHECK:       arith.select
func.func @unsigned(%a: tensor<3xui8>, %b: tensor<3xui8>) -> (tensor<3xi1>, tensor<3xui8>) {
  %0 = qg.compare lt %a, %b : (tensor<3xui8>, tensor<3xui8>) -> tensor<3xi1>
  %1 = qg.binary shift_right %a, %b : (tensor<3xui8>, tensor<3xui8>) -> tensor<3xui8>
  return %0, %1 : tensor<3xi1>, tensor<3xui8>
}

// -----
// Windows at the border count fewer elements.
// CHECK-LABEL: func @average
// CHECK:       arith.addf
// CHECK:       arith.constant dense<{{\[\[}}1.000000e+00], [2.000000e+00], [2.000000e+00], [1.000000e+00]]>
// CHECK:       arith.divf
func.func @average(%x: tensor<1x3x1xf32>) -> tensor<1x4x1xf32> {
  %0 = qg.pool avg %x kernel [2] strides [1] pads [1, 1] dilations [1] : tensor<1x3x1xf32> -> tensor<1x4x1xf32>
  return %0 : tensor<1x4x1xf32>
}

// -----
// A broadcast reads what is there, no copy before it.
// CHECK:       #[[MAP:.*]] = affine_map<(d0, d1, d2) -> (d1, 0)>
// CHECK-LABEL: func @broadcast
// CHECK:       linalg.generic {indexing_maps = [#[[MAP]], #{{.*}}]
func.func @broadcast(%x: tensor<3x1xf32>) -> tensor<2x3x4xf32> {
  %0 = qg.broadcast %x : tensor<3x1xf32> -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}

// -----
// Bits stay as they are; a sign is none of the storage.
// CHECK-LABEL: func @bits
// CHECK:       arith.bitcast %{{.*}} : f32 to i32
// CHECK-NOT:   arith.bitcast
func.func @bits(%x: tensor<3xf32>, %i: tensor<3xi32>) -> (tensor<3xi32>, tensor<3xui32>) {
  %0 = qg.bitcast %x : tensor<3xf32> -> tensor<3xi32>
  %1 = qg.bitcast %i : tensor<3xi32> -> tensor<3xui32>
  return %0, %1 : tensor<3xi32>, tensor<3xui32>
}

// RUN: qopt-opt %s --qcpu-lower-kernels --cse | FileCheck %s

// Bytes 0 and 2 of a word, then 1 and 3, of inputs and weights alike; sums are
// scalars.

// CHECK-LABEL: func @dual
// CHECK: %[[ROTATED:.*]] = arith.ori
// CHECK: %[[EVEN:.*]] = llvm.call_intrinsic "llvm.arm.sxtb16"
// CHECK: %[[ODD:.*]] = llvm.call_intrinsic "llvm.arm.sxtb16"(%[[ROTATED]])
// CHECK: vector.from_elements %[[EVEN]], %[[ODD]] : vector<2xi32>
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.arm.smlad"
// CHECK-NOT: smlad
// CHECK: vector.store %{{.*}} : memref<32xi32>, vector<1xi32>
func.func @dual(%x: memref<1x1x16x32xi8>, %w: memref<64xi8>, %b: memref<2xi32>, %y: memref<1x1x16x2xi32>) {
  qcpu.conv "smlad" tile [2, 2, 1, 4] kernel [1, 1] strides [1, 1]
      dilations [1, 1] groups 1 ins(%x, %w, %b) extras() outs(%y)
      : (memref<1x1x16x32xi8>, memref<64xi8>, memref<2xi32>, memref<1x1x16x2xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}

// Four rows of codes in two words: the low halves of their bytes are rows 0
// and 1, the high ones rows 2 and 3; -7 is added to pairs.

// CHECK-LABEL: func @codes
// CHECK: %[[MASK:.*]] = arith.constant 983055 : i32
// CHECK: %[[PAIR:.*]] = arith.andi %{{.*}}, %[[MASK]]
// CHECK: %[[OFFSET:.*]] = arith.constant -393223 : i32
// CHECK: llvm.call_intrinsic "llvm.arm.sadd16"(%[[PAIR]], %[[OFFSET]])
// CHECK-COUNT-7: llvm.call_intrinsic "llvm.arm.sadd16"
// CHECK-NOT: sadd16
func.func @codes(%x: memref<1x1x1x4xi8>, %w: memref<8xi8>, %b: memref<4xi32>, %y: memref<1x1x1x4xi32>) {
  qcpu.conv "smlad" tile [1, 4, 1, 4] kernel [1, 1] strides [1, 1]
      dilations [1, 1] groups 1 ins(%x, %w, %b) extras() outs(%y) {weight_code = array<i64: 4, -7>}
      : (memref<1x1x1x4xi8>, memref<8xi8>, memref<4xi32>, memref<1x1x1x4xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}

// Short reductions fill a register with wider elements.

// CHECK-LABEL: func @vector
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.arm.mve.vmldava.v16i8"
// CHECK-LABEL: func @short
// CHECK: arith.extsi %{{.*}} : vector<8xi8> to vector<8xi16>
// CHECK: llvm.call_intrinsic "llvm.arm.mve.vmldava.v8i16"
func.func @vector(%x: memref<1x1x16x16xi8>, %w: memref<32xi8>, %b: memref<2xi32>, %y: memref<1x1x16x2xi32>) {
  qcpu.conv "vmladava" tile [2, 2, 1, 16] kernel [1, 1] strides [1, 1]
      dilations [1, 1] groups 1 ins(%x, %w, %b) extras() outs(%y)
      : (memref<1x1x16x16xi8>, memref<32xi8>, memref<2xi32>, memref<1x1x16x2xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}
func.func @short(%x: memref<1x1x16x8xi8>, %w: memref<16xi8>, %b: memref<2xi32>, %y: memref<1x1x16x2xi32>) {
  qcpu.conv "vmladava" tile [2, 2, 1, 8] kernel [1, 1] strides [1, 1]
      dilations [1, 1] groups 1 ins(%x, %w, %b) extras() outs(%y)
      : (memref<1x1x16x8xi8>, memref<16xi8>, memref<2xi32>, memref<1x1x16x2xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}

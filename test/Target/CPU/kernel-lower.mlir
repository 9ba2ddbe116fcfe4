// RUN: qopt-opt %s --qcpu-lower-kernels --split-input-file --verify-diagnostics | FileCheck %s

// Tasks are iterations of a marked loop; the accumulators of a tile live in the
// iteration arguments of the reduction.

// CHECK-LABEL: func @conv
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xi32>, vector<8xi32>
// CHECK: vector.load {{.*}} vector<16xi8>
// CHECK: arith.extsi {{.*}} : vector<16xi8> to vector<16xi16>
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK: vector.shuffle {{.*}} : vector<8xi32>, vector<8xi32>
// CHECK: vector.store {{.*}} vector<16xi32>
// CHECK: {qopt.grain = {{[0-9]+}} : i64, qopt.parallel}
func.func @conv(%x: memref<1x6x6x16xi16>, %w: memref<256xi8>, %b: memref<16xi32>,
                %y: memref<1x6x6x16xi32>) {
  qcpu.conv "maddwd" tile [6, 2, 8, 2] kernel [1, 1] strides [1, 1]
      dilations [1, 1] groups 1 ins(%x, %w, %b) extras() outs(%y)
      : (memref<1x6x6x16xi16>, memref<256xi8>, memref<16xi32>, memref<1x6x6x16xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}

// -----

// A panel of five channels is stored in pieces of four and one.

// CHECK-LABEL: func @rest
// CHECK: vector.store {{.*}} vector<4xi32>
// CHECK: vector.store {{.*}} vector<1xi32>
func.func @rest(%x: memref<1x1x1x16xi16>, %w: memref<128xi8>, %b: memref<8xi32>,
                %y: memref<1x1x1x5xi32>) {
  qcpu.conv "maddwd" tile [1, 1, 8, 2] kernel [1, 1] strides [1, 1]
      dilations [1, 1] groups 1 ins(%x, %w, %b) extras() outs(%y)
      : (memref<1x1x1x16xi16>, memref<128xi8>, memref<8xi32>, memref<1x1x1x5xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}

// -----

// CHECK-LABEL: func @stage
// CHECK: arith.cmpi ult
// CHECK: scf.if
// CHECK: arith.extui {{.*}} : vector<32xi8> to vector<32xi16>
func.func @stage(%x: memref<1x4x4x8xi8>, %y: memref<1x6x6x8xi16>) {
  qcpu.stage pads [1, 1, 1, 1] subtract 128 fill 0 x_unsigned
      ins(%x) outs(%y) : (memref<1x4x4x8xi8>, memref<1x6x6x8xi16>) -> ()
  return
}

// -----

func.func @unknown(%x: memref<1x1x1x16xi16>, %w: memref<128xi8>, %b: memref<8xi32>,
                   %y: memref<1x1x1x8xi32>) {
  // expected-error @below {{expects a known dot product, got 'magic'}}
  qcpu.conv "magic" tile [1, 1, 8, 2] kernel [1, 1] strides [1, 1]
      dilations [1, 1] groups 1 ins(%x, %w, %b) extras() outs(%y)
      : (memref<1x1x1x16xi16>, memref<128xi8>, memref<8xi32>, memref<1x1x1x8xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}

// -----

func.func @outside(%x: memref<1x2x2x16xi16>, %w: memref<128xi8>, %b: memref<8xi32>,
                   %y: memref<1x2x2x8xi32>) {
  // expected-error @below {{expects windows inside the input}}
  qcpu.conv "maddwd" tile [1, 1, 8, 2] kernel [2, 2] strides [1, 1]
      dilations [1, 1] groups 1 ins(%x, %w, %b) extras() outs(%y)
      : (memref<1x2x2x16xi16>, memref<128xi8>, memref<8xi32>, memref<1x2x2x8xi32>) -> () {
  ^bb0(%acc: i32):
    qcpu.yield %acc : i32
  }
  return
}

// RUN: qopt-opt %s --cpu-vectors-to-llvm --canonicalize | FileCheck %s

// Lanes are addressed by indices of 32 bits

// CHECK-LABEL: func.func @insert
// CHECK:         %[[AT:.*]] = builtin.unrealized_conversion_cast %{{.*}} : index to i32
// CHECK:         llvm.insertelement %{{.*}}, %{{.*}}[%[[AT]] : i32]
func.func @insert(%v: vector<4xi8>, %x: i8, %at: index) -> vector<4xi8> {
  %r = vector.insert %x, %v[%at] : i8 into vector<4xi8>
  return %r : vector<4xi8>
}

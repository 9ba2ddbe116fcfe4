// A constant operand is a table that is written in every frame: one for each
// reader, which alone says the sign of the bytes.
// RUN: qopt-opt %s --convert-fxp-to-hls --split-input-file -verify-diagnostics | FileCheck %s
// RUN: qopt-opt %s --convert-fxp-to-hls --hls-fold=cycles=4 --split-input-file -verify-diagnostics | FileCheck %s --check-prefix=FOLD

// A row for all rows, as often as there are.
// CHECK-LABEL: @repeated
// CHECK: %[[C:.*]] = hls.source values dense<[1, -2, 3, 4]> : tensor<4xi8> count 3 : <12 x 1 x si4>
// CHECK: hls.mul %arg0, %[[C]]
// FOLD-LABEL: @repeated
// FOLD: hls.source values {{.*}} count 3 : <3 x 4 x si4>
// FOLD-NEXT: hls.width {{.*}} -> <1 x 12 x si4>
// FOLD-NEXT: hls.width {{.*}} -> <4 x 3 x si4>
func.func @repeated(%x: tensor<3x4xi8>) -> tensor<3x4xi32> {
  %c = qg.constant dense<[1, -2, 3, 4]> : tensor<4xi8> -> tensor<4xi8>
  %y = fxp.mul %x, %c zps [0, 0] : (tensor<3x4xi8>, tensor<4xi8>) -> tensor<3x4xi32>
  return %y : tensor<3x4xi32>
}

// -----
// The same bytes are -1 to one reader and 255 to the other.
// CHECK-LABEL: @two_signs
// CHECK: hls.source values dense<-1> : tensor<1x4xi8> count 1 : <4 x 1 x si1>
// CHECK: hls.source values dense<-1> : tensor<1x4xi8> count 1 : <4 x 1 x ui8>
func.func @two_signs(%x: tensor<1x4xi8>) -> (tensor<1x4xi32>, tensor<1x4xi32>) {
  %c = qg.constant dense<-1> : tensor<1x4xi8> -> tensor<1x4xi8>
  %y = fxp.mul %x, %c zps [0, 0] : (tensor<1x4xi8>, tensor<1x4xi8>) -> tensor<1x4xi32>
  %z = fxp.mul %x, %c zps [0, 0] {rhs_unsigned} : (tensor<1x4xi8>, tensor<1x4xi8>) -> tensor<1x4xi32>
  return %y, %z : tensor<1x4xi32>, tensor<1x4xi32>
}

// -----
// One that grows inside is repeated behind its table.
// CHECK-LABEL: @column
// CHECK: %[[C:.*]] = hls.source {{.*}} count 1 : <3 x 1 x ui2>
// CHECK: hls.repeat %[[C]] block 1 count 4
func.func @column(%x: tensor<3x4xi8>) -> tensor<3x4xi32> {
  %c = qg.constant dense<[[1], [2], [3]]> : tensor<3x1xi8> -> tensor<3x1xi8>
  %y = fxp.mul %c, %x zps [0, 0] : (tensor<3x1xi8>, tensor<3x4xi8>) -> tensor<3x4xi32>
  return %y : tensor<3x4xi32>
}

// -----
// Operands of a concatenation may be narrower than its result.
// CHECK-LABEL: @beside
// CHECK: hls.join {{.*}} channels [4, 4] : (!hls.stream<4 x 1 x si8>, !hls.stream<4 x 1 x ui2>) -> !hls.stream<8 x 1 x si8>
func.func @beside(%x: tensor<1x4xi8>) -> tensor<1x8xi8> {
  %c = qg.constant dense<2> : tensor<1x4xi8> -> tensor<1x4xi8>
  %y = qg.concat %x, %c axis 1 : (tensor<1x4xi8>, tensor<1x4xi8>) -> tensor<1x8xi8>
  return %y : tensor<1x8xi8>
}

// -----
func.func @not_held() {
  // C1: expected-error@+1 {{expects values that 'ui2' holds, got 4}}
  %y = hls.source values dense<[1, 4]> : tensor<2xi8> count 1 : !hls.stream<2 x 1 x ui2>
  return
}

// -----
func.func @wide() {
  // C1: expected-error@+1 {{expects integers of up to 32 bits}}
  %y = hls.source values dense<[1, 4]> : tensor<2xi64> count 1 : !hls.stream<2 x 1 x ui3>
  return
}

// -----
func.func @never() {
  // C2: expected-error@+1 {{expects a positive count, got 0}}
  %y = hls.source values dense<[1, 4]> : tensor<2xi8> count 0 : !hls.stream<2 x 1 x ui3>
  return
}

// -----
func.func @fewer() {
  // C2: expected-error@+1 {{expects a result of 4 elements}}
  %y = hls.source values dense<[1, 4]> : tensor<2xi8> count 2 : !hls.stream<2 x 1 x ui3>
  return
}

// -----
func.func @across_the_end() {
  // C3: expected-error@+1 {{expects lanes that divides 2, got 4}}
  %y = hls.source values dense<[1, 4]> : tensor<2xi8> count 2 : !hls.stream<1 x 4 x ui3>
  return
}

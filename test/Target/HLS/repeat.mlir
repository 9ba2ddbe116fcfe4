// Broadcasts: each run of dimensions that grow is a unit, and under both
// compilers the C simulation gives the interpreter's integers.
// RUN: qopt-opt %s --convert-fxp-to-hls --split-input-file -verify-diagnostics | FileCheck %s
// RUN: qopt-opt %s --convert-fxp-to-hls --hls-fold=cycles=12 --split-input-file -verify-diagnostics | FileCheck %s --check-prefix=FOLD
// RUN: %python -c "import sys; print(open(sys.argv[1]).read().split('/' * 2 + ' -----')[0])" %s > %t.mlir
// RUN: rm -rf %t && qopt compile %t.mlir --scheme float --emit=hls --target=xc7z020 --cycles 12 --symbol-prefix net -o %t/ -q
// RUN: make -C %t csim CXXFLAGS="-O0 -std=c++14 -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-unused-label" > %t.gcc && FileCheck %s --check-prefix=CSIM < %t.gcc
// RUN: make -C %t csim CXX=clang++-22 BUILD=build-clang CXXFLAGS="-O0 -std=c++14" > %t.clang && FileCheck %s --check-prefix=CSIM < %t.clang
// CSIM: {{[1-9][0-9]*}} compared, 0 mismatches

// CHECK-LABEL: func.func @main
// Two dimensions side by side are one unit.
// CHECK: hls.repeat %{{.*}} block 6 count 4 : <6 x 1 x si8> -> <24 x 1 x si8>
// Inner ones first.
// CHECK: hls.repeat %{{.*}} block 1 count 3 : <6 x 1 x si8> -> <18 x 1 x si8>
// CHECK-NEXT: hls.repeat %{{.*}} block 18 count 2 : <18 x 1 x si8> -> <36 x 1 x si8>
// CHECK: hls.repeat %{{.*}} block 6 count 4 : <6 x 1 x si8> -> <24 x 1 x si8>
// CHECK: hls.add
// CHECK: hls.join %{{.*}}, %{{.*}} channels [24, 24]
// FOLD-LABEL: func.func @main
// FOLD: hls.repeat %{{.*}} : <3 x 2 x si8> -> <12 x 2 x si8>
// FOLD: hls.repeat %{{.*}} : <6 x 1 x si8> -> <18 x 1 x si8>
// FOLD: hls.repeat %{{.*}} : <6 x 3 x si8> -> <12 x 3 x si8>
func.func @main(%x: tensor<1x1x1x6xi8> {qg.name = "x", qg.encoding = !qg.q<si8, 0.5 : 3>})
    -> (tensor<1x2x2x6xi8> {qg.name = "pixels", qg.encoding = !qg.q<si8, 0.5 : 3>},
        tensor<2x6x3xi8> {qg.name = "both", qg.encoding = !qg.q<si8, 0.5 : 3>},
        tensor<1x4x2x6xi8> {qg.name = "rows", qg.encoding = !qg.q<si8, 0.5 : 3>}) {
  %0 = fxp.max_pool %x kernel [1, 1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x1x1x6xi8> -> tensor<1x1x1x6xi8>
  %1 = qg.broadcast %0 : tensor<1x1x1x6xi8> -> tensor<1x2x2x6xi8>
  %2 = qg.reshape %0 : tensor<1x1x1x6xi8> -> tensor<6x1xi8>
  %3 = qg.broadcast %2 : tensor<6x1xi8> -> tensor<2x6x3xi8>
  // An operand that is smaller than the result, and rows below rows.
  %4 = fxp.add %1, %0 scales [0.5, 0.25] zps [3, 3] zp 3 clamp [-128, 127] mode <"fixed", 17> : (tensor<1x2x2x6xi8>, tensor<1x1x1x6xi8>) -> tensor<1x2x2x6xi8>
  %5 = qg.concat %1, %4 axis 1 : (tensor<1x2x2x6xi8>, tensor<1x2x2x6xi8>) -> tensor<1x4x2x6xi8>
  return %1, %3, %5 : tensor<1x2x2x6xi8>, tensor<2x6x3xi8>, tensor<1x4x2x6xi8>
}

// -----
func.func @empty(%x: tensor<1x1xi8>) -> tensor<1x0xi8> {
  // expected-error@+1 {{has no unit: expects a result that is not empty}}
  %y = qg.broadcast %x : tensor<1x1xi8> -> tensor<1x0xi8>
  return %y : tensor<1x0xi8>
}

// -----
func.func @nothing(%x: !hls.stream<6 x 1 x si8>) {
  // C1: expected-error@+1 {{'hls.repeat' op expects a positive block and count, got 3 and 0}}
  %y = hls.repeat %x block 3 count 0 : !hls.stream<6 x 1 x si8> -> !hls.stream<6 x 1 x si8>
  return
}

// -----
func.func @part(%x: !hls.stream<6 x 1 x si8>) {
  // C1: expected-error@+1 {{'hls.repeat' op expects a block that divides 6, got 4}}
  %y = hls.repeat %x block 4 count 2 : !hls.stream<6 x 1 x si8> -> !hls.stream<12 x 1 x si8>
  return
}

// -----
func.func @signs(%x: !hls.stream<6 x 1 x si8>) {
  // C2: expected-error@+1 {{'hls.repeat' op expects equal elements on both sides}}
  %y = hls.repeat %x block 3 count 2 : !hls.stream<6 x 1 x si8> -> !hls.stream<12 x 1 x ui8>
  return
}

// -----
func.func @count(%x: !hls.stream<6 x 1 x si8>) {
  // C2: expected-error@+1 {{'hls.repeat' op expects a result of 12 elements, got 6}}
  %y = hls.repeat %x block 3 count 2 : !hls.stream<6 x 1 x si8> -> !hls.stream<6 x 1 x si8>
  return
}

// -----
func.func @cut_token(%x: !hls.stream<3 x 2 x si8>) {
  // C3: expected-error@+1 {{'hls.repeat' op expects lanes that divides 3, got 2}}
  %y = hls.repeat %x block 3 count 2 : !hls.stream<3 x 2 x si8> -> !hls.stream<6 x 2 x si8>
  return
}

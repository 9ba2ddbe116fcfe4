// One number around a tensor; under both compilers the C simulation gives the
// interpreter's integers.
// RUN: qopt-opt %s --convert-fxp-to-hls --split-input-file -verify-diagnostics | FileCheck %s
// RUN: qopt-opt %s --convert-fxp-to-hls --hls-fold=cycles=12 --split-input-file -verify-diagnostics | FileCheck %s --check-prefix=FOLD
// RUN: %python -c "import sys; print(open(sys.argv[1]).read().split('/' * 2 + ' -----')[0])" %s > %t.mlir
// RUN: rm -rf %t && qopt compile %t.mlir --scheme float --emit=hls --target=xc7z020 --cycles 12 --symbol-prefix net -o %t/ -q
// RUN: make -C %t csim CXXFLAGS="-O0 -std=c++14 -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-unused-label" > %t.gcc && FileCheck %s --check-prefix=CSIM < %t.gcc
// RUN: make -C %t csim CXX=clang++-22 BUILD=build-clang CXXFLAGS="-O0 -std=c++14" > %t.clang && FileCheck %s --check-prefix=CSIM < %t.clang
// CSIM: {{[1-9][0-9]*}} compared, 0 mismatches

// CHECK-LABEL: func.func @main
// Dimensions without borders are one with those outside of them.
// CHECK: hls.pad %{{.*}} shape [4, 15] low [2, 3] high [0, 0] value -120 : <60 x 1 x si8> -> <108 x 1 x si8>
// CHECK: hls.pad %{{.*}} shape [20, 3] low [0, 1] high [0, 2] value 0 : <60 x 1 x si8> -> <120 x 1 x si8>
// FOLD-LABEL: func.func @main
// FOLD: hls.pad %{{.*}} : <20 x 3 x si8> -> <36 x 3 x si8>
// FOLD: hls.pad %{{.*}} : <60 x 1 x si8> -> <120 x 1 x si8>
func.func @main(%x: tensor<1x4x5x3xi8> {qg.name = "x", qg.encoding = !qg.q<si8, 0.5 : 3>})
    -> (tensor<1x6x6x3xi8> {qg.name = "pixels", qg.encoding = !qg.q<si8, 0.5 : 3>},
        tensor<1x4x5x6xi8> {qg.name = "channels", qg.encoding = !qg.q<si8, 0.5 : 3>}) {
  %0 = fxp.max_pool %x kernel [1, 1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x5x3xi8> -> tensor<1x4x5x3xi8>
  %z = qg.constant dense<-120> : tensor<i8> -> tensor<i8>
  %1 = qg.pad constant %0 value %z low [0, 2, 1, 0] high [0, 0, 0, 0] : (tensor<1x4x5x3xi8>, tensor<i8>) -> tensor<1x6x6x3xi8>
  %2 = qg.pad constant %0 low [0, 0, 0, 1] high [0, 0, 0, 2] : (tensor<1x4x5x3xi8>) -> tensor<1x4x5x6xi8>
  return %1, %2 : tensor<1x6x6x3xi8>, tensor<1x4x5x6xi8>
}

// -----
func.func @edges(%x: tensor<4xi8>) -> tensor<6xi8> {
  // expected-error@+1 {{has no unit: pads of edges have no unit}}
  %y = qg.pad edge %x low [1] high [1] : (tensor<4xi8>) -> tensor<6xi8>
  return %y : tensor<6xi8>
}

// -----
func.func @cropped(%x: tensor<4xi8>) -> tensor<4xi8> {
  // expected-error@+1 {{has no unit: expects borders that are not cropped}}
  %y = qg.pad constant %x low [-1] high [1] : (tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----
func.func @chosen(%x: tensor<4xi8>, %v: tensor<i8>) -> tensor<6xi8> {
  // expected-error@+1 {{has no unit: expects a constant to pad with}}
  %y = qg.pad constant %x value %v low [1] high [1] : (tensor<4xi8>, tensor<i8>) -> tensor<6xi8>
  return %y : tensor<6xi8>
}

// -----
// expected-error@+1 {{expects arguments that are not empty}}
func.func @empty(%x: tensor<0xi8>) -> tensor<2xi8> {
  %y = qg.pad constant %x low [1] high [1] : (tensor<0xi8>) -> tensor<2xi8>
  return %y : tensor<2xi8>
}

// -----
func.func @no_borders(%x: !hls.stream<6 x 1 x si8>) {
  // C1: expected-error@+1 {{'hls.pad' op expects an extent and two borders for each dimension}}
  %y = hls.pad %x shape [6] low [1] high [] value 0 : !hls.stream<6 x 1 x si8> -> !hls.stream<7 x 1 x si8>
  return
}

// -----
func.func @negative(%x: !hls.stream<6 x 1 x si8>) {
  // C1: expected-error@+1 {{'hls.pad' op expects borders around at least one element, got 6 between -1 and 0}}
  %y = hls.pad %x shape [6] low [-1] high [0] value 0 : !hls.stream<6 x 1 x si8> -> !hls.stream<5 x 1 x si8>
  return
}

// -----
func.func @signs(%x: !hls.stream<6 x 1 x si8>) {
  // C2: expected-error@+1 {{'hls.pad' op expects equal elements on both sides}}
  %y = hls.pad %x shape [6] low [1] high [0] value 0 : !hls.stream<6 x 1 x si8> -> !hls.stream<7 x 1 x ui8>
  return
}

// -----
func.func @count(%x: !hls.stream<6 x 1 x si8>) {
  // C2: expected-error@+1 {{'hls.pad' op expects a result of 7 elements, got 6}}
  %y = hls.pad %x shape [6] low [1] high [0] value 0 : !hls.stream<6 x 1 x si8> -> !hls.stream<6 x 1 x si8>
  return
}

// -----
func.func @cut_token(%x: !hls.stream<3 x 2 x si8>) {
  // C3: expected-error@+1 {{'hls.pad' op expects lanes that divides 1, got 2}}
  %y = hls.pad %x shape [6] low [1] high [1] value 0 : !hls.stream<3 x 2 x si8> -> !hls.stream<4 x 2 x si8>
  return
}

// -----
func.func @large(%x: !hls.stream<6 x 1 x si4>) {
  // C4: expected-error@+1 {{'hls.pad' op expects a value that 'si4' holds, got 8}}
  %y = hls.pad %x shape [6] low [1] high [0] value 8 : !hls.stream<6 x 1 x si4> -> !hls.stream<7 x 1 x si4>
  return
}

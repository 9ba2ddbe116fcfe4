// Gathers by constant indices; under both compilers the C simulation gives the
// interpreter's integers.
// RUN: qopt-opt %s --convert-fxp-to-hls --split-input-file -verify-diagnostics | FileCheck %s
// RUN: qopt-opt %s --convert-fxp-to-hls --hls-fold=cycles=12 --split-input-file -verify-diagnostics | FileCheck %s --check-prefix=FOLD
// RUN: %python -c "import sys; print(open(sys.argv[1]).read().split('/' * 2 + ' -----')[0])" %s > %t.mlir
// RUN: rm -rf %t && qopt compile %t.mlir --scheme float --emit=hls --target=xc7z020 --cycles 12 --symbol-prefix net -o %t/ -q
// RUN: make -C %t csim CXXFLAGS="-O0 -std=c++14 -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-unused-label" > %t.gcc && FileCheck %s --check-prefix=CSIM < %t.gcc
// RUN: make -C %t csim CXX=clang++-22 BUILD=build-clang CXXFLAGS="-O0 -std=c++14" > %t.clang && FileCheck %s --check-prefix=CSIM < %t.clang
// CSIM: {{[1-9][0-9]*}} compared, 0 mismatches

// CHECK-LABEL: func.func @main
// CHECK: hls.pick %{{.*}} run 15 count 4 positions [3, 0, 0, 2] : <60 x 1 x si8> -> <60 x 1 x si8>
// CHECK: hls.pick %{{.*}} run 1 count 3 positions [2, 0, 1, 1] : <60 x 1 x si8> -> <80 x 1 x si8>
// FOLD-LABEL: func.func @main
// FOLD: hls.pick %{{.*}} : <4 x 15 x si8> -> <4 x 15 x si8>
// FOLD: hls.pick %{{.*}} : <60 x 1 x si8> -> <80 x 1 x si8>
func.func @main(%x: tensor<1x4x5x3xi8> {qg.name = "x", qg.encoding = !qg.q<si8, 0.5 : 3>})
    -> (tensor<1x4x5x3xi8> {qg.name = "rows", qg.encoding = !qg.q<si8, 0.5 : 3>},
        tensor<1x4x5x2x2xi8> {qg.name = "channels", qg.encoding = !qg.q<si8, 0.5 : 3>}) {
  %0 = fxp.max_pool %x kernel [1, 1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x5x3xi8> -> tensor<1x4x5x3xi8>
  %i = qg.constant dense<[-1, 0, 0, 2]> : tensor<4xi64> -> tensor<4xi64>
  %1 = qg.gather %0, %i axis 1 : (tensor<1x4x5x3xi8>, tensor<4xi64>) -> tensor<1x4x5x3xi8>
  %c = qg.constant dense<[[2, 0], [1, 1]]> : tensor<2x2xi64> -> tensor<2x2xi64>
  %2 = qg.gather %0, %c axis 3 : (tensor<1x4x5x3xi8>, tensor<2x2xi64>) -> tensor<1x4x5x2x2xi8>
  return %1, %2 : tensor<1x4x5x3xi8>, tensor<1x4x5x2x2xi8>
}

// -----
func.func @empty(%x: tensor<1x1xi8>) -> tensor<1x0xi8> {
  %i = qg.constant dense<0> : tensor<0xi64> -> tensor<0xi64>
  // expected-error@+1 {{has no unit: expects a result that is not empty}}
  %y = qg.gather %x, %i axis 1 : (tensor<1x1xi8>, tensor<0xi64>) -> tensor<1x0xi8>
  return %y : tensor<1x0xi8>
}

// -----
func.func @far(%x: tensor<1x4xi8>) -> tensor<1x1xi8> {
  %i = qg.constant dense<4> : tensor<1xi64> -> tensor<1xi64>
  // expected-error@+1 {{has no unit: index 4 is out of range}}
  %y = qg.gather %x, %i axis 1 : (tensor<1x4xi8>, tensor<1xi64>) -> tensor<1x1xi8>
  return %y : tensor<1x1xi8>
}

// -----
func.func @chosen(%x: tensor<1x4xi8>, %i: tensor<1xi8>) -> tensor<1x1xi8> {
  // expected-error@+1 {{has no unit: expects constant indices}}
  %y = qg.gather %x, %i axis 1 : (tensor<1x4xi8>, tensor<1xi8>) -> tensor<1x1xi8>
  return %y : tensor<1x1xi8>
}

// -----
func.func @nothing(%x: !hls.stream<6 x 1 x si8>) {
  // C1: expected-error@+1 {{'hls.pick' op expects a positive run and count, got 0 and 3}}
  %y = hls.pick %x run 0 count 3 positions [0] : !hls.stream<6 x 1 x si8> -> !hls.stream<6 x 1 x si8>
  return
}

// -----
func.func @part(%x: !hls.stream<6 x 1 x si8>) {
  // C1: expected-error@+1 {{'hls.pick' op expects a block that divides 6, got 4}}
  %y = hls.pick %x run 2 count 2 positions [0] : !hls.stream<6 x 1 x si8> -> !hls.stream<3 x 1 x si8>
  return
}

// -----
func.func @none(%x: !hls.stream<6 x 1 x si8>) {
  // C2: expected-error@+1 {{'hls.pick' op expects at least one position}}
  %y = hls.pick %x run 1 count 3 positions [] : !hls.stream<6 x 1 x si8> -> !hls.stream<3 x 1 x si8>
  return
}

// -----
func.func @behind(%x: !hls.stream<6 x 1 x si8>) {
  // C2: expected-error@+1 {{'hls.pick' op expects positions below 3, got 3}}
  %y = hls.pick %x run 1 count 3 positions [3] : !hls.stream<6 x 1 x si8> -> !hls.stream<2 x 1 x si8>
  return
}

// -----
func.func @signs(%x: !hls.stream<6 x 1 x si8>) {
  // C3: expected-error@+1 {{'hls.pick' op expects equal elements on both sides}}
  %y = hls.pick %x run 1 count 3 positions [0] : !hls.stream<6 x 1 x si8> -> !hls.stream<2 x 1 x ui8>
  return
}

// -----
func.func @count(%x: !hls.stream<6 x 1 x si8>) {
  // C3: expected-error@+1 {{'hls.pick' op expects a result of 2 elements, got 6}}
  %y = hls.pick %x run 1 count 3 positions [0] : !hls.stream<6 x 1 x si8> -> !hls.stream<6 x 1 x si8>
  return
}

// -----
func.func @cut_token(%x: !hls.stream<3 x 2 x si8>) {
  // C4: expected-error@+1 {{'hls.pick' op expects lanes that divides 1, got 2}}
  %y = hls.pick %x run 1 count 3 positions [0, 1, 2] : !hls.stream<3 x 2 x si8> -> !hls.stream<3 x 2 x si8>
  return
}

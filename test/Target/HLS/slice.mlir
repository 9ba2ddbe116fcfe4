// Rows, columns, channels and strides of a tensor: as many units as slices, and
// under both compilers the interpreter's integers.
// RUN: qopt-opt %s --convert-fxp-to-hls --split-input-file -verify-diagnostics | FileCheck %s
// RUN: qopt-opt %s --convert-fxp-to-hls --hls-fold=cycles=24 --split-input-file -verify-diagnostics | FileCheck %s --check-prefix=FOLD
// RUN: %python -c "import sys; print(open(sys.argv[1]).read().split('/' * 2 + ' -----')[0])" %s > %t.mlir
// RUN: rm -rf %t && qopt compile %t.mlir --scheme float --emit=hls --target=xc7z020 --symbol-prefix net -o %t/ -q
// RUN: make -C %t csim CXXFLAGS="-O0 -std=c++14 -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-unused-label" > %t.gcc && FileCheck %s --check-prefix=CSIM < %t.gcc
// RUN: make -C %t csim CXX=clang++-22 BUILD=build-clang CXXFLAGS="-O0 -std=c++14" > %t.clang && FileCheck %s --check-prefix=CSIM < %t.clang
// CSIM: {{[1-9][0-9]*}} compared, 0 mismatches

// CHECK-LABEL: func.func @main
// Dimensions that stay whole are one with the one outside of them.
// CHECK: hls.slice %{{.*}} shape [144] offsets [72] sizes [72] strides [1] : <144 x 1 x ui8> -> <72 x 1 x ui8>
// CHECK: hls.slice %{{.*}} shape [24, 6] offsets [0, 2] sizes [24, 4] strides [1, 1] : <144 x 1 x ui8> -> <96 x 1 x ui8>
// CHECK: hls.slice %{{.*}} shape [6, 24] offsets [1, 6] sizes [3, 12] strides [2, 1]
// CHECK: hls.slice %{{.*}} shape [24, 6] offsets [0, 1] sizes [24, 3] strides [1, 2]
// The whole is no unit.
// CHECK-NOT: hls.slice
// FOLD-LABEL: func.func @main
// FOLD: hls.slice %{{.*}} : <24 x 6 x ui8> -> <12 x 6 x ui8>
// FOLD: hls.slice %{{.*}} : <72 x 2 x ui8> -> <48 x 2 x ui8>
// FOLD: hls.slice %{{.*}} : <24 x 6 x ui8> -> <6 x 6 x ui8>
// FOLD: hls.slice %{{.*}} : <144 x 1 x ui8> -> <72 x 1 x ui8>
func.func @main(%x: tensor<1x6x4x6xi8> {qg.name = "x", qg.encoding = !qg.q<ui8, 0.5 : 3>})
    -> (tensor<1x3x4x6xi8> {qg.name = "rows", qg.encoding = !qg.q<ui8, 0.5 : 3>},
        tensor<1x6x4x4xi8> {qg.name = "channels", qg.encoding = !qg.q<ui8, 0.5 : 3>},
        tensor<1x3x2x6xi8> {qg.name = "strided", qg.encoding = !qg.q<ui8, 0.5 : 3>},
        tensor<1x6x4x3xi8> {qg.name = "every_other", qg.encoding = !qg.q<ui8, 0.5 : 3>},
        tensor<1x6x4x6xi8> {qg.name = "all", qg.encoding = !qg.q<ui8, 0.5 : 3>}) {
  %0 = fxp.max_pool %x kernel [1, 1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] x_unsigned : tensor<1x6x4x6xi8> -> tensor<1x6x4x6xi8>
  %1 = qg.slice %0 offsets [0, 3, 0, 0] strides [1, 1, 1, 1] : tensor<1x6x4x6xi8> -> tensor<1x3x4x6xi8>
  %2 = qg.slice %0 offsets [0, 0, 0, 2] strides [1, 1, 1, 1] : tensor<1x6x4x6xi8> -> tensor<1x6x4x4xi8>
  %3 = qg.slice %0 offsets [0, 1, 1, 0] strides [1, 2, 1, 1] : tensor<1x6x4x6xi8> -> tensor<1x3x2x6xi8>
  %4 = qg.slice %0 offsets [0, 0, 0, 1] strides [1, 1, 1, 2] : tensor<1x6x4x6xi8> -> tensor<1x6x4x3xi8>
  %5 = qg.slice %0 offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : tensor<1x6x4x6xi8> -> tensor<1x6x4x6xi8>
  return %1, %2, %3, %4, %5 : tensor<1x3x4x6xi8>, tensor<1x6x4x4xi8>, tensor<1x3x2x6xi8>, tensor<1x6x4x3xi8>, tensor<1x6x4x6xi8>
}

// -----
func.func @backwards(%x: tensor<1x6xi8>) -> tensor<1x6xi8> {
  // expected-error@+1 {{has no unit: expects positive strides, got -1 in dimension 1}}
  %y = qg.slice %x offsets [0, 5] strides [1, -1] : tensor<1x6xi8> -> tensor<1x6xi8>
  return %y : tensor<1x6xi8>
}

// -----
func.func @empty(%x: tensor<1x6xi8>) -> tensor<1x0xi8> {
  // expected-error@+1 {{has no unit: expects a result that is not empty}}
  %y = qg.slice %x offsets [0, 0] strides [1, 1] : tensor<1x6xi8> -> tensor<1x0xi8>
  return %y : tensor<1x0xi8>
}

// -----
func.func @ranks(%x: !hls.stream<6 x 1 x si8>) {
  // C1: expected-error@+1 {{'hls.slice' op expects an extent, offset, size and stride for each dimension}}
  %y = hls.slice %x shape [2, 3] offsets [0] sizes [1, 3] strides [1, 1] : !hls.stream<6 x 1 x si8> -> !hls.stream<3 x 1 x si8>
  return
}

// -----
func.func @outside(%x: !hls.stream<6 x 1 x si8>) {
  // C2: expected-error@+1 {{'hls.slice' op expects elements inside of 6, got 3 from 2 by 2}}
  %y = hls.slice %x shape [6] offsets [2] sizes [3] strides [2] : !hls.stream<6 x 1 x si8> -> !hls.stream<3 x 1 x si8>
  return
}

// -----
func.func @signs(%x: !hls.stream<6 x 1 x si8>) {
  // C3: expected-error@+1 {{'hls.slice' op expects equal elements on both sides}}
  %y = hls.slice %x shape [6] offsets [2] sizes [3] strides [1] : !hls.stream<6 x 1 x si8> -> !hls.stream<3 x 1 x ui8>
  return
}

// -----
func.func @count(%x: !hls.stream<6 x 1 x si8>) {
  // C3: expected-error@+1 {{'hls.slice' op expects a result of 3 elements, got 4}}
  %y = hls.slice %x shape [6] offsets [2] sizes [3] strides [1] : !hls.stream<6 x 1 x si8> -> !hls.stream<4 x 1 x si8>
  return
}

// -----
func.func @cut_token(%x: !hls.stream<3 x 2 x si8>) {
  // C4: expected-error@+1 {{'hls.slice' op expects lanes that divides 1, got 2}}
  %y = hls.slice %x shape [6] offsets [1] sizes [4] strides [1] : !hls.stream<3 x 2 x si8> -> !hls.stream<2 x 2 x si8>
  return
}

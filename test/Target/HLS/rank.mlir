// The largest and the smallest of each row, by their indices.
// RUN: qopt-opt %s --convert-fxp-to-hls --split-input-file -verify-diagnostics | FileCheck %s
// RUN: %python -c "import sys; print(open(sys.argv[1]).read().split('/' * 2 + ' -----')[0])" %s > %t.mlir
// RUN: rm -rf %t && qopt compile %t.mlir --scheme float --emit=hls --target=xc7z020 --symbol-prefix net -o %t/ -q
// RUN: make -C %t csim CXXFLAGS="-O0 -std=c++14 -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-unused-label" > %t.gcc && FileCheck %s --check-prefix=CSIM < %t.gcc
// CSIM: {{[1-9][0-9]*}} compared, 0 mismatches

// Three largest with their values, the smallest of each column, and the last of
// the largest: as the interpreter finds them.
// CHECK-LABEL: @main
// CHECK: hls.fetch {{.*}} extent 10 count 3
func.func @main(%x: tensor<1x10xi8> {qg.name = "x", qg.encoding = !qg.q<si8, 0.5 : 3>})
    -> (tensor<1x3xi8> {qg.name = "values", qg.encoding = !qg.q<si8, 0.5 : 3>}, tensor<1x3xi64> {qg.name = "indices"},
        tensor<2xi64> {qg.name = "least"}, tensor<1xi64> {qg.name = "last"}) {
  %i = qg.top_k max %x axis 1 : tensor<1x10xi8> -> tensor<1x3xi64>
  %f = qg.reshape %x : tensor<1x10xi8> -> tensor<10xi8>
  %v = qg.gather %f, %i axis 0 : (tensor<10xi8>, tensor<1x3xi64>) -> tensor<1x3xi8>
  %c = qg.reshape %x : tensor<1x10xi8> -> tensor<5x2xi8>
  %m = qg.arg_reduce min %c axis 0 : tensor<5x2xi8> -> tensor<2xi64>
  %l = qg.arg_reduce max %x axis 1 select_last : tensor<1x10xi8> -> tensor<1xi64>
  return %v, %i, %m, %l : tensor<1x3xi8>, tensor<1x3xi64>, tensor<2xi64>, tensor<1xi64>
}

// -----
// CHECK-LABEL: @label
// CHECK: hls.rank %arg0 kind "max" extent 10 count 1 : <20 x 1 x si8> -> <2 x 1 x ui4>
func.func @label(%x: tensor<2x10xi8>) -> tensor<2xi64> {
  %y = qg.arg_reduce max %x axis 1 : tensor<2x10xi8> -> tensor<2xi64>
  return %y : tensor<2xi64>
}

// -----
// The searched dimension comes last, and goes back.
// CHECK-LABEL: @columns
// CHECK: %[[X:.*]] = hls.permute %arg0 shape [4, 3] permutation [1, 0]
// CHECK: %[[I:.*]] = hls.rank %[[X]] kind "min" extent 4 count 2 : <12 x 1 x si8> -> <6 x 1 x ui2>
// CHECK: hls.permute %[[I]] shape [3, 2] permutation [1, 0]
func.func @columns(%x: tensor<4x3xi8>) -> tensor<2x3xi64> {
  %y = qg.top_k min %x axis 0 : tensor<4x3xi8> -> tensor<2x3xi64>
  return %y : tensor<2x3xi64>
}

// -----
// CHECK-LABEL: @last
// CHECK: hls.rank {{.*}} count 1 last
func.func @last(%x: tensor<1x3xi8>) -> tensor<1xi64> {
  %y = qg.arg_reduce max %x axis 1 select_last : tensor<1x3xi8> -> tensor<1xi64>
  return %y : tensor<1xi64>
}

// -----
func.func @kind(%x: !hls.stream<20 x 1 x si8>) {
  // C1: expected-error@+1 {{expects kind max or min, got mean}}
  %i = hls.rank %x kind "mean" extent 10 count 3 : !hls.stream<20 x 1 x si8> -> !hls.stream<6 x 1 x ui4>
  return
}

// -----
func.func @count(%x: !hls.stream<20 x 1 x si8>) {
  // C2: expected-error@+1 {{expects a count of 1 to 10, got 11}}
  %i = hls.rank %x kind "max" extent 10 count 11 : !hls.stream<20 x 1 x si8> -> !hls.stream<22 x 1 x ui4>
  return
}

// -----
func.func @rows(%x: !hls.stream<20 x 1 x si8>) {
  // C3: expected-error@+1 {{expects a result of 6 elements}}
  %i = hls.rank %x kind "max" extent 10 count 3 : !hls.stream<20 x 1 x si8> -> !hls.stream<3 x 1 x ui4>
  return
}

// -----
func.func @narrow(%x: !hls.stream<20 x 1 x si8>) {
  // C4: expected-error@+1 {{expects a result that holds 9, got 'ui3'}}
  %i = hls.rank %x kind "max" extent 10 count 3 : !hls.stream<20 x 1 x si8> -> !hls.stream<6 x 1 x ui3>
  return
}

// -----
func.func @fetch_nothing(%x: !hls.stream<20 x 1 x si8>, %i: !hls.stream<6 x 1 x ui4>) {
  // C1: expected-error@+1 {{expects a positive extent and count, got 10 and 0}}
  %y = hls.fetch %x, %i extent 10 count 0 : (!hls.stream<20 x 1 x si8>, !hls.stream<6 x 1 x ui4>) -> !hls.stream<6 x 1 x si8>
  return
}

// -----
func.func @fetch_lanes(%x: !hls.stream<10 x 2 x si8>, %i: !hls.stream<6 x 1 x ui4>) {
  // C2: expected-error@+1 {{expects an input with 1 lanes, got 2}}
  %y = hls.fetch %x, %i extent 10 count 3 : (!hls.stream<10 x 2 x si8>, !hls.stream<6 x 1 x ui4>) -> !hls.stream<6 x 1 x si8>
  return
}

// -----
func.func @fetch_others(%x: !hls.stream<20 x 1 x si8>, %i: !hls.stream<6 x 1 x ui4>) {
  // C3: expected-error@+1 {{expects a result of the input's elements}}
  %y = hls.fetch %x, %i extent 10 count 3 : (!hls.stream<20 x 1 x si8>, !hls.stream<6 x 1 x ui4>) -> !hls.stream<6 x 1 x si9>
  return
}

// -----
func.func @fetch_negative(%x: !hls.stream<20 x 1 x si8>, %i: !hls.stream<6 x 1 x si5>) {
  // C4: expected-error@+1 {{expects unsigned indices, got 'si5'}}
  %y = hls.fetch %x, %i extent 10 count 3 : (!hls.stream<20 x 1 x si8>, !hls.stream<6 x 1 x si5>) -> !hls.stream<6 x 1 x si8>
  return
}

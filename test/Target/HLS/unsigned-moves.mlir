// Bytes are unsigned in front of what moves them as well: the port of the
// input, what a table gives and a gather or a border behind it.
// RUN: rm -rf %t && qopt compile %s --scheme float --emit=hls --target=xc7z020 --symbol-prefix net -o %t/ -q
// RUN: FileCheck %s < %t/design.mlir
// RUN: make -C %t csim CXXFLAGS="-O0 -std=c++14" > %t.gcc && FileCheck %s --check-prefix=CSIM < %t.gcc
// CSIM: {{[1-9][0-9]*}} compared, 0 mismatches

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    !hls.stream<8 x {{[0-9]+}} x ui8>
// CHECK:         hls.pick {{.*}} x ui8> -> {{.*}} x ui8>
// CHECK:         hls.pad {{.*}} x ui8> -> {{.*}} x ui8>
func.func @main(%x: tensor<1x2x2x2xi8> {qg.name = "x", qg.encoding = !qg.q<ui8, 0.5 : 130>})
    -> (tensor<1x4x2x1xi8> {qg.name = "y", qg.encoding = !qg.q<si8, 0.5 : 3>}) {
  %i = qg.constant dense<[1, 0, 1]> : tensor<3xi64> -> tensor<3xi64>
  %z = qg.constant dense<-126> : tensor<i8> -> tensor<i8>
  %w = qg.constant dense<[[[[3, -5, 100]]]]> : tensor<1x1x1x3xi8> -> tensor<1x1x1x3xi8>
  %b = qg.constant dense<-9> : tensor<1xi32> -> tensor<1xi32>
  %0 = qg.gather %x, %i axis 3 : (tensor<1x2x2x2xi8>, tensor<3xi64>) -> tensor<1x2x2x3xi8>
  %1 = qg.pad constant %0 value %z low [0, 1, 0, 0] high [0, 1, 0, 0] : (tensor<1x2x2x3xi8>, tensor<i8>) -> tensor<1x4x2x3xi8>
  %2 = fxp.conv %1, %w, %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 x_zp 130 x_unsigned : (tensor<1x4x2x3xi8>, tensor<1x1x1x3xi8>, tensor<1xi32>) -> tensor<1x4x2x1xi32>
  %3 = fxp.requantize %2 scales dense<3.000000e-03> : tensor<1xf32> x_zp 0 zp 3 clamp [-128, 127] mode <fixed, 17> : tensor<1x4x2x1xi32> -> tensor<1x4x2x1xi8>
  return %3 : tensor<1x4x2x1xi8>
}

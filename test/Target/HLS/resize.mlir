// Sums between the dimensions of a resize are as wide as they can become; the
// project's own C simulation gives the interpreter's integers.
// RUN: qopt-opt %s --convert-fxp-to-hls | FileCheck %s
// RUN: rm -rf %t && qopt compile %s --scheme float --emit=hls --target=xc7z020 --symbol-prefix net -o %t/ -q
// RUN: make -C %t csim CXX=clang++-22 CXXFLAGS="-O0 -std=c++14" > %t.csim && FileCheck %s --check-prefix=CSIM < %t.csim
// CSIM: {{[1-9][0-9]*}} compared, 0 mismatches

// CHECK: hls.permute %{{.*}} shape [2, 3, 5] permutation [0, 2, 1]
// CHECK: hls.mvu {{.*}} : <30 x 1 x si8> -> <40 x 1 x si12>
// CHECK: hls.permute %{{.*}} shape [2, 5, 4] permutation [2, 1, 0]
// CHECK: hls.mvu {{.*}} : <40 x 1 x si12> -> <80 x 1 x si16>
func.func @main(%x: tensor<1x2x3x5xi8> {qg.name = "x", qg.encoding = !qg.q<si8, 0.5 : 3>})
    -> (tensor<1x4x4x5xi8> {qg.name = "y", qg.encoding = !qg.q<si8, 0.5 : 0>}) {
  %0 = fxp.resize %x axes [2, 1] taps [2, 2] positions [0, 1, 1, 2, 0, 1, 2, 2, 0, 1, 0, 1, 0, 1, 0, 1] coefficients [5, 3, 4, 4, 9, -1, 2, 2, 8, 0, 3, 1, 1, 3, -1, 8] x_zp 3 : tensor<1x2x3x5xi8> -> tensor<1x4x4x5xi32>
  %1 = fxp.requantize %0 scales dense<0.03125> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 17> : tensor<1x4x4x5xi32> -> tensor<1x4x4x5xi8>
  return %1 : tensor<1x4x4x5xi8>
}

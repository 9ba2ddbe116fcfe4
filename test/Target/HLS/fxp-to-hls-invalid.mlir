// RUN: qopt-opt %s --convert-fxp-to-hls --split-input-file -verify-diagnostics

// Every offender is reported, not the first alone.
func.func @all_of_them(%x: tensor<1x4x4x4xi8>) -> (tensor<1x4x4xi32>, tensor<1x4x4x4xi8>, tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{has no unit: expects a sum over all dimensions but the last}}
  %y = fxp.sum %x axes [3] x_zp 0 : tensor<1x4x4x4xi8> -> tensor<1x4x4xi32>
  // expected-error@+1 {{has no unit: expects --requant=fixed:BITS or pow2, got f32 for a result of 256 levels}}
  %z = fxp.requantize %x scales dense<0.25> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <f32> : tensor<1x4x4x4xi8> -> tensor<1x4x4x4xi8>
  // expected-error@+1 {{has no unit: pads of edges have no unit}}
  %t = qg.pad edge %x low [0, 0, 0, 0] high [0, -1, 0, 0] : (tensor<1x4x4x4xi8>) -> tensor<1x3x4x4xi8>
  return %y, %z, %t : tensor<1x4x4xi32>, tensor<1x4x4x4xi8>, tensor<1x3x4x4xi8>
}

// -----
func.func @wide(%x: tensor<1x32768xi8>) -> tensor<1x1xi32> {
  %w = qg.constant dense<-128> : tensor<32768x1xi8> -> tensor<32768x1xi8>
  %b = qg.constant dense<2147483647> : tensor<1xi32> -> tensor<1xi32>
  // expected-error@+1 {{has no unit: its sums reach from 1614807039 to 2684354559, more than 32 bits hold}}
  %y = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<1x32768xi8>, tensor<32768x1xi8>, tensor<1xi32>) -> tensor<1x1xi32>
  return %y : tensor<1x1xi32>
}

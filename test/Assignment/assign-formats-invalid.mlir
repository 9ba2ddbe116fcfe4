// RUN: qopt-opt %s --qg-assign-formats --verify-diagnostics

func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // expected-error @below {{expects a range; run qg-apply-profile first}}
  %0 = qg.observe "x" %x : tensor<1x2xf32> -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// RUN: qopt-opt %s --hls-fold=cycles=10 --split-input-file -verify-diagnostics
// RUN: qopt-opt %s --hls-size-fifos --split-input-file -verify-diagnostics

func.func @other_ops(%x: !hls.stream<4 x 1 x si8>) -> !hls.stream<4 x 1 x si8> {
  // expected-error@+1 {{expects units of hls, got 'qg.constant'}}
  %c = qg.constant dense<1> : tensor<1xi32> -> tensor<1xi32>
  return %x : !hls.stream<4 x 1 x si8>
}

// -----
// expected-error@+1 {{expects streams as arguments}}
func.func @tensors(%x: tensor<4xi8>) { return }

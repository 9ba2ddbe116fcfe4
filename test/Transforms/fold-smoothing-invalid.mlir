// RUN: qopt-opt %s --qg-fold-smoothing --split-input-file --verify-diagnostics

func.func @factors(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = qg.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %v = qg.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  // expected-error @+1 {{expects 'qg.smoothing' to hold 2 positive factors, one for each channel}}
  %0 = qg.matmul %x, %w {qg.smoothing = dense<[2.0, -0.5]> : tensor<2xf64>} : (tensor<2x1xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %1 = qg.matmul %0, %v : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %1 : tensor<2x1xf32>
}

// -----
func.func @result_is_read(%x: tensor<2x1xf32>) -> tensor<2x2xf32> {
  %w = qg.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  // expected-error @+1 {{carries 'qg.smoothing', but is not read by linear ops with constant weights only}}
  %0 = qg.matmul %x, %w {qg.smoothing = dense<[2.0, 0.5]> : tensor<2xf64>} : (tensor<2x1xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

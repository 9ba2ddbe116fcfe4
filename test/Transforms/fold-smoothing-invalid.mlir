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

// -----
func.func @shift_and_relu(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = qg.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %v = qg.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %0 = qg.matmul %x, %w : (tensor<2x1xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  // expected-error @+1 {{carries 'qg.shift', which does not pass a relu}}
  %1 = qg.unary relu %0 {qg.shift = dense<[2.0, 0.5]> : tensor<2xf64>} : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = qg.matmul %1, %v : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %2 : tensor<2x1xf32>
}

// -----
func.func @shift_count(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = qg.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %v = qg.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  // expected-error @+1 {{expects 'qg.shift' to hold 2 numbers, one for each channel}}
  %0 = qg.matmul %x, %w {qg.shift = dense<[2.0]> : tensor<1xf64>} : (tensor<2x1xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %1 = qg.matmul %0, %v : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %1 : tensor<2x1xf32>
}

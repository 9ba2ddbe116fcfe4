// RUN: qopt-opt %s --qg-equalize-layers --split-input-file --verify-diagnostics

func.func @factors(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = qg.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %v = qg.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  // expected-error @+1 {{expects 'qg.equalization' to hold 2 positive factors, one for each channel}}
  %0 = qg.matmul %x, %w {qg.equalization = dense<[2.0, 0.0]> : tensor<2xf64>} : (tensor<2x1xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %1 = qg.matmul %0, %v : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %1 : tensor<2x1xf32>
}

// -----
func.func @count(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = qg.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %v = qg.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  // expected-error @+1 {{expects 'qg.equalization' to hold 2 positive factors, one for each channel}}
  %0 = qg.matmul %x, %w {qg.equalization = "all"} : (tensor<2x1xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %1 = qg.matmul %0, %v : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %1 : tensor<2x1xf32>
}

// -----
func.func @clip(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = qg.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %v = qg.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %six = qg.constant dense<6.0> : tensor<f32> -> tensor<f32>
  // expected-error @+1 {{carries 'qg.equalization', but is not a layer, with a relu or not, that only layers with constant weights read}}
  %0 = qg.matmul %x, %w {qg.equalization = dense<[2.0, 1.0]> : tensor<2xf64>} : (tensor<2x1xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %1 = qg.binary min %0, %six : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>
  %2 = qg.matmul %1, %v : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %2 : tensor<2x1xf32>
}

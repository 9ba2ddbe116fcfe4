// RUN: qopt-opt %s --qg-print-pointwise-regions --split-input-file --verify-diagnostics

// HardSwish reads its input twice and is still one function of one tensor.
func.func @hard_swish(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %three = qg.constant dense<3.0> : tensor<f32> -> tensor<f32>
  %zero = qg.constant dense<0.0> : tensor<1xf32> -> tensor<1xf32>
  // expected-remark@+1 {{pointwise region 0}}
  %a = qg.binary add %x, %three : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
  // expected-remark@+1 {{pointwise region 0}}
  %b = qg.binary max %a, %zero : (tensor<2x4xf32>, tensor<1xf32>) -> tensor<2x4xf32>
  // expected-remark@+1 {{pointwise region 0: root of 3 ops}}
  %y = qg.binary mul %x, %b : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
// Truth values may live inside a region.
func.func @select_inside(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  // expected-remark@+1 {{pointwise region 0}}
  %c = qg.compare lt %x, %zero : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xi1>
  // expected-remark@+1 {{pointwise region 0}}
  %e = qg.unary exp %x : tensor<2x4xf32> -> tensor<2x4xf32>
  // expected-remark@+1 {{pointwise region 0: root of 3 ops}}
  %y = qg.select %c, %e, %x : (tensor<2x4xi1>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
// A value that is also read elsewhere ends a region.
func.func @used_outside(%x: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  // expected-remark@+1 {{pointwise region 0: root of 1 ops}}
  %a = qg.unary relu %x : tensor<2x4xf32> -> tensor<2x4xf32>
  // expected-remark@+1 {{pointwise region 1: root of 1 ops}}
  %b = qg.unary tanh %a : tensor<2x4xf32> -> tensor<2x4xf32>
  return %a, %b : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----
// Two tensors meet in the addition: each branch is a region of its own.
func.func @two_inputs(%x: tensor<2x4xf32>, %z: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // expected-remark@+1 {{pointwise region 0: root of 1 ops}}
  %a = qg.unary relu %x : tensor<2x4xf32> -> tensor<2x4xf32>
  // expected-remark@+1 {{pointwise region 1: root of 1 ops}}
  %b = qg.unary relu %z : tensor<2x4xf32> -> tensor<2x4xf32>
  %y = qg.binary add %a, %b : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

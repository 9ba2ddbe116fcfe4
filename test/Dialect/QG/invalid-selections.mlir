// What qg.top_k, qg.compact and qg.suppress refuse.
// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @kind(%x: tensor<4x3xf32>) {
  // C1: expected-error@+1 {{'qg.top_k' op expects kind max or min}}
  %y = qg.top_k sum %x axis 1 : tensor<4x3xf32> -> tensor<4x2xi64>
  return
}

// -----
func.func @narrow_indices(%x: tensor<4x3xf32>) {
  // C1: expected-error@+1 {{expects an i64 result}}
  %y = qg.top_k max %x axis 1 : tensor<4x3xf32> -> tensor<4x2xi32>
  return
}

// -----
func.func @encoded(%x: tensor<4x3x!qg.q<ui8, 0.5 : 128>>) {
  // C2: expected-error@+1 {{expects x of floats or integers, got '!qg.q<ui8, 5.000000e-01 : 128>'}}
  %y = qg.top_k max %x axis 1 : tensor<4x3x!qg.q<ui8, 0.5 : 128>> -> tensor<4x2xi64>
  return
}

// -----
func.func @axis(%x: tensor<4x3xf32>) {
  // C3: expected-error@+1 {{expects an axis below rank 2, got 2}}
  %y = qg.top_k max %x axis 2 : tensor<4x3xf32> -> tensor<4x2xi64>
  return
}

// -----
func.func @too_many(%x: tensor<4x3xf32>) {
  // C3: expected-error@+1 {{expects a result of x's shape with at most 3 positions in axis 1, got 4x4}}
  %y = qg.top_k max %x axis 1 : tensor<4x3xf32> -> tensor<4x4xi64>
  return
}

// -----
func.func @other_rows(%x: tensor<4x3xf32>) {
  // C3: expected-error@+1 {{at most 3 positions in axis 1, got 5x3}}
  %y = qg.top_k max %x axis 1 : tensor<4x3xf32> -> tensor<5x3xi64>
  return
}

// -----
func.func @mask(%m: tensor<5xi8>) {
  // C1: expected-error@+1 {{'qg.compact' op expects a vector of i1 and one of i64, got 'tensor<5xi8>' and 'tensor<5xi64>'}}
  %y = qg.compact %m : tensor<5xi8> -> tensor<5xi64>
  return
}

// -----
func.func @corners(%b: tensor<5x3xf32>, %v: tensor<5xi1>, %o: tensor<f32>, %l: tensor<i64>) {
  // C1: expected-error@+1 {{'qg.suppress' op expects boxes [..., n, 4] of f32, got 'tensor<5x3xf32>'}}
  %y = qg.suppress %b, %v, %o, %l : (tensor<5x3xf32>, tensor<5xi1>, tensor<f32>, tensor<i64>) -> tensor<5xi1>
  return
}

// -----
func.func @marks(%b: tensor<5x4xf32>, %v: tensor<4xi1>, %o: tensor<f32>, %l: tensor<i64>) {
  // C1: expected-error@+1 {{expects marks 5 of i1, got 'tensor<4xi1>'}}
  %y = qg.suppress %b, %v, %o, %l : (tensor<5x4xf32>, tensor<4xi1>, tensor<f32>, tensor<i64>) -> tensor<5xi1>
  return
}

// -----
func.func @threshold(%b: tensor<5x4xf32>, %v: tensor<5xi1>, %o: tensor<1xf32>, %l: tensor<i64>) {
  // C2: expected-error@+1 {{expects scalars of f32 and i64, got 'tensor<1xf32>' and 'tensor<i64>'}}
  %y = qg.suppress %b, %v, %o, %l : (tensor<5x4xf32>, tensor<5xi1>, tensor<1xf32>, tensor<i64>) -> tensor<5xi1>
  return
}

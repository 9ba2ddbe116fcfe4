// RUN: qopt-opt %s -split-input-file -verify-diagnostics

// The constraints of qg.loop, numbered as in QGControlOps.td.

func.func @c1_count(%h: tensor<4xf32>) -> tensor<4xf32> {
  // C1: expected-error@+1 {{'qg.loop' op expects a count of at least 1, got 0}}
  %0 = qg.loop 0 states(%h) slices() captures() reversed [] {
  ^bb0(%step: tensor<i64>, %s: tensor<4xf32>):
    qg.yield %s : tensor<4xf32>
  } : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
func.func @c1_condition(%go: tensor<1xi1>, %h: tensor<4xf32>) -> tensor<4xf32> {
  // C1: expected-error@+1 {{'qg.loop' op expects a condition of type 'tensor<i1>', got 'tensor<1xi1>'}}
  %0 = qg.loop 2 while %go states(%h) slices() captures() reversed [] {
  ^bb0(%step: tensor<i64>, %s: tensor<4xf32>):
    qg.yield %s : tensor<4xf32>
  } : (tensor<1xi1>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
func.func @c2_extent(%h: tensor<4xf32>, %x: tensor<3x4xf32>) -> tensor<4xf32> {
  // C2: expected-error@+1 {{'qg.loop' op expects slices of 2 steps, got 'tensor<3x4xf32>'}}
  %0 = qg.loop 2 states(%h) slices(%x) captures() reversed [false] {
  ^bb0(%step: tensor<i64>, %s: tensor<4xf32>, %xt: tensor<4xf32>):
    qg.yield %s : tensor<4xf32>
  } : (tensor<4xf32>, tensor<3x4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
func.func @c3_arguments(%h: tensor<4xf32>) -> tensor<4xf32> {
  // C3: expected-error@+1 {{'qg.loop' op expects arguments of the body of types ('tensor<i64>', 'tensor<4xf32>'), got ('tensor<i32>', 'tensor<4xf32>')}}
  %0 = qg.loop 2 states(%h) slices() captures() reversed [] {
  ^bb0(%step: tensor<i32>, %s: tensor<4xf32>):
    qg.yield %s : tensor<4xf32>
  } : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
func.func @c4_yields(%h: tensor<4xf32>) -> tensor<4xf32> {
  // C4: expected-error@+1 {{'qg.loop' op expects yielded values of types ('tensor<4xf32>'), got ('tensor<i64>')}}
  %0 = qg.loop 2 states(%h) slices() captures() reversed [] {
  ^bb0(%step: tensor<i64>, %s: tensor<4xf32>):
    qg.yield %step : tensor<i64>
  } : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
func.func @c5_states(%h: tensor<4xf32>) -> tensor<4xi32> {
  // C5: expected-error@+1 {{'qg.loop' op expects results for the states of types ('tensor<4xf32>'), got ('tensor<4xi32>')}}
  %0 = qg.loop 2 states(%h) slices() captures() reversed [] {
  ^bb0(%step: tensor<i64>, %s: tensor<4xf32>):
    qg.yield %s : tensor<4xf32>
  } : (tensor<4xf32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----
func.func @c5_guarded(%go: tensor<i1>, %h: tensor<4xf32>) -> tensor<2x4xf32> {
  // C5: expected-error@+1 {{'qg.loop' op expects no stacked results of a loop with a condition, got 1}}
  %0, %1 = qg.loop 2 while %go states(%h) slices() captures(%go) reversed [false] {
  ^bb0(%step: tensor<i64>, %s: tensor<4xf32>, %g: tensor<i1>):
    qg.yield %g, %s, %s : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  } : (tensor<i1>, tensor<4xf32>, tensor<i1>) -> (tensor<4xf32>, tensor<2x4xf32>)
  return %1 : tensor<2x4xf32>
}

// -----
func.func @c6_directions(%h: tensor<4xf32>, %x: tensor<2x4xf32>) -> tensor<4xf32> {
  // C6: expected-error@+1 {{'qg.loop' op expects a result for each state and a direction for each slice and stacked result, got 1 results and 0 directions}}
  %0 = qg.loop 2 states(%h) slices(%x) captures() reversed [] {
  ^bb0(%step: tensor<i64>, %s: tensor<4xf32>, %xt: tensor<4xf32>):
    qg.yield %s : tensor<4xf32>
  } : (tensor<4xf32>, tensor<2x4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

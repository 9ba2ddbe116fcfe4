// RUN: qopt-opt %s -split-input-file -verify-diagnostics

// The constraints of composite ops, numbered as in QGCompositeOps.td.

func.func @normalize_c1_integers(%x: tensor<2x4xi32>) -> tensor<2x4xi32> {
  // C1: expected-error@+1 {{'qg.normalize' op expects a float result, got 'i32'}}
  %y = qg.normalize reciprocal %x axes [1] epsilon 0.0 : tensor<2x4xi32> -> tensor<2x4xi32>
  return %y : tensor<2x4xi32>
}

// -----
func.func @normalize_c1_types(%x: tensor<2x4xf32>) -> tensor<2x4xf64> {
  // C1: expected-error@+1 {{'qg.normalize' op expects operands of the result's element type 'f64', got 'f32'}}
  %y = qg.normalize reciprocal %x axes [1] epsilon 0.0 : tensor<2x4xf32> -> tensor<2x4xf64>
  return %y : tensor<2x4xf64>
}

// -----
func.func @normalize_c1_shape(%x: tensor<2x4xf32>) -> tensor<4x2xf32> {
  // C1: expected-error@+1 {{'qg.normalize' op expects a result of shape 2x4, got 4x2}}
  %y = qg.normalize reciprocal %x axes [1] epsilon 0.0 : tensor<2x4xf32> -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----
func.func @normalize_c2_none(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // C2: expected-error@+1 {{'qg.normalize' op expects 'axes' to be ascending dimensions of a tensor of rank 2, got []}}
  %y = qg.normalize reciprocal %x axes [] epsilon 0.0 : tensor<2x4xf32> -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
func.func @normalize_c2_order(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // C2: expected-error@+1 {{'qg.normalize' op expects 'axes' to be ascending dimensions of a tensor of rank 2, got [1, 0]}}
  %y = qg.normalize reciprocal %x axes [1, 0] epsilon 0.0 : tensor<2x4xf32> -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
func.func @normalize_c2_twice(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // C2: expected-error@+1 {{'qg.normalize' op expects 'axes' to be ascending dimensions of a tensor of rank 2, got [1, 1]}}
  %y = qg.normalize reciprocal %x axes [1, 1] epsilon 0.0 : tensor<2x4xf32> -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
func.func @normalize_c2_range(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // C2: expected-error@+1 {{'qg.normalize' op expects 'axes' to be ascending dimensions of a tensor of rank 2, got [2]}}
  %y = qg.normalize reciprocal %x axes [2] epsilon 0.0 : tensor<2x4xf32> -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
func.func @normalize_c2_negative(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // C2: expected-error@+1 {{'qg.normalize' op expects 'axes' to be ascending dimensions of a tensor of rank 2, got [-1]}}
  %y = qg.normalize reciprocal %x axes [-1] epsilon 0.0 : tensor<2x4xf32> -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
func.func @normalize_c3(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // C3: expected-error@+1 {{'qg.normalize' op expects 'epsilon' >= 0, got -1.000000e+00}}
  %y = qg.normalize reciprocal %x axes [1] epsilon -1.0 : tensor<2x4xf32> -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
func.func @normalize_c3_infinite(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // C3: expected-error@+1 {{'qg.normalize' op expects 'epsilon' >= 0, got}}
  %y = qg.normalize reciprocal %x axes [1] epsilon 0x7FF0000000000000 : tensor<2x4xf32> -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
func.func @attention_c1_integers(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xi32> {
  // C1: expected-error@+1 {{'qg.attention' op expects a float result, got 'i32'}}
  %y = qg.attention %q, %k, %v scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xi32>
  return %y : tensor<1x4x2x6xi32>
}

// -----
func.func @attention_c1_types(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf64>) -> tensor<1x4x2x6xf32> {
  // C1: expected-error@+1 {{'qg.attention' op expects operands of the result's element type 'f32', got 'f64'}}
  %y = qg.attention %q, %k, %v scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf64>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c1_rank(%q: tensor<4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32> {
  // C1: expected-error@+1 {{'qg.attention' op expects q, k and v of rank 4, got 4x2x4, 1x2x3x4 and 1x2x3x6}}
  %y = qg.attention %q, %k, %v scale 0.5 : (tensor<4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c1_result(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>) -> tensor<1x4x2x4xf32> {
  // C1: expected-error@+1 {{'qg.attention' op expects a result of shape 1x4x2x6, got 1x4x2x4}}
  %y = qg.attention %q, %k, %v scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>) -> tensor<1x4x2x4xf32>
  return %y : tensor<1x4x2x4xf32>
}

// -----
func.func @attention_c2_depth(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x5xf32>, %v: tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32> {
  // C2: expected-error@+1 {{'qg.attention' op expects q [B, H, M, D], k [B, G, N, D] and v [B, G, N, E], got 1x4x2x4, 1x2x3x5 and 1x2x3x6}}
  %y = qg.attention %q, %k, %v scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x2x3x5xf32>, tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c2_keys(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x4x6xf32>) -> tensor<1x4x2x6xf32> {
  // C2: expected-error@+1 {{'qg.attention' op expects q [B, H, M, D], k [B, G, N, D] and v [B, G, N, E], got 1x4x2x4, 1x2x3x4 and 1x2x4x6}}
  %y = qg.attention %q, %k, %v scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x4x6xf32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c2_heads(%q: tensor<1x4x2x4xf32>, %k: tensor<1x3x3x4xf32>, %v: tensor<1x3x3x6xf32>) -> tensor<1x4x2x6xf32> {
  // C2: expected-error@+1 {{'qg.attention' op expects query heads that are a multiple of 3 key heads, got 4}}
  %y = qg.attention %q, %k, %v scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x3x3x4xf32>, tensor<1x3x3x6xf32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c3_type(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>, %m: tensor<2x3xi32>) -> tensor<1x4x2x6xf32> {
  // C3: expected-error@+1 {{'qg.attention' op expects 'mask' of i1 or floats, got 'i32'}}
  %y = qg.attention %q, %k, %v mask %m scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>, tensor<2x3xi32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c3_shape(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>, %m: tensor<3x3xf32>) -> tensor<1x4x2x6xf32> {
  // C3: expected-error@+1 {{'qg.attention' op expects 'mask' to broadcast to the scores 1x4x2x3, got 3x3}}
  %y = qg.attention %q, %k, %v mask %m scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>, tensor<3x3xf32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c3_longer(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>, %m: tensor<2x4xi1>) -> tensor<1x4x2x6xf32> {
  // C3: expected-error@+1 {{'qg.attention' op expects 'mask' to broadcast to the scores 1x4x2x3, got 2x4}}
  %y = qg.attention %q, %k, %v mask %m scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>, tensor<2x4xi1>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c3_rank(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>, %m: tensor<1x1x4x2x3xi1>) -> tensor<1x4x2x6xf32> {
  // C3: expected-error@+1 {{'qg.attention' op expects 'mask' to broadcast to the scores 1x4x2x3, got 1x1x4x2x3}}
  %y = qg.attention %q, %k, %v mask %m scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>, tensor<1x1x4x2x3xi1>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c4_type(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>, %l: tensor<1xi32>) -> tensor<1x4x2x6xf32> {
  // C4: expected-error@+1 {{'qg.attention' op expects 'lengths' to be tensor<1xi64>, got 'tensor<1xi32>'}}
  %y = qg.attention %q, %k, %v lengths %l scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>, tensor<1xi32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c4_shape(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>, %l: tensor<2xi64>) -> tensor<1x4x2x6xf32> {
  // C4: expected-error@+1 {{'qg.attention' op expects 'lengths' to be tensor<1xi64>, got 'tensor<2xi64>'}}
  %y = qg.attention %q, %k, %v lengths %l scale 0.5 : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>, tensor<2xi64>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c4_offset(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>, %l: tensor<1xi64>) -> tensor<1x4x2x6xf32> {
  // C4: expected-error@+1 {{'qg.attention' op expects 'offset' 0 where 'lengths' are given, got 2}}
  %y = qg.attention %q, %k, %v lengths %l scale 0.5 {offset = 2 : i64} : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>, tensor<1xi64>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c5_scale(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32> {
  // C5: expected-error@+1 {{'qg.attention' op expects 'scale' and 'softcap' >= 0, got -1.000000e+00 and 0.000000e+00}}
  %y = qg.attention %q, %k, %v scale -1.0 : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c5_softcap(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32> {
  // C5: expected-error@+1 {{'qg.attention' op expects 'scale' and 'softcap' >= 0, got 1.000000e+00 and -2.000000e+00}}
  %y = qg.attention %q, %k, %v scale 1.0 {softcap = -2.0} : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c5_offset(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32> {
  // C5: expected-error@+1 {{'qg.attention' op expects 'offset' >= 0 and windows >= -1, got -1, -1 and -1}}
  %y = qg.attention %q, %k, %v scale 1.0 {offset = -1 : i64} : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c5_window(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32> {
  // C5: expected-error@+1 {{'qg.attention' op expects 'offset' >= 0 and windows >= -1, got 0, -2 and -1}}
  %y = qg.attention %q, %k, %v scale 1.0 {left_window = -2 : i64} : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @attention_c6(%q: tensor<1x4x2x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32> {
  // C6: expected-error@+1 {{'qg.attention' op expects 'softmax_type' to be a float type, got 'i32'}}
  %y = qg.attention %q, %k, %v scale 1.0 {softmax_type = i32} : (tensor<1x4x2x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x6xf32>) -> tensor<1x4x2x6xf32>
  return %y : tensor<1x4x2x6xf32>
}

// -----
func.func @rotary_c1_types(%x: tensor<1x5x6xf32>, %c: tensor<5x2xf32>, %s: tensor<5x2xf64>) -> tensor<1x5x6xf32> {
  // C1: expected-error@+1 {{'qg.rotary' op expects operands of the result's element type 'f32', got 'f64'}}
  %y = qg.rotary %x, %c, %s : (tensor<1x5x6xf32>, tensor<5x2xf32>, tensor<5x2xf64>) -> tensor<1x5x6xf32>
  return %y : tensor<1x5x6xf32>
}

// -----
func.func @rotary_c1_shape(%x: tensor<1x5x6xf32>, %c: tensor<5x2xf32>, %s: tensor<5x2xf32>) -> tensor<5x6xf32> {
  // C1: expected-error@+1 {{'qg.rotary' op expects a result of shape 1x5x6, got 5x6}}
  %y = qg.rotary %x, %c, %s : (tensor<1x5x6xf32>, tensor<5x2xf32>, tensor<5x2xf32>) -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// -----
func.func @rotary_c2_tables(%x: tensor<1x5x6xf32>, %c: tensor<5x2xf32>, %s: tensor<1x2xf32>) -> tensor<1x5x6xf32> {
  // C2: expected-error@+1 {{'qg.rotary' op expects 'cos' and 'sin' of one shape, got 5x2 and 1x2}}
  %y = qg.rotary %x, %c, %s : (tensor<1x5x6xf32>, tensor<5x2xf32>, tensor<1x2xf32>) -> tensor<1x5x6xf32>
  return %y : tensor<1x5x6xf32>
}

// -----
func.func @rotary_c2_positions(%x: tensor<1x5x6xf32>, %c: tensor<4x2xf32>, %s: tensor<4x2xf32>) -> tensor<1x5x6xf32> {
  // C2: expected-error@+1 {{'qg.rotary' op expects shapes that broadcast}}
  %y = qg.rotary %x, %c, %s : (tensor<1x5x6xf32>, tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<1x5x6xf32>
  return %y : tensor<1x5x6xf32>
}

// -----
func.func @rotary_c2_batches(%x: tensor<1x5x6xf32>, %c: tensor<2x5x2xf32>, %s: tensor<2x5x2xf32>) -> tensor<1x5x6xf32> {
  // C2: expected-error@+1 {{'qg.rotary' op expects 'cos' to broadcast to the pairs of x 1x5x2, got 2x5x2}}
  %y = qg.rotary %x, %c, %s : (tensor<1x5x6xf32>, tensor<2x5x2xf32>, tensor<2x5x2xf32>) -> tensor<1x5x6xf32>
  return %y : tensor<1x5x6xf32>
}

// -----
func.func @rotary_c3(%x: tensor<1x5x6xf32>, %c: tensor<5x4xf32>, %s: tensor<5x4xf32>) -> tensor<1x5x6xf32> {
  // C3: expected-error@+1 {{'qg.rotary' op expects 'cos' to have at least 1 and at most half as many channels as x, got 5x4 for 1x5x6}}
  %y = qg.rotary %x, %c, %s : (tensor<1x5x6xf32>, tensor<5x4xf32>, tensor<5x4xf32>) -> tensor<1x5x6xf32>
  return %y : tensor<1x5x6xf32>
}

// -----
func.func @gate_c1_types(%g: tensor<4xf32>, %x: tensor<4xf64>) -> tensor<4xf32> {
  // C1: expected-error@+1 {{'qg.gate' op expects operands of the result's element type 'f32', got 'f64'}}
  %y = qg.gate relu %g, %x : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @gate_c1_shape(%g: tensor<4xf32>, %x: tensor<1xf32>) -> tensor<4xf32> {
  // C1: expected-error@+1 {{'qg.gate' op expects a result of shape 1, got 4}}
  %y = qg.gate relu %g, %x : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @gate_c2_kind(%g: tensor<4xf32>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // C2: expected-error@+1 {{'qg.gate' op expects 'alpha' to be finite, and 1 for 'relu', got 2.000000e+00}}
  %y = qg.gate relu %g, %x {alpha = 2.0} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @gate_c2_infinite(%g: tensor<4xf32>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // C2: expected-error@+1 {{'qg.gate' op expects 'alpha' to be finite, and 1 for 'swish', got}}
  %y = qg.gate swish %g, %x {alpha = 0x7FF0000000000000 : f64} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
func.func @cache_c1_update(%c: tensor<2x1x8x4xf32>, %u: tensor<2x1x3x4xf16>) -> tensor<2x1x8x4xf32> {
  // C1: expected-error@+1 {{'qg.cache_append' op expects a result of type 'tensor<2x1x8x4xf32>' and an update of its element type, got 'tensor<2x1x8x4xf32>' and 'tensor<2x1x3x4xf16>'}}
  %y = qg.cache_append %c, %u axis 2 : (tensor<2x1x8x4xf32>, tensor<2x1x3x4xf16>) -> tensor<2x1x8x4xf32>
  return %y : tensor<2x1x8x4xf32>
}

// -----
func.func @cache_c1_result(%c: tensor<2x1x8x4xf32>, %u: tensor<2x1x3x4xf32>) -> tensor<2x1x4x8xf32> {
  // C1: expected-error@+1 {{'qg.cache_append' op expects a result of type 'tensor<2x1x8x4xf32>' and an update of its element type, got 'tensor<2x1x4x8xf32>' and 'tensor<2x1x3x4xf32>'}}
  %y = qg.cache_append %c, %u axis 2 : (tensor<2x1x8x4xf32>, tensor<2x1x3x4xf32>) -> tensor<2x1x4x8xf32>
  return %y : tensor<2x1x4x8xf32>
}

// -----
func.func @cache_c1_encoding(%c: tensor<2x1x8x4x!qg.q<si8, axis = 3, dense_resource<s> : tensor<4xf32>, dense_resource<z> : tensor<4xi32>>>, %u: tensor<2x1x3x4x!qg.q<si8, axis = 3, dense_resource<s> : tensor<4xf32>, dense_resource<z> : tensor<4xi32>>>) -> tensor<2x1x8x4x!qg.q<si8, axis = 3, dense_resource<s> : tensor<4xf32>, dense_resource<z> : tensor<4xi32>>> {
  // C1: expected-error@+1 {{'qg.cache_append' op expects an encoding per tensor, got '!qg.q<si8, axis = 3}}
  %y = qg.cache_append %c, %u axis 2 : (tensor<2x1x8x4x!qg.q<si8, axis = 3, dense_resource<s> : tensor<4xf32>, dense_resource<z> : tensor<4xi32>>>, tensor<2x1x3x4x!qg.q<si8, axis = 3, dense_resource<s> : tensor<4xf32>, dense_resource<z> : tensor<4xi32>>>) -> tensor<2x1x8x4x!qg.q<si8, axis = 3, dense_resource<s> : tensor<4xf32>, dense_resource<z> : tensor<4xi32>>>
  return %y : tensor<2x1x8x4x!qg.q<si8, axis = 3, dense_resource<s> : tensor<4xf32>, dense_resource<z> : tensor<4xi32>>>
}

// -----
func.func @cache_c2_batch(%c: tensor<2x1x8x4xf32>, %u: tensor<2x1x3x4xf32>) -> tensor<2x1x8x4xf32> {
  // C2: expected-error@+1 {{'qg.cache_append' op expects 'axis' from 1 to 3, got 0}}
  %y = qg.cache_append %c, %u axis 0 : (tensor<2x1x8x4xf32>, tensor<2x1x3x4xf32>) -> tensor<2x1x8x4xf32>
  return %y : tensor<2x1x8x4xf32>
}

// -----
func.func @cache_c2_range(%c: tensor<2x1x8x4xf32>, %u: tensor<2x1x3x4xf32>) -> tensor<2x1x8x4xf32> {
  // C2: expected-error@+1 {{'qg.cache_append' op expects 'axis' from 1 to 3, got 4}}
  %y = qg.cache_append %c, %u axis 4 : (tensor<2x1x8x4xf32>, tensor<2x1x3x4xf32>) -> tensor<2x1x8x4xf32>
  return %y : tensor<2x1x8x4xf32>
}

// -----
func.func @cache_c3_longer(%c: tensor<2x1x8x4xf32>, %u: tensor<2x1x9x4xf32>) -> tensor<2x1x8x4xf32> {
  // C3: expected-error@+1 {{'qg.cache_append' op expects an update of the cache's shape 2x1x8x4 with 1 to as many positions, got 2x1x9x4}}
  %y = qg.cache_append %c, %u axis 2 : (tensor<2x1x8x4xf32>, tensor<2x1x9x4xf32>) -> tensor<2x1x8x4xf32>
  return %y : tensor<2x1x8x4xf32>
}

// -----
func.func @cache_c3_shape(%c: tensor<2x1x8x4xf32>, %u: tensor<2x1x3x5xf32>) -> tensor<2x1x8x4xf32> {
  // C3: expected-error@+1 {{'qg.cache_append' op expects an update of the cache's shape 2x1x8x4 with 1 to as many positions, got 2x1x3x5}}
  %y = qg.cache_append %c, %u axis 2 : (tensor<2x1x8x4xf32>, tensor<2x1x3x5xf32>) -> tensor<2x1x8x4xf32>
  return %y : tensor<2x1x8x4xf32>
}

// -----
func.func @cache_c3_rank(%c: tensor<2x1x8x4xf32>, %u: tensor<2x3x4xf32>) -> tensor<2x1x8x4xf32> {
  // C3: expected-error@+1 {{'qg.cache_append' op expects an update of the cache's shape 2x1x8x4 with 1 to as many positions, got 2x3x4}}
  %y = qg.cache_append %c, %u axis 2 : (tensor<2x1x8x4xf32>, tensor<2x3x4xf32>) -> tensor<2x1x8x4xf32>
  return %y : tensor<2x1x8x4xf32>
}

// -----
func.func @cache_c4_type(%c: tensor<2x1x8x4xf32>, %u: tensor<2x1x3x4xf32>, %s: tensor<2xi32>) -> tensor<2x1x8x4xf32> {
  // C4: expected-error@+1 {{'qg.cache_append' op expects 'start' to be tensor<2xi64>, got 'tensor<2xi32>'}}
  %y = qg.cache_append %c, %u start %s axis 2 : (tensor<2x1x8x4xf32>, tensor<2x1x3x4xf32>, tensor<2xi32>) -> tensor<2x1x8x4xf32>
  return %y : tensor<2x1x8x4xf32>
}

// -----
func.func @cache_c4_shape(%c: tensor<2x1x8x4xf32>, %u: tensor<2x1x3x4xf32>, %s: tensor<1xi64>) -> tensor<2x1x8x4xf32> {
  // C4: expected-error@+1 {{'qg.cache_append' op expects 'start' to be tensor<2xi64>, got 'tensor<1xi64>'}}
  %y = qg.cache_append %c, %u start %s axis 2 : (tensor<2x1x8x4xf32>, tensor<2x1x3x4xf32>, tensor<1xi64>) -> tensor<2x1x8x4xf32>
  return %y : tensor<2x1x8x4xf32>
}

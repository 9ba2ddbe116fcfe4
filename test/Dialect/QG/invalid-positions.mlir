// What qg.resize and qg.scatter refuse, C1 to C4 of each.
// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @resize_axis(%x: tensor<2x3xf32>) {
  // C1: expected-error@+1 {{'qg.resize' op expects distinct axes below rank 2, got 2}}
  %y = qg.resize linear half_pixel %x axes [2] scales [2.0] : tensor<2x3xf32> -> tensor<4x3xf32>
  return
}

// -----
func.func @resize_no_axis(%x: tensor<2x3xf32>) {
  // C1: expected-error@+1 {{expects at least one axis}}
  %y = qg.resize linear half_pixel %x axes [] scales [] : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----
func.func @resize_axes_twice(%x: tensor<2x3xf32>) {
  // C1: expected-error@+1 {{expects distinct axes below rank 2, got 0}}
  %y = qg.resize linear half_pixel %x axes [0, 0] scales [2.0, 2.0] : tensor<2x3xf32> -> tensor<4x3xf32>
  return
}

// -----
func.func @resize_scales(%x: tensor<2x3xf32>) {
  // C1: expected-error@+1 {{expects 1 scales, got 2}}
  %y = qg.resize linear half_pixel %x axes [0] scales [2.0, 2.0] : tensor<2x3xf32> -> tensor<4x3xf32>
  return
}

// -----
func.func @resize_scale(%x: tensor<2x3xf32>) {
  // C1: expected-error@+1 {{expects positive finite scales}}
  %y = qg.resize linear half_pixel %x axes [0] scales [0.0] : tensor<2x3xf32> -> tensor<4x3xf32>
  return
}

// -----
func.func @resize_box(%x: tensor<2x3xf32>) {
  // C2: expected-error@+1 {{expects 2 numbers in 'roi', got 0}}
  %y = qg.resize linear tf_crop_and_resize %x axes [0] scales [2.0] : tensor<2x3xf32> -> tensor<4x3xf32>
  return
}

// -----
func.func @resize_box_too_many(%x: tensor<2x3xf32>) {
  // C2: expected-error@+1 {{expects 0 numbers in 'roi', got 2}}
  %y = qg.resize linear half_pixel %x axes [0] scales [2.0] roi [0.0, 1.0] : tensor<2x3xf32> -> tensor<4x3xf32>
  return
}

// -----
func.func @resize_rank(%x: tensor<2x3xf32>) {
  // C3: expected-error@+1 {{expects a result of rank 2, got 1}}
  %y = qg.resize linear half_pixel %x axes [0] scales [2.0] : tensor<2x3xf32> -> tensor<12xf32>
  return
}

// -----
func.func @resize_other_extent(%x: tensor<2x3xf32>) {
  // C3: expected-error@+1 {{expects extent 3 in dimension 1, got 6}}
  %y = qg.resize linear half_pixel %x axes [0] scales [2.0] : tensor<2x3xf32> -> tensor<4x6xf32>
  return
}

// -----
func.func @resize_nothing(%x: tensor<0x3xf32>) {
  // C3: expected-error@+1 {{expects extents from 1 to 2^20 in dimension 0, got 0 and 4}}
  %y = qg.resize linear half_pixel %x axes [0] scales [2.0] : tensor<0x3xf32> -> tensor<4x3xf32>
  return
}

// -----
func.func @resize_integers(%x: tensor<2x3xi32>) {
  // C4: expected-error@+1 {{expects f32, f64 or quantized tensors, got 'i32'}}
  %y = qg.resize linear half_pixel %x axes [0] scales [2.0] : tensor<2x3xi32> -> tensor<4x3xi32>
  return
}

// -----
func.func @scatter_types(%x: tensor<2x3xf32>, %i: tensor<1xi64>, %u: tensor<1x3xf64>) {
  // C1: expected-error@+1 {{'qg.scatter' op expects x of rank 1 or more, updates of its element type and a result of its type, got 'tensor<2x3xf32>', 'tensor<1x3xf64>' and 'tensor<2x3xf32>'}}
  %y = qg.scatter replace %x, %i, %u : (tensor<2x3xf32>, tensor<1xi64>, tensor<1x3xf64>) -> tensor<2x3xf32>
  return
}

// -----
func.func @scatter_indices(%x: tensor<2x3xf32>, %i: tensor<1xf32>, %u: tensor<1x3xf32>) {
  // C2: expected-error@+1 {{expects a vector of integers as indices, got 'tensor<1xf32>'}}
  %y = qg.scatter replace %x, %i, %u : (tensor<2x3xf32>, tensor<1xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @scatter_updates(%x: tensor<2x3xf32>, %i: tensor<2xi64>, %u: tensor<1x3xf32>) {
  // C3: expected-error@+1 {{expects updates of shape 2x3, got 1x3}}
  %y = qg.scatter replace %x, %i, %u : (tensor<2x3xf32>, tensor<2xi64>, tensor<1x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @scatter_truth(%x: tensor<2x3xi1>, %i: tensor<1xi64>, %u: tensor<1x3xi1>) {
  // C4: expected-error@+1 {{expects elements that 'add' is defined on, got 'i1'}}
  %y = qg.scatter add %x, %i, %u : (tensor<2x3xi1>, tensor<1xi64>, tensor<1x3xi1>) -> tensor<2x3xi1>
  return
}

// -----
!q = !qg.q<ui8, 0.5 : 128>
func.func @scatter_encoded(%x: tensor<2x3x!q>, %i: tensor<1xi64>, %u: tensor<1x3x!q>) {
  // C4: expected-error@+1 {{expects float or integer tensors, got '!qg.q<ui8, 5.000000e-01 : 128>'}}
  %y = qg.scatter replace %x, %i, %u : (tensor<2x3x!q>, tensor<1xi64>, tensor<1x3x!q>) -> tensor<2x3x!q>
  return
}

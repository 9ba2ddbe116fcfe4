// RUN: qopt-opt %s -split-input-file --qg-recognize-grids | FileCheck %s

// A scale of its own for each row is no encoding: rounded at run time, it stays
// as it is.
// CHECK-LABEL: func @scales_at_run_time
// CHECK-NOT: qg.quantize
func.func @scales_at_run_time(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %limit = qg.constant dense<127.0> : tensor<f32> -> tensor<f32>
  %m = qg.reduce max %x axes [1] : tensor<2x3xf32> -> tensor<2xf32>
  %r = qg.reshape %m : tensor<2xf32> -> tensor<2x1xf32>
  %s = qg.binary div %r, %limit : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %0 = qg.binary div %x, %s : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  %1 = qg.unary round_even %0 : tensor<2x3xf32> -> tensor<2x3xf32>
  %2 = qg.binary min %1, %limit : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %3 = qg.binary mul %2, %s : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  %y = qg.matmul %3, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
// Nothing bounds the integers; truth values were rounded by nobody.
// CHECK-LABEL: func @no_grids
// CHECK-NOT: qg.quantize
func.func @no_grids(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %half = qg.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %0 = qg.unary floor %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %1 = qg.binary mul %0, %half : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %y = qg.matmul %1, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %2 = qg.compare gt %x, %half : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi1>
  %3 = qg.cast %2 : tensor<2x3xi1> -> tensor<2x3xf32>
  %4 = qg.binary mul %3, %half : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %z = qg.matmul %4, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y, %z : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----
// A relu between encodings is the business of qg-fold-qdq.
// CHECK-LABEL: func @relu_between_encodings
// CHECK-COUNT-2: qg.quantize
// CHECK-NOT: qg.quantize
func.func @relu_between_encodings(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %q = qg.quantize %x : tensor<2x3xf32> -> tensor<2x3x!qg.q<si8, 0.5 : 0>>
  %d = qg.dequantize %q : tensor<2x3x!qg.q<si8, 0.5 : 0>> -> tensor<2x3xf32>
  %r = qg.unary relu %d : tensor<2x3xf32> -> tensor<2x3xf32>
  %p = qg.quantize %r : tensor<2x3xf32> -> tensor<2x3x!qg.q<ui8, 0.5 : 0>>
  %y = qg.dequantize %p : tensor<2x3x!qg.q<ui8, 0.5 : 0>> -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----
// A bias that is no whole number of the products would be rounded: the weight
// stays float.
// CHECK-LABEL: func @bias_between_steps
// CHECK: %[[W:.*]] = qg.constant dense<{{.*}}7.500000e-01
// CHECK: qg.quantize
// CHECK: qg.matmul %{{.*}}, %[[W]] bias {{.*}} (tensor<2x3xf32>, tensor<3x2xf32>, tensor<2xf32>)
func.func @bias_between_steps(%x: tensor<2x3xf32>) -> tensor<2x2xf32> {
  %top = qg.constant dense<15.0> : tensor<f32> -> tensor<f32>
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %w = qg.constant dense<[[0.75, 0.5], [0.0, -0.5], [-0.25, 0.0]]> : tensor<3x2xf32> -> tensor<3x2xf32>
  %b = qg.constant dense<[0.07, 0.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.unary round_even %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %1 = qg.binary max %0, %zero : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %2 = qg.binary min %1, %top : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %y = qg.matmul %2, %w bias %b : (tensor<2x3xf32>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----
// Zero points between the integers, a second factor and an own scale for each
// element are no encoding of ours; nor are whole numbers without a factor.
// CHECK-LABEL: func @other_weights
// CHECK-NOT: !qg.q
func.func @other_weights(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) {
  %q = qg.constant dense<[[1, -7], [3, 2]]> : tensor<2x2xi8> -> tensor<2x2xi8>
  %half = qg.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %three = qg.constant dense<0.3> : tensor<f32> -> tensor<f32>
  %each = qg.constant dense<[[0.1, 0.2], [0.3, 0.4]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %whole = qg.constant dense<[[1.0, 2.0], [3.0, -4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %f = qg.cast %q : tensor<2x2xi8> -> tensor<2x2xf32>
  %u = qg.binary sub %f, %half : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>
  %a = qg.matmul %x, %u : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %s = qg.binary mul %f, %three : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>
  %t = qg.binary mul %s, %three : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>
  %b = qg.matmul %x, %t : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %e = qg.binary mul %f, %each : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %c = qg.matmul %x, %e : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %d = qg.matmul %x, %whole : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %a, %b, %c, %d : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>
}

// Two numbers of no common sign, and a choice of what is computed.
// CHECK-LABEL: func @choices_that_are_no_signs
// CHECK-NOT: qg.quantize
func.func @choices_that_are_no_signs(%x: tensor<1x2xf32>, %c: tensor<1x2xi1>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qg.constant dense<[[0.3, -0.7], [0.9, 0.2]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %high = qg.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %low = qg.constant dense<-0.25> : tensor<f32> -> tensor<f32>
  %s = qg.select %c, %high, %low : (tensor<1x2xi1>, tensor<f32>, tensor<f32>) -> tensor<1x2xf32>
  %y = qg.matmul %s, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %t = qg.select %c, %high, %x : (tensor<1x2xi1>, tensor<f32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %z = qg.matmul %t, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y, %z : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----
// Means that f32 rounds: of three values, of windows that count differently, and
// of a scale whose sums need more bits than f32 has.
// CHECK-LABEL: func @rounded_means
// CHECK-NOT: qg.quantize
func.func @rounded_means(%x: tensor<1x6x2x!qg.q<ui4, 0.25 : 0>>, %z: tensor<1x6x2x!qg.q<ui4, 0.1 : 0>>, %w: tensor<2x3xf32>) -> (tensor<1x2x3xf32>, tensor<1x4x3xf32>, tensor<1x3x3xf32>) {
  %0 = qg.dequantize %x : tensor<1x6x2x!qg.q<ui4, 0.25 : 0>> -> tensor<1x6x2xf32>
  %1 = qg.dequantize %z : tensor<1x6x2x!qg.q<ui4, 0.1 : 0>> -> tensor<1x6x2xf32>
  %a = qg.pool avg %0 kernel [3] strides [3] pads [0, 0] dilations [1] : tensor<1x6x2xf32> -> tensor<1x2x2xf32>
  %b = qg.pool avg %0 kernel [2] strides [2] pads [1, 1] dilations [1] : tensor<1x6x2xf32> -> tensor<1x4x2xf32>
  %c = qg.pool avg %1 kernel [2] strides [2] pads [0, 0] dilations [1] : tensor<1x6x2xf32> -> tensor<1x3x2xf32>
  %p = qg.matmul %a, %w : (tensor<1x2x2xf32>, tensor<2x3xf32>) -> tensor<1x2x3xf32>
  %q = qg.matmul %b, %w : (tensor<1x4x2xf32>, tensor<2x3xf32>) -> tensor<1x4x3xf32>
  %r = qg.matmul %c, %w : (tensor<1x3x2xf32>, tensor<2x3xf32>) -> tensor<1x3x3xf32>
  return %p, %q, %r : tensor<1x2x3xf32>, tensor<1x4x3xf32>, tensor<1x3x3xf32>
}

// RUN: qopt-opt %s --convert-steps-to-thresholds | FileCheck %s
// RUN: qopt-opt %s --convert-steps-to-thresholds="integer-only=true requantize-mode=fixed:31" | FileCheck %s --check-prefix=TWICE

// s * 0.5 + b >= 0 from s = -2 b on: -0.8 -> 1, 1 -> -2, 0 -> 0.
// CHECK-LABEL: func @sign_of_sums
// CHECK: %[[B:.*]] = qg.constant dense<[-1, 2, 0]> : tensor<3xi32> -> tensor<3x!qg.q<si32
// CHECK: %[[S:.*]] = qg.matmul %{{.*}}, %{{.*}} bias %[[B]] : {{.*}} -> tensor<1x3xi32>
// CHECK: fxp.requantize %[[S]] scales dense<2.000000e+00> : tensor<1xf32> x_zp 0 zp 1 clamp [-1, 1] mode <f32>
// CHECK-NOT: qg.compare
func.func @sign_of_sums(%x: tensor<1x2x!qg.q<si4, 0.5 : 0>>) -> tensor<1x3x!qg.q<si2, 1.0 : 0>> {
  %w = qg.constant dense<[[1, -1, 1], [-1, 1, 1]]> : tensor<2x3xi8> -> tensor<2x3x!qg.q<si2, 1.0 : 0>>
  %b = qg.constant dense<[-0.4, 1.0, 0.0]> : tensor<3xf32> -> tensor<3xf32>
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %one = qg.constant dense<1.0> : tensor<f32> -> tensor<f32>
  %minus = qg.constant dense<-1.0> : tensor<f32> -> tensor<f32>
  %s = qg.matmul %x, %w : (tensor<1x2x!qg.q<si4, 0.5 : 0>>, tensor<2x3x!qg.q<si2, 1.0 : 0>>) -> tensor<1x3xf32>
  %a = qg.binary add %s, %b : (tensor<1x3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  %c = qg.compare ge %a, %zero : (tensor<1x3xf32>, tensor<f32>) -> tensor<1x3xi1>
  %y = qg.select %c, %one, %minus : (tensor<1x3xi1>, tensor<f32>, tensor<f32>) -> tensor<1x3xf32>
  %q = qg.quantize %y : tensor<1x3xf32> -> tensor<1x3x!qg.q<si2, 1.0 : 0>>
  return %q : tensor<1x3x!qg.q<si2, 1.0 : 0>>
}

// Downwards in one channel, always or never in the others; levels 0 and 3.
// CHECK-LABEL: func @down_and_constant
// CHECK: %[[B:.*]] = qg.constant dense<[2, 15, -15]> : tensor<3xi32>
// CHECK: %[[S:.*]] = qg.matmul %{{.*}}, %{{.*}} bias %[[B]]
// CHECK: fxp.requantize %[[S]] scales dense<[-4.000000e+00, 4.000000e+00, 4.000000e+00]> : tensor<3xf32> x_zp 0 zp 3 clamp [0, 3] unsigned
func.func @down_and_constant(%x: tensor<1x2x!qg.q<si4, 1.0 : 0>>) -> tensor<1x3x!qg.q<ui2, 0.5 : 0>> {
  %w = qg.constant dense<[[1, -1, 1], [-1, 1, 1]]> : tensor<2x3xi8> -> tensor<2x3x!qg.q<si2, 1.0 : 0>>
  %f = qg.constant dense<[-2.0, 1.0, 1.0]> : tensor<3xf32> -> tensor<3xf32>
  %b = qg.constant dense<[-2.5, 100.0, -100.0]> : tensor<3xf32> -> tensor<3xf32>
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %high = qg.constant dense<1.5> : tensor<f32> -> tensor<f32>
  %s = qg.matmul %x, %w : (tensor<1x2x!qg.q<si4, 1.0 : 0>>, tensor<2x3x!qg.q<si2, 1.0 : 0>>) -> tensor<1x3xf32>
  %m = qg.binary mul %s, %f : (tensor<1x3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  %a = qg.binary add %m, %b : (tensor<1x3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  %c = qg.compare gt %a, %zero : (tensor<1x3xf32>, tensor<f32>) -> tensor<1x3xi1>
  %y = qg.select %c, %high, %zero : (tensor<1x3xi1>, tensor<f32>, tensor<f32>) -> tensor<1x3xf32>
  %q = qg.quantize %y : tensor<1x3xf32> -> tensor<1x3x!qg.q<ui2, 0.5 : 0>>
  return %q : tensor<1x3x!qg.q<ui2, 0.5 : 0>>
}

// Three levels, 0 at the sum 0 alone; never 0 in the other channel.
// CHECK-LABEL: func @sign_with_zero
// CHECK: %[[B:.*]] = qg.constant dense<[-1, 0]> : tensor<2xi32>
// CHECK: fxp.requantize %{{.*}} scales dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32> x_zp 0 zp 1 clamp [-1, 1]
func.func @sign_with_zero(%x: tensor<1x2x!qg.q<si4, 1.0 : 0>>) -> tensor<1x2x!qg.q<si8, 1.0 : 0>> {
  %w = qg.constant dense<[[1, -1], [-1, 1]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si2, 1.0 : 0>>
  %b = qg.constant dense<[0.0, 0.5]> : tensor<2xf32> -> tensor<2xf32>
  %s = qg.matmul %x, %w : (tensor<1x2x!qg.q<si4, 1.0 : 0>>, tensor<2x2x!qg.q<si2, 1.0 : 0>>) -> tensor<1x2xf32>
  %a = qg.binary add %s, %b : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qg.unary sign %a : tensor<1x2xf32> -> tensor<1x2xf32>
  %q = qg.quantize %y : tensor<1x2xf32> -> tensor<1x2x!qg.q<si8, 1.0 : 0>>
  return %q : tensor<1x2x!qg.q<si8, 1.0 : 0>>
}

// A maximum of what grows grows: it is taken of the bytes.
// CHECK-LABEL: func @behind_a_maximum
// CHECK: %[[Q:.*]] = fxp.requantize
// CHECK: %[[C:.*]] = builtin.unrealized_conversion_cast %[[Q]]
// CHECK: %[[P:.*]] = qg.pool max %[[C]]
// CHECK: return %[[P]]
func.func @behind_a_maximum(%x: tensor<1x2x2x1x!qg.q<si4, 1.0 : 0>>) -> tensor<1x1x1x1x!qg.q<si2, 1.0 : 0>> {
  %w = qg.constant dense<1> : tensor<1x1x1x1xi8> -> tensor<1x1x1x1x!qg.q<si2, 1.0 : 0>>
  %zero = qg.constant dense<0.4> : tensor<f32> -> tensor<f32>
  %one = qg.constant dense<1.0> : tensor<f32> -> tensor<f32>
  %minus = qg.constant dense<-1.0> : tensor<f32> -> tensor<f32>
  %s = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x1x!qg.q<si4, 1.0 : 0>>, tensor<1x1x1x1x!qg.q<si2, 1.0 : 0>>) -> tensor<1x2x2x1xf32>
  %m = qg.pool max %s kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x2x2x1xf32> -> tensor<1x1x1x1xf32>
  %c = qg.compare ge %m, %zero : (tensor<1x1x1x1xf32>, tensor<f32>) -> tensor<1x1x1x1xi1>
  %y = qg.select %c, %one, %minus : (tensor<1x1x1x1xi1>, tensor<f32>, tensor<f32>) -> tensor<1x1x1x1xf32>
  %q = qg.quantize %y : tensor<1x1x1x1xf32> -> tensor<1x1x1x1x!qg.q<si2, 1.0 : 0>>
  return %q : tensor<1x1x1x1x!qg.q<si2, 1.0 : 0>>
}

// Sums that others read: computed again only where there are no floats.
// CHECK-LABEL: func @where_it_declines
// CHECK: qg.compare
// TWICE-LABEL: func @where_it_declines
// TWICE: fxp.requantize {{.*}} mode <fixed, 31>
// TWICE: qg.matmul {{.*}} -> tensor<1x1xf32>
// TWICE-NOT: qg.compare
func.func @where_it_declines(%x: tensor<1x2x!qg.q<si4, 1.0 : 0>>) -> (tensor<1x1xf32>, tensor<1x1x!qg.q<si2, 1.0 : 0>>) {
  %w = qg.constant dense<1> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si2, 1.0 : 0>>
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %one = qg.constant dense<1.0> : tensor<f32> -> tensor<f32>
  %minus = qg.constant dense<-1.0> : tensor<f32> -> tensor<f32>
  %s = qg.matmul %x, %w : (tensor<1x2x!qg.q<si4, 1.0 : 0>>, tensor<2x1x!qg.q<si2, 1.0 : 0>>) -> tensor<1x1xf32>
  %c = qg.compare ge %s, %zero : (tensor<1x1xf32>, tensor<f32>) -> tensor<1x1xi1>
  %y = qg.select %c, %one, %minus : (tensor<1x1xi1>, tensor<f32>, tensor<f32>) -> tensor<1x1xf32>
  %q = qg.quantize %y : tensor<1x1xf32> -> tensor<1x1x!qg.q<si2, 1.0 : 0>>
  return %s, %q : tensor<1x1xf32>, tensor<1x1x!qg.q<si2, 1.0 : 0>>
}

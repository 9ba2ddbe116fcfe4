// RUN: qopt-opt %s | qopt-opt | FileCheck %s
// RUN: qopt-opt %s --emit-bytecode | qopt-opt | FileCheck %s

// Every composite op in text and in bytecode.

// CHECK-LABEL: func @composites
func.func @composites(%x: tensor<1x2x3x4xf32>, %m: tensor<3x3xi1>, %l: tensor<1xi64>, %c: tensor<3x2xf32>) -> tensor<1x2x3x4xf32> {
  // CHECK: qg.normalize quotient %{{.*}} axes [2, 3] epsilon 1.000000e-05 : tensor<1x2x3x4xf32> -> tensor<1x2x3x4xf32>
  %0 = qg.normalize quotient %x axes [2, 3] epsilon 1.0e-5 : tensor<1x2x3x4xf32> -> tensor<1x2x3x4xf32>
  // CHECK: qg.normalize reciprocal %{{.*}} axes [3] epsilon 0.000000e+00 centered :
  %1 = qg.normalize reciprocal %0 axes [3] epsilon 0.0 centered : tensor<1x2x3x4xf32> -> tensor<1x2x3x4xf32>
  // CHECK: qg.rotary %{{.*}}, %{{.*}}, %{{.*}} interleaved :
  %2 = qg.rotary %1, %c, %c interleaved : (tensor<1x2x3x4xf32>, tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: qg.attention %{{.*}}, %{{.*}}, %{{.*}} scale 5.000000e-01 :
  %3 = qg.attention %2, %2, %1 scale 0.5 : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: qg.attention %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} lengths %{{.*}} scale 5.000000e-01 {causal, left_window = 2 : i64, right_window = 0 : i64, softcap = 3.000000e+01 : f64, softmax_type = f64} :
  %4 = qg.attention %3, %2, %1 mask %m lengths %l scale 0.5 {causal, left_window = 2 : i64, right_window = 0 : i64, softcap = 30.0, softmax_type = f64} : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<3x3xi1>, tensor<1xi64>) -> tensor<1x2x3x4xf32>
  // CHECK: qg.gate swish %{{.*}}, %{{.*}} {alpha = 1.702000e+00 : f64} :
  %5 = qg.gate swish %4, %x {alpha = 1.702} : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: qg.gate gelu_tanh %{{.*}}, %{{.*}} :
  %6 = qg.gate gelu_tanh %5, %x : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: qg.cache_append %{{.*}}, %{{.*}} axis 2 :
  %7 = qg.cache_append %6, %x axis 2 : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: qg.cache_append %{{.*}}, %{{.*}} start %{{.*}} axis 2 circular :
  %8 = qg.cache_append %7, %x start %l axis 2 circular : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1xi64>) -> tensor<1x2x3x4xf32>
  return %8 : tensor<1x2x3x4xf32>
}

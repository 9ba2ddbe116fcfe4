// RUN: not qopt-opt %s --convert-qg-to-fxp=requantize-mode=fixed 2>&1 | FileCheck %s
// RUN: not qopt-opt %s --convert-qg-to-fxp=requantize-mode=fixed:40 2>&1 | FileCheck %s --check-prefix=BITS
// CHECK: expects requantize-mode f32, fixed:BITS or pow2, got 'fixed'
// BITS: expects f32, pow2 or fixed with 2 to 31 bits, got fixed with 40
func.func @f() { return }

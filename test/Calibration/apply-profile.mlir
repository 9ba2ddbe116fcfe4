// RUN: qopt-opt %s --qg-apply-profile="profile=%S/Inputs/profile.json method=min-max" | FileCheck %s
// RUN: not qopt-opt %s --qg-apply-profile=profile=%S/Inputs/newer.json 2>&1 | FileCheck %s --check-prefix=NEWER
// RUN: not qopt-opt %s --qg-apply-profile=profile=%S/Inputs/absent.json 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: not qopt-opt %s --qg-apply-profile="profile=%S/Inputs/profile.json method=moving-average" 2>&1 | FileCheck %s --check-prefix=METHOD
// RUN: sed 's/observe "x"/observe "y"/' %s | not qopt-opt - --qg-apply-profile=profile=%S/Inputs/profile.json 2>&1 | FileCheck %s --check-prefix=MISSING

// NEWER: expects a schema up to qopt.profile/1, got qopt.profile/2; use a newer qopt or calibrate again
// ABSENT: expects a readable profile
// METHOD: tensor 'x': expects the ranges of single samples for a moving average
// MISSING: tensor 'y': expects it in the profile; calibrate again

// CHECK: qg.observe "x" %arg0 {qg.range = array<f64: -5.000000e-01, 1.000000e+00>, qg.sqnr = {{[4-9][0-9]\..*}} : f64}
func.func @main(%a: tensor<4xf32>) -> tensor<4xf32> {
  %b = qg.observe "x" %a : tensor<4xf32> -> tensor<4xf32>
  return %b : tensor<4xf32>
}

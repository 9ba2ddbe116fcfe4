// RUN: qopt-opt %s --split-input-file --cpu-verify-results --verify-diagnostics

// A value of its own in a buffer that a result is copied over

#id = affine_map<(d0) -> (d0)>
func.func @main(%x: memref<4xf32>, %y0: memref<4xf32>, %y1: memref<4xf32>) {
  %other = memref.alloc() : memref<4xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : memref<4xf32>) outs(%other : memref<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %sum = arith.addf %in, %in : f32
    linalg.yield %sum : f32
  }
  // expected-note @below {{this op uses the buffer as well}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : memref<4xf32>) outs(%y0 : memref<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %product = arith.mulf %in, %in : f32
    linalg.yield %product : f32
  }
  // expected-error @below {{'memref.copy' op expects the buffer of argument 1 to hold one result, got another value in it}}
  memref.copy %other, %y0 : memref<4xf32> to memref<4xf32>
  memref.copy %y0, %y1 : memref<4xf32> to memref<4xf32>
  return
}

// -----

// One value in two buffers is fine

func.func @main(%x: memref<4xf32>, %y0: memref<4xf32>, %y1: memref<4xf32>) {
  memref.copy %x, %y0 : memref<4xf32> to memref<4xf32>
  memref.copy %y0, %y1 : memref<4xf32> to memref<4xf32>
  return
}

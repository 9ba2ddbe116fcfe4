// RUN: qopt-opt %s --split-input-file --cpu-outline-steps --verify-diagnostics

// A step function returns nothing: what another step reads lies in a buffer.
func.func @main(%x: memref<4xf32>, %y: memref<1xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  // expected-error @+1 {{'scf.for' op expects a step whose results no other op uses, as steps meet in buffers}}
  %sum = scf.for %i = %c0 to %c4 step %c1 iter_args(%s = %zero) -> f32 {
    %0 = memref.load %x[%i] : memref<4xf32>
    memref.store %s, %x[%i] : memref<4xf32>
    %1 = arith.addf %s, %0 : f32
    scf.yield %1 : f32
  }
  memref.store %sum, %y[%c0] : memref<1xf32>
  return
}

// -----
// No loop nest copies an unknown number of dimensions.
func.func @main(%x: memref<*xf32>, %y: memref<*xf32>) {
  // expected-error @+1 {{'memref.copy' op expects buffers of known rank}}
  memref.copy %x, %y : memref<*xf32> to memref<*xf32>
  return
}

// What the kernel ops refuse.
// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @lut_of_words(%x: memref<4xi16>, %t: memref<512xi8>, %i: memref<4xi8>) {
  // expected-error@+1 {{'qcpu.lut' op expects bytes}}
  qcpu.lut ins(%x, %t) outs(%i) : (memref<4xi16>, memref<512xi8>, memref<4xi8>) -> ()
  return
}

// -----
func.func @lut_shape(%x: memref<4xi8>, %t: memref<512xi8>, %i: memref<2x2xi8>) {
  // expected-error@+1 {{expects a result of the shape of its input}}
  qcpu.lut ins(%x, %t) outs(%i) : (memref<4xi8>, memref<512xi8>, memref<2x2xi8>) -> ()
  return
}

// -----
func.func @lut_table(%x: memref<4xi8>, %t: memref<256xi8>, %i: memref<4xi8>) {
  // expected-error@+1 {{expects a table of 512 bytes}}
  qcpu.lut ins(%x, %t) outs(%i) : (memref<4xi8>, memref<256xi8>, memref<4xi8>) -> ()
  return
}

// -----
func.func @stage_pads(%x: memref<1x4x4x8xi8>, %i: memref<1x6x6x8xi8>) {
  // expected-error@+1 {{expects operands of rank 4 and four pads}}
  qcpu.stage pads [1, 1] subtract 0 fill 0 ins(%x) outs(%i) : (memref<1x4x4x8xi8>, memref<1x6x6x8xi8>) -> ()
  return
}

// -----
func.func @stage_border(%x: memref<1x4x4x8xi8>, %i: memref<1x5x6x8xi8>) {
  // expected-error@+1 {{expects the bordered shape of 'memref<1x4x4x8xi8>', got 'memref<1x5x6x8xi8>'}}
  qcpu.stage pads [1, 1, 1, 1] subtract 0 fill 0 ins(%x) outs(%i) : (memref<1x4x4x8xi8>, memref<1x5x6x8xi8>) -> ()
  return
}

// -----
func.func @pack_order(%x: memref<1x2x8x16xi8>, %i: memref<256xi8>) {
  // expected-error@+1 {{'qcpu.pack' op expects an operand of rank 4, the order of its dimensions and four tile sizes}}
  qcpu.pack order [0, 1, 2, 2] tile [8, 1, 16, 4] subtract 0 ins(%x) outs(%i) : (memref<1x2x8x16xi8>, memref<256xi8>) -> ()
  return
}

// -----
func.func @pack_last(%x: memref<1x2x8x16xi8>, %i: memref<256xi8>) {
  // expected-error@+1 {{expects the last dimension to be K or N}}
  qcpu.pack order [3, 1, 2, 0] tile [8, 1, 16, 4] subtract 0 ins(%x) outs(%i) : (memref<1x2x8x16xi8>, memref<256xi8>) -> ()
  return
}

// -----
func.func @pack_size(%x: memref<1x2x8x17xi8>, %i: memref<256xi8>) {
  // expected-error@+1 {{expects at least 4 products and a result of 512 elements}}
  qcpu.pack order [0, 1, 2, 3] tile [8, 1, 16, 4] subtract 0 ins(%x) outs(%i) : (memref<1x2x8x17xi8>, memref<256xi8>) -> ()
  return
}

// -----
func.func @conv_orders(%x: memref<1x4x4x8xi8>, %w: memref<128xi8>, %b: memref<16xi32>, %i: memref<1x4x4x16xi32>) {
  // expected-error@+1 {{expects orders of four dimensions, channels last}}
  qcpu.conv "mul" tile [4, 1, 16, 1] kernel [1, 1] strides [1, 1] dilations [1, 1] groups 1 x_order [3, 1, 2, 0]
    ins(%x, %w, %b) extras() outs(%i) : (memref<1x4x4x8xi8>, memref<128xi8>, memref<16xi32>, memref<1x4x4x16xi32>) -> () {
  ^bb0(%a: i32):
    qcpu.yield %a : i32
  }
  return
}

// -----
func.func @conv_own_weights(%x: memref<1x4x4x8xi8>, %w: memref<130xi8>, %b: memref<16xi32>, %i: memref<1x4x4x16xi32>) {
  // expected-error@+1 {{expects a 1x1 window and weights for every row}}
  qcpu.conv "mul" tile [4, 1, 16, 1] kernel [1, 1] strides [1, 1] dilations [1, 1] groups 1 own_weights
    ins(%x, %w, %b) extras() outs(%i) : (memref<1x4x4x8xi8>, memref<130xi8>, memref<16xi32>, memref<1x4x4x16xi32>) -> () {
  ^bb0(%a: i32):
    qcpu.yield %a : i32
  }
  return
}

// -----
func.func @conv_rank(%x: memref<4x4x8xi8>, %w: memref<1x1x1x2x1x16x4xi8>, %b: memref<16xi32>, %i: memref<1x4x4x16xi32>) {
  // expected-error@+1 {{'qcpu.conv' op expects an input and a result of rank 4}}
  qcpu.conv "mul" tile [1, 1, 16, 4] kernel [1, 1] strides [1, 1] dilations [1, 1] groups 1
      ins(%x, %w, %b) extras() outs(%i)
      : (memref<4x4x8xi8>, memref<1x1x1x2x1x16x4xi8>, memref<16xi32>, memref<1x4x4x16xi32>) -> () {
  ^bb0(%a: i32):
    qcpu.yield %a : i32
  }
  return
}

// -----
func.func @conv_tile(%x: memref<1x4x4x8xi8>, %w: memref<1x1x1x2x1x16x4xi8>, %b: memref<16xi32>, %i: memref<1x4x4x16xi32>) {
  // expected-error@+1 {{expects four tile sizes and two kernel extents, strides and dilations}}
  qcpu.conv "mul" tile [1, 16, 4] kernel [1, 1] strides [1, 1] dilations [1, 1] groups 1
      ins(%x, %w, %b) extras() outs(%i)
      : (memref<1x4x4x8xi8>, memref<1x1x1x2x1x16x4xi8>, memref<16xi32>, memref<1x4x4x16xi32>) -> () {
  ^bb0(%a: i32):
    qcpu.yield %a : i32
  }
  return
}

// -----
func.func @conv_planes(%x: memref<1x4x4x8xi8>, %w: memref<1x1x1x2x1x16x4xi8>, %b: memref<16xi32>, %i: memref<1x4x4x16xi32>) {
  // expected-error@+1 {{expects rows of the kernel and of the result that are whole planes}}
  qcpu.conv "mul" tile [1, 1, 16, 4] kernel [1, 1] strides [1, 1] dilations [1, 1] planes [1, 0, 3, 3] groups 1
      ins(%x, %w, %b) extras() outs(%i)
      : (memref<1x4x4x8xi8>, memref<1x1x1x2x1x16x4xi8>, memref<16xi32>, memref<1x4x4x16xi32>) -> () {
  ^bb0(%a: i32):
    qcpu.yield %a : i32
  }
  return
}

// -----
func.func @conv_window(%x: memref<1x4x4x8xi8>, %w: memref<1x1x1x2x1x16x4xi8>, %b: memref<16xi32>, %i: memref<1x4x4x16xi32>) {
  // expected-error@+1 {{expects windows inside the input}}
  qcpu.conv "mul" tile [1, 1, 16, 4] kernel [2, 1] strides [1, 1] dilations [1, 1] groups 1
      ins(%x, %w, %b) extras() outs(%i)
      : (memref<1x4x4x8xi8>, memref<1x1x1x2x1x16x4xi8>, memref<16xi32>, memref<1x4x4x16xi32>) -> () {
  ^bb0(%a: i32):
    qcpu.yield %a : i32
  }
  return
}

// -----
func.func @epilogue_arguments(%x: memref<1x4x4x8xi8>, %w: memref<1x1x1x2x1x16x4xi8>, %b: memref<16xi32>, %i: memref<1x4x4x16xi32>) {
  // expected-error@+1 {{expects an epilogue of the accumulator and one element of each extra operand}}
  qcpu.conv "mul" tile [1, 1, 16, 4] kernel [1, 1] strides [1, 1] dilations [1, 1] groups 1
      ins(%x, %w, %b) extras() outs(%i)
      : (memref<1x4x4x8xi8>, memref<1x1x1x2x1x16x4xi8>, memref<16xi32>, memref<1x4x4x16xi32>) -> () {
  ^bb0(%a: i32, %c: i32):
    qcpu.yield %a : i32
  }
  return
}

// -----
func.func @epilogue_accumulator(%x: memref<1x4x4x8xi8>, %w: memref<1x1x1x2x1x16x4xi8>, %b: memref<16xi32>, %i: memref<1x4x4x16xi32>) {
  // expected-error@+1 {{expects an accumulator of the bias's type}}
  qcpu.conv "mul" tile [1, 1, 16, 4] kernel [1, 1] strides [1, 1] dilations [1, 1] groups 1
      ins(%x, %w, %b) extras() outs(%i)
      : (memref<1x4x4x8xi8>, memref<1x1x1x2x1x16x4xi8>, memref<16xi32>, memref<1x4x4x16xi32>) -> () {
  ^bb0(%a: i64):
    qcpu.yield %a : i64
  }
  return
}

// -----
func.func @epilogue_extra(%x: memref<1x4x4x8xi8>, %w: memref<1x1x1x2x1x16x4xi8>, %b: memref<16xi32>, %i: memref<1x4x4x16xi32>, %e: memref<16xf32>) {
  // expected-error@+1 {{expects epilogue arguments of the extras' types}}
  qcpu.conv "mul" tile [1, 1, 16, 4] kernel [1, 1] strides [1, 1] dilations [1, 1] groups 1
      ins(%x, %w, %b) extras(%e) outs(%i)
      : (memref<1x4x4x8xi8>, memref<1x1x1x2x1x16x4xi8>, memref<16xi32>, memref<16xf32>, memref<1x4x4x16xi32>) -> () {
  ^bb0(%a: i32, %c: i32):
    qcpu.yield %a : i32
  }
  return
}

// -----
func.func @epilogue_yield(%x: memref<1x4x4x8xi8>, %w: memref<1x1x1x2x1x16x4xi8>, %b: memref<16xi32>, %i: memref<1x4x4x16xi32>) {
  // expected-error@+1 {{expects to yield one element of the result}}
  qcpu.conv "mul" tile [1, 1, 16, 4] kernel [1, 1] strides [1, 1] dilations [1, 1] groups 1
      ins(%x, %w, %b) extras() outs(%i)
      : (memref<1x4x4x8xi8>, memref<1x1x1x2x1x16x4xi8>, memref<16xi32>, memref<1x4x4x16xi32>) -> () {
  ^bb0(%a: i32):
    qcpu.yield %a, %a : i32, i32
  }
  return
}

// -----
func.func @group_size(%x: memref<1x1x4x8xi8>, %w: memref<1x1x1x2x1x16x4xi8>, %s: memref<1x1x16xf32>, %c: memref<1xi32>, %r: memref<1xf32>, %b: memref<16xf32>, %i: memref<1x1x4x16xf32>) {
  // expected-error@+1 {{expects an input and a result of rank 4, four tile sizes and a positive group}}
  qcpu.group_matmul "mul" tile [1, 1, 16, 4] group 0 zp 0 0 ins(%x, %w, %s, %c, %r, %c, %c, %b) extras() outs(%i)
      : (memref<1x1x4x8xi8>, memref<1x1x1x2x1x16x4xi8>, memref<1x1x16xf32>, memref<1xi32>, memref<1xf32>, memref<1xi32>, memref<1xi32>, memref<16xf32>, memref<1x1x4x16xf32>) -> () {
  ^bb0(%a: f32):
    qcpu.yield %a : f32
  }
  return
}

// -----
func.func @group_rows(%x: memref<1x1x4x8xi8>, %w: memref<1x1x1x2x1x16x4xi8>, %s: memref<1x1x16xf32>, %c: memref<1xi32>, %r: memref<3xf32>, %b: memref<16xf32>, %i: memref<1x1x4x16xf32>) {
  // expected-error@+1 {{expects rows of pixels, and one row scale or one each}}
  qcpu.group_matmul "mul" tile [1, 1, 16, 4] group 8 zp 0 0 ins(%x, %w, %s, %c, %r, %c, %c, %b) extras() outs(%i)
      : (memref<1x1x4x8xi8>, memref<1x1x1x2x1x16x4xi8>, memref<1x1x16xf32>, memref<1xi32>, memref<3xf32>, memref<1xi32>, memref<1xi32>, memref<16xf32>, memref<1x1x4x16xf32>) -> () {
  ^bb0(%a: f32):
    qcpu.yield %a : f32
  }
  return
}

// -----
func.func @decode_rows(%x: memref<1x1x3x8xf32>, %w: memref<16xi32>, %s: memref<16xf32>, %z: memref<1xi8>, %b: memref<16xf32>, %i: memref<1x1x4x16xf32>) {
  // expected-error@+1 {{expects rows of pixels and four tile sizes}}
  qcpu.decode_matmul "fma" tile [1, 1, 16, 8] block [1, 8] bits 4 levels [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] zp 0 ins(%x, %w, %s, %z, %b) extras() outs(%i)
      : (memref<1x1x3x8xf32>, memref<16xi32>, memref<16xf32>, memref<1xi8>, memref<16xf32>, memref<1x1x4x16xf32>) -> () {
  ^bb0(%a: f32):
    qcpu.yield %a : f32
  }
  return
}

// -----
func.func @decode_block(%x: memref<1x1x4x8xf32>, %w: memref<16xi32>, %s: memref<16xf32>, %z: memref<1xi8>, %b: memref<16xf32>, %i: memref<1x1x4x16xf32>) {
  // expected-error@+1 {{expects a block of one row or one column}}
  qcpu.decode_matmul "fma" tile [1, 1, 16, 8] block [2, 4] bits 4 levels [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] zp 0 ins(%x, %w, %s, %z, %b) extras() outs(%i)
      : (memref<1x1x4x8xf32>, memref<16xi32>, memref<16xf32>, memref<1xi8>, memref<16xf32>, memref<1x1x4x16xf32>) -> () {
  ^bb0(%a: f32):
    qcpu.yield %a : f32
  }
  return
}

// -----
func.func @decode_bits(%x: memref<1x1x4x8xf32>, %w: memref<16xi32>, %s: memref<16xf32>, %z: memref<1xi8>, %b: memref<16xf32>, %i: memref<1x1x4x16xf32>) {
  // expected-error@+1 {{expects codes of 2, 4 or 8 bits and a level for each}}
  qcpu.decode_matmul "fma" tile [1, 1, 16, 8] block [1, 8] bits 3 levels [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] zp 0 ins(%x, %w, %s, %z, %b) extras() outs(%i)
      : (memref<1x1x4x8xf32>, memref<16xi32>, memref<16xf32>, memref<1xi8>, memref<16xf32>, memref<1x1x4x16xf32>) -> () {
  ^bb0(%a: f32):
    qcpu.yield %a : f32
  }
  return
}

// -----
func.func @decode_levels(%x: memref<1x1x4x8xf32>, %w: memref<16xi32>, %s: memref<16xf32>, %z: memref<1xi8>, %b: memref<16xf32>, %i: memref<1x1x4x16xf32>) {
  // expected-error@+1 {{expects codes of 2, 4 or 8 bits and a level for each}}
  qcpu.decode_matmul "fma" tile [1, 1, 16, 8] block [1, 8] bits 4 levels [0, 1, 2] zp 0 ins(%x, %w, %s, %z, %b) extras() outs(%i)
      : (memref<1x1x4x8xf32>, memref<16xi32>, memref<16xf32>, memref<1xi8>, memref<16xf32>, memref<1x1x4x16xf32>) -> () {
  ^bb0(%a: f32):
    qcpu.yield %a : f32
  }
  return
}

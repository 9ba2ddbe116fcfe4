// Resize of every kind, along every kind of dimensions.
!x = !qg.q<ui8, 0.5 : 120>
!y = !qg.q<si8, 0.625 : -3>
func.func @main(%x: tensor<1x2520x!x>) -> tensor<1x72429x!y> {
  // Pictures, channels last, runs of more and less than are summed at a time.
  %x0 = qg.reshape %x : tensor<1x2520x!x> -> tensor<2x6x7x30x!x>
  %r0 = qg.resize linear half_pixel %x0 axes [2, 1] scales [2.0, 2.0] : tensor<2x6x7x30x!x> -> tensor<2x12x14x30x!y>
  %y0 = qg.reshape %r0 : tensor<2x12x14x30x!y> -> tensor<1x10080x!y>
  %x1 = qg.reshape %x : tensor<1x2520x!x> -> tensor<1x12x14x15x!x>
  %r1 = qg.resize cubic half_pixel %x1 axes [2, 1] scales [1.5, 0.75] : tensor<1x12x14x15x!x> -> tensor<1x9x21x15x!y>
  %y1 = qg.reshape %r1 : tensor<1x9x21x15x!y> -> tensor<1x2835x!y>
  %x2 = qg.reshape %x : tensor<1x2520x!x> -> tensor<2x6x7x30x!x>
  %r2 = qg.resize linear half_pixel %x2 axes [2, 1] scales [0.6, 2.5] antialias : tensor<2x6x7x30x!x> -> tensor<2x15x4x30x!y>
  %y2 = qg.reshape %r2 : tensor<2x15x4x30x!y> -> tensor<1x3600x!y>
  %x3 = qg.reshape %x : tensor<1x2520x!x> -> tensor<1x12x14x15x!x>
  %r3 = qg.resize cubic pytorch_half_pixel %x3 axes [1, 2] scales [0.3, 0.25] antialias : tensor<1x12x14x15x!x> -> tensor<1x3x3x15x!y>
  %y3 = qg.reshape %r3 : tensor<1x3x3x15x!y> -> tensor<1x135x!y>
  %x4 = qg.reshape %x : tensor<1x2520x!x> -> tensor<2x6x7x30x!x>
  %r4 = qg.resize cubic asymmetric %x4 axes [2, 1] scales [2.0, 3.0] cubic_a -0.5 exclude_outside : tensor<2x6x7x30x!x> -> tensor<2x18x14x30x!y>
  %y4 = qg.reshape %r4 : tensor<2x18x14x30x!y> -> tensor<1x15120x!y>
  // Channels first: the first two dimensions are images.
  %x5 = qg.reshape %x : tensor<1x2520x!x> -> tensor<3x7x10x12x!x>
  %r5 = qg.resize linear align_corners %x5 axes [3, 2] scales [1.75, 1.3] : tensor<3x7x10x12x!x> -> tensor<3x7x13x21x!y>
  %y5 = qg.reshape %r5 : tensor<3x7x13x21x!y> -> tensor<1x5733x!y>
  // A dimension between those that are resized; the first one; one that is all.
  %x6 = qg.reshape %x : tensor<1x2520x!x> -> tensor<4x5x6x21x!x>
  %r6 = qg.resize linear half_pixel %x6 axes [3, 1] scales [2.0, 3.0] : tensor<4x5x6x21x!x> -> tensor<4x15x6x42x!y>
  %y6 = qg.reshape %r6 : tensor<4x15x6x42x!y> -> tensor<1x15120x!y>
  %x7 = qg.reshape %x : tensor<1x2520x!x> -> tensor<7x360x!x>
  %r7 = qg.resize cubic align_corners %x7 axes [0] scales [1.5] : tensor<7x360x!x> -> tensor<10x360x!y>
  %y7 = qg.reshape %r7 : tensor<10x360x!y> -> tensor<1x3600x!y>
  %x8 = qg.reshape %x : tensor<1x2520x!x> -> tensor<2520x!x>
  %r8 = qg.resize linear half_pixel %x8 axes [0] scales [0.1] antialias : tensor<2520x!x> -> tensor<252x!y>
  %y8 = qg.reshape %r8 : tensor<252x!y> -> tensor<1x252x!y>
  %x9 = qg.reshape %x : tensor<1x2520x!x> -> tensor<5x504x!x>
  %r9 = qg.resize linear half_pixel_symmetric %x9 axes [0] scales [1.3] : tensor<5x504x!x> -> tensor<6x504x!y>
  %y9 = qg.reshape %r9 : tensor<6x504x!y> -> tensor<1x3024x!y>
  // Three dimensions, and a box that lies outside in part.
  %x10 = qg.reshape %x : tensor<1x2520x!x> -> tensor<4x5x6x7x3x!x>
  %r10 = qg.resize linear half_pixel %x10 axes [3, 2, 1] scales [2.0, 1.5, 0.5] : tensor<4x5x6x7x3x!x> -> tensor<4x2x9x14x3x!y>
  %y10 = qg.reshape %r10 : tensor<4x2x9x14x3x!y> -> tensor<1x3024x!y>
  %x11 = qg.reshape %x : tensor<1x2520x!x> -> tensor<2x3x6x7x10x!x>
  %r11 = qg.resize cubic half_pixel %x11 axes [3, 2, 1] scales [1.25, 1.5, 2.0] : tensor<2x3x6x7x10x!x> -> tensor<2x6x9x8x10x!y>
  %y11 = qg.reshape %r11 : tensor<2x6x9x8x10x!y> -> tensor<1x8640x!y>
  %x12 = qg.reshape %x : tensor<1x2520x!x> -> tensor<1x12x14x15x!x>
  %r12 = qg.resize linear tf_crop_and_resize %x12 axes [2, 1] scales [1.0, 0.5] roi [-0.25, 0.5, 1.5, 0.75] : tensor<1x12x14x15x!x> -> tensor<1x6x14x15x!y>
  %y12 = qg.reshape %r12 : tensor<1x6x14x15x!y> -> tensor<1x1260x!y>
  // From and to an extent of 1.
  %x13 = qg.reshape %x : tensor<1x2520x!x> -> tensor<2520x1x!x>
  %r13 = qg.resize linear half_pixel %x13 axes [1, 0] scales [3.0, 0.001] : tensor<2520x1x!x> -> tensor<2x3x!y>
  %y13 = qg.reshape %r13 : tensor<2x3x!y> -> tensor<1x6x!y>
  %y = qg.concat %y0, %y1, %y2, %y3, %y4, %y5, %y6, %y7, %y8, %y9, %y10, %y11, %y12, %y13 axis 1 : (tensor<1x10080x!y>, tensor<1x2835x!y>, tensor<1x3600x!y>, tensor<1x135x!y>, tensor<1x15120x!y>, tensor<1x5733x!y>, tensor<1x15120x!y>, tensor<1x3600x!y>, tensor<1x252x!y>, tensor<1x3024x!y>, tensor<1x3024x!y>, tensor<1x8640x!y>, tensor<1x1260x!y>, tensor<1x6x!y>) -> tensor<1x72429x!y>
  return %y : tensor<1x72429x!y>
}

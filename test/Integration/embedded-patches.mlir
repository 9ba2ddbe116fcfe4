// The first layers in strips of rows: the same numbers in less RAM. Odd extents,
// strides, paddings on one side and dilations, so that borders of strips differ.
//
// RUN: rm -rf %t && mkdir -p %t
// RUN: qopt compile %s --scheme float --emit=c -q -o %t/whole/
// RUN: qopt compile %s --scheme float --emit=c --patches auto -q -o %t/net/
// RUN: cat %t/whole/manifest.json %t/net/manifest.json | FileCheck %s --check-prefix=MANIFEST
// RUN: %python %source/tools/dev/mcu.py %t/net --samples 3 --qopt qopt | FileCheck %s
// RUN: %python %source/tools/dev/mcu.py %t/net --compiler clang --optimize O1 --flags="-fsanitize=address,undefined -fno-sanitize-recover=all" --qopt qopt | FileCheck %s
// RUN: not qopt compile %s --scheme float --emit=c --patches 3 -o %t/bad/ 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: --patches: expected auto or off, got '3'
// CHECK: host: {{[1-9][0-9]*}} compared, 0 mismatches

// MANIFEST: "arena_bytes": 7888,
// MANIFEST: "patched_layers": 0,
// MANIFEST: "strips": 1,
// MANIFEST: "weights_bytes": [[WEIGHTS:[0-9]+]]
// MANIFEST: "arena_bytes": {{[12][0-9][0-9][0-9]}},
// MANIFEST: "live_bytes": 7888,
// MANIFEST: "patched_layers": {{[1-9]}},
// MANIFEST: "strips": {{[2-9]}},
// Strips read one copy of the weights.
// MANIFEST: "weights_bytes": [[WEIGHTS]]
func.func @main(%x: tensor<1x2x29x17xi8> {qg.name = "image", qg.encoding = !qg.q<si8, 0.5 : -5>})
    -> (tensor<1x7x4x5xi8> {qg.name = "features", qg.encoding = !qg.q<si8, 0.25 : 9>}) {
  %t = qg.transpose %x perm [0, 2, 3, 1] : tensor<1x2x29x17xi8> -> tensor<1x29x17x2xi8>
  %w0 = qg.constant dense<"0x38B5C6D0C636420EADB6E1F315FCD5C2222AABBAF7EC4503F1F31D0FC52A2E5233D9DF1A1B2342DA4EA6B3554FDBBFDEAD461D0FD2FAC831FBABD32503E9D3B6131C034D4DCB1317D2DBFD2BDA271BCDEB3B3D1CA620CE394AF3522EE044EBB8103E1CEC48FCEBC0CC2335DA1742C0D7040BEDEDBD144DC935C6AD2CC62DE10C4F4BFBCBD33F0FC44553541655130054"> : tensor<8x3x3x2xi8> -> tensor<8x3x3x2xi8>
  %b0 = qg.constant dense<[188, 516, -290, 521, 852, -803, 65, -236]> : tensor<8xi32> -> tensor<8xi32>
  %a0 = fxp.conv %t, %w0, %b0 strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1]
       groups 1 x_zp -5 : (tensor<1x29x17x2xi8>, tensor<8x3x3x2xi8>, tensor<8xi32>) -> tensor<1x29x17x8xi32>
  %r0 = fxp.requantize %a0 scales dense<0.003300> : tensor<1xf32> x_zp 0 zp -7 clamp [-128, 127] mode <"fixed", 31>
       : tensor<1x29x17x8xi32> -> tensor<1x29x17x8xi8>
  %w1 = qg.constant dense<"0xAFB5D6C827CC1640FFBCB1DBF0FEDD3E0C534E25AACC2C084F2539AFDB2017E8C210B51E361EB104DC0920C9ACFF15BC4CFC54062931FFEC1EA91504C0CAAC2B21EB52EADD49B4EC"> : tensor<8x3x3x1xi8> -> tensor<8x3x3x1xi8>
  %b1 = qg.constant dense<[-857, -273, 407, -274, -14, -35, -789, -733]> : tensor<8xi32> -> tensor<8xi32>
  %a1 = fxp.conv %r0, %w1, %b1 strides [1, 1] pads [2, 2, 2, 2] dilations [2, 2]
       groups 8 x_zp -7 : (tensor<1x29x17x8xi8>, tensor<8x3x3x1xi8>, tensor<8xi32>) -> tensor<1x29x17x8xi32>
  %r1 = fxp.requantize %a1 scales dense<0.004667> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31>
       : tensor<1x29x17x8xi32> -> tensor<1x29x17x8xi8>
  %w2 = qg.constant dense<"0xDB08B24B3F0B292BA750AE3D3B2BBE38523922D309FC42E3EFD5FD0CF8DF0815C40E25B815F54DECDE2542B5B9C4E3020CEE441DC3E1C9C93E4DF3D13CC0BED8"> : tensor<8x1x1x8xi8> -> tensor<8x1x1x8xi8>
  %b2 = qg.constant dense<[-242, -289, -399, -495, 227, 65, 284, 786]> : tensor<8xi32> -> tensor<8xi32>
  %a2 = fxp.conv %r1, %w2, %b2 strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
       groups 1 x_zp 0 : (tensor<1x29x17x8xi8>, tensor<8x1x1x8xi8>, tensor<8xi32>) -> tensor<1x29x17x8xi32>
  %r2 = fxp.requantize %a2 scales dense<0.004950> : tensor<1xf32> x_zp 0 zp 3 clamp [-128, 127] mode <"fixed", 31>
       : tensor<1x29x17x8xi32> -> tensor<1x29x17x8xi8>
  %w3 = qg.constant dense<"0x4EBC34F0391EB0454C59B0BF1706B644D0AF410FAAC54430424EDC06E8A7D0B1BBF04A3E19D0BC1E2AEEBED557240BDD40E8F62FF0FFAB33D80208C2D1F5B843E40BC053FBA6E4E3"> : tensor<8x3x3x1xi8> -> tensor<8x3x3x1xi8>
  %b3 = qg.constant dense<[-476, 484, 867, 335, -564, 109, -69, 294]> : tensor<8xi32> -> tensor<8xi32>
  %a3 = fxp.conv %r2, %w3, %b3 strides [2, 2] pads [0, 1, 1, 0] dilations [1, 1]
       groups 8 x_zp 3 : (tensor<1x29x17x8xi8>, tensor<8x3x3x1xi8>, tensor<8xi32>) -> tensor<1x14x8x8xi32>
  %r3 = fxp.requantize %a3 scales dense<0.004667> : tensor<1xf32> x_zp 0 zp -11 clamp [-128, 127] mode <"fixed", 31>
       : tensor<1x14x8x8xi32> -> tensor<1x14x8x8xi8>
  %w4 = qg.constant dense<"0x3C433621F708C50B021DF9E0011EC914E53310FCACAAD006FB40BC19EC19B6ECBFE6C82720B4DB414843BB53F0BE26BAAC46BBEE43D6D8EA2F1CDCC3F3FDF11CB82707A81E37E6F40EF4020B11D8B945F7CC5907E0C4A81415485544B0BE1016CB464FCA19F00A26002AD6F7C018EC1E55E5321B2B0DD523E60207E2FCF4D54C4CC7E3C0C6A8E93FCA573ED0A7D5F2C91D122BFD0B3911CB43440AF919373136D749ABFFF2131A0AB0C80400CB4CC14917A9EA1DC3E041BE4FBFF335AF52140324EB3101B93B3F2C25B1B4CCE342B4FE521C2A31EB18BC2AD10823CF3FC7205825A72022C24450CF35AE29EDBFE13FF91CF2C54FBBBBF04F02AE4C4E02E1C628AFA655F6E91FAC17DB37E8C1F8EE1714AAABF63C21F021D2E4CEE61BC4AE22D2E9DCD4D4CF29F110F448102454DBF6E0CFBCFED1AE120629D7DB1AE3C536C85237B531B2F72EE7FFB2F20218102E05B23F532A5235F02BFA53D7F90F2ACADA064248F901C53AD5C6"> : tensor<5x3x3x8xi8> -> tensor<5x3x3x8xi8>
  %b4 = qg.constant dense<[300, 690, 186, -679, 558]> : tensor<5xi32> -> tensor<5xi32>
  %a4 = fxp.conv %r3, %w4, %b4 strides [2, 2] pads [1, 1, 0, 1] dilations [1, 1]
       groups 1 x_zp -11 : (tensor<1x14x8x8xi8>, tensor<5x3x3x8xi8>, tensor<5xi32>) -> tensor<1x7x4x5xi32>
  %r4 = fxp.requantize %a4 scales dense<0.001650> : tensor<1xf32> x_zp 0 zp 9 clamp [-128, 127] mode <"fixed", 31>
       : tensor<1x7x4x5xi32> -> tensor<1x7x4x5xi8>
  return %r4 : tensor<1x7x4x5xi8>
}

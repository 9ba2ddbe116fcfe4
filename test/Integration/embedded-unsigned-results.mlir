// Results that a caller reads as uint8 reach to 255, whatever saturates signed
// bytes on a core: of products, by fours and alone, and of sums of two bytes.
// REQUIRES: mcu-qemu
// RUN: rm -rf %t && mkdir %t
// RUN: %python -c "import sys; t = open(sys.argv[1]).read().split('/' * 2 + ' -----'); [open(f'{sys.argv[2]}/{i}.mlir', 'w').write(part) for i, part in enumerate(t)]" %s %t
// RUN: qopt compile %t/0.mlir --scheme float --emit=c --symbol-prefix net -o %t/product/ -q
// RUN: qopt compile %t/1.mlir --scheme float --emit=c --symbol-prefix net -o %t/sum/ -q
// RUN: FileCheck %s --check-prefix=PRODUCT < %t/product/net.c
// RUN: FileCheck %s --check-prefix=SUM < %t/sum/net.c
// RUN: %python %source/tools/dev/mcu.py %t/product --cores host,m3,m4,m7,m55 --samples 8 --qopt qopt > %t/product.txt && FileCheck %s < %t/product.txt
// RUN: %python %source/tools/dev/mcu.py %t/sum --cores host,m3,m4,m7,m55 --samples 8 --qopt qopt > %t/sum.txt && FileCheck %s < %t/sum.txt
// PRODUCT: .low = 0, .high = 255, .wide = 0, .untied = 1
// SUM: .low = 0, .high = 255
// CHECK: host: 56 compared, 0 mismatches
// CHECK: m3: 56 compared, 0 mismatches
// CHECK: m4: 56 compared, 0 mismatches
// CHECK: m7: 56 compared, 0 mismatches
// CHECK: m55: 56 compared, 0 mismatches

func.func @main(%x: tensor<1x7xi8> {qg.name = "x", qg.encoding = !qg.q<si8, 0.5 : 0>})
    -> (tensor<1x7xi8> {qg.name = "y", qg.encoding = !qg.q<ui8, 0.5 : 122>}) {
  %w = qg.constant dense<[[90, -3, 7, 1, 9, -80, 4], [2, 88, -7, 5, 1, 0, 3], [1, 5, -99, 7, 8, 6, -4], [9, 2, 0, 77, -5, 1, 8], [3, 4, -2, 6, 70, -9, 1], [5, -1, 8, 2, 4, 93, 0], [-6, 7, 3, 1, 0, 2, 85]]> : tensor<7x7xi8> -> tensor<7x7xi8>
  %b = qg.constant dense<[100, -200, 300, 7, -9, 50, 0]> : tensor<7xi32> -> tensor<7xi32>
  %0 = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<1x7xi8>, tensor<7x7xi8>, tensor<7xi32>) -> tensor<1x7xi32>
  %1 = fxp.requantize %0 scales dense<1.370000e-02> : tensor<1xf32> x_zp 0 zp 122 clamp [0, 255] unsigned mode <fixed, 31> : tensor<1x7xi32> -> tensor<1x7xi8>
  return %1 : tensor<1x7xi8>
}

// -----
func.func @main(%x: tensor<1x7xi8> {qg.name = "x", qg.encoding = !qg.q<si8, 0.5 : 0>})
    -> (tensor<1x7xi8> {qg.name = "y", qg.encoding = !qg.q<ui8, 0.5 : 100>}) {
  %w = qg.constant dense<[[90, -3, 7, 1, 9, -80, 4], [2, 88, -7, 5, 1, 0, 3], [1, 5, -99, 7, 8, 6, -4], [9, 2, 0, 77, -5, 1, 8], [3, 4, -2, 6, 70, -9, 1], [5, -1, 8, 2, 4, 93, 0], [-6, 7, 3, 1, 0, 2, 85]]> : tensor<7x7xi8> -> tensor<7x7xi8>
  %b = qg.constant dense<[100, -200, 300, 7, -9, 50, 0]> : tensor<7xi32> -> tensor<7xi32>
  %0 = fxp.matmul %x, %w, %b lhs_zp 0 rhs_zp 0 : (tensor<1x7xi8>, tensor<7x7xi8>, tensor<7xi32>) -> tensor<1x7xi32>
  %1 = fxp.requantize %0 scales dense<1.130000e-02> : tensor<1xf32> x_zp 0 zp -3 clamp [-128, 127] mode <fixed, 31> : tensor<1x7xi32> -> tensor<1x7xi8>
  %2 = fxp.add %x, %1 scales [7.300000e-01, 9.100000e-01] zps [0, -3] zp 100 clamp [0, 255] unsigned mode <fixed, 31> : (tensor<1x7xi8>, tensor<1x7xi8>) -> tensor<1x7xi8>
  return %2 : tensor<1x7xi8>
}

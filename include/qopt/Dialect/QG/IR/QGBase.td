//===- QGBase.td - The quantization graph dialect -------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_BASE_TD
#define QOPT_QG_BASE_TD

include "mlir/IR/OpBase.td"

def QG_Dialect : Dialect {
  let name = "qg";
  let cppNamespace = "::qopt::qg";
  let summary = "Neural network graphs whose tensor types carry encodings";
  let description = [{
    `qg` holds a network between import and lowering. Its values are tensors
    with static shapes; a quantized tensor is `tensor<..x!qg.q<..>>`, so that
    equal types mean equal encodings and a verifier can say when they differ.

    * Spatial ops are channels-last: activations are `[N, s..., C]`, weights
      `[O, k..., C/groups]`. The importer writes the transposes that an NCHW
      model needs, `qg-propagate-transposes` removes them again.
    * Every op computes its result in the *expressed* type (f32) from the
      values that its operands represent. If its result type is quantized, the
      value is rounded into it: half to even, plus zero point, saturated.
    * Data-movement ops (`reshape`, `transpose`, `slice`, `concat`, `pad`,
      `broadcast`, `gather`, ...) do not look at their elements. They accept
      every element type, need equal encodings on both sides, and survive into
      the integer dialect.
    * Signed integers are signless (`i8`), unsigned ones are `ui8`, truth
      values are `i1`.
    * Every op has reference semantics (`ReferenceOpInterface`), the oracle of
      all tests; elementwise ones are defined once in
      `qopt/Numerics/Elementwise.h` for interpreter and compiler alike.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::func::FuncDialect"];
  let hasConstantMaterializer = 1;
}

#endif // QOPT_QG_BASE_TD

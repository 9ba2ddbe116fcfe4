//===- QGCompositeKinds.td - Forms of composite ops -----------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_COMPOSITE_KINDS_TD
#define QOPT_QG_COMPOSITE_KINDS_TD

include "mlir/IR/EnumAttr.td"

class QoptCompositeKind<string name, string summary, list<string> names>
    : I32EnumAttr<name, summary,
        !foreach(i, !range(!size(names)),
                 I32EnumAttrCase<names[i], i, names[i]>)> {
  let cppNamespace = "::qopt";
}

def NormalizeForm : QoptCompositeKind<"NormalizeForm",
  "how a normalization divides by the root of its variance",
  ["reciprocal", "quotient", "rsqrt"]>;

def GateKind : QoptCompositeKind<"GateKind", "function of a gate",
  ["sigmoid", "relu", "swish", "gelu", "gelu_tanh"]>;

#endif // QOPT_QG_COMPOSITE_KINDS_TD

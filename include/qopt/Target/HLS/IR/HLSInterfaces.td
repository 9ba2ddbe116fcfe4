//===- HLSInterfaces.td - What every unit of hardware answers -------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_HLS_INTERFACES_TD
#define QOPT_HLS_INTERFACES_TD

include "mlir/IR/OpBase.td"

def UnitOpInterface : OpInterface<"UnitOpInterface"> {
  let cppNamespace = "::qopt::hls";
  let description = [{
    A unit of hardware. Passes, reports and printers ask this interface and know
    no op by name: an op is one entry of the dialect and one file of
    `lib/Target/HLS/Layers`.
  }];
  let methods = [
    InterfaceMethod<[{
      What it can be folded to, what that costs, when it reads and writes, and
      its text.
    }],
    "::qopt::hls::UnitPtr", "createUnit">,
    StaticInterfaceMethod<[{
      Adds the integer ops that become this unit, with the functions that
      convert them. Units that only other layers make have none.
    }],
    "void", "addConversions", (ins "::qopt::hls::Conversions &":$conversions),
    "", [{ return; }]>
  ];
}

#endif // QOPT_HLS_INTERFACES_TD

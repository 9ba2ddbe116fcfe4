//===- KernelTarget.cpp - Which dot product a machine has -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Tiles obey rows * vectors + vectors + 1 <= vector registers (+1 for the
// product where it is not accumulated by the same instruction).
//===----------------------------------------------------------------------===//
#include "qopt/Machine/KernelTarget.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/TargetParser/Triple.h"

using namespace qopt;
using llvm::StringRef;

static llvm::StringSet<> parseFeatures(StringRef features) {
  llvm::StringSet<> enabled;
  llvm::SmallVector<StringRef> parts;
  features.split(parts, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef part : parts) {
    part = part.trim();
    if (part.consume_front("-"))
      enabled.erase(part);
    else if (part.consume_front("+"), !part.empty())
      enabled.insert(part);
  }
  return enabled;
}

static KernelTarget getX86(const llvm::StringSet<> &features) {
  KernelTarget target{{"mul", DotInput::any, 4, 2, 4, 1},
                      {"muladd", DotInput::f32, 4, 2, 4, 1},
                      4,
                      true};
  bool avx2 = features.contains("avx2"), avx512 = features.contains("avx512f");
  if (avx2) {
    target.integer = {"maddwd", DotInput::s16, 6, 2, 8, 2};
    target.real = {"muladd", DotInput::f32, 6, 2, 8, 1};
    target.lanes = 8;
    target.shufflesBytes = true;
  }
  if (features.contains("fma"))
    target.real.name = "fma";
  if (features.contains("avxvnni") && avx2)
    target.integer = {"vpdpbusd256", DotInput::u8, 6, 2, 8, 4};
  if (avx512 && features.contains("fma")) {
    target.real = {"fma", DotInput::f32, 8, 3, 16, 1};
    target.lanes = 16;
  }
  if (features.contains("avx512vnni") && avx512)
    target.integer = {"vpdpbusd512", DotInput::u8, 8, 3, 16, 4};
  return target;
}

KernelTarget qopt::getKernelTarget(StringRef triple, StringRef features) {
  llvm::Triple parsed(triple);
  llvm::StringSet<> enabled = parseFeatures(features);
  if (parsed.isX86())
    return getX86(enabled);
  if (parsed.isAArch64()) {
    KernelTarget target{{"mul", DotInput::any, 5, 4, 4, 1},
                        {"fma", DotInput::f32, 5, 4, 4, 1},
                        4,
                        false};
    if (enabled.contains("dotprod"))
      target.integer = {"sdot", DotInput::s8, 5, 4, 4, 4};
    return target;
  }
  return {{"mul", DotInput::any, 4, 2, 4, 1},
          {"muladd", DotInput::f32, 4, 2, 4, 1},
          4,
          false};
}

DotChoice qopt::getGenericIntegerDot(const KernelTarget &target) {
  return {"mul", DotInput::any, 4, 2, target.lanes, 1};
}

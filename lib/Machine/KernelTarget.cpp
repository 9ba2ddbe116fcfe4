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
    target.tables = TableLookup::Pshufb;
  }
  if (features.contains("fma"))
    target.real.name = "fma";
  target.hasHalves = features.contains("f16c") || avx512;
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

/// Microcontrollers: four sums, their pointers and a counter in 13 registers;
/// 8 registers of 128 bits with MVE.
static KernelTarget getSmall(const llvm::Triple &triple,
                             const llvm::StringSet<> &features) {
  KernelTarget target{{"mul", DotInput::any, 2, 2, 1, 1},
                      {"muladd", DotInput::f32, 2, 2, 1, 1},
                      1,
                      false};
  target.hasWords = true;
  bool isArm = triple.isARM() || triple.isThumb();
  if (isArm && features.contains("dsp"))
    target.integer = {"smlad", DotInput::s8, 2, 2, 1, 4};
  if (isArm && features.contains("mve")) {
    target.integer = {"vmladava", DotInput::s8, 2, 2, 1, 16};
    target.lanes = 4;
    target.depthwiseRows = 3;
  }
  // Eight registers.
  if (isArm && !features.contains("thumb2"))
    target.depthwiseRows = 2;
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
    if (parsed.isLittleEndian())
      target.tables = TableLookup::Tbl;
    target.hasHalves = true;
    if (enabled.contains("dotprod"))
      target.integer = {"sdot", DotInput::s8, 5, 4, 4, 4};
    return target;
  }
  if (parsed.isArch32Bit())
    return getSmall(parsed, enabled);
  return {{"mul", DotInput::any, 4, 2, 4, 1},
          {"muladd", DotInput::f32, 4, 2, 4, 1},
          4,
          false};
}

DotChoice qopt::getGenericIntegerDot(const KernelTarget &target) {
  int64_t rows = target.hasWords ? 2 : 4;
  return {"mul", DotInput::any, rows, 2, target.lanes, 1};
}

DotChoice qopt::fitIntegerDot(const KernelTarget &target, int64_t length) {
  DotChoice dot = target.integer;
  // Bytes widened by the load: half or a quarter of the products a step.
  while (dot.name == "vmladava" && dot.pack > 4 && length < dot.pack)
    dot.pack /= 2;
  return length < dot.pack ? getGenericIntegerDot(target) : dot;
}

//===- Map.cpp - Units of one token in, one token out ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rounding and saturation of one lane.
//===----------------------------------------------------------------------===//
#include "Map.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

int64_t hls::getFrame(Operation *op) {
  return cast<StreamType>(op->getOperand(0).getType()).getElements();
}

void hls::emitShift(Text &text, unsigned bits, StringRef shift,
                    bool mayBeZero) {
  std::string type = ("ap_int<" + Twine(bits) + ">").str();
  text.line("// One rounding, half to even.");
  if (mayBeZero) {
    text.line(type + " rounded = product;");
    text.open("if (" + shift + " != 0)");
  }
  text.line("const " + type + " half = " + type + "(1) << (" + shift +
            " - 1);");
  text.line("const " + type + " odd = " + type + "(product >> " + shift +
            ") & 1;");
  if (mayBeZero) {
    text.line("rounded = " + type + "(product + half - 1 + odd) >> " + shift +
              ";");
    text.close();
  } else {
    text.line("const " + type + " rounded = " + type +
              "(product + half - 1 + odd) >> " + shift + ";");
  }
}

void hls::emitSaturate(Text &text, unsigned bits, int64_t zp,
                       ArrayRef<int64_t> clamp) {
  std::string type = ("ap_int<" + Twine(bits + 1) + ">").str();
  if (zp == 0)
    text.line(type + " value = rounded;");
  else
    text.line(type + " value = rounded " + (zp < 0 ? "- " : "+ ") +
              Twine(std::abs(zp)) + ";");
  text.line("if (value < " + Twine(clamp[0]) + ")");
  text.line("  value = " + Twine(clamp[0]) + ";");
  text.line("if (value > " + Twine(clamp[1]) + ")");
  text.line("  value = " + Twine(clamp[1]) + ";");
}

std::string hls::subtract(StringRef name, int64_t zp) {
  if (zp == 0)
    return name.str();
  return ("(" + name + (zp < 0 ? " + " : " - ") + Twine(std::abs(zp)) + ")")
      .str();
}

//===- TextBuilder.h - Integer functions as lines of C or C++ -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The third builder of Numerics (Elementwise.h tells the concept): values are
// expressions, printed as C99 or with the vendor's ap_int. What embedded
// projects and FPGA kernels say about rounding, saturation and quotients is
// printed from the functions that the reference semantics compute with.
//
// A value knows the interval that holds it. So constants fold, clamps that
// nothing reaches vanish, and a variable of an FPGA has the bits it needs.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_TEXTBUILDER_H
#define QOPT_NUMERICS_TEXTBUILDER_H

#include "qopt/Numerics/Affine.h"
#include "llvm/ADT/StringRef.h"
#include <deque>
#include <string>
#include <vector>

namespace qopt {

/// Integers only: floats have no C that every target computes alike.
///
///   TextBuilder b(TextBuilder::ApInt);
///   auto y = numerics::emitShiftIntoRange(b, product, shift, range);
///   for (const std::string &line : b.define(y, "value")) ...
class TextBuilder {
public:
  enum Language { C99, ApInt };
  /// What a C expression is, before it is stored.
  enum CType { Int8, Int32, UInt32, Int64 };
  /// Least and Most are select with the comparison of its own operands.
  enum class Kind {
    Constant,
    Variable,
    Add,
    Sub,
    Mul,
    Div,
    And,
    Or,
    Shl,
    Shr,
    Eq,
    Ne,
    Lt,
    Select,
    Most,
    Least,
    Extend,
    Truncate
  };
  struct Node {
    Kind kind;
    Node *a = nullptr, *b = nullptr, *condition = nullptr;
    CType type = Int32;
    int64_t low = 0, high = 0; ///< hold every value
    std::string name = {};     ///< of the variable, if it is one

    bool isConstant() const { return kind == Kind::Constant; }
    bool isConstant(int64_t value) const {
      return isConstant() && low == value;
    }
    bool isClamp() const { return kind == Kind::Most || kind == Kind::Least; }
  };
  using V = Node *;

  explicit TextBuilder(Language language) : language_(language) {}

  /// What the code around has declared.
  V variable(llvm::StringRef name, int64_t low, int64_t high,
             CType type = Int32);
  V constant(int64_t value, CType type = Int32);
  /// The variable that holds `value`, where it gets one.
  V name(V value, llvm::StringRef name);

  unsigned getWidth(V x) const;
  V intLike(V x, int64_t value);
  V addI(V a, V b);
  V subI(V a, V b);
  V mulI(V a, V b);
  /// Neither operand is negative.
  V divU(V a, V b);
  V andI(V a, V b);
  V orI(V a, V b);
  /// The result fits (the width of a C type is not enough).
  V shlI(V a, V b);
  V shrS(V a, V b);
  V eqI(V a, V b);
  V neI(V a, V b);
  V ltS(V a, V b);
  V select(V condition, V a, V b);
  V extendToI64(V x);
  V truncateToI32(V x);
  V truncateToI8(V x);

  /// Lines that declare `value` as `name`, and what it is made of.
  std::vector<std::string> define(V value, llvm::StringRef name);
  /// Lines that declare what `value` is made of, and `return VALUE;`.
  std::vector<std::string> giveBack(V value);

private:
  struct Printer;
  V make(Node node);
  V truncate(V x, CType type);

  Language language_;
  std::deque<Node> nodes_;
};

template <> inline constexpr bool numerics::kNamesValues<TextBuilder> = true;

/// Bits of a two's complement integer that holds both.
unsigned getSignedBits(int64_t low, int64_t high);

} // namespace qopt

#endif // QOPT_NUMERICS_TEXTBUILDER_H

//===- SymbolicExtent.cpp - Extents written as expressions ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A parser that computes as it goes, in fractions: floor(n/2) divides first.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/SymbolicExtent.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <limits>
#include <utility>

using namespace qopt::frontend;
using llvm::ArrayRef;
using llvm::StringRef;

/// Parentheses and signs nest at most this deep.
static constexpr unsigned kMaxDepth = 64;

namespace {
/// top / bottom in lowest terms, bottom > 0.
struct Fraction {
  int64_t top = 0, bottom = 1;
};
/// Nothing where a symbol has no value or the value has no 63 bits.
using Number = std::optional<Fraction>;
} // namespace

static Number makeFraction(__int128 top, __int128 bottom) {
  if (bottom == 0)
    return std::nullopt;
  if (bottom < 0) {
    top = -top;
    bottom = -bottom;
  }
  __int128 a = top < 0 ? -top : top, b = bottom;
  while (b != 0)
    a = std::exchange(b, a % b);
  top /= a;
  bottom /= a;
  constexpr __int128 kMax = std::numeric_limits<int64_t>::max();
  if (top > kMax || top < -kMax || bottom > kMax)
    return std::nullopt;
  return Fraction{int64_t(top), int64_t(bottom)};
}

// Products of two numbers of 63 bits and their sums have at most 127.
static Number add(const Number &a, const Number &b, int sign) {
  if (!a || !b)
    return std::nullopt;
  return makeFraction(__int128(a->top) * b->bottom +
                          sign * (__int128(b->top) * a->bottom),
                      __int128(a->bottom) * b->bottom);
}

static Number multiply(const Number &a, const Number &b) {
  if (!a || !b)
    return std::nullopt;
  return makeFraction(__int128(a->top) * b->top,
                      __int128(a->bottom) * b->bottom);
}

static Number divide(const Number &a, const Number &b) {
  if (!a || !b)
    return std::nullopt;
  return makeFraction(__int128(a->top) * b->bottom,
                      __int128(a->bottom) * b->top);
}

static Number floorOf(const Number &a) {
  if (!a)
    return std::nullopt;
  return Fraction{llvm::divideFloorSigned(a->top, a->bottom), 1};
}

static Number ceilingOf(const Number &a) {
  if (!a)
    return std::nullopt;
  return Fraction{llvm::divideCeilSigned(a->top, a->bottom), 1};
}

/// The sign of the divisor, as in Python.
static Number modulo(const Number &a, const Number &b) {
  return add(a, multiply(b, floorOf(divide(a, b))), -1);
}

static Number power(const Number &a, const Number &b) {
  if (!a || !b || b->bottom != 1 || b->top < 0 || b->top > 62)
    return std::nullopt;
  Number result = Fraction{1, 1};
  for (int64_t i = 0; i < b->top; ++i)
    result = multiply(result, a);
  return result;
}

static Number larger(const Number &a, const Number &b, int sign) {
  Number difference = add(a, b, -1);
  if (!difference)
    return std::nullopt;
  return difference->top * sign >= 0 ? a : b;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

namespace {
enum class Function {
  Floor,
  Ceiling,
  Max,
  Min,
  Modulo,
  FloorDivide,
  CeilDivide,
  Divide,
  Absolute,
  Identity,
  None
};
} // namespace

static Function findFunction(StringRef name) {
  return llvm::StringSwitch<Function>(name.lower())
      .Cases({"floor", "floortoint"}, Function::Floor)
      .Cases({"ceil", "ceiling", "ceiltoint"}, Function::Ceiling)
      .Case("max", Function::Max)
      .Case("min", Function::Min)
      .Cases({"mod", "pythonmod"}, Function::Modulo)
      .Case("floordiv", Function::FloorDivide)
      .Case("ceildiv", Function::CeilDivide)
      .Cases({"cleandiv", "inttruediv"}, Function::Divide)
      .Case("abs", Function::Absolute)
      .Cases({"int", "tofloat"}, Function::Identity)
      .Default(Function::None);
}

/// Nothing, too, where the number of arguments is wrong.
static Number call(Function function, ArrayRef<Number> arguments) {
  if (arguments.empty())
    return std::nullopt;
  Number first = arguments[0];
  bool isMax = function == Function::Max;
  if (isMax || function == Function::Min) {
    for (const Number &other : arguments.drop_front())
      first = larger(first, other, isMax ? 1 : -1);
    return first;
  }
  if (arguments.size() > 2)
    return std::nullopt;
  if (arguments.size() == 2) {
    switch (function) {
    case Function::Modulo:
      return modulo(first, arguments[1]);
    case Function::FloorDivide:
      return floorOf(divide(first, arguments[1]));
    case Function::CeilDivide:
      return ceilingOf(divide(first, arguments[1]));
    case Function::Divide:
      return divide(first, arguments[1]);
    default:
      return std::nullopt;
    }
  }
  switch (function) {
  case Function::Floor:
    return floorOf(first);
  case Function::Ceiling:
    return ceilingOf(first);
  case Function::Absolute:
    return larger(first, multiply(first, Fraction{-1, 1}), 1);
  case Function::Identity:
    return first;
  default:
    return std::nullopt;
  }
}

//===----------------------------------------------------------------------===//
// Parser
//===----------------------------------------------------------------------===//

namespace {
class Parser {
public:
  Parser(StringRef text,
         llvm::function_ref<std::optional<int64_t>(StringRef)> valueOf,
         SymbolicExtent &result)
      : rest(text), valueOf(valueOf), result(result) {}

  Number parse() {
    Number value = sum(0);
    skipSpaces();
    if (!rest.empty())
      isBroken = true;
    return value;
  }
  bool isBroken = false;

private:
  void skipSpaces() { rest = rest.ltrim(" \t"); }
  bool take(StringRef token) {
    skipSpaces();
    return !isBroken && rest.consume_front(token);
  }
  Number fail() {
    isBroken = true;
    return std::nullopt;
  }

  Number sum(unsigned depth);
  Number product(unsigned depth);
  Number factor(unsigned depth);
  Number atom(unsigned depth);
  Number symbol(unsigned depth);

  StringRef rest;
  llvm::function_ref<std::optional<int64_t>(StringRef)> valueOf;
  SymbolicExtent &result;
};
} // namespace

Number Parser::sum(unsigned depth) {
  Number value = product(depth);
  while (true) {
    if (take("+"))
      value = add(value, product(depth), 1);
    else if (take("-"))
      value = add(value, product(depth), -1);
    else
      return value;
  }
}

Number Parser::product(unsigned depth) {
  Number value = factor(depth);
  while (true) {
    if (take("//"))
      value = floorOf(divide(value, factor(depth)));
    else if (take("/"))
      value = divide(value, factor(depth));
    else if (take("%"))
      value = modulo(value, factor(depth));
    else if (take("*"))
      value = multiply(value, factor(depth));
    else
      return value;
  }
}

Number Parser::factor(unsigned depth) {
  if (depth > kMaxDepth)
    return fail();
  if (take("-"))
    return multiply(factor(depth + 1), Fraction{-1, 1});
  Number base = atom(depth);
  return take("**") ? power(base, factor(depth + 1)) : base;
}

Number Parser::atom(unsigned depth) {
  if (take("(")) {
    Number value = sum(depth + 1);
    return take(")") ? value : fail();
  }
  skipSpaces();
  if (!rest.empty() && llvm::isDigit(rest[0])) {
    int64_t number;
    if (rest.consumeInteger(10, number))
      return fail();
    return Fraction{number, 1};
  }
  return symbol(depth);
}

Number Parser::symbol(unsigned depth) {
  StringRef name = rest.take_while([](char c) {
    return llvm::isAlnum(c) || c == '_' || c == '.' || c == ':';
  });
  if (name.empty())
    return fail();
  rest = rest.drop_front(name.size());
  Function function = findFunction(name);
  if (function == Function::None || !take("(")) {
    if (!llvm::is_contained(result.symbols, name))
      result.symbols.push_back(name);
    std::optional<int64_t> value = valueOf(name);
    if (!value && !llvm::is_contained(result.unbound, name))
      result.unbound.push_back(name);
    return value ? Number(Fraction{*value, 1}) : std::nullopt;
  }
  llvm::SmallVector<Number> arguments;
  do
    arguments.push_back(sum(depth + 1));
  while (take(","));
  return take(")") ? call(function, arguments) : fail();
}

SymbolicExtent qopt::frontend::readSymbolicExtent(
    StringRef text,
    llvm::function_ref<std::optional<int64_t>(StringRef)> valueOf) {
  SymbolicExtent result;
  Parser parser(text, valueOf, result);
  Number value = parser.parse();
  if (parser.isBroken)
    return {};
  result.isExpression = true;
  if (value) {
    result.numerator = value->top;
    result.denominator = value->bottom;
  }
  return result;
}

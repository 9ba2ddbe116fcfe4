//===- TextBuilder.cpp - Integer functions as lines of C or C++ -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Values are nodes of a graph. A node that has a name, or that takes a
// statement, becomes a variable; the others are part of an expression.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/TextBuilder.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace qopt;

using Kind = TextBuilder::Kind;

unsigned qopt::getSignedBits(int64_t low, int64_t high) {
  unsigned bits = 1;
  while (bits < 64 && (low < -(int64_t(1) << (bits - 1)) ||
                       high >= int64_t(1) << (bits - 1)))
    ++bits;
  return bits;
}

//===----------------------------------------------------------------------===//
// Values and their intervals
//===----------------------------------------------------------------------===//

namespace {
/// What is too wide for 64 bits is anything.
struct Interval {
  int64_t low = INT64_MIN, high = INT64_MAX;
};
} // namespace

static Interval addIntervals(Interval a, Interval b) {
  Interval sum;
  if (llvm::AddOverflow(a.low, b.low, sum.low) ||
      llvm::AddOverflow(a.high, b.high, sum.high))
    return {};
  return sum;
}
static Interval subIntervals(Interval a, Interval b) {
  Interval difference;
  if (llvm::SubOverflow(a.low, b.high, difference.low) ||
      llvm::SubOverflow(a.high, b.low, difference.high))
    return {};
  return difference;
}
static Interval mulIntervals(Interval a, Interval b) {
  int64_t corners[4];
  if (llvm::MulOverflow(a.low, b.low, corners[0]) ||
      llvm::MulOverflow(a.low, b.high, corners[1]) ||
      llvm::MulOverflow(a.high, b.low, corners[2]) ||
      llvm::MulOverflow(a.high, b.high, corners[3]))
    return {};
  auto [low, high] = std::minmax_element(corners, corners + 4);
  return {*low, *high};
}

TextBuilder::V TextBuilder::make(Node node) {
  bool isPoint = node.low == node.high && node.kind != Kind::Variable;
  if (isPoint)
    node = {Kind::Constant, nullptr,  nullptr,  nullptr,
            node.type,      node.low, node.high};
  nodes_.push_back(std::move(node));
  return &nodes_.back();
}

TextBuilder::V TextBuilder::variable(llvm::StringRef name, int64_t low,
                                     int64_t high, CType type) {
  return make(
      {Kind::Variable, nullptr, nullptr, nullptr, type, low, high, name.str()});
}
TextBuilder::V TextBuilder::constant(int64_t value, CType type) {
  return make({Kind::Constant, nullptr, nullptr, nullptr, type, value, value});
}
TextBuilder::V TextBuilder::name(V value, llvm::StringRef name) {
  if (!value->isConstant() && value->name.empty())
    value->name = name.str();
  return value;
}
unsigned TextBuilder::getWidth(V x) const { return x->type == Int64 ? 64 : 32; }
TextBuilder::V TextBuilder::intLike(V x, int64_t value) {
  return constant(value, x->type);
}

/// A number takes the type of what it meets.
static TextBuilder::CType join(const TextBuilder::Node &a,
                               const TextBuilder::Node &b) {
  if (a.isConstant() || b.isConstant())
    return a.isConstant() ? b.type : a.type;
  return std::max(a.type, b.type);
}
static Interval getInterval(TextBuilder::V x) { return {x->low, x->high}; }

TextBuilder::V TextBuilder::addI(V a, V b) {
  if (a->isConstant(0) || b->isConstant(0))
    return a->isConstant(0) ? b : a;
  auto [low, high] = addIntervals(getInterval(a), getInterval(b));
  return make({Kind::Add, a, b, nullptr, join(*a, *b), low, high});
}
TextBuilder::V TextBuilder::subI(V a, V b) {
  if (b->isConstant(0))
    return a;
  auto [low, high] = subIntervals(getInterval(a), getInterval(b));
  return make({Kind::Sub, a, b, nullptr, join(*a, *b), low, high});
}
TextBuilder::V TextBuilder::mulI(V a, V b) {
  if (a->isConstant(1) || b->isConstant(1))
    return a->isConstant(1) ? b : a;
  auto [low, high] = mulIntervals(getInterval(a), getInterval(b));
  return make({Kind::Mul, a, b, nullptr, join(*a, *b), low, high});
}
TextBuilder::V TextBuilder::divU(V a, V b) {
  int64_t least = std::max<int64_t>(b->low, 1);
  return make({Kind::Div, a, b, nullptr, join(*a, *b),
               a->low / std::max<int64_t>(b->high, 1), a->high / least});
}
TextBuilder::V TextBuilder::andI(V a, V b) {
  Interval result;
  if (a->low >= 0 || b->low >= 0) {
    result.low = 0;
    result.high = a->low < 0   ? b->high
                  : b->low < 0 ? a->high
                               : std::min(a->high, b->high);
  }
  return make(
      {Kind::And, a, b, nullptr, join(*a, *b), result.low, result.high});
}
TextBuilder::V TextBuilder::orI(V a, V b) {
  Interval result;
  if (a->low >= 0 && b->low >= 0)
    result = {std::max(a->low, b->low),
              int64_t(llvm::NextPowerOf2(uint64_t(a->high | b->high)) - 1)};
  return make({Kind::Or, a, b, nullptr, join(*a, *b), result.low, result.high});
}
TextBuilder::V TextBuilder::shlI(V a, V b) {
  auto power = [](int64_t amount) {
    return int64_t(1) << std::clamp<int64_t>(amount, 0, 62);
  };
  auto [low, high] =
      mulIntervals(getInterval(a), {power(b->low), power(b->high)});
  return make({Kind::Shl, a, b, nullptr, a->type, low, high});
}
TextBuilder::V TextBuilder::shrS(V a, V b) {
  if (b->isConstant(0))
    return a;
  auto shift = [](int64_t value, int64_t amount) {
    return value >> std::clamp<int64_t>(amount, 0, 63);
  };
  int64_t low = shift(a->low, a->low < 0 ? b->low : b->high);
  int64_t high = shift(a->high, a->high < 0 ? b->high : b->low);
  return make({Kind::Shr, a, b, nullptr, a->type, low, high});
}

TextBuilder::V TextBuilder::eqI(V a, V b) {
  bool never = a->high < b->low || b->high < a->low;
  bool always = a->low == a->high && b->low == b->high && a->low == b->low;
  return make({Kind::Eq, a, b, nullptr, Int32, always, !never});
}
TextBuilder::V TextBuilder::neI(V a, V b) {
  bool always = a->high < b->low || b->high < a->low;
  bool never = a->low == a->high && b->low == b->high && a->low == b->low;
  return make({Kind::Ne, a, b, nullptr, Int32, always, !never});
}
TextBuilder::V TextBuilder::ltS(V a, V b) {
  return make(
      {Kind::Lt, a, b, nullptr, Int32, a->high < b->low, a->low < b->high});
}

/// Whether two nodes are one value: constants are made over and over.
static bool isSame(TextBuilder::V a, TextBuilder::V b) {
  return a == b || (a->isConstant() && b->isConstant(a->low));
}

TextBuilder::V TextBuilder::select(V condition, V a, V b) {
  if (condition->isConstant())
    return condition->low ? a : b;
  if (a->isConstant(1) && b->isConstant(0))
    return condition;
  if (condition->kind == Kind::Lt) {
    // x < limit ? limit : x, and limit < x ? limit : x.
    if (isSame(condition->a, b) && isSame(condition->b, a))
      return make({Kind::Most, b, a, nullptr, b->type, std::max(a->low, b->low),
                   std::max(a->high, b->high)});
    if (isSame(condition->a, a) && isSame(condition->b, b))
      return make({Kind::Least, b, a, nullptr, b->type,
                   std::min(a->low, b->low), std::min(a->high, b->high)});
  }
  return make({Kind::Select, a, b, condition, join(*a, *b),
               std::min(a->low, b->low), std::max(a->high, b->high)});
}
TextBuilder::V TextBuilder::extendToI64(V x) {
  if (language_ == ApInt || x->type == Int64)
    return x;
  return make({Kind::Extend, x, nullptr, nullptr, Int64, x->low, x->high});
}
TextBuilder::V TextBuilder::truncateToI32(V x) {
  return x->type == Int64 ? truncate(x, Int32) : x;
}
TextBuilder::V TextBuilder::truncateToI8(V x) {
  return x->type == Int8 ? x : truncate(x, Int8);
}
TextBuilder::V TextBuilder::truncate(V x, CType type) {
  if (language_ == ApInt)
    return x;
  int64_t low = type == Int8 ? INT8_MIN : INT32_MIN;
  int64_t high = type == Int8 ? INT8_MAX : INT32_MAX;
  if (x->low >= low && x->high <= high)
    return make({Kind::Truncate, x, nullptr, nullptr, type, x->low, x->high});
  return make({Kind::Truncate, x, nullptr, nullptr, type, low, high});
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

namespace {
/// How tightly the operators of C bind; a shift or a bit operation does not
/// rely on it, which compilers warn of.
enum Binding {
  kTernary,
  kOr,
  kAnd,
  kEquality,
  kRelation,
  kShift,
  kSum,
  kProduct,
  kUnary,
  kPrimary
};

struct Operator {
  const char *symbol;
  Binding binding;
};

struct Expression {
  std::string text;
  Binding binding = kPrimary;
};
} // namespace

static Operator getOperator(TextBuilder::Kind kind) {
  switch (kind) {
  case Kind::Add:
    return {" + ", kSum};
  case Kind::Sub:
    return {" - ", kSum};
  case Kind::Mul:
    return {" * ", kProduct};
  case Kind::Div:
    return {" / ", kProduct};
  case Kind::And:
    return {" & ", kAnd};
  case Kind::Or:
    return {" | ", kOr};
  case Kind::Shl:
    return {" << ", kShift};
  case Kind::Shr:
    return {" >> ", kShift};
  case Kind::Eq:
    return {" == ", kEquality};
  case Kind::Ne:
    return {" != ", kEquality};
  default:
    return {" < ", kRelation};
  }
}

struct TextBuilder::Printer {
  Language language;
  std::vector<std::string> lines;
  llvm::DenseMap<V, unsigned> uses;
  llvm::DenseMap<V, std::string> variables;
  llvm::StringMap<unsigned> taken;

  Printer(Language language, V root) : language(language) { count(root); }

  void count(V x) {
    if (!x || uses[x]++)
      return;
    for (V operand : {x->condition, x->a, x->b})
      count(operand);
    if (x->kind == Kind::Variable)
      taken[x->name] = 1;
  }

  std::string claim(llvm::StringRef name) {
    unsigned number = ++taken[name];
    return number == 1 ? name.str() : name.str() + std::to_string(number);
  }

  std::string getType(Interval range, CType type) const {
    if (language == ApInt) {
      unsigned bits = getSignedBits(range.low, range.high);
      if (range.low < 0)
        return "ap_int<" + std::to_string(bits) + ">";
      return "ap_uint<" + std::to_string(std::max(bits, 2u) - 1) + ">";
    }
    static const char *const kNames[] = {"int8_t", "int32_t", "uint32_t",
                                         "int64_t"};
    return kNames[type];
  }

  static std::string wrap(const Expression &inner, bool parentheses) {
    return parentheses ? "(" + inner.text + ")" : inner.text;
  }
  static std::string printNumber(int64_t value) {
    // The magnitude of the least number is none of C's literals.
    return value == INT64_MIN ? "INT64_MIN" : std::to_string(value);
  }

  /// An expression that a variable may hold instead.
  Expression print(V x) {
    if (auto it = variables.find(x); it != variables.end())
      return {it->second};
    if (x->isConstant())
      return {printNumber(x->low), x->low < 0 ? kUnary : kPrimary};
    if (x->kind == Kind::Variable)
      return {x->name};
    bool needsStatement =
        x->isClamp() || (x->kind == Kind::Select && language == ApInt);
    if (!x->name.empty() || needsStatement)
      return {declare(x, x->name.empty() ? "chosen" : x->name)};
    return printInline(x);
  }

  Expression printInline(V x) {
    switch (x->kind) {
    case Kind::Extend:
    case Kind::Truncate: {
      Expression inner = print(x->a);
      return {"(" + getType({}, x->type) + ")" +
                  wrap(inner, inner.binding < kUnary),
              kUnary};
    }
    case Kind::Select: {
      std::string condition = print(x->condition).text;
      Expression a = print(x->a), b = print(x->b);
      return {condition + " ? " + wrap(a, a.binding == kTernary) + " : " +
                  wrap(b, b.binding == kTernary),
              kTernary};
    }
    case Kind::Shl:
      return printShl(x);
    default:
      return printBinary(x);
    }
  }

  /// A shift to the left keeps the width of what it shifts.
  Expression printShl(V x) {
    Expression a = print(x->a), b = print(x->b);
    std::string type = getType({x->low, x->high}, x->type);
    bool isWide = x->a->kind == Kind::Variable && language == C99;
    std::string left = isWide ? a.text
                       : language == ApInt
                           ? type + "(" + a.text + ")"
                           : "(" + type + ")" + wrap(a, a.binding < kUnary);
    return {left + " << " + wrap(b, b.binding < kUnary), kShift};
  }

  /// Without a cast that the other operand makes needless.
  V drop(V x, V other) {
    bool isExtended = x->kind == Kind::Extend && x->name.empty();
    return isExtended && other->type == Int64 && !other->isConstant() ? x->a
                                                                      : x;
  }

  Expression printBinary(V x) {
    V a = x->a, b = x->b;
    if (x->kind != Kind::Shr) {
      b = drop(b, a);
      a = b == x->b ? drop(a, b) : a;
    }
    auto [symbol, binding] = getOperator(x->kind);
    // x - -3 and x + -3
    bool isSum = x->kind == Kind::Add || x->kind == Kind::Sub;
    bool flips = isSum && b->isConstant() && b->low < 0 && b->low != INT64_MIN;
    if (flips)
      symbol = x->kind == Kind::Add ? " - " : " + ";
    Expression left = print(a);
    Expression right = flips ? Expression{printNumber(-b->low)} : print(b);
    bool isStrict = binding <= kEquality || binding == kShift;
    auto isLoose = [&, binding = binding](const Expression &side, bool isLeft) {
      if (isStrict && binding != kEquality)
        return side.binding < kUnary;
      return side.binding < binding || (side.binding == binding && !isLeft);
    };
    return {wrap(left, isLoose(left, true)) + symbol +
                wrap(right, isLoose(right, false)),
            binding};
  }

  std::string declare(V x, llvm::StringRef name) {
    if (x->isClamp())
      return declareClamped(x, name);
    if (x->kind == Kind::Select && language == ApInt)
      return declareSelected(x, name);
    std::string text =
        variables.count(x) || x->isConstant() || x->kind == Kind::Variable
            ? print(x).text
            : printInline(x).text;
    std::string variable = claim(name);
    lines.push_back((language == ApInt ? "const " : "") +
                    getType({x->low, x->high}, x->type) + " " + variable +
                    " = " + text + ";");
    return variables[x] = variable;
  }

  /// An assignment for each limit of a chain that nobody reads in between.
  std::string declareClamped(V x, llvm::StringRef name) {
    std::vector<V> chain{x};
    while (chain.back()->a->isClamp() && uses[chain.back()->a] == 1 &&
           chain.back()->a->name.empty())
      chain.push_back(chain.back()->a);
    std::reverse(chain.begin(), chain.end());
    V base = chain.front()->a;
    Interval range = getInterval(base);
    std::vector<std::string> limits;
    std::string first = print(base).text;
    for (V link : chain) {
      limits.push_back(print(drop(link->b, link->a)).text);
      range = {std::min(range.low, link->low),
               std::max(range.high, link->high)};
    }
    std::string variable = claim(name);
    lines.push_back(getType(range, x->type) + " " + variable + " = " + first +
                    ";");
    for (size_t i = 0; i < chain.size(); ++i) {
      bool isMost = chain[i]->kind == Kind::Most;
      lines.push_back("if (" + variable + (isMost ? " < " : " > ") + limits[i] +
                      ")");
      lines.push_back("  " + variable + " = " + limits[i] + ";");
      variables[chain[i]] = variable;
    }
    return variable;
  }

  /// The vendor's types of either side differ, which no ternary takes.
  std::string declareSelected(V x, llvm::StringRef name) {
    std::string condition = print(x->condition).text;
    std::string a = print(x->a).text, b = print(x->b).text;
    std::string variable = claim(name);
    lines.push_back(getType({x->low, x->high}, x->type) + " " + variable +
                    " = " + b + ";");
    lines.push_back("if (" + condition + ")");
    lines.push_back("  " + variable + " = " + a + ";");
    return variables[x] = variable;
  }
};

std::vector<std::string> TextBuilder::define(V value, llvm::StringRef name) {
  Printer printer(language_, value);
  printer.declare(value, name);
  return std::move(printer.lines);
}

std::vector<std::string> TextBuilder::giveBack(V value) {
  Printer printer(language_, value);
  std::string text =
      value->isClamp() || value->isConstant() || value->kind == Kind::Variable
          ? printer.print(value).text
          : printer.printInline(value).text;
  printer.lines.push_back("return " + text + ";");
  return std::move(printer.lines);
}

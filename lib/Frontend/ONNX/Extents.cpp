//===- Extents.cpp - Static shapes of a model's inputs --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The text of a dimension is a number, a symbol or an expression of symbols;
// an option that gives it and its parts must agree with them.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/Extents.h"
#include "qopt/Frontend/ONNX/SymbolicExtent.h"

#include <onnx-ml.pb.h>

using namespace qopt;
using namespace qopt::frontend;
using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;
using qg::Shape;

/// The extent of a dimension that is one, in digits or as text of digits.
static std::optional<int64_t>
getFixed(const ::onnx::TensorShapeProto::Dimension &dim) {
  if (dim.has_dim_value())
    return dim.dim_value() >= 0 ? std::optional(dim.dim_value()) : std::nullopt;
  int64_t number;
  StringRef text = StringRef(dim.dim_param()).trim();
  if (text.empty() || text.getAsInteger(10, number) || number < 0)
    return std::nullopt;
  return number;
}

/// `text` as one word of a shell.
static std::string quote(const Twine &word) {
  std::string text = word.str();
  StringRef plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789_./:=,@%+-<>";
  if (StringRef(text).find_first_not_of(plain) == StringRef::npos)
    return text;
  std::string quoted = "'";
  for (char c : text)
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

struct Extents::Answer {
  std::optional<int64_t> value;
  llvm::SmallVector<StringRef> unbound;
  /// Why there is no value though all symbols have one.
  std::string contradiction;
};

Extents::Answer Extents::evaluate(StringRef symbol) const {
  auto valueOf = [&](StringRef name) -> std::optional<int64_t> {
    auto it = values.find(name.str());
    return it == values.end() ? std::nullopt : std::optional(it->second);
  };
  SymbolicExtent parts = readSymbolicExtent(symbol, valueOf);
  Answer answer;
  answer.value = valueOf(symbol);
  answer.unbound = parts.unbound;
  if (!parts.isExpression)
    answer.unbound = {symbol};
  if (!parts.unbound.empty() || !parts.isExpression)
    return answer;
  std::string computed = Twine(parts.numerator.value_or(0)).str();
  if (parts.denominator != 1)
    computed += "/" + Twine(parts.denominator).str();
  if (!parts.numerator)
    answer.contradiction = "'" + symbol.str() + "' has no value";
  else if (!parts.isInteger() || *parts.numerator < 0)
    answer.contradiction = "'" + symbol.str() + "' is " + computed;
  else if (answer.value && *answer.value != *parts.numerator)
    answer.contradiction = "'" + symbol.str() + "' is " + computed +
                           " by its symbols, " + Twine(*answer.value).str() +
                           " is given for it";
  else
    answer.value = parts.numerator;
  return answer;
}

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

Extents::Extents(const ::onnx::GraphProto &graph, const ImportOptions &options,
                 Report report)
    : graph(graph), options(options), report(std::move(report)),
      values(options.dims) {
  auto noValue = [](StringRef) { return std::optional<int64_t>(); };
  for (const auto &input : graph.input())
    for (const auto &dim : input.type().tensor_type().shape().dim()) {
      if (getFixed(dim) || dim.dim_param().empty())
        continue;
      texts.insert(dim.dim_param());
      for (StringRef name :
           readSymbolicExtent(dim.dim_param(), noValue).symbols)
        symbols.insert(name);
    }
  bindSymbolsOfShapes();
  readResults(graph);
}

void Extents::readResults(const ::onnx::GraphProto &graph) {
  for (const auto &node : graph.node())
    for (const std::string &name : node.output())
      results.insert(name);
  auto read = [&](const ::onnx::ValueInfoProto &info) {
    for (const auto &dim : info.type().tensor_type().shape().dim())
      textsOfResults.insert(dim.dim_param());
  };
  llvm::for_each(graph.value_info(), read);
  llvm::for_each(graph.output(), read);
}

/// Whether the inputs' shapes decide it.
bool Extents::isOfInputs(StringRef text) const {
  auto noValue = [](StringRef) { return std::optional<int64_t>(); };
  SymbolicExtent parts = readSymbolicExtent(text, noValue);
  return texts.contains(text) ||
         (parts.isExpression && llvm::all_of(parts.symbols, [&](StringRef part) {
            return symbols.contains(part) || texts.contains(part);
          }));
}

/// Symbols of inputs whose whole shape was given get their extents from it.
void Extents::bindSymbolsOfShapes() {
  for (const ::onnx::ValueInfoProto &input : graph.input()) {
    auto given = options.shapes.find(input.name());
    const auto &declared = input.type().tensor_type().shape();
    if (given == options.shapes.end() ||
        int(given->second.size()) != declared.dim_size())
      continue;
    for (int i = 0; i < declared.dim_size(); ++i)
      if (texts.contains(declared.dim(i).dim_param()))
        values.insert({declared.dim(i).dim_param(), given->second[i]});
  }
}

void Extents::checkOptions() {
  std::string known;
  llvm::StringSet<> names;
  for (const auto &input : graph.input()) {
    names.insert(input.name());
    known += (known.empty() ? "" : ", ") + input.name();
  }
  auto check = [&](const std::string &name, StringRef flag) {
    bool isBound = flag == "--shape" && results.contains(name);
    if (!names.contains(name) && !isBound)
      report(flag + " " + name + ": the model has no such input (it has " +
             known + ")");
  };
  for (const auto &entry : options.shapes)
    check(entry.first, "--shape");
  for (const auto &entry : options.consts)
    check(entry.first, "--const");
  for (const auto &[name, extent] : options.dims) {
    int64_t number;
    bool isNumber = !StringRef(name).getAsInteger(10, number);
    if (texts.contains(name) || symbols.contains(name) ||
        textsOfResults.contains(name) ||
        (isNumber && number == extent))
      continue;
    if (isNumber)
      report("--dim " + name + "=" + Twine(extent) + ": '" + name +
             "' is a number, the extent itself; another one is given by "
             "--shape");
    else
      report("--dim " + name + ": no tensor has a dimension of that name");
  }
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// The names by which a user is asked for an extent: the symbols of an
/// expression, or a text as it is that may be a name with a '-' or '/' in it.
llvm::SmallVector<std::string>
Extents::nameWhatToBind(StringRef symbol, ArrayRef<StringRef> unbound) const {
  bool isName = symbol.find_first_of(" +*()%") == StringRef::npos &&
                !llvm::all_of(unbound, [&](StringRef part) {
                  return texts.contains(part);
                });
  if (isName)
    return {symbol.str()};
  llvm::SmallVector<std::string> names;
  for (StringRef part : unbound)
    names.push_back(part.str());
  return names;
}

void Extents::reportUnbound(const ::onnx::ValueInfoProto &input, int index,
                            ArrayRef<StringRef> unbound) {
  const std::string &symbol =
      input.type().tensor_type().shape().dim(index).dim_param();
  llvm::SmallVector<std::string> names;
  if (!symbol.empty())
    names = nameWhatToBind(symbol, unbound);
  std::string flags;
  for (const std::string &name : names)
    if (reported.insert(name).second)
      flags += "--dim " + quote(name + "=<extent>") + " ";
  // Named before, at its first place.
  if (!symbol.empty() && flags.empty())
    return;
  report("input '" + input.name() + "': dimension " + Twine(index) +
         " is symbolic (" +
         (symbol.empty() ? std::string("no name") : "'" + symbol + "'") +
         "); bind it with " + flags + (flags.empty() ? "" : "or ") +
         "--shape " + quote(input.name() + "=<extents>"));
}

/// The extent of one dimension; `given` is that of --shape, or -1. Nothing if
/// there is none, which is reported.
std::optional<int64_t>
Extents::bindDimension(const ::onnx::ValueInfoProto &input, int index,
                       int64_t given) {
  const auto &dim = input.type().tensor_type().shape().dim(index);
  // A fixed extent is a default: networks without dense layers take others,
  // and what depends on it says so itself. A symbol that is bound twice is a
  // contradiction.
  if (std::optional<int64_t> fixed = getFixed(dim))
    return given >= 0 ? given : *fixed;
  Answer answer;
  if (!dim.dim_param().empty())
    answer = evaluate(dim.dim_param());
  std::string where =
      "input '" + input.name() + "': dimension " + Twine(index).str();
  if (!answer.contradiction.empty()) {
    report(where + " has no extent, " + answer.contradiction);
    return std::nullopt;
  }
  if (given >= 0 && answer.value && *answer.value != given) {
    report("input '" + input.name() + "': expects extent " +
           Twine(*answer.value) + " in dimension " + Twine(index) +
           ", --shape gives " + Twine(given));
    return std::nullopt;
  }
  if (given >= 0)
    return given;
  if (!answer.value)
    reportUnbound(input, index, answer.unbound);
  return answer.value;
}

Shape Extents::lookUp(const ::onnx::ValueInfoProto &info) const {
  Shape shape;
  for (const auto &dim : info.type().tensor_type().shape().dim()) {
    std::optional<int64_t> extent = getFixed(dim);
    if (!extent && !dim.dim_param().empty() && isOfInputs(dim.dim_param()))
      extent = evaluate(dim.dim_param()).value;
    shape.push_back(extent.value_or(-1));
  }
  return shape;
}

Shape Extents::lookUpMost(const ::onnx::ValueInfoProto &info) const {
  Shape shape = lookUp(info);
  for (auto [dim, extent] :
       llvm::zip(info.type().tensor_type().shape().dim(), shape))
    if (extent < 0 && !dim.dim_param().empty())
      extent = evaluate(dim.dim_param()).value.value_or(-1);
  return shape;
}

std::optional<Shape> Extents::bind(const ::onnx::ValueInfoProto &input) {
  const std::string &name = input.name();
  const auto &type = input.type().tensor_type();
  auto given = options.shapes.find(name);
  bool isGiven = given != options.shapes.end();
  if (!isGiven && !type.has_shape()) {
    report("input '" + name +
           "': expects a static shape, the model gives none; bind it with "
           "--shape " +
           quote(name + "=<extents>"));
    return std::nullopt;
  }
  if (!type.has_shape())
    return Shape(given->second.begin(), given->second.end());
  int rank = type.shape().dim_size();
  if (isGiven && int(given->second.size()) != rank) {
    report("input '" + name + "': expects a --shape of rank " + Twine(rank) +
           ", got " + formatShape(given->second));
    return std::nullopt;
  }
  Shape shape;
  bool isWhole = true;
  for (int i = 0; i < rank; ++i) {
    auto extent = bindDimension(input, i, isGiven ? given->second[i] : -1);
    isWhole &= extent.has_value();
    shape.push_back(extent.value_or(-1));
  }
  return isWhole ? std::optional(shape) : std::nullopt;
}

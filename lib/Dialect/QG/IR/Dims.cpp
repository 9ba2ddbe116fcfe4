//===- Dims.cpp - Extents that vary from call to call ---------------------===//
// SPDX-License-Identifier: Apache-2.0
#include "qopt/Dialect/QG/IR/QGDims.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

static constexpr StringRef kFixed = "_";

DimsAttr qg::getDims(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? dyn_cast_or_null<DimsAttr>(tensor.getEncoding()) : nullptr;
}

Attribute DimsAttr::parse(AsmParser &parser, Type) {
  SmallVector<StringAttr> names;
  auto parseName = [&]() -> ParseResult {
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    names.push_back(
        parser.getBuilder().getStringAttr(name == kFixed ? "" : name));
    return success();
  };
  if (parser.parseLess() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseName) ||
      parser.parseGreater())
    return {};
  return DimsAttr::getChecked(
      [&] { return parser.emitError(parser.getNameLoc()); },
      parser.getContext(), ArrayRef<StringAttr>(names));
}

void DimsAttr::print(AsmPrinter &printer) const {
  printer << "<[";
  llvm::interleaveComma(getNames(), printer, [&](StringAttr name) {
    printer << (name.empty() ? kFixed : name.getValue());
  });
  printer << "]>";
}

static bool isIdentifier(StringRef name) {
  return name != kFixed && !llvm::isDigit(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

LogicalResult
DimsAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                 ArrayRef<StringAttr> names) {
  // C1
  if (llvm::all_of(names, [](StringAttr name) { return name.empty(); }))
    return emitError() << "expects the name of a dimension that varies";
  // C2
  for (StringAttr name : names)
    if (!name.empty() && !isIdentifier(name))
      return emitError() << "expects C identifiers as names of dimensions, got "
                         << name;
  return success();
}

LogicalResult DimsAttr::verifyEncoding(
    ArrayRef<int64_t> shape, Type,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  // C3
  if (getNames().size() != shape.size())
    return emitError() << "expects a name or '_' for each of " << shape.size()
                       << " dimensions, got " << getNames().size();
  // C4
  for (auto [i, name] : llvm::enumerate(getNames()))
    for (size_t j = 0; j < i; ++j)
      if (!name.empty() && name == getNames()[j] && shape[i] != shape[j])
        return emitError() << "expects one bound for the dimension " << name
                           << ", got " << shape[j] << " and " << shape[i];
  return success();
}

//===- Names.cpp - Names of layers, units and streams ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Exporters name a node by the path of everything it was fused from. Its last
// two parts say most and are kept.
//===----------------------------------------------------------------------===//
#include "Names.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

static std::string makeIdentifier(StringRef name) {
  name = name.rsplit(';').second.empty() ? name : name.rsplit(';').second;
  SmallVector<StringRef> parts;
  name.split(parts, '/', -1, /*KeepEmpty=*/false);
  if (parts.size() > 2)
    parts.erase(parts.begin(), parts.end() - 2);
  std::string result;
  for (char c : llvm::join(parts, "_")) {
    if (llvm::isAlnum(c))
      result += llvm::toLower(c);
    else if (!result.empty() && result.back() != '_')
      result += '_';
  }
  // Names of files are made of it. The end tells more than the beginning.
  constexpr size_t maxLength = 60;
  if (result.size() > maxLength)
    result.erase(0, result.size() - maxLength);
  StringRef trimmed = StringRef(result).trim('_');
  result = trimmed.str();
  if (result.empty() || llvm::isDigit(result[0]))
    result = "layer_" + result;
  return result;
}

namespace {
struct Unique {
  std::string get(StringRef name) {
    std::string result = name.str();
    for (int i = 2; !taken.insert(result).second; ++i)
      result = (name + "_" + Twine(i)).str();
    return result;
  }
  llvm::StringSet<> taken;
};
} // namespace

Names::Names(const Graph &graph, func::FuncOp function) {
  Unique layerNames, unitNames, channelNames;
  // Names that C++ or the generated files use.
  for (const char *word : {"in", "out", "int", "float", "main", "top", "layers",
                           "static", "template", "operator", "new", "and"})
    layerNames.taken.insert(word);
  std::map<std::string, std::string> byUser;
  for (auto &unit : graph.units) {
    std::string user = qg::getUserName(unit->op());
    std::string &layer = byUser[user];
    if (layer.empty())
      layer = layerNames.get(makeIdentifier(user));
    layers.push_back(layer);
    units.push_back(unitNames.get(layer + "_" + unit->kind().str()));
  }
  for (const Channel &channel : graph.channels) {
    std::string name;
    if (channel.writer < 0) {
      auto attr =
          function.getArgAttrOfType<StringAttr>(channel.result, "qg.name");
      name = "in_" + makeIdentifier(attr ? attr.getValue() : "input");
    } else if (channel.reader < 0) {
      auto attr =
          function.getResultAttrOfType<StringAttr>(channel.operand, "qg.name");
      name = "out_" + makeIdentifier(attr ? attr.getValue() : "output");
    } else {
      name = units[channel.writer] + "_out";
      if (graph.units[channel.writer]->op()->getNumResults() > 1)
        name += std::to_string(channel.result);
    }
    channels.push_back(channelNames.get(name));
  }
}

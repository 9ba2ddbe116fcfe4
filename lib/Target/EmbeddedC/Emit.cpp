//===- Emit.cpp - fxp to a folder of C ------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Steps, places, functions, then the files around them.
//===----------------------------------------------------------------------===//
#include "qopt/Target/EmbeddedC/Emit.h"
#include "Project.h"
#include "qopt/Target/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

static bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

static absl::Status holdSigned(ModuleOp module) {
  std::string error;
  ScopedDiagnosticHandler handler(module.getContext(),
                                  [&](Diagnostic &diagnostic) {
                                    if (!error.empty())
                                      error += '\n';
                                    error += diagnostic.str();
                                  });
  PassManager manager(module.getContext(), ModuleOp::getOperationName());
  manager.addNestedPass<func::FuncOp>(createHoldSigned());
  if (failed(manager.run(module)))
    return absl::UnimplementedError(error);
  return absl::OkStatus();
}

/// Names in `text` for others; names are whole words behind "weights->".
static void renameMember(std::string &text, const std::string &from,
                         const std::string &to) {
  std::string word = "weights->" + from;
  for (size_t at = text.find(word); at != std::string::npos;
       at = text.find(word, at + 1)) {
    size_t end = at + word.size();
    if (end == text.size() || !llvm::isDigit(text[end]))
      text.replace(at, word.size(), "weights->" + to);
  }
}

/// Arrays of the same numbers lie in flash once: strips read those of the first.
static void shareConstants(std::vector<StepCode> &codes) {
  std::map<std::pair<std::string, std::vector<int64_t>>, std::string> known;
  for (StepCode &code : codes)
    llvm::erase_if(code.members, [&](const Member &member) {
      auto [it, isNew] =
          known.try_emplace({member.type, member.values}, member.name);
      if (isNew)
        return false;
      renameMember(code.text, member.name, it->second);
      llvm::replace(code.constants, member.name, it->second);
      return true;
    });
}

static absl::StatusOr<StepList> layOut(func::FuncOp main) {
  broadcastOperands(main);
  cloneForRoundings(main);
  storeConstantResults(main);
  copyResults(main);
  auto list = findSteps(main);
  if (list.ok())
    placeBuffers(*list, main);
  return list;
}

/// Strips that are tried.
static constexpr int64_t kStrips[] = {2, 3, 4, 6, 8, 12};

/// The layers and strips with the smallest arena, the fewest of both first;
/// `arena` is that without.
static Patches choosePatches(ModuleOp module, int64_t arena) {
  Patches best;
  auto main = module.lookupSymbol<func::FuncOp>("main");
  int64_t most = countPatchable(main);
  for (int64_t layers = 1; layers <= most; ++layers)
    for (int64_t strips : kStrips) {
      OwningOpRef<ModuleOp> candidate = module.clone();
      auto copy = candidate->lookupSymbol<func::FuncOp>("main");
      if (!splitIntoPatches(copy, {layers, strips}))
        break;
      auto list = layOut(copy);
      if (!list.ok() || list->arenaBytes >= arena)
        continue;
      arena = list->arenaBytes;
      best = {layers, strips};
    }
  return best;
}

absl::StatusOr<EmbeddedCProject>
qopt::emitEmbeddedC(ModuleOp original, const EmbeddedCOptions &options) {
  if (!isIdentifier(options.symbol))
    return absl::InvalidArgumentError(
        "expects a C identifier as symbol, got '" + options.symbol + "'");
  OwningOpRef<ModuleOp> module = original.clone();
  module->getContext()->loadDialect<emitc::EmitCDialect>();
  auto main = module->lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !main.getBody().hasOneBlock())
    return absl::InvalidArgumentError(
        "expects a module with a function @main of one block");
  if (absl::Status status = holdSigned(*module); !status.ok())
    return status;
  OwningOpRef<ModuleOp> whole;
  if (options.usesPatches)
    whole = module->clone();
  auto list = layOut(main);
  if (!list.ok())
    return list.status();
  Patches patches;
  if (whole)
    patches = choosePatches(*whole, list->arenaBytes);
  if (patches.layers) {
    int64_t live = list->liveBytes; // of the network as it is
    module = std::move(whole);
    main = module->lookupSymbol<func::FuncOp>("main");
    splitIntoPatches(main, patches);
    list = layOut(main);
    if (!list.ok())
      return list.status();
    list->liveBytes = live;
  }
  std::vector<StepCode> codes;
  std::string reasons;
  for (auto [i, step] : llvm::enumerate(list->steps)) {
    auto code = emitStep(module->getContext(), step, i, options.symbol);
    if (code.ok()) {
      codes.push_back(std::move(*code));
      continue;
    }
    if (code.status().code() != absl::StatusCode::kUnimplemented)
      return code.status();
    reasons +=
        (reasons.empty() ? "" : "\n") + std::string(code.status().message());
  }
  if (!reasons.empty())
    return absl::UnimplementedError(reasons);
  shareConstants(codes);
  auto project = writeProject(main, *list, codes, options);
  if (project.ok()) {
    project->patchedLayers = patches.layers;
    project->strips = patches.strips;
  }
  return project;
}

#!/usr/bin/env python3
"""Scaffolds a pass: `new.py pass STAGE Name [--out-of-tree DIR]`.

In the tree: the definition in include/qopt/STAGE/Passes.td, the source in
lib/STAGE/Name.cpp, its CMake line, and a lit test that fails until the pass
does something. Out of the tree: a CMake project with a pass plugin for
`qopt-opt --load-pass-plugin`, built against an installed libQopt.so.
"""
import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

SOURCE = """\
//===- {name}.cpp - TODO: what it does, in one phrase {dashes}===//
// SPDX-License-Identifier: Apache-2.0
//
// Why one wants it, in one to four lines.
//===----------------------------------------------------------------------===//
#include "qopt/{stage}/Passes.h"

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {{
#define GEN_PASS_DEF_{upper}
#include "qopt/{stage}/Passes.h.inc"
}} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {{
struct {name} : impl::{name}Base<{name}> {{
  void runOnOperation() override {{}}
}};
}} // namespace
"""

DEFINITION = """
def {name} : Pass<"{flag}", "::mlir::ModuleOp"> {{
  let summary = "TODO: one sentence";
  let description = [{{
    TODO: what it does, why one wants it, when it declines.

    {{{{example test/{stage}/{file}.mlir}}}}
  }}];
}}
"""

TEST = """\
// RUN: qopt-opt %s --{flag} | FileCheck %s

// CHECK-LABEL: func @idea_in_the_name
// CHECK: this fails until {name} does something
func.func @idea_in_the_name(%x: tensor<4xf32>) -> tensor<4xf32> {{
  %y = qg.unary relu %x : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}}
"""

PLUGIN_CMAKE = """\
cmake_minimum_required(VERSION 3.25)
project({name} LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(Qopt CONFIG REQUIRED)
add_library({name} MODULE {name}.cpp)
target_link_libraries({name} PRIVATE Qopt::Qopt)
target_compile_options({name} PRIVATE -fno-exceptions)
"""

PLUGIN_SOURCE = """\
//===- {name}.cpp - A pass outside of qopt's tree {dashes}===//
//
// qopt-opt --load-pass-plugin=lib{name}.so
//   --pass-pipeline="builtin.module({flag})" x.mlir
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace {{
struct {name} : PassWrapper<{name}, OperationPass<ModuleOp>> {{
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID({name})
  StringRef getArgument() const final {{ return "{flag}"; }}
  StringRef getDescription() const final {{ return "counts linear ops"; }}
  void runOnOperation() override {{
    unsigned count = 0;
    getOperation().walk([&](Operation *op) {{
      if (auto rule = dyn_cast<qopt::FormatRuleOpInterface>(op))
        count += rule.getFormatRule() == qopt::FormatRule::Linear;
    }});
    getOperation()->setAttr(
        "qg.linear_ops", Builder(&getContext()).getI64IntegerAttr(count));
  }}
}};
}} // namespace

extern "C" ::mlir::PassPluginLibraryInfo LLVM_ATTRIBUTE_WEAK
mlirGetPassPluginInfo() {{
  return {{MLIR_PLUGIN_API_VERSION, "{name}", "0.1",
          []() {{ PassRegistration<{name}>(); }}}};
}}
"""


def kebab(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def insert_before(path, marker, text):
    """Inserts `text` before the last occurrence of `marker`."""
    content = path.read_text()
    position = content.rfind(marker)
    if position < 0:
        sys.exit(f"{path}: expects a line '{marker}'")
    path.write_text(content[:position] + text + content[position:])


def write_new(path, text):
    if path.exists():
        sys.exit(f"{path} exists already")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(f"wrote {path.relative_to(ROOT) if ROOT in path.parents else path}")


def new_pass(stage, name):
    definitions = ROOT / "include/qopt" / stage / "Passes.td"
    lists = ROOT / "lib" / stage / "CMakeLists.txt"
    if not definitions.exists():
        stages = sorted(p.parent.relative_to(ROOT / "include/qopt").as_posix()
                        for p in (ROOT / "include/qopt").rglob("Passes.td"))
        sys.exit(f"expects a stage with passes ({', '.join(stages)}), "
                 f"got '{stage}'")
    prefix = {"Conversion": "", "Target/CPU": "qcpu-"}.get(stage, "qg-")
    values = dict(name=name, stage=stage, file=kebab(name),
                  flag=prefix + kebab(name), upper=name.upper(),
                  dashes="-" * max(1, 27 - len(name)))
    write_new(ROOT / "lib" / stage / f"{name}.cpp", SOURCE.format(**values))
    write_new(ROOT / "test" / stage / f"{values['file']}.mlir",
              TEST.format(**values))
    insert_before(definitions, "#endif", DEFINITION.format(**values).lstrip()
                  + "\n")
    content = lists.read_text()
    lists.write_text(re.sub(r"(qopt_add_library\(\w+[^\n]*\n)",
                            rf"\1  {name}.cpp\n", content, count=1))
    print(f"added {name} to {definitions.relative_to(ROOT)} and "
          f"{lists.relative_to(ROOT)}\n"
          f"next: ninja -C build && lit build/test/{stage}, and make "
          f"test/{stage}/{values['file']}.mlir pass")


def new_plugin(directory, name):
    values = dict(name=name, flag=kebab(name),
                  dashes="-" * max(1, 29 - len(name)))
    write_new(directory / "CMakeLists.txt", PLUGIN_CMAKE.format(**values))
    write_new(directory / f"{name}.cpp", PLUGIN_SOURCE.format(**values))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kind", choices=["pass"])
    parser.add_argument("stage", help="folder of include/qopt with a Passes.td")
    parser.add_argument("name", help="CamelCase, a verb first: FoldSmoothing")
    parser.add_argument("--out-of-tree", type=pathlib.Path, metavar="DIR")
    options = parser.parse_args()
    if not re.match(r"^([A-Z][a-z0-9]*)+$", options.name):
        sys.exit(f"expects a CamelCase name, got '{options.name}'")
    if options.out_of_tree:
        new_plugin(options.out_of_tree.resolve(), options.name)
    else:
        new_pass(options.stage, options.name)


if __name__ == "__main__":
    main()

//===- SoftArithmetic.cpp - What a small core has no instruction for ------===//
// SPDX-License-Identifier: Apache-2.0
//
// Code generators call routines of a compiler's library for what a core lacks
// (products of 64 bits and divisions on a Cortex-M0). An object gets its own,
// so that it needs nothing but memcpy and its like on every core.
//===----------------------------------------------------------------------===//
#include "Program.h"

#include "absl/strings/str_cat.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;
using namespace qopt;

/// Products by the halves of words; words by shifts and additions.
static constexpr StringLiteral kProducts = R"(
define i32 @multiply32(i32 %x, i32 %y) {
entry:
  br label %loop
loop:
  %a = phi i32 [ %x, %entry ], [ %a2, %loop ]
  %b = phi i32 [ %y, %entry ], [ %b2, %loop ]
  %sum = phi i32 [ 0, %entry ], [ %sum2, %loop ]
  %bit = and i32 %b, 1
  %mask = sub i32 0, %bit
  %part = and i32 %a, %mask
  %sum2 = add i32 %sum, %part
  %a2 = shl i32 %a, 1
  %b2 = lshr i32 %b, 1
  %done = icmp eq i32 %b2, 0
  br i1 %done, label %exit, label %loop
exit:
  ret i32 %sum2
}
define i64 @multiply64(i64 %x, i64 %y) {
  %al = trunc i64 %x to i32
  %bl = trunc i64 %y to i32
  %xh = lshr i64 %x, 32
  %yh = lshr i64 %y, 32
  %ah = trunc i64 %xh to i32
  %bh = trunc i64 %yh to i32
  %a0 = and i32 %al, 65535
  %b0 = and i32 %bl, 65535
  %a1 = lshr i32 %al, 16
  %b1 = lshr i32 %bl, 16
  %p00 = mul i32 %a0, %b0
  %p01 = mul i32 %a0, %b1
  %p10 = mul i32 %a1, %b0
  %p11 = mul i32 %a1, %b1
  %c0 = lshr i32 %p00, 16
  %mid = add i32 %p01, %c0
  %midl = and i32 %mid, 65535
  %mid2 = add i32 %midl, %p10
  %midh = lshr i32 %mid, 16
  %mid2h = lshr i32 %mid2, 16
  %low0 = and i32 %p00, 65535
  %low1 = shl i32 %mid2, 16
  %low = or i32 %low0, %low1
  %q0 = mul i32 %ah, %bl
  %q1 = mul i32 %al, %bh
  %h0 = add i32 %p11, %midh
  %h1 = add i32 %h0, %mid2h
  %h2 = add i32 %h1, %q0
  %high = add i32 %h2, %q1
  %lowWide = zext i32 %low to i64
  %highWide = zext i32 %high to i64
  %top = shl i64 %highWide, 32
  %result = or i64 %top, %lowWide
  ret i64 %result
}
)";

/// Quotient below, rest above: the registers of a division that gives both.
static constexpr StringLiteral kDivisions = R"(
define i64 @divideUnsigned(i32 %n, i32 %d) {
entry:
  br label %loop
loop:
  %i = phi i32 [ 32, %entry ], [ %i2, %loop ]
  %q = phi i32 [ %n, %entry ], [ %q3, %loop ]
  %r = phi i32 [ 0, %entry ], [ %r3, %loop ]
  %top = lshr i32 %q, 31
  %carry = lshr i32 %r, 31
  %r1 = shl i32 %r, 1
  %r2 = or i32 %r1, %top
  %q2 = shl i32 %q, 1
  %over = icmp ne i32 %carry, 0
  %enough = icmp uge i32 %r2, %d
  %take = or i1 %over, %enough
  %less = sub i32 %r2, %d
  %r3 = select i1 %take, i32 %less, i32 %r2
  %bit = zext i1 %take to i32
  %q3 = or i32 %q2, %bit
  %i2 = sub i32 %i, 1
  %done = icmp eq i32 %i2, 0
  br i1 %done, label %exit, label %loop
exit:
  %qWide = zext i32 %q3 to i64
  %rWide = zext i32 %r3 to i64
  %above = shl i64 %rWide, 32
  %result = or i64 %above, %qWide
  ret i64 %result
}
define i64 @divideSigned(i32 %n, i32 %d) {
  %ns = ashr i32 %n, 31
  %ds = ashr i32 %d, 31
  %n1 = xor i32 %n, %ns
  %d1 = xor i32 %d, %ds
  %n2 = sub i32 %n1, %ns
  %d2 = sub i32 %d1, %ds
  %both = call i64 @divideUnsigned(i32 %n2, i32 %d2)
  %q = trunc i64 %both to i32
  %shifted = lshr i64 %both, 32
  %r = trunc i64 %shifted to i32
  %qs = xor i32 %ns, %ds
  %q1 = xor i32 %q, %qs
  %q2 = sub i32 %q1, %qs
  %r1 = xor i32 %r, %ns
  %r2 = sub i32 %r1, %ns
  %qWide = zext i32 %q2 to i64
  %rWide = zext i32 %r2 to i64
  %above = shl i64 %rWide, 32
  %result = or i64 %above, %qWide
  ret i64 %result
}
)";

/// Shifts of two words by 0 to 63, by shifts of words by less than 32.
static constexpr StringLiteral kShifts = R"(
define i64 @shiftLeft(i64 %x, i32 %by) {
  %l = trunc i64 %x to i32
  %xh = lshr i64 %x, 32
  %h = trunc i64 %xh to i32
  %s = and i32 %by, 31
  %far = icmp ugt i32 %by, 31
  %rest = xor i32 %s, 31
  %l1 = lshr i32 %l, 1
  %cross = lshr i32 %l1, %rest
  %hs = shl i32 %h, %s
  %near = or i32 %hs, %cross
  %ls = shl i32 %l, %s
  %high = select i1 %far, i32 %ls, i32 %near
  %low = select i1 %far, i32 0, i32 %ls
  %lowWide = zext i32 %low to i64
  %highWide = zext i32 %high to i64
  %top = shl i64 %highWide, 32
  %result = or i64 %top, %lowWide
  ret i64 %result
}
define i64 @shiftRight(i64 %x, i32 %by) {
  %l = trunc i64 %x to i32
  %xh = lshr i64 %x, 32
  %h = trunc i64 %xh to i32
  %s = and i32 %by, 31
  %far = icmp ugt i32 %by, 31
  %rest = xor i32 %s, 31
  %h1 = shl i32 %h, 1
  %cross = shl i32 %h1, %rest
  %ls = lshr i32 %l, %s
  %near = or i32 %ls, %cross
  %hs = lshr i32 %h, %s
  %low = select i1 %far, i32 %hs, i32 %near
  %high = select i1 %far, i32 0, i32 %hs
  %lowWide = zext i32 %low to i64
  %highWide = zext i32 %high to i64
  %top = shl i64 %highWide, 32
  %result = or i64 %top, %lowWide
  ret i64 %result
}
define i64 @shiftRightSigned(i64 %x, i32 %by) {
  %xh = lshr i64 %x, 32
  %h = trunc i64 %xh to i32
  %sign = ashr i32 %h, 31
  %signs = sext i32 %sign to i64
  %positive = xor i64 %x, %signs
  %shifted = call i64 @shiftRight(i64 %positive, i32 %by)
  %result = xor i64 %shifted, %signs
  ret i64 %result
}
)";

namespace {
/// A symbol of a compiler's library, and what computes it here.
struct Routine {
  StringLiteral symbol, text;
  StringLiteral function;
  enum Result { Whole, Low, High } result = Whole;
};
} // namespace

static constexpr Routine kRoutines[] = {
    {"__aeabi_lmul", kProducts, "multiply64"},
    {"__muldi3", kProducts, "multiply64"},
    {"__mulsi3", kProducts, "multiply32"},
    {"__aeabi_uidiv", kDivisions, "divideUnsigned", Routine::Low},
    {"__aeabi_uidivmod", kDivisions, "divideUnsigned"},
    {"__udivsi3", kDivisions, "divideUnsigned", Routine::Low},
    {"__umodsi3", kDivisions, "divideUnsigned", Routine::High},
    {"__aeabi_idiv", kDivisions, "divideSigned", Routine::Low},
    {"__aeabi_idivmod", kDivisions, "divideSigned"},
    {"__divsi3", kDivisions, "divideSigned", Routine::Low},
    {"__modsi3", kDivisions, "divideSigned", Routine::High},
    {"__aeabi_llsl", kShifts, "shiftLeft"},
    {"__ashldi3", kShifts, "shiftLeft"},
    {"__aeabi_llsr", kShifts, "shiftRight"},
    {"__lshrdi3", kShifts, "shiftRight"},
    {"__aeabi_lasr", kShifts, "shiftRightSigned"},
    {"__ashrdi3", kShifts, "shiftRightSigned"},
};

static const Routine *findRoutine(StringRef symbol) {
  const Routine *found = llvm::find_if(kRoutines, [&](const Routine &routine) {
    return symbol == routine.symbol;
  });
  return found == std::end(kRoutines) ? nullptr : found;
}

/// The text of a routine under its symbol, and of what it calls under names
/// that no model has.
static std::string getText(const Routine &routine) {
  std::string text = routine.text.str(), names = routine.symbol.str();
  for (StringRef function :
       {"multiply32", "multiply64", "divideUnsigned", "divideSigned",
        "shiftLeft", "shiftRightSigned", "shiftRight"}) {
    bool isWhole =
        routine.result == Routine::Whole && function == routine.function;
    std::string from = absl::StrCat("@", function.str(), "("),
                to = isWhole ? absl::StrCat("@", names, "(")
                             : absl::StrCat("@qopt.", names, ".",
                                            function.str(), "(");
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
         at += to.size())
      text.replace(at, from.size(), to);
  }
  if (routine.result == Routine::Whole)
    return text;
  absl::StrAppend(
      &text, "define i32 @", names,
      "(i32 %x, i32 %y) {\n  %both = call i64 @qopt.", names, ".",
      routine.function.str(), "(i32 %x, i32 %y)\n  %part = lshr i64 %both, ",
      routine.result == Routine::High ? 32 : 0,
      "\n  %result = trunc i64 %part to i32\n  ret i32 %result\n}\n");
  return text;
}

static absl::Status addRoutine(Module &module, const Routine &routine) {
  SMDiagnostic error;
  std::unique_ptr<Module> parsed =
      parseAssemblyString(getText(routine), error, module.getContext());
  if (!parsed)
    return absl::InternalError(absl::StrCat(
        "the text of ", routine.symbol.str(), ": ", error.getMessage().str()));
  parsed->setTargetTriple(module.getTargetTriple());
  parsed->setDataLayout(module.getDataLayout());
  for (Function &function : llvm::make_early_inc_range(*parsed)) {
    bool isEntry = function.getName() == routine.symbol;
    if (!isEntry)
      function.setLinkage(GlobalValue::InternalLinkage);
  }
  if (Linker::linkModules(module, std::move(parsed)))
    return absl::InternalError("a routine could not be linked");
  // Only the code generator calls it.
  Function *function = module.getFunction(routine.symbol);
  function->setLinkage(GlobalValue::InternalLinkage);
  appendToCompilerUsed(module, {function});
  return absl::OkStatus();
}

absl::Status qopt::addSoftArithmetic(Module &module, TargetMachine &machine) {
  // A routine may need another one: products of 64 bits those of 32.
  for (bool added = true; added;) {
    added = false;
    auto object = emitPart(*CloneModule(module), machine);
    if (!object.ok())
      return object.status();
    auto missing = findUndefined(*object);
    if (!missing.ok())
      return missing.status();
    for (const std::string &symbol : *missing) {
      const Routine *routine = findRoutine(symbol);
      if (!routine || module.getFunction(symbol))
        continue;
      if (absl::Status status = addRoutine(module, *routine); !status.ok())
        return status;
      added = true;
    }
    if (added)
      setTarget(module, machine);
  }
  return absl::OkStatus();
}

//===- FunctionWriter.cpp - One C function through EmitC ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A function is a module of its own, so that numbers of values start at 1.
//===----------------------------------------------------------------------===//
#include "FunctionWriter.h"

#include "mlir/Target/Cpp/CppEmitter.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

FunctionWriter::FunctionWriter(MLIRContext *context, StringRef name,
                               ArrayRef<Parameter> parameters,
                               StringRef specifier, StringRef resultType)
    : context_(context), module_(ModuleOp::create(UnknownLoc::get(context))),
      builder_(context), loc_(UnknownLoc::get(context)),
      resultType_(resultType.str()) {
  SmallVector<Type> types, results;
  for (const Parameter &parameter : parameters) {
    types.push_back(getOpaque(parameter.type));
    names_.push_back(parameter.name);
  }
  if (!resultType.empty())
    results.push_back(getOpaque(resultType));
  builder_.setInsertionPointToEnd(module_->getBody());
  function_ = emitc::FuncOp::create(builder_, loc_, name,
                                    builder_.getFunctionType(types, results));
  if (!specifier.empty())
    function_.setSpecifiersAttr(builder_.getStrArrayAttr({specifier}));
  builder_.setInsertionPointToEnd(function_.addEntryBlock());
}

Type FunctionWriter::getOpaque(StringRef type) {
  if (type == "int8_t *")
    return emitc::PointerType::get(builder_.getI8Type());
  return emitc::OpaqueType::get(context_, type);
}

Value FunctionWriter::getParameter(unsigned index) {
  return function_.getArgument(index);
}

Value FunctionWriter::literal(StringRef text) {
  return emitc::LiteralOp::create(builder_, loc_,
                                  emitc::SizeTType::get(context_), text);
}

void FunctionWriter::line(const llvm::Twine &text) {
  emitc::VerbatimOp::create(builder_, loc_, builder_.getStringAttr(text));
}

void FunctionWriter::call(StringRef callee, ArrayRef<Argument> arguments) {
  SmallVector<Value> operands;
  SmallVector<Attribute> attributes;
  for (const Argument &argument : arguments) {
    if (argument.value) {
      attributes.push_back(builder_.getIndexAttr(operands.size()));
      operands.push_back(argument.value);
    } else {
      attributes.push_back(emitc::OpaqueAttr::get(context_, argument.text));
    }
  }
  emitc::CallOpaqueOp::create(builder_, loc_, TypeRange(), callee, operands,
                              builder_.getArrayAttr(attributes));
}

void FunctionWriter::loop(int64_t end, int64_t step, StringRef name,
                          llvm::function_ref<void(Value)> body) {
  names_.push_back(name.str());
  Value low = literal("0"), high = literal(std::to_string(end)),
        by = literal(std::to_string(step));
  auto loop = emitc::ForOp::create(builder_, loc_, low, high, by);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

Value FunctionWriter::index(Value value, int64_t factor, int64_t offset,
                            StringRef name) {
  Type type = emitc::SizeTType::get(context_);
  if (factor != 1) {
    names_.push_back(offset ? (name + "_start").str() : name.str());
    value = emitc::MulOp::create(builder_, loc_, type, value,
                                 literal(std::to_string(factor)));
  }
  if (offset) {
    names_.push_back(name.str());
    value = emitc::AddOp::create(builder_, loc_, type, value,
                                 literal(std::to_string(offset)));
  }
  return value;
}

Value FunctionWriter::pointer(Value base, Value offset, StringRef name,
                              bool isConst) {
  names_.push_back(name.str());
  Type byte = isConst ? Type(emitc::OpaqueType::get(context_, "const int8_t"))
                      : Type(builder_.getI8Type());
  return emitc::AddOp::create(builder_, loc_, emitc::PointerType::get(byte),
                              base, offset);
}

/// Names for `v12` and `i12`, numbers counting from 1.
static std::string replaceNumbers(StringRef text, ArrayRef<std::string> names) {
  auto isWord = [](char c) { return llvm::isAlnum(c) || c == '_'; };
  std::string result;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && isWord(text[end]))
      ++end;
    if (end == i) {
      result += text[i++];
      continue;
    }
    StringRef word = text.slice(i, end);
    unsigned number = 0;
    bool isValue = (word.front() == 'v' || word.front() == 'i') &&
                   !word.drop_front().getAsInteger(10, number) && number &&
                   number <= names.size();
    result += isValue ? names[number - 1] : word.str();
    i = end;
  }
  return result;
}

/// Eighty columns: broken behind commas, continued four further in.
static std::string wrapLines(StringRef text) {
  std::string result;
  SmallVector<StringRef> lines;
  text.split(lines, '\n');
  for (auto [i, line] : llvm::enumerate(lines)) {
    result += i ? "\n" : "";
    size_t indent = line.size() - line.ltrim(' ').size() + 4, room = 80;
    while (line.size() > room) {
      size_t at = line.take_front(room).rfind(", ");
      if (at == StringRef::npos)
        break;
      result += line.take_front(at + 1);
      result += "\n" + std::string(indent, ' ');
      line = line.drop_front(at + 2);
      room = 80 - indent;
    }
    result += line;
  }
  return result;
}

/// `int8_t* y` as `int8_t *y`.
static std::string bindPointers(std::string text) {
  for (size_t at = 0; (at = text.find("_t* ", at)) != std::string::npos;)
    text.replace(at, 4, "_t *");
  return text;
}

FailureOr<std::string> FunctionWriter::finish(StringRef result) {
  Value value;
  if (!result.empty())
    value = emitc::LiteralOp::create(builder_, loc_, getOpaque(resultType_),
                                     result);
  emitc::ReturnOp::create(builder_, loc_, value);
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (failed(emitc::translateToCpp(*module_, stream)))
    return failure();
  StringRef trimmed(text);
  std::string named = bindPointers(replaceNumbers(trimmed.trim('\n'), names_));
  // A void function ends where it ends.
  StringRef last = "  return;\n}";
  if (StringRef(named).ends_with(last))
    named.replace(named.size() - last.size(), last.size(), "}");
  return wrapLines(named);
}

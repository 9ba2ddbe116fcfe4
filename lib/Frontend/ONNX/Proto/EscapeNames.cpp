//===- EscapeNames.cpp - Names of a model as text -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// By the schema, so that no field with a name is forgotten.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/Proto/EscapeNames.h"
#include "qopt/Support/Escape.h"

#include <google/protobuf/message.h>
#include <onnx-ml.pb.h>

using namespace qopt;
using namespace qopt::frontend;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

using Change = std::string (*)(llvm::StringRef);

static void changeNames(Message &message, Change change);

static void changeField(Message &message, const FieldDescriptor *field,
                        Change change) {
  const google::protobuf::Reflection *reflection = message.GetReflection();
  bool isMessage = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (!field->is_repeated()) {
    if (!reflection->HasField(message, field))
      return;
    if (isMessage)
      return changeNames(*reflection->MutableMessage(&message, field), change);
    std::string text = change(reflection->GetString(message, field));
    reflection->SetString(&message, field, text);
    return;
  }
  for (int i = 0, e = reflection->FieldSize(message, field); i < e; ++i) {
    if (isMessage) {
      changeNames(*reflection->MutableRepeatedMessage(&message, field, i),
                  change);
      continue;
    }
    std::string text = change(reflection->GetRepeatedString(message, field, i));
    reflection->SetRepeatedString(&message, field, i, text);
  }
}

static void changeNames(Message &message, Change change) {
  const google::protobuf::Descriptor *descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor *field = descriptor->field(i);
    bool isText = field->type() == FieldDescriptor::TYPE_STRING;
    bool isMessage = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if ((isText || isMessage) && field->name() != "external_data")
      changeField(message, field, change);
  }
}

void frontend::escapeNames(::onnx::ModelProto &model) {
  changeNames(model, escapeBytes);
}

void frontend::unescapeNames(::onnx::ModelProto &model) {
  changeNames(model, unescapeBytes);
}

//===- NpzTarget.cpp - Fuzzing of files of arrays -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The same bytes as array, as archive and as tensor of ONNX's test data.
//===----------------------------------------------------------------------===//
#include "Harness.h"
#include "qopt/Data/DataSource.h"
#include "qopt/Support/Npy.h"

using namespace qopt;

static void readWhole(std::shared_ptr<ByteSource> source) {
  auto reader = ArrayReader::open(std::move(source), "input");
  if (!reader.ok())
    return fuzz::expectNoDefect(reader.status());
  // Rows first: they are read without the whole.
  if (!reader->shape().empty() && reader->shape()[0] > 0)
    fuzz::expectNoDefect(reader->readRows(reader->shape()[0] - 1, 1).status());
  auto array = reader->read();
  if (!array.ok())
    return fuzz::expectNoDefect(array.status());
  TensorSpec spec{"x", array->dtype(), {}};
  spec.shape.assign(array->shape().begin(), array->shape().end());
  fuzz::expectNoDefect(
      inferSampleLayout(array->shape(), "x", nullptr, spec).status());
  serializeNpy(*array);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef bytes(reinterpret_cast<const char *>(data), size);
  readWhole(makeMemorySource(bytes));
  auto members = openArchive(makeMemorySource(bytes), "input");
  if (members.ok())
    for (const ArchiveMember &member : *members)
      readWhole(member.bytes);
  else
    fuzz::expectNoDefect(members.status());
  fuzz::expectNoDefect(parseTensorProto(bytes, "input").status());
  return 0;
}

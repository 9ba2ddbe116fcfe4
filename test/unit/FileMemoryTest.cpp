//===- FileMemoryTest.cpp - Memory behind which a file lies ---------------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#include "qopt/Support/FileMemory.h"
#include "qopt/Dialect/QG/IR/StoredConstants.h"
#include "qopt/Support/FileContents.h"
#include "qopt/Support/Files.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include <gtest/gtest.h>
#include <numeric>

using namespace qopt;

namespace {
/// Everything large goes to a file while this lives.
struct KeepNothing {
  KeepNothing() { setMostKept(0); }
  ~KeepNothing() { setMostKept(uint64_t(64) << 20); }
};

/// 1.5 MiB and a few bytes, with a megabyte of zeros in it.
Tensor makeLarge() {
  Tensor tensor(DType::f32, {393217});
  llvm::MutableArrayRef<float> values = tensor.mutableSpan<float>();
  std::iota(values.begin() + 262200, values.end(), 1.0f);
  return tensor;
}

llvm::ArrayRef<char> bytesOf(const Tensor &tensor) {
  return {tensor.data(), size_t(tensor.numBytes())};
}
} // namespace

TEST(FileMemory, ACopyIsReadBackAfterItsPagesWent) {
  Tensor tensor = makeLarge();
  std::shared_ptr<const char> copy = copyToFile(bytesOf(tensor));
  ASSERT_TRUE(copy);
  llvm::ArrayRef<char> there(copy.get(), tensor.numBytes());
  EXPECT_EQ(there, bytesOf(tensor));
  releasePages(there);
  EXPECT_EQ(there, bytesOf(tensor));
  EXPECT_EQ(findFileMemory(there), copy);
  EXPECT_FALSE(findFileMemory(bytesOf(tensor)));
}

TEST(FileMemory, SpaceOfOneIsNotThatOfAnother) {
  Tensor tensor = makeLarge();
  std::shared_ptr<const char> first = copyToFile(bytesOf(tensor));
  std::shared_ptr<const char> second = copyToFile(bytesOf(tensor));
  first.reset();
  EXPECT_EQ(llvm::ArrayRef<char>(second.get(), tensor.numBytes()),
            bytesOf(tensor));
}

TEST(FileMemory, AFileIsMappedAtAnyOffset) {
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("qopt", "bin", path));
  Tensor tensor = makeLarge();
  absl::Status status =
      writeFile(path, {tensor.data(), size_t(tensor.numBytes())});
  ASSERT_TRUE(status.ok()) << status.message();
  auto mapped = mapFile(path, 1048801, 1000);
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ(llvm::ArrayRef<char>(mapped->get(), 1000),
            bytesOf(tensor).slice(1048801, 1000));
  llvm::sys::fs::remove(path);
  EXPECT_FALSE(mapFile(path, 0, 1).ok());
}

TEST(FileMemory, LargeArraysAreStoredWithoutAChange) {
  Tensor tensor = makeLarge(), small(DType::i8, {3});
  StoredArray inMemory(tensor);
  KeepNothing nothing;
  StoredArray inFile(tensor);
  EXPECT_FALSE(findFileMemory(inMemory.bytes()));
  EXPECT_TRUE(findFileMemory(inFile.bytes()));
  EXPECT_FALSE(findFileMemory(StoredArray(small).bytes()));
  Tensor loaded = inFile.load();
  EXPECT_EQ(bytesOf(loaded), bytesOf(tensor));
  loaded.setFloat(0, 7);
  EXPECT_EQ(inFile.load().getFloat(0), 0);
}

TEST(FileMemory, ConstantsHaveOneNameWhereverTheyLie) {
  Tensor tensor = makeLarge();
  std::string names[2];
  for (bool isInFile : {false, true}) {
    setMostKept(isInFile ? 0 : uint64_t(64) << 20);
    mlir::MLIRContext context;
    context.loadDialect<qg::QGDialect>();
    auto type = mlir::RankedTensorType::get(tensor.shape(),
                                            mlir::Float32Type::get(&context));
    auto attr = llvm::cast<mlir::DenseResourceElementsAttr>(
        qg::getElementsAttr(tensor, type, "w"));
    names[isInFile] = attr.getRawHandle().getKey().str();
    EXPECT_EQ(bool(findFileMemory(attr.getRawHandle().getBlob()->getData())),
              isInFile);
    mlir::FailureOr<Tensor> read = qg::getTensor(attr, type);
    ASSERT_TRUE(mlir::succeeded(read));
    EXPECT_EQ(bytesOf(*read), bytesOf(tensor));
    auto stored = qg::getStoredArray(attr, type);
    ASSERT_TRUE(mlir::succeeded(stored));
    EXPECT_EQ(qg::getElementsAttr(*stored, type, "w"), attr);
  }
  setMostKept(uint64_t(64) << 20);
  EXPECT_EQ(names[0], names[1]);
}

TEST(Sha256, HasTheResultsOfFips180) {
  auto hash = [](llvm::StringRef text, size_t piece) {
    Sha256Stream stream;
    for (; !text.empty(); text = text.drop_front(std::min(piece, text.size())))
      stream << text.take_front(piece);
    return stream.finish();
  };
  EXPECT_EQ(hash("", 1),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash("abc", 2),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  std::string million(1000000, 'a');
  for (size_t piece : {size_t(1), size_t(63), size_t(4097), million.size()})
    EXPECT_EQ(
        hash(million, piece),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

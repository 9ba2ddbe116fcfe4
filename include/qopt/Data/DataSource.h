//===- DataSource.h - Samples for calibration, evaluation and comparison --===//
// SPDX-License-Identifier: Apache-2.0
//
// One view of arrays, archives and folders: `size()` samples, each a list of
// preprocessed arrays, one per model input. A sample is read when it is asked
// for, so memory does not grow with the data.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DATA_DATASOURCE_H
#define QOPT_DATA_DATASOURCE_H

#include "qopt/Data/Preprocess.h"
#include "qopt/Support/Npy.h"
#include <memory>

namespace qopt {

/// Reads element `index` of one input.
class InputStream {
public:
  virtual ~InputStream() = default;
  virtual int64_t size() const = 0;
  virtual absl::StatusOr<Tensor> read(int64_t index) = 0;
  /// Whether a sample has the model's own form: nothing is to be preprocessed.
  virtual bool isPrepared(int64_t index) const { return false; }
};

class DataSource {
public:
  /// `arguments` are `--data` values: `PATH` or `INPUT=PATH`. A path is a .npy
  /// file, FILE.npz[:ARRAY], an ONNX .pb tensor, or a folder of those (ONNX
  /// test data included). An array is a stack of samples when it has one more
  /// leading dimension than the input, or when its first dimension is a
  /// multiple of the input's. `random[:normal|uniform][:SEED][:samples=N]` makes
  /// samples up, which are not preprocessed.
  static absl::StatusOr<std::unique_ptr<DataSource>>
  open(llvm::ArrayRef<std::string> arguments, std::vector<TensorSpec> inputs,
       Preprocessing preprocessing);

  int64_t size() const { return size_; }
  /// Samples [first, first + count) of this source only.
  absl::Status restrictTo(int64_t first, int64_t count);
  /// Arrays of one sample in the order of the model's inputs.
  absl::StatusOr<llvm::SmallVector<Tensor>> read(int64_t index);

private:
  std::vector<TensorSpec> inputs_;
  Preprocessing preprocessing_;
  std::vector<std::unique_ptr<InputStream>> streams_;
  int64_t first_ = 0, size_ = 0;
};

/// Splits an array into samples of an input: how many, and the raw shape of
/// one. Fails with both shapes in the message.
struct SampleLayout {
  int64_t count = 0;
  int64_t rowsPerSample = 1;
  llvm::SmallVector<int64_t, 6> rawShape;
};
absl::StatusOr<SampleLayout> inferSampleLayout(llvm::ArrayRef<int64_t> array,
                                               llvm::StringRef name,
                                               const InputPreprocessing *steps,
                                               const TensorSpec &spec);

/// A TensorProto as ONNX test-data folders hold it.
absl::StatusOr<Tensor> parseTensorProto(llvm::StringRef bytes,
                                        const llvm::Twine &name);

/// A `--data` value that makes samples up, and no file of that name.
bool isRandomData(llvm::StringRef argument);

/// `random:normal`, `random:uniform`, `zeros`, each with `:seed=N`; integers
/// get the whole range of their width up to +-127.
absl::StatusOr<Tensor> makeArray(llvm::StringRef recipe,
                                 const TensorSpec &spec);

} // namespace qopt

#endif // QOPT_DATA_DATASOURCE_H

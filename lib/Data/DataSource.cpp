//===- DataSource.cpp - Samples for calibration, evaluation, comparison ---===//
// SPDX-License-Identifier: Apache-2.0
//
// Finds the arrays behind `--data` and cuts them into samples.
//===----------------------------------------------------------------------===//
#include "qopt/Data/DataSource.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace qopt;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

absl::StatusOr<Tensor> qopt::parseTensorProto(llvm::StringRef bytes,
                                              const llvm::Twine &name) {
  absl::StatusOr<Tensor> tensor = frontend::parseTensor(bytes);
  if (!tensor.ok())
    return Error(Code::DataFile,
                 "'" + name + "': " + std::string(tensor.status().message()));
  return tensor;
}

/// The data are samples of the model's extents but for the first.
static bool hasOtherBatch(llvm::ArrayRef<int64_t> expected,
                          llvm::ArrayRef<int64_t> found) {
  if (expected.empty() || expected[0] <= 1 || found.size() < expected.size())
    return false;
  return expected.drop_front() == found.take_back(expected.size() - 1);
}

absl::StatusOr<SampleLayout>
qopt::inferSampleLayout(llvm::ArrayRef<int64_t> array, llvm::StringRef name,
                        const InputPreprocessing *steps,
                        const TensorSpec &spec) {
  auto fits = [&](llvm::ArrayRef<int64_t> raw) {
    if (!steps)
      return raw == llvm::ArrayRef<int64_t>(spec.shape);
    absl::StatusOr<llvm::SmallVector<int64_t, 6>> shape =
        inferShape(*steps, raw);
    return shape.ok() && *shape == spec.shape;
  };
  SampleLayout layout;
  // One sample as it is.
  layout.rawShape.assign(array.begin(), array.end());
  layout.count = 1;
  layout.rowsPerSample = 0;
  if (fits(array))
    return layout;
  if (!array.empty()) {
    // A multiple of the batch.
    int64_t batch = spec.shape.empty() ? 1 : spec.shape[0];
    layout.rawShape[0] = batch;
    if (batch > 0 && array[0] % batch == 0 && fits(layout.rawShape)) {
      layout.count = array[0] / batch;
      layout.rowsPerSample = batch;
      return layout;
    }
    // One more leading dimension.
    layout.rawShape.erase(layout.rawShape.begin());
    if (fits(layout.rawShape)) {
      layout.count = array[0];
      layout.rowsPerSample = 1;
      return layout;
    }
  }
  // One sample without its batch of one.
  layout.rawShape.assign(array.begin(), array.end());
  layout.rawShape.insert(layout.rawShape.begin(), 1);
  layout.count = 1;
  layout.rowsPerSample = 0;
  if (!spec.shape.empty() && spec.shape[0] == 1 && fits(layout.rawShape))
    return layout;
  Error error(Code::DataShape, "input '" + llvm::Twine(spec.name) +
                                   "' expects " + formatShape(spec.shape) +
                                   " or a stack of those, '" + name + "' is " +
                                   formatShape(array));
  if (steps)
    return std::move(error).note("after --pre " + steps->text);
  if (hasOtherBatch(spec.shape, array)) {
    llvm::SmallVector<int64_t> single(spec.shape);
    single[0] = 1;
    return std::move(error).help(
        "the model's first extent is a batch that the data do not have; "
        "compile it for one sample: --shape " +
        llvm::Twine(spec.name) + "=" + formatShape(single));
  }
  return std::move(error).help("declare the change of layout, for example "
                               "--pre " +
                               llvm::Twine(spec.name) + "=layout:nhwc->nchw");
}

namespace {
/// Samples of one array on disk.
class ArrayStream : public InputStream {
public:
  ArrayStream(ArrayReader reader, SampleLayout layout)
      : reader_(std::move(reader)), layout_(std::move(layout)) {}
  int64_t size() const override { return layout_.count; }
  absl::StatusOr<Tensor> read(int64_t index) override {
    int64_t rows = layout_.rowsPerSample;
    absl::StatusOr<Tensor> raw =
        rows == 0 ? reader_.read() : reader_.readRows(index * rows, rows);
    if (!raw.ok())
      return raw;
    return raw->reshaped(layout_.rawShape);
  }

private:
  ArrayReader reader_;
  SampleLayout layout_;
};

/// An ONNX tensor file. It has to be in memory whole, so a stack of samples
/// stays there.
class ProtoStream : public InputStream {
public:
  ProtoStream(std::string path, SampleLayout layout)
      : path_(std::move(path)), layout_(std::move(layout)) {}
  int64_t size() const override { return layout_.count; }
  absl::StatusOr<Tensor> read(int64_t index) override {
    if (!whole_) {
      QOPT_ASSIGN(std::string bytes, readFile(path_));
      QOPT_ASSIGN(whole_, parseTensorProto(bytes, path_));
    }
    if (layout_.count == 1)
      return std::exchange(whole_, std::nullopt)->reshaped(layout_.rawShape);
    Tensor sample(whole_->dtype(), layout_.rawShape);
    std::memcpy(sample.mutableData(),
                whole_->data() + index * sample.numBytes(), sample.numBytes());
    return sample;
  }

private:
  std::string path_;
  SampleLayout layout_;
  /// A stack of samples.
  std::optional<Tensor> whole_;
};

/// Made-up samples in the form of the model's input, each from its own seed.
class RandomStream : public InputStream {
public:
  static absl::StatusOr<std::unique_ptr<InputStream>>
  open(llvm::StringRef recipe, const TensorSpec &spec, size_t input) {
    auto stream = std::make_unique<RandomStream>();
    stream->spec_ = spec;
    stream->input_ = input;
    llvm::SmallVector<llvm::StringRef> parts;
    recipe.split(parts, ':');
    for (llvm::StringRef part : llvm::drop_begin(parts)) {
      if (part == "normal" || part == "uniform")
        stream->kind_ = part.str();
      else if (part.consume_front("samples=")
                   ? part.getAsInteger(10, stream->size_) || stream->size_ < 1
                   : (part.consume_front("seed="),
                      part.getAsInteger(10, stream->seed_)))
        return Error(Code::BadFlagValue,
                     "--data: expected random[:normal|uniform][:SEED]"
                     "[:samples=N], got '" +
                         recipe + "'");
    }
    return std::unique_ptr<InputStream>(std::move(stream));
  }
  int64_t size() const override { return size_; }
  absl::StatusOr<Tensor> read(int64_t index) override {
    uint64_t seed = (uint64_t(seed_) << 32) + (input_ << 24) + uint64_t(index);
    return makeArray("random:" + kind_ + ":seed=" + std::to_string(seed),
                     spec_);
  }
  bool isPrepared(int64_t) const override { return true; }

private:
  TensorSpec spec_;
  std::string kind_ = "normal";
  uint64_t input_ = 0;
  uint32_t seed_ = 0;
  int64_t size_ = 32;
};

/// The samples of several streams, one after the other.
class ChainedStream : public InputStream {
public:
  explicit ChainedStream(std::vector<std::unique_ptr<InputStream>> parts)
      : parts_(std::move(parts)) {
    for (const std::unique_ptr<InputStream> &part : parts_)
      ends_.push_back((ends_.empty() ? 0 : ends_.back()) + part->size());
  }
  int64_t size() const override { return ends_.back(); }
  absl::StatusOr<Tensor> read(int64_t index) override {
    size_t part = findPart(index);
    return parts_[part]->read(index - getStart(part));
  }
  bool isPrepared(int64_t index) const override {
    size_t part = findPart(index);
    return parts_[part]->isPrepared(index - getStart(part));
  }

private:
  size_t findPart(int64_t index) const {
    return llvm::upper_bound(ends_, index) - ends_.begin();
  }
  int64_t getStart(size_t part) const { return part ? ends_[part - 1] : 0; }

  std::vector<std::unique_ptr<InputStream>> parts_;
  std::vector<int64_t> ends_;
};

/// Finds and opens what `--data` names.
class Opener {
public:
  Opener(llvm::ArrayRef<TensorSpec> inputs, const Preprocessing &preprocessing)
      : inputs_(inputs), preprocessing_(preprocessing), parts_(inputs.size()),
        empty_(inputs.size()) {}

  absl::Status add(llvm::StringRef argument) {
    if (isRandomData(argument))
      return addPath(argument, std::nullopt);
    // `INPUT=PATH` if the text before '=' is an input.
    auto [name, rest] = argument.split('=');
    if (!rest.empty())
      if (std::optional<size_t> input = findInput(name))
        return addPath(rest, input);
    if (!rest.empty() && !fs::exists(argument))
      return Error(Code::BadFlagValue,
                   "--data: the model has no input '" + name + "'")
          .note("its inputs are: " + listInputs());
    return addPath(argument, std::nullopt);
  }

  absl::StatusOr<std::vector<std::unique_ptr<InputStream>>> take() {
    std::vector<std::unique_ptr<InputStream>> streams;
    llvm::SmallVector<std::string> missing, helps;
    for (auto [i, parts] : llvm::enumerate(parts_)) {
      const std::string &name = inputs_[i].name;
      if (!parts.empty())
        streams.push_back(std::make_unique<ChainedStream>(std::move(parts)));
      else if (!empty_[i].empty())
        missing.push_back("'" + empty_[i] + "' holds no samples of input '" +
                          name + "'");
      else {
        missing.push_back("there are no data for input '" + name + "'");
        helps.push_back("--data " + name + "=FILE.npy");
      }
    }
    if (missing.empty())
      return streams;
    Error error(Code::DataFile, missing.front());
    for (const std::string &other : llvm::drop_begin(missing))
      std::move(error).note(other);
    if (!helps.empty())
      std::move(error).help("add " + llvm::join(helps, " "));
    return error;
  }

private:
  std::optional<size_t> findInput(llvm::StringRef name) const {
    for (auto [i, spec] : llvm::enumerate(inputs_))
      if (spec.name == name)
        return i;
    // `x` stands for the only input, as in --pre.
    if (inputs_.size() == 1 && name == "x")
      return 0;
    return std::nullopt;
  }
  std::string listInputs() const {
    std::string names;
    for (const TensorSpec &spec : inputs_)
      names += (names.empty() ? "" : ", ") + spec.name;
    return names;
  }

  absl::Status addPath(llvm::StringRef name, std::optional<size_t> input) {
    if (isRandomData(name))
      return addRandom(name, input);
    if (fs::is_directory(name))
      return addFolder(name, input);
    if (name.ends_with(".npz"))
      return addArchive(name, input);
    if (name.ends_with(".pb"))
      return addProto(name, input);
    absl::StatusOr<ArrayReader> reader = openArray(name);
    if (!reader.ok())
      return reader.status();
    return addArray(*reader, input);
  }

  /// For the input named, or for every one; inputs differ in their seeds.
  absl::Status addRandom(llvm::StringRef recipe, std::optional<size_t> input) {
    for (auto [i, spec] : llvm::enumerate(inputs_)) {
      if (input && i != *input)
        continue;
      QOPT_ASSIGN(std::unique_ptr<InputStream> stream,
                  RandomStream::open(recipe, spec, i));
      parts_[i].push_back(std::move(stream));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<size_t> getInput(llvm::StringRef file,
                                  std::optional<size_t> input) const {
    if (input)
      return *input;
    if (inputs_.size() == 1)
      return 0;
    return Error(Code::DataFile,
                 "'" + file + "' does not say which input it is for")
        .note("the inputs are: " + listInputs())
        .help("write --data NAME=" + file);
  }

  absl::Status addArray(ArrayReader reader, std::optional<size_t> input) {
    QOPT_ASSIGN(size_t index, getInput(reader.name(), input));
    const TensorSpec &spec = inputs_[index];
    QOPT_ASSIGN(
        SampleLayout layout,
        inferSampleLayout(reader.shape(), reader.name(), getSteps(spec), spec));
    if (layout.count == 0)
      empty_[index] = reader.name();
    else
      parts_[index].push_back(
          std::make_unique<ArrayStream>(std::move(reader), std::move(layout)));
    return absl::OkStatus();
  }

  absl::Status addProto(llvm::StringRef file, std::optional<size_t> input) {
    QOPT_ASSIGN(size_t index, getInput(file, input));
    const TensorSpec &spec = inputs_[index];
    QOPT_ASSIGN(std::string bytes, readFile(file));
    QOPT_ASSIGN(Tensor tensor, parseTensorProto(bytes, file));
    QOPT_ASSIGN(SampleLayout layout,
                inferSampleLayout(tensor.shape(), file, getSteps(spec), spec));
    if (layout.count == 0)
      empty_[index] = file.str();
    else
      parts_[index].push_back(
          std::make_unique<ProtoStream>(file.str(), std::move(layout)));
    return absl::OkStatus();
  }

  /// Arrays named as the inputs. A single wanted input takes the one array
  /// whose shape fits, whatever its name.
  absl::Status addArchive(llvm::StringRef file, std::optional<size_t> input) {
    QOPT_ASSIGN(std::shared_ptr<ByteSource> source, openFile(file));
    QOPT_ASSIGN(std::vector<ArchiveMember> members, openArchive(source, file));
    std::string names;
    bool isFound = false;
    for (ArchiveMember &member : members) {
      names += (names.empty() ? "" : ", ") + member.name;
      std::optional<size_t> target = findInput(member.name);
      if (!target || (input && *target != *input))
        continue;
      QOPT_ASSIGN(ArrayReader reader,
                  ArrayReader::open(member.bytes, file + ":" + member.name));
      QOPT_RETURN_IF_ERROR(addArray(std::move(reader), target));
      isFound = true;
    }
    if (isFound)
      return absl::OkStatus();
    if (input || inputs_.size() == 1)
      if (std::optional<ArrayReader> reader =
              findFitting(file, members, input.value_or(0)))
        return addArray(std::move(*reader), input.value_or(0));
    return Error(Code::DataFile,
                 "'" + file + "' has no array named as an input (" +
                     listInputs() + ") and not exactly one that fits")
        .note("it holds: " + (names.empty() ? "nothing" : names))
        .help("write --data " + llvm::Twine(inputs_.front().name) + "=" + file +
              ":ARRAY");
  }

  /// The only readable member that is a stack of samples of that input.
  std::optional<ArrayReader> findFitting(llvm::StringRef file,
                                         std::vector<ArchiveMember> &members,
                                         size_t input) const {
    std::optional<ArrayReader> found;
    const TensorSpec &spec = inputs_[input];
    for (ArchiveMember &member : members) {
      absl::StatusOr<ArrayReader> reader =
          ArrayReader::open(member.bytes, file + ":" + member.name);
      if (!reader.ok() ||
          !inferSampleLayout(reader->shape(), member.name, getSteps(spec), spec)
               .ok())
        continue;
      if (found)
        return std::nullopt;
      found = std::move(*reader);
    }
    return found;
  }

  absl::Status addFolder(llvm::StringRef folder, std::optional<size_t> input) {
    std::vector<std::string> files, folders;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; it != end && !error;
         it.increment(error)) {
      std::string name = it->path();
      if (fs::is_directory(name))
        folders.push_back(name);
      else
        files.push_back(name);
    }
    if (error)
      return Error(Code::DataFile,
                   "cannot read '" + folder + "': " + error.message());
    // Numbers in names count as numbers: set_2 before set_10.
    auto byName = [](const std::string &a, const std::string &b) {
      return llvm::StringRef(a).compare_numeric(b) < 0;
    };
    llvm::sort(files, byName);
    llvm::sort(folders, byName);
    bool isFound = false;
    for (const std::string &file : files) {
      llvm::StringRef stem = path::stem(file),
                      extension = path::extension(file);
      std::optional<size_t> target = input;
      if (extension == ".pb") {
        // input_K.pb of an ONNX test; output_K.pb is not ours.
        size_t position;
        if (!stem.consume_front("input_") || stem.getAsInteger(10, position) ||
            position >= inputs_.size())
          continue;
        target = position;
      } else if (extension != ".npy" && extension != ".npz")
        continue;
      else if (!input && inputs_.size() > 1 && extension == ".npy")
        target = findInput(stem);
      QOPT_RETURN_IF_ERROR(addPath(file, target));
      isFound = true;
    }
    for (const std::string &name : folders) {
      if (!path::filename(name).starts_with("test_data_set_"))
        continue;
      QOPT_RETURN_IF_ERROR(addFolder(name, input));
      isFound = true;
    }
    if (!isFound)
      return Error(Code::DataFile,
                   "'" + folder + "' holds no .npy, .npz or input_K.pb files");
    return absl::OkStatus();
  }

  const InputPreprocessing *getSteps(const TensorSpec &spec) const {
    return preprocessing_.lookup(spec.name, inputs_.size() == 1);
  }

  llvm::ArrayRef<TensorSpec> inputs_;
  const Preprocessing &preprocessing_;
  std::vector<std::vector<std::unique_ptr<InputStream>>> parts_;
  /// By input: an array that was given and holds no samples.
  std::vector<std::string> empty_;
};
} // namespace

bool qopt::isRandomData(llvm::StringRef argument) {
  return argument.split(':').first == "random" && !fs::exists(argument);
}

absl::StatusOr<std::unique_ptr<DataSource>>
DataSource::open(llvm::ArrayRef<std::string> arguments,
                 std::vector<TensorSpec> inputs, Preprocessing preprocessing) {
  auto source = std::make_unique<DataSource>();
  if (inputs.empty())
    return Error(Code::DataShape, "the model has no input that takes data");
  source->inputs_ = std::move(inputs);
  source->preprocessing_ = std::move(preprocessing);
  QOPT_RETURN_IF_ERROR(source->preprocessing_.check(source->inputs_));
  Opener opener(source->inputs_, source->preprocessing_);
  for (const std::string &argument : arguments)
    QOPT_RETURN_IF_ERROR(opener.add(argument));
  QOPT_ASSIGN(source->streams_, opener.take());
  for (auto [i, stream] : llvm::enumerate(source->streams_)) {
    if (i == 0)
      source->size_ = stream->size();
    if (stream->size() != source->size_)
      return Error(Code::DataShape,
                   "inputs '" + llvm::Twine(source->inputs_[0].name) +
                       "' and '" + source->inputs_[i].name + "' have " +
                       llvm::Twine(source->size_) + " and " +
                       llvm::Twine(stream->size()) + " samples");
  }
  if (source->size_ == 0)
    return Error(Code::DataShape, "the data hold no sample");
  return source;
}

absl::Status DataSource::restrictTo(int64_t first, int64_t count) {
  if (first < 0 || count < 1 || first > size_ - 1)
    return Error(Code::DataShape,
                 "expected samples below " + llvm::Twine(size_) +
                     ", asked for " +
                     (count == INT64_MAX ? "all" : llvm::Twine(count)) +
                     " from " + llvm::Twine(first));
  first_ += first;
  size_ = std::min(count, size_ - first);
  return absl::OkStatus();
}

absl::StatusOr<llvm::SmallVector<Tensor>> DataSource::read(int64_t index) {
  llvm::SmallVector<Tensor> arrays;
  for (auto [spec, stream] : llvm::zip(inputs_, streams_)) {
    absl::StatusOr<Tensor> raw = stream->read(first_ + index);
    if (!raw.ok())
      return raw.status();
    const InputPreprocessing *steps =
        preprocessing_.lookup(spec.name, inputs_.size() == 1);
    if (stream->isPrepared(first_ + index))
      steps = nullptr;
    absl::StatusOr<Tensor> array = preprocess(steps, *raw, spec);
    if (!array.ok())
      return withPrefix(array.status(),
                        "sample " + llvm::Twine(first_ + index) + ": ");
    arrays.push_back(std::move(*array));
  }
  return arrays;
}

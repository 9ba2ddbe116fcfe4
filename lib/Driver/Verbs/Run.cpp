//===- Run.cpp - qopt run -------------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One call, or a loop over a stack of samples; prints, writes and checks the
// outputs.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Program.h"
#include "qopt/Data/Metrics.h"
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>

using namespace qopt;
using namespace qopt::driver;

static llvm::ArrayRef<Flag> getRunFlags() {
  static constexpr Flag kFlags[] = {
      {"input", "[NAME=]@F.npy",
       "an array, 1x3xf32=0.5, random:normal:seed=1, or zeros (repeatable)"},
      {"output", "[NAME=]@F.npy", "write an output (repeatable)", 'o'},
      {"expect", "[NAME=]@F.npy",
       "compare an output; exit 9 if it differs (repeatable)"},
      {"atol", "X", "absolute tolerance of --expect (default 0)"},
      {"rtol", "X", "relative tolerance of --expect (default 0)"},
      {"ulp", "N", "tolerance of --expect in units in the last place"},
  };
  return kFlags;
}

llvm::ArrayRef<Flag> driver::getEngineFlags() {
  static constexpr Flag kFlags[] = {
      {"reference", nullptr, "run the interpreter instead of machine code"},
  };
  return kFlags;
}

llvm::ArrayRef<Flag> driver::getPreFlags() {
  static constexpr Flag kFlags[] = {
      {"pre", "INPUT=STEPS", "preprocessing of the arrays given; or none"},
  };
  return kFlags;
}

namespace {
/// How the samples of one input lie in the array given for it.
struct BoundInput {
  Tensor raw;
  SampleLayout layout;
  const InputPreprocessing *steps = nullptr;

  absl::StatusOr<Tensor> read(int64_t index, const TensorSpec &spec) const {
    if (layout.rowsPerSample == 0)
      return preprocess(steps, raw.reshaped(layout.rawShape), spec);
    Tensor sample(raw.dtype(), layout.rawShape);
    std::memcpy(sample.mutableData(), raw.data() + index * sample.numBytes(),
                sample.numBytes());
    return preprocess(steps, sample, spec);
  }
};

/// The first `own` of the arrays can be meant without their name.
absl::StatusOr<size_t> findSpec(llvm::ArrayRef<TensorSpec> specs,
                                llvm::StringRef name, llvm::StringRef kind,
                                size_t own) {
  std::string names;
  for (auto [i, spec] : llvm::enumerate(specs)) {
    if (spec.name == name)
      return i;
    names += (names.empty() ? "" : ", ") + spec.name;
  }
  // Any short name does where there is nothing to confuse.
  if (own == 1 && (name.empty() || name == "x" || name == "y"))
    return 0;
  return Error(Code::BadFlagValue,
               "the model has no " + kind + " '" + name + "'")
      .note("its " + kind + "s are: " + names);
}

/// `NAME=@FILE` or `@FILE`.
absl::StatusOr<std::pair<size_t, std::string>>
parseFile(llvm::StringRef text, llvm::ArrayRef<TensorSpec> specs,
          llvm::StringRef kind, size_t own) {
  llvm::StringRef name, path = text;
  size_t at = text.find("=@");
  if (at != llvm::StringRef::npos) {
    name = text.take_front(at);
    path = text.drop_front(at + 1);
  }
  if (!path.consume_front("@"))
    return Error(Code::BadFlagValue, "--" + kind +
                                         ": expected [NAME=]@FILE, "
                                         "got '" +
                                         text + "'");
  QOPT_ASSIGN(size_t index, findSpec(specs, name, kind, own));
  return std::make_pair(index, path.str());
}

/// `1x3x8xf32=0.5`: a splat; nullopt if the text has another form.
absl::StatusOr<std::optional<Tensor>> parseSplat(llvm::StringRef text) {
  auto [type, number] = text.split('=');
  llvm::SmallVector<llvm::StringRef> parts;
  type.split(parts, 'x');
  std::optional<DType> dtype = parseDType(parts.pop_back_val());
  double value, count = 1;
  if (!dtype || number.getAsDouble(value))
    return std::optional<Tensor>();
  llvm::SmallVector<int64_t> shape;
  for (llvm::StringRef part : parts) {
    int64_t extent;
    if (part.getAsInteger(10, extent) || extent < 0)
      return std::optional<Tensor>();
    count *= double(extent);
    shape.push_back(extent);
  }
  if (count > 1e10)
    return Error(Code::BadFlagValue,
                 "--input: '" + text + "' is larger than 1e10 elements");
  Tensor tensor(*dtype, shape);
  for (int64_t i = 0, e = tensor.numElements(); i < e; ++i)
    tensor.setFloat(i, value);
  return std::optional<Tensor>(tensor);
}

/// The array and which input it is for.
absl::StatusOr<std::pair<size_t, Tensor>>
parseInput(llvm::StringRef text, llvm::ArrayRef<TensorSpec> specs) {
  if (text.starts_with("@") || text.contains("=@")) {
    QOPT_ASSIGN(auto file, parseFile(text, specs, "input", specs.size()));
    if (llvm::StringRef(file.second).ends_with(".pb")) {
      QOPT_ASSIGN(std::string bytes, readFile(file.second));
      QOPT_ASSIGN(Tensor tensor, parseTensorProto(bytes, file.second));
      return std::make_pair(file.first, tensor);
    }
    QOPT_ASSIGN(Tensor tensor, readArray(file.second));
    return std::make_pair(file.first, tensor);
  }
  QOPT_ASSIGN(std::optional<Tensor> splat, parseSplat(text));
  if (splat) {
    QOPT_ASSIGN(size_t index, findSpec(specs, "", "input", specs.size()));
    return std::make_pair(index, *splat);
  }
  llvm::StringRef name, rest = text;
  if (text.contains('=') && !text.split('=').first.contains(':'))
    std::tie(name, rest) = text.split('=');
  QOPT_ASSIGN(size_t index, findSpec(specs, name, "input", specs.size()));
  QOPT_ASSIGN(splat, parseSplat(rest));
  if (splat)
    return std::make_pair(index, *splat);
  QOPT_ASSIGN(Tensor tensor, makeArray(rest, specs[index]));
  return std::make_pair(index, tensor);
}

absl::StatusOr<std::vector<BoundInput>>
bindInputs(const Arguments &arguments, const ModelInterface &interface,
           const Preprocessing &pre) {
  llvm::ArrayRef<TensorSpec> specs = interface.inputs;
  std::vector<std::optional<BoundInput>> bound(specs.size());
  QOPT_RETURN_IF_ERROR(pre.check(specs));
  for (const std::string &text : arguments.getAll("input")) {
    QOPT_ASSIGN(auto parsed, parseInput(text, specs));
    const TensorSpec &spec = specs[parsed.first];
    const InputPreprocessing *steps = pre.lookup(spec.name, specs.size() == 1);
    // A made-up array already has the form of the model's input.
    if (!llvm::StringRef(text).contains('@') &&
        parsed.second.shape() == llvm::ArrayRef<int64_t>(spec.shape) &&
        parsed.second.dtype() == spec.dtype)
      steps = nullptr;
    QOPT_ASSIGN(SampleLayout layout,
                inferSampleLayout(parsed.second.shape(), text, steps, spec));
    if (layout.count == 0)
      return Error(Code::DataShape,
                   "--input " + text + ": expected one sample or more of '" +
                       llvm::Twine(spec.name) + "', got an array of " +
                       formatShape(parsed.second.shape()));
    bound[parsed.first] = BoundInput{parsed.second, layout, steps};
  }
  std::vector<BoundInput> inputs;
  for (auto [spec, input] : llvm::zip(specs, bound)) {
    if (!input)
      return Error(Code::MissingArgument, "there is no array for input '" +
                                              llvm::Twine(spec.name) + "' (" +
                                              getName(spec.dtype) + " " +
                                              formatShape(spec.shape) + ")")
          .help("add --input " + llvm::Twine(spec.name) + "=@FILE.npy");
    if (input->layout.count != bound.front()->layout.count)
      return Error(Code::DataShape,
                   "the inputs have different numbers of samples");
    inputs.push_back(std::move(*input));
  }
  return inputs;
}

/// Outputs of all samples: stacked as the inputs were. Where data decide how
/// many positions count, those of the longest, with zeros behind the others.
class OutputStack {
public:
  OutputStack(const ModelInterface &interface, int64_t samples, bool isStack,
              bool concatenates)
      : interface_(interface), samples_(samples), isStack_(isStack),
        concatenates_(concatenates) {}
  absl::Status add(int64_t index, llvm::ArrayRef<Tensor> outputs) {
    if (!isStack_) {
      QOPT_ASSIGN(stacks_, trimOutputs(interface_, outputs));
      return absl::OkStatus();
    }
    if (index == 0)
      for (const Tensor &output : outputs)
        stacks_.push_back(makeStack(output, stacks_.size()));
    for (auto [stack, output] : llvm::zip(stacks_, outputs))
      std::memcpy(stack.mutableData() + index * output.numBytes(),
                  output.data(), output.numBytes());
    QOPT_RETURN_IF_ERROR(trimOutputs(interface_, outputs).status());
    for (const qg::ResultLength &dim : interface_.counted)
      clearRest(index, dim, outputs);
    return absl::OkStatus();
  }
  llvm::ArrayRef<Tensor> finish() {
    for (const qg::ResultLength &dim : interface_.counted)
      if (isStack_)
        stacks_[dim.result] =
            takeFirst(stacks_[dim.result], dim.axis + !isJoined(dim.result),
                      getLongest(dim));
    return stacks_;
  }

private:
  /// Rows of a batch are joined; anything else gets one more dimension, and so
  /// do rows that do not all count.
  bool isJoined(size_t output) const {
    return concatenates_ && !interface_.outputs[output].shape.empty() &&
           llvm::none_of(interface_.counted, [&](auto &dim) {
             return dim.result == output && dim.axis == 0;
           });
  }
  Tensor makeStack(const Tensor &output, size_t index) const {
    llvm::SmallVector<int64_t> shape(output.shape());
    if (isJoined(index))
      shape[0] *= samples_;
    else
      shape.insert(shape.begin(), samples_);
    return Tensor(output.dtype(), shape);
  }
  void clearRest(int64_t index, const qg::ResultLength &dim,
                 llvm::ArrayRef<Tensor> outputs) {
    const Tensor &output = outputs[dim.result];
    size_t inner = getByteWidth(output.dtype()) *
                   getNumElements(output.shape().drop_front(dim.axis + 1));
    size_t row = inner * output.shape()[dim.axis],
           used = inner * outputs[dim.length].getInt(0);
    char *at = stacks_[dim.result].mutableData() + index * output.numBytes();
    for (size_t from = 0, end = output.numBytes(); from < end; from += row)
      std::memset(at + from + used, 0, row - used);
  }
  int64_t getLongest(const qg::ResultLength &dim) const {
    const Tensor &lengths = stacks_[dim.length];
    int64_t longest = 0;
    for (int64_t i = 0; i < lengths.numElements(); ++i)
      longest = std::max(longest, lengths.getInt(i));
    return longest;
  }
  const ModelInterface &interface_;
  int64_t samples_;
  bool isStack_, concatenates_;
  llvm::SmallVector<Tensor> stacks_;
};

/// Distance of two floats in units in the last place; large for NaN.
int64_t getUlpDistance(float a, float b) {
  if (a == b || (std::isnan(a) && std::isnan(b)))
    return 0;
  if (std::isnan(a) || std::isnan(b))
    return INT64_MAX;
  auto order = [](float value) {
    int32_t bits = llvm::bit_cast<int32_t>(value);
    return bits < 0 ? int64_t(INT32_MIN) - bits : int64_t(bits);
  };
  int64_t distance = order(a) - order(b);
  return distance < 0 ? -distance : distance;
}

absl::Status checkExpected(const Arguments &arguments, llvm::StringRef name,
                           const Tensor &output, const Tensor &expected) {
  QOPT_ASSIGN(double atol, arguments.getDouble("atol", 0));
  QOPT_ASSIGN(double rtol, arguments.getDouble("rtol", 0));
  QOPT_ASSIGN(int64_t ulp, arguments.getInt("ulp", 0, 0));
  if (output.shape() != expected.shape() || output.dtype() != expected.dtype())
    return Error(Code::OutputMismatch,
                 "output '" + name + "' is " + getName(output.dtype()) + " " +
                     formatShape(output.shape()) + ", expected " +
                     getName(expected.dtype()) + " " +
                     formatShape(expected.shape()));
  int64_t differing = 0, first = -1;
  for (int64_t i = 0, e = output.numElements(); i < e; ++i) {
    double a = output.getFloat(i), b = expected.getFloat(i);
    bool isEqual = a == b || (std::isnan(a) && std::isnan(b)) ||
                   std::fabs(a - b) <= atol + rtol * std::fabs(b);
    if (!isEqual && ulp > 0 && output.dtype() == DType::f32)
      isEqual = getUlpDistance(float(a), float(b)) <= ulp;
    if (isEqual)
      continue;
    ++differing;
    if (first < 0)
      first = i;
  }
  if (differing == 0)
    return absl::OkStatus();
  ErrorSums sums;
  sums.add(expected, output);
  return Error(Code::OutputMismatch,
               "output '" + name + "': " + llvm::Twine(differing) + " of " +
                   llvm::Twine(output.numElements()) + " elements differ")
      .note(llvm::formatv("element {0}: got {1}, expected {2}", first,
                          output.getFloat(first), expected.getFloat(first))
                .str())
      .note(llvm::formatv("largest difference {0}, SQNR {1:f2} dB",
                          sums.getMaxAbs(), sums.getSqnr())
                .str());
}

/// The first elements, so that a terminal is not flooded.
void printArray(llvm::raw_ostream &os, const TensorSpec &spec,
                const Tensor &array) {
  os << spec.name << ": " << getName(array.dtype()) << " "
     << formatShape(array.shape()) << " =";
  int64_t count = std::min<int64_t>(array.numElements(), 16);
  for (int64_t i = 0; i < count; ++i) {
    if (isFloat(array.dtype()))
      os << llvm::format(" %.9g", array.getFloat(i));
    else
      os << " " << array.getInt(i);
  }
  os << (count < array.numElements() ? " ...\n" : "\n");
}
} // namespace

static absl::StatusOr<ExitCode> runRun(const Arguments &arguments,
                                       Session &session) {
  ProgramOptions options;
  QOPT_ASSIGN(options.import, getImportOptions(arguments));
  if (arguments.has("reference"))
    options.engine = Engine::Reference;
  QOPT_ASSIGN(Program program, openProgram(session.context(),
                                           arguments.positional()[0], options));
  const ModelInterface &interface = program.interface;
  QOPT_ASSIGN(Preprocessing pre,
              getPreprocessing(arguments, program.preprocessing));
  QOPT_ASSIGN(std::vector<BoundInput> inputs,
              bindInputs(arguments, interface, pre));
  // Names of files are checked before the work.
  size_t own = interface.countOwnOutputs();
  std::vector<std::pair<size_t, std::string>> files, expectations;
  for (const std::string &text : arguments.getAll("output")) {
    QOPT_ASSIGN(auto file, parseFile(text, interface.outputs, "output", own));
    files.push_back(file);
  }
  for (const std::string &text : arguments.getAll("expect")) {
    QOPT_ASSIGN(auto file, parseFile(text, interface.outputs, "expect", own));
    expectations.push_back(file);
  }

  int64_t samples = inputs.empty() ? 1 : inputs.front().layout.count;
  bool isStack = !inputs.empty() && inputs.front().layout.rowsPerSample > 0;
  bool concatenates =
      isStack && inputs.front().raw.rank() ==
                     int64_t(inputs.front().layout.rawShape.size());
  OutputStack stack(interface, samples, isStack, concatenates);
  Progress progress = session.startProgress("run", samples);
  for (int64_t i = 0; i < samples; ++i) {
    llvm::SmallVector<Tensor> arrays;
    for (auto [input, spec] : llvm::zip(inputs, interface.inputs)) {
      QOPT_ASSIGN(Tensor array, input.read(i, spec));
      arrays.push_back(std::move(array));
    }
    QOPT_ASSIGN(llvm::SmallVector<Tensor> outputs,
                program.executor->run(arrays));
    QOPT_RETURN_IF_ERROR(stack.add(i, outputs));
    if (samples > 1)
      progress.update(i + 1);
  }
  progress.finish();

  llvm::ArrayRef<Tensor> outputs = stack.finish();
  for (auto &[index, path] : files)
    QOPT_RETURN_IF_ERROR(writeNpy(path, outputs[index]));
  if (files.empty() && expectations.empty())
    // The lengths of one sample are in the shapes of its outputs.
    for (auto [spec, array] :
         llvm::zip(llvm::ArrayRef(interface.outputs)
                       .take_front(isStack ? outputs.size() : own),
                   outputs))
      printArray(session.out(), spec, array);
  for (auto &[index, path] : expectations) {
    QOPT_ASSIGN(Tensor expected, readArray(path));
    QOPT_RETURN_IF_ERROR(checkExpected(arguments, interface.outputs[index].name,
                                       outputs[index], expected));
  }
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getRunVerb() {
  return {"run",
          "run a compiled STEM, or a model",
          "STEM|MODEL [options]",
          1,
          1,
          {getRunFlags(), getEngineFlags(), getPreFlags(), getImportFlags()},
          runRun,
          /*place=*/90};
}
} // namespace qopt::driver

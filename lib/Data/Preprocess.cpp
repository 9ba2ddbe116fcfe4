//===- Preprocess.cpp - Declared steps from raw arrays to model inputs ----===//
// SPDX-License-Identifier: Apache-2.0
//
// Parsing and application; the order of operations is part of the format.
//===----------------------------------------------------------------------===//
#include "qopt/Data/Preprocess.h"
#include "qopt/Support/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <cstring>

using namespace qopt;
using Movement = InputPreprocessing::Movement;

static absl::Status badStep(llvm::StringRef step, const llvm::Twine &expected) {
  return Error(Code::BadFlagValue,
               "--pre: expected " + expected + ", got '" + step + "'");
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

static absl::StatusOr<Ratio> parseRatio(llvm::StringRef text) {
  Ratio ratio;
  ratio.text = text.str();
  auto [first, second] = text.split('/');
  bool isValid =
      !first.getAsDouble(ratio.numerator) && std::isfinite(ratio.numerator);
  if (text.contains('/'))
    isValid &= !second.getAsDouble(ratio.denominator) &&
               std::isfinite(ratio.denominator) && ratio.denominator != 0;
  if (!isValid)
    return badStep(text, "a number or a ratio such as 1/255");
  return ratio;
}

/// `0.5`, `0.485;0.456;0.406` (commas became ';' in splitSteps) or
/// `0.485/0.456/0.406`; two numbers around one '/' are a ratio.
static absl::StatusOr<std::vector<float>> parseChannels(llvm::StringRef text) {
  std::vector<float> values;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, text.count('/') > 1 && !text.contains(';') ? '/' : ';');
  for (llvm::StringRef part : parts) {
    absl::StatusOr<Ratio> ratio = parseRatio(part);
    if (!ratio.ok())
      return ratio.status();
    values.push_back(float(ratio->numerator) / float(ratio->denominator));
  }
  return values;
}

static absl::StatusOr<Movement> parseLayout(llvm::StringRef step,
                                            llvm::StringRef text) {
  auto [first, second] = text.split("->");
  llvm::StringRef from = first, to = second;
  if (text.ends_with("-"))
    return Error(Code::BadFlagValue, "--pre: '" + step + "' ends in '-'")
        .help("quote the argument: the shell takes '>' as a redirection; "
              "layout:nhwc-nchw means the same and needs no quotes");
  if (!text.contains("->"))
    std::tie(from, to) = text.split('-');
  Movement movement{Movement::Permute, {}, step.str()};
  for (char letter : to) {
    if (to.count(letter) != 1 || from.count(letter) != 1)
      return badStep(step, "the same distinct letters on both sides, as in "
                           "layout:nhwc->nchw");
    movement.values.push_back(from.find(letter));
  }
  if (from.size() != to.size() || to.empty())
    return badStep(step, "as many letters on both sides, as in "
                         "layout:nhwc->nchw");
  return movement;
}

static absl::StatusOr<Movement>
parseExtents(llvm::StringRef step, llvm::StringRef text, Movement::Kind kind) {
  Movement movement{kind, {}, step.str()};
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, 'x');
  for (llvm::StringRef part : parts) {
    int64_t value;
    if (part.getAsInteger(10, value) || value < 0 || value > INT32_MAX)
      return badStep(step, "extents as in 1x10x49");
    movement.values.push_back(value);
  }
  if (kind != Movement::Permute)
    return movement;
  llvm::SmallVector<int64_t> sorted(movement.values);
  llvm::sort(sorted);
  for (auto [i, value] : llvm::enumerate(sorted))
    if (value != int64_t(i))
      return badStep(step, "a permutation as in 0x2x1");
  return movement;
}

/// `a,b,c` where only `key:` starts a new step, so that `mean:1,2,3` is one.
static llvm::SmallVector<std::string> splitSteps(llvm::StringRef text) {
  llvm::SmallVector<std::string> steps;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',');
  for (llvm::StringRef part : parts) {
    if (part.contains(':') || steps.empty())
      steps.push_back(part.str());
    else
      steps.back() += ";" + part.str();
  }
  return steps;
}

static absl::Status parseStep(llvm::StringRef step, InputPreprocessing &into) {
  auto [key, value] = step.split(':');
  if (key == "scale") {
    QOPT_ASSIGN(into.scale, parseRatio(value));
  } else if (key == "mean") {
    QOPT_ASSIGN(into.mean, parseChannels(value));
  } else if (key == "std") {
    QOPT_ASSIGN(into.std, parseChannels(value));
    for (float deviation : into.std)
      if (deviation == 0)
        return badStep(step, "a standard deviation other than 0");
  } else if (key == "layout") {
    QOPT_ASSIGN(Movement movement, parseLayout(step, value));
    // The channel of the layout is the channel of mean, std and channels.
    size_t dash = value.find('-');
    llvm::StringRef to = value.drop_front(dash + 1).ltrim('>');
    if (to.contains('c'))
      into.channelAxis = to.find('c');
    into.movements.push_back(movement);
  } else if (key == "reshape") {
    QOPT_ASSIGN(Movement movement,
                parseExtents(step, value, Movement::Reshape));
    into.movements.push_back(movement);
  } else if (key == "permute") {
    QOPT_ASSIGN(Movement movement,
                parseExtents(step, value, Movement::Permute));
    into.movements.push_back(movement);
  } else if (key == "channels") {
    if (value != "bgr" && value != "rgb")
      return badStep(step, "channels:bgr, which reverses the order of raw RGB "
                           "(rgb keeps it)");
    if (value == "bgr")
      into.movements.push_back({Movement::ReverseChannels, {}, step.str()});
  } else if (key == "axis") {
    if (value.getAsInteger(10, into.channelAxis) || into.channelAxis < 0)
      return badStep(step, "axis:N, the channel dimension");
  } else if (key == "dtype") {
    into.dtype = parseDType(value);
    if (!into.dtype)
      return badStep(step, "dtype:f32 or another element type");
  } else
    return badStep(step, "one of scale, mean, std, layout, reshape, permute, "
                         "channels, axis, dtype followed by ':'");
  return absl::OkStatus();
}

absl::Status Preprocessing::add(llvm::StringRef declaration) {
  // The name may hold ':' (x:0), so it ends at the first '='.
  llvm::StringRef name, text = declaration;
  if (declaration.contains('='))
    std::tie(name, text) = declaration.split('=');
  InputPreprocessing steps;
  steps.text = text.str();
  for (const std::string &step : splitSteps(text))
    QOPT_RETURN_IF_ERROR(parseStep(step, steps));
  if (!inputs_.emplace(name.str(), std::move(steps)).second)
    return Error(Code::BadFlagValue,
                 "--pre: input '" + name + "' is declared twice");
  return absl::OkStatus();
}

const InputPreprocessing *Preprocessing::lookup(llvm::StringRef input,
                                                bool isOnlyInput) const {
  auto it = inputs_.find(input.str());
  if (it == inputs_.end() && isOnlyInput)
    it = inputs_.find("");
  // Models of one input are commonly declared as `x=`, whatever its name.
  if (it == inputs_.end() && isOnlyInput)
    it = inputs_.find("x");
  return it == inputs_.end() ? nullptr : &it->second;
}

absl::Status Preprocessing::check(llvm::ArrayRef<TensorSpec> inputs) const {
  for (const auto &[name, steps] : inputs_) {
    if (llvm::any_of(inputs, [&name = name](const TensorSpec &spec) {
          return spec.name == name;
        }))
      continue;
    if (inputs.size() == 1 && (name.empty() || name == "x"))
      continue;
    std::string names;
    for (const TensorSpec &spec : inputs)
      names += (names.empty() ? "" : ", ") + spec.name;
    return Error(Code::BadFlagValue,
                 "--pre: the model has no input '" + name + "'")
        .note("its inputs are: " + names);
  }
  return absl::OkStatus();
}

llvm::json::Value Preprocessing::toJson() const {
  llvm::json::Array array;
  for (const auto &[name, steps] : inputs_)
    array.push_back(llvm::json::Object{{"input", name}, {"steps", steps.text}});
  return array;
}

absl::StatusOr<Preprocessing>
Preprocessing::fromJson(const llvm::json::Value &value) {
  Preprocessing result;
  const llvm::json::Array *array = value.getAsArray();
  if (!array)
    return Error(Code::BundleInvalid, "'preprocessing' is not a list");
  for (const llvm::json::Value &entry : *array) {
    const llvm::json::Object *object = entry.getAsObject();
    auto input = object ? object->getString("input") : std::nullopt;
    auto steps = object ? object->getString("steps") : std::nullopt;
    if (!input || !steps)
      return Error(Code::BundleInvalid,
                   "an entry of 'preprocessing' lacks 'input' or 'steps'");
    QOPT_RETURN_IF_ERROR(result.add((*input + "=" + *steps).str()));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Application
//===----------------------------------------------------------------------===//

/// The channel dimension of a shape.
static absl::StatusOr<int64_t> getChannelAxis(const InputPreprocessing &steps,
                                              llvm::ArrayRef<int64_t> shape,
                                              int64_t extent) {
  if (steps.channelAxis >= 0) {
    if (steps.channelAxis >= int64_t(shape.size()) ||
        (extent > 1 && shape[steps.channelAxis] != extent))
      return Error(Code::DataShape, "--pre: expected " + llvm::Twine(extent) +
                                        " channels in dimension " +
                                        llvm::Twine(steps.channelAxis) +
                                        " of " + formatShape(shape));
    return steps.channelAxis;
  }
  int64_t found = -1;
  for (auto [i, dim] : llvm::enumerate(shape)) {
    if (dim != extent)
      continue;
    if (found >= 0)
      found = shape.size(); // more than one
    else
      found = i;
  }
  if (found < 0 || found == int64_t(shape.size()))
    return Error(Code::DataShape, "--pre: cannot tell which dimension of " +
                                      formatShape(shape) +
                                      " holds the channels")
        .help("add axis:N");
  return found;
}

absl::StatusOr<llvm::SmallVector<int64_t, 6>>
qopt::inferShape(const InputPreprocessing &steps, llvm::ArrayRef<int64_t> raw) {
  llvm::SmallVector<int64_t, 6> shape(raw);
  for (const Movement &movement : steps.movements) {
    if (movement.kind == Movement::ReverseChannels)
      continue;
    llvm::SmallVector<int64_t, 6> next;
    if (movement.kind == Movement::Permute) {
      if (movement.values.size() != shape.size())
        return Error(Code::DataShape, "--pre: '" + movement.text + "' needs " +
                                          llvm::Twine(movement.values.size()) +
                                          " dimensions, the data are " +
                                          formatShape(shape));
      for (int64_t from : movement.values)
        next.push_back(shape[from]);
    } else {
      // Extents fit 31 bits each, but their product may not fit 63.
      double count = 1;
      for (int64_t extent : movement.values)
        count *= double(extent);
      next = movement.values;
      if (count > 1e15 || getNumElements(next) != getNumElements(shape))
        return Error(Code::DataShape, "--pre: '" + movement.text +
                                          "' does not hold the elements of " +
                                          formatShape(shape));
    }
    shape = next;
  }
  return shape;
}

static Tensor permute(const Tensor &x, llvm::ArrayRef<int64_t> permutation) {
  int64_t rank = x.rank();
  llvm::SmallVector<int64_t> stride(rank, 1), shape, step, index(rank, 0);
  for (int64_t d = rank - 2; d >= 0; --d)
    stride[d] = stride[d + 1] * x.shape()[d + 1];
  for (int64_t from : permutation) {
    shape.push_back(x.shape()[from]);
    step.push_back(stride[from]);
  }
  Tensor result(x.dtype(), shape);
  unsigned width = getByteWidth(x.dtype());
  char *to = result.mutableData();
  int64_t from = 0;
  for (int64_t i = 0, e = x.numElements(); i < e; ++i) {
    std::memcpy(to + i * width, x.data() + from * width, width);
    for (int64_t d = rank - 1; d >= 0; --d) {
      from += step[d];
      if (++index[d] < shape[d])
        break;
      from -= step[d] * shape[d];
      index[d] = 0;
    }
  }
  return result;
}

static Tensor reverse(const Tensor &x, int64_t axis) {
  Tensor result(x.dtype(), x.shape());
  int64_t extent = x.shape()[axis];
  int64_t inner = getByteWidth(x.dtype());
  for (int64_t dim : x.shape().drop_front(axis + 1))
    inner *= dim;
  int64_t outer = inner && extent ? x.numBytes() / (inner * extent) : 0;
  char *to = result.mutableData();
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t c = 0; c < extent; ++c)
      std::memcpy(to + (o * extent + c) * inner,
                  x.data() + (o * extent + extent - 1 - c) * inner, inner);
  return result;
}

/// Stores a number: floats rounded to their width, integers half to even and
/// saturated. NaN cannot become an integer.
static absl::Status storeConverted(Tensor &into, int64_t index, double value) {
  if (isFloat(into.dtype())) {
    into.setFloat(index, value);
    return absl::OkStatus();
  }
  if (std::isnan(value))
    return Error(Code::DataValues, "element " + llvm::Twine(index) +
                                       " is NaN and cannot become " +
                                       getName(into.dtype()));
  if (into.dtype() == DType::b1) {
    into.setInt(index, value != 0);
    return absl::OkStatus();
  }
  unsigned bits = 8 * getByteWidth(into.dtype());
  bool isSigned = !isUnsigned(into.dtype());
  double low = isSigned ? -std::ldexp(1.0, bits - 1) : 0;
  double high = std::ldexp(1.0, isSigned ? bits - 1 : bits);
  double rounded = std::nearbyint(value);
  if (rounded >= high)
    into.setInt(index, int64_t(~uint64_t(0) >> (64 - bits + isSigned)));
  else if (rounded >= std::ldexp(1.0, 63)) // u64 above the range of int64_t
    into.setInt(index, int64_t(uint64_t(rounded)));
  else
    into.setInt(index, int64_t(std::max(rounded, low)));
  return absl::OkStatus();
}

static absl::StatusOr<Tensor> convert(const Tensor &x, DType dtype) {
  if (x.dtype() == dtype)
    return x;
  Tensor result(dtype, x.shape());
  for (int64_t i = 0, e = x.numElements(); i < e; ++i)
    QOPT_RETURN_IF_ERROR(storeConverted(result, i, x.getFloat(i)));
  return result;
}

static absl::StatusOr<Tensor> applyArithmetic(const InputPreprocessing &steps,
                                              const Tensor &x) {
  size_t channels = std::max(steps.mean.size(), steps.std.size());
  if (!steps.mean.empty() && !steps.std.empty() && steps.mean.size() > 1 &&
      steps.std.size() > 1 && steps.mean.size() != steps.std.size())
    return Error(Code::BadFlagValue,
                 "--pre: mean and std differ in their number of channels");
  int64_t inner = 1, extent = 1;
  if (channels > 1) {
    QOPT_ASSIGN(int64_t axis, getChannelAxis(steps, x.shape(), channels));
    extent = channels;
    for (int64_t dim : x.shape().drop_front(axis + 1))
      inner *= dim;
  }
  float numerator = float(steps.scale.numerator);
  float denominator = float(steps.scale.denominator);
  Tensor result(DType::f32, x.shape());
  auto to = result.mutableSpan<float>();
  auto pick = [](const std::vector<float> &values, int64_t channel) {
    return values.size() == 1 ? values[0] : values[channel];
  };
  for (int64_t i = 0, e = x.numElements(); i < e; ++i) {
    int64_t channel = (i / inner) % extent;
    float value = float(x.getFloat(i));
    if (numerator != 1)
      value = value * numerator;
    if (denominator != 1)
      value = value / denominator;
    if (!steps.mean.empty())
      value = value - pick(steps.mean, channel);
    if (!steps.std.empty())
      value = value / pick(steps.std, channel);
    to[i] = value;
  }
  return result;
}

absl::StatusOr<Tensor> qopt::preprocess(const InputPreprocessing *steps,
                                        const Tensor &raw,
                                        const TensorSpec &spec) {
  Tensor x = raw;
  if (steps) {
    // Checks what the movements below rely on.
    QOPT_RETURN_IF_ERROR(inferShape(*steps, raw.shape()).status());
    for (const Movement &movement : steps->movements) {
      if (movement.kind == Movement::Permute)
        x = permute(x, movement.values);
      else if (movement.kind == Movement::Reshape)
        x = x.reshaped(movement.values);
    }
    // Reversal refers to the channel dimension after all movements.
    for (const Movement &movement : steps->movements) {
      if (movement.kind != Movement::ReverseChannels)
        continue;
      QOPT_ASSIGN(int64_t axis, getChannelAxis(*steps, x.shape(), 3));
      x = reverse(x, axis);
    }
    if (steps->hasArithmetic()) {
      QOPT_ASSIGN(x, applyArithmetic(*steps, x));
    }
    QOPT_ASSIGN(x, convert(x, steps->dtype.value_or(spec.dtype)));
  }
  if (x.dtype() != spec.dtype)
    return Error(Code::DataShape, "input '" + llvm::Twine(spec.name) +
                                      "' expects " + getName(spec.dtype) +
                                      ", got " + getName(x.dtype()))
        .help("declare how the data become inputs, for example --pre " +
              llvm::Twine(spec.name) + "=dtype:" + getName(spec.dtype));
  if (x.shape() != llvm::ArrayRef<int64_t>(spec.shape))
    return Error(Code::DataShape, "input '" + llvm::Twine(spec.name) +
                                      "' expects " + formatShape(spec.shape) +
                                      ", got " + formatShape(x.shape()));
  return x;
}

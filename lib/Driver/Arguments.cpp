//===- Arguments.cpp - Verbs, flags and their values ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The command line parser and its hints.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Arguments.h"
#include "qopt/Support/Escape.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace qopt;
using namespace qopt::driver;

namespace {
/// What other tools call it.
struct ForeignFlag {
  const char *name, *hint;
};
constexpr ForeignFlag kForeignFlags[] = {
    {"EmitLib", "use --emit=shared"},
    {"EmitObj", "use --emit=object"},
    {"EmitLLVMIR", "use --emit=llvm-ir"},
    {"EmitMLIR", "use --emit=ir"},
    {"EmitONNXIR", "use --emit=ir:imported"},
    {"onnx", "the model is given without a flag"},
    {"onnx_path", "the model is given without a flag"},
    {"saveEngine", "use -o STEM"},
    {"int8", "use --scheme w8a8"},
    {"iterations", "use --iters"},
    {"niter", "use --iters"},
    {"warmUp", "use --warmup"},
    {"nthreads", "use --threads"},
    {"dimParams", "use --dim NAME=EXTENT"},
    {"shapeInformation", "use --shape NAME=1x3x224x224"},
    {"shapes", "use --shape NAME=1x3x224x224"},
    {"calibration_data_path", "use --data"},
    {"dataset", "use --data"},
    {"input_num", "use --samples"},
    {"output_path", "use -o"},
    {"march", "use --target"},
    {"mllvm", "use --llvm-arg"},
    {"inputs", "use --input NAME=@FILE.npy"},
    {"outputs", "use --output NAME=@FILE.npy"},
};

const Flag *findFlag(const Verb &verb, llvm::StringRef name) {
  for (llvm::ArrayRef<Flag> group : verb.flags)
    for (const Flag &flag : group)
      if (name == flag.name || (name.size() == 1 && name[0] == flag.letter))
        return &flag;
  for (const Flag &flag : getCommonFlags())
    if (name == flag.name || (name.size() == 1 && name[0] == flag.letter))
      return &flag;
  return nullptr;
}

/// Names of a model are text inside qopt (escapeBytes); paths are bytes, alone
/// or behind the name of an input.
std::string toText(const Flag &flag, llvm::StringRef value) {
  llvm::StringRef kind = flag.value ? flag.value : "";
  bool isPath = false;
  for (llvm::StringRef word : {"PATH", "FILE", "STEM", "DIR"})
    isPath |= kind.contains(word);
  if (!isPath)
    return toUtf8(value);
  if (!kind.contains('='))
    return value.str();
  auto [name, path] = value.split('=');
  return value.contains('=') && !name.contains('/')
             ? toUtf8(name) + "=" + path.str()
             : value.str();
}

absl::Status reportUnknownFlag(const Verb &verb, llvm::StringRef word,
                               llvm::StringRef name) {
  Error error(Code::UnknownFlag,
              "'" + llvm::Twine(verb.name) + "' has no flag '" + word + "'");
  for (const ForeignFlag &foreign : kForeignFlags)
    if (name == foreign.name)
      return std::move(error).help(foreign.hint);
  // Another verb's flag is likelier than a typo in a long name.
  llvm::StringRef best;
  unsigned distance = 3;
  auto look = [&](llvm::ArrayRef<Flag> group) {
    for (const Flag &flag : group) {
      unsigned d = name.edit_distance(flag.name, true, distance);
      if (d < distance) {
        distance = d;
        best = flag.name;
      }
    }
  };
  for (llvm::ArrayRef<Flag> group : verb.flags)
    look(group);
  look(getCommonFlags());
  if (!best.empty())
    return std::move(error).help("did you mean --" + best + "?");
  return std::move(error).help("'qopt help " + llvm::Twine(verb.name) +
                               "' lists its flags");
}
} // namespace

llvm::ArrayRef<Flag> driver::getCommonFlags() {
  static constexpr Flag kFlags[] = {
      {"help", nullptr, "print this", 'h'},
      {"quiet", nullptr, "no summary, no progress", 'q'},
      {"verbose", nullptr, "say what is done", 'v'},
      {"progress", "MODE", "auto, bar, lines, json or none (on stderr)"},
      {"jobs", "N", "threads of the compiler itself", 'j'},
      {"llvm-arg", "ARG", "passed to LLVM's own command line (repeatable)"},
  };
  return kFlags;
}

absl::StatusOr<Arguments>
Arguments::parse(const Verb &verb, llvm::ArrayRef<llvm::StringRef> words) {
  Arguments result;
  bool onlyNames = false;
  for (size_t i = 0; i < words.size(); ++i) {
    llvm::StringRef word = words[i];
    if (!onlyNames && word == "--") {
      onlyNames = true;
      continue;
    }
    if (onlyNames || word.size() < 2 || word[0] != '-') {
      result.positional_.push_back(word.str());
      continue;
    }
    bool isLong = word.starts_with("--");
    auto [name, value] = word.drop_front(isLong ? 2 : 1).split('=');
    bool hasValue = word.contains('=');
    // -vv is -v -v; -O3 is -O 3.
    if (!isLong && name == "vv")
      name = "v";
    if (!isLong && !hasValue && name.size() > 1 &&
        (name[0] == 'O' || name[0] == 'j')) {
      value = name.drop_front();
      name = name.take_front();
      hasValue = true;
    }
    const Flag *flag = findFlag(verb, name);
    if (!flag)
      return reportUnknownFlag(verb, word, name);
    if (flag->value && !hasValue) {
      if (i + 1 == words.size())
        return Error(Code::MissingArgument, "--" + llvm::Twine(flag->name) +
                                                " expects " + flag->value);
      value = words[++i];
    }
    if (!flag->value && hasValue)
      return Error(Code::BadFlagValue, "--" + llvm::Twine(flag->name) +
                                           " takes no value, got '" + value +
                                           "'");
    result.values_[flag->name].push_back(toText(*flag, value));
  }
  if (result.has("help"))
    return result;
  size_t count = result.positional_.size();
  if (count < verb.minPositional || count > verb.maxPositional)
    return Error(Code::MissingArgument,
                 "expected: qopt " + llvm::Twine(verb.name) + " " + verb.usage +
                     ", got " + llvm::Twine(count) + " names")
        .help("'qopt help " + llvm::Twine(verb.name) + "' explains them");
  return result;
}

void Arguments::set(llvm::StringRef flag, std::vector<std::string> values) {
  if (values.empty())
    values_.erase(flag.str());
  else
    values_[flag.str()] = std::move(values);
}

std::vector<std::string> Arguments::getFlags() const {
  std::vector<std::string> flags;
  for (const auto &[flag, values] : values_)
    flags.push_back(flag);
  return flags;
}

bool Arguments::has(llvm::StringRef flag) const {
  return values_.count(flag.str());
}

std::optional<std::string> Arguments::get(llvm::StringRef flag) const {
  auto it = values_.find(flag.str());
  if (it == values_.end())
    return std::nullopt;
  return it->second.back();
}

std::string Arguments::get(llvm::StringRef flag,
                           llvm::StringRef otherwise) const {
  return get(flag).value_or(otherwise.str());
}

std::vector<std::string> Arguments::getAll(llvm::StringRef flag) const {
  auto it = values_.find(flag.str());
  return it == values_.end() ? std::vector<std::string>() : it->second;
}

std::vector<std::string> Arguments::getList(llvm::StringRef flag) const {
  std::vector<std::string> result;
  for (const std::string &value : getAll(flag)) {
    llvm::SmallVector<llvm::StringRef> parts;
    llvm::StringRef(value).split(parts, ',', -1, /*KeepEmpty=*/false);
    for (llvm::StringRef part : parts)
      result.push_back(part.trim().str());
  }
  return result;
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>>
Arguments::getMap(llvm::StringRef flag) const {
  std::vector<std::pair<std::string, std::string>> result;
  for (const std::string &value : getAll(flag)) {
    auto [name, rest] = llvm::StringRef(value).split('=');
    if (name.empty() || rest.empty())
      return Error(Code::BadFlagValue,
                   "--" + flag + ": expected NAME=VALUE, got '" + value + "'");
    result.emplace_back(name.str(), rest.str());
  }
  return result;
}

absl::StatusOr<int64_t> Arguments::getInt(llvm::StringRef flag,
                                          int64_t otherwise,
                                          int64_t minimum) const {
  std::optional<std::string> text = get(flag);
  if (!text)
    return otherwise;
  int64_t value;
  if (llvm::StringRef(*text).getAsInteger(10, value) || value < minimum)
    return Error(Code::BadFlagValue, "--" + flag + ": expected an integer >= " +
                                         llvm::Twine(minimum) + ", got '" +
                                         *text + "'");
  return value;
}

absl::StatusOr<double> Arguments::getDouble(llvm::StringRef flag,
                                            double otherwise) const {
  std::optional<std::string> text = get(flag);
  if (!text)
    return otherwise;
  double value;
  // No bound holds or fails against what is no number.
  if (llvm::StringRef(*text).getAsDouble(value) || !std::isfinite(value))
    return Error(Code::BadFlagValue,
                 "--" + flag + ": expected a number, got '" + *text + "'");
  return value;
}

absl::StatusOr<std::string>
Arguments::getChoice(llvm::StringRef flag,
                     llvm::ArrayRef<llvm::StringRef> choices,
                     llvm::StringRef otherwise) const {
  std::string value = get(flag, otherwise);
  if (llvm::is_contained(choices, value))
    return value;
  return Error(Code::BadFlagValue, "--" + flag + ": expected one of " +
                                       llvm::join(choices, ", ") + ", got '" +
                                       value + "'");
}

static void printFlags(llvm::raw_ostream &os, llvm::ArrayRef<Flag> flags) {
  for (const Flag &flag : flags) {
    std::string left = flag.letter ? std::string("-") + flag.letter + ", " : "";
    left += std::string("--") + flag.name;
    if (flag.value)
      left += std::string(" ") + flag.value;
    os << llvm::formatv("  {0,-32} {1}\n", left, flag.help);
  }
}

void driver::printHelp(llvm::raw_ostream &os, const Verb &verb) {
  os << "qopt " << verb.name << " " << verb.usage << "\n"
     << verb.summary << "\n\n";
  for (llvm::ArrayRef<Flag> group : verb.flags)
    printFlags(os, group);
  os << "\nevery verb:\n";
  printFlags(os, getCommonFlags());
}

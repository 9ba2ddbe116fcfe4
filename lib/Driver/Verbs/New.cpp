//===- New.cpp - qopt new -------------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The scaffold: everything that adding a thing touches, with a test that fails.
// All texts are made before the first is written.
//===----------------------------------------------------------------------===//
#include "Templates.h"
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Support/Files.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include <algorithm>
#include <cmath>
#include <map>

using namespace qopt;
using namespace qopt::driver;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

static llvm::ArrayRef<Flag> getNewFlags() {
  static constexpr Flag kFlags[] = {
      {"dir", "TREE", "qopt's source tree (default: the one around here)"},
      {"out-of-tree", "DIR",
       "a project with a pass plugin in DIR, for an installed qopt"},
      {"since", "N", "of an op: the first opset with this meaning (default 1)"},
      {"bits", "N", "of a format of integers"},
      {"signed", nullptr, "of a format of integers"},
      {"levels", "LIST",
       "of a format with a table: 2^b numbers in growing order"},
      {"steps", "N", "of --levels: signed bytes are levels times N (127)"},
  };
  return kFlags;
}

/// FoldSmoothing: fold-smoothing.
static std::string makeKebab(llvm::StringRef name) {
  std::string result;
  for (char c : name) {
    if (llvm::isUpper(c) && !result.empty() && result.back() != '-')
      result += '-';
    result += llvm::toLower(c);
  }
  return result;
}

static bool isCamelCase(llvm::StringRef name) {
  return !name.empty() && llvm::isUpper(name.front()) &&
         llvm::all_of(name, [](char c) { return llvm::isAlnum(c); });
}

/// A file's first line, 80 columns wide.
static std::string makeBanner(llvm::StringRef name, llvm::StringRef phrase) {
  std::string line = ("//===- " + name + ".cpp - " + phrase + " ").str();
  line.append(line.size() < 75 ? 75 - line.size() : 1, '-');
  return line + "===//";
}

namespace {
using Words = std::map<std::string, std::string>;

std::string fill(llvm::StringRef text, const Words &words) {
  std::string result = text.str();
  for (const auto &[word, value] : words)
    for (size_t at = 0;
         (at = result.find("@" + word + "@", at)) != std::string::npos;
         at += value.size())
      result.replace(at, word.size() + 2, value);
  return result;
}

/// The files of one call.
class Scaffold {
public:
  explicit Scaffold(std::string root) : root_(std::move(root)) {}

  std::string getPath(const llvm::Twine &file) const {
    llvm::SmallString<128> result(root_);
    path::append(result, file);
    return result.str().str();
  }

  absl::Status create(const llvm::Twine &file, std::string text) {
    std::string name = file.str();
    if (fs::exists(getPath(name)))
      return Error(Code::BadFlagValue,
                   "'" + getPath(name) + "' exists already");
    texts_[name] = std::move(text);
    created_.push_back(name);
    return absl::OkStatus();
  }

  /// Puts `text` in front of the last (or behind the first) `marker`.
  enum Place { BeforeLast, BehindFirst };
  absl::Status insert(const llvm::Twine &file, Place place,
                      llvm::StringRef marker, llvm::StringRef text) {
    std::string name = file.str();
    if (!texts_.count(name)) {
      QOPT_ASSIGN(texts_[name], readFile(getPath(name)));
      changed_.push_back(name);
    }
    std::string &whole = texts_[name];
    size_t at = place == BeforeLast ? whole.rfind(marker.str())
                                    : whole.find(marker.str());
    if (at == std::string::npos)
      return Error(Code::BadFlagValue, "expected '" + marker.trim() + "' in '" +
                                           getPath(name) + "'");
    if (place == BehindFirst)
      at = whole.find('\n', at) + 1;
    whole.insert(at, text.str());
    return absl::OkStatus();
  }

  absl::Status write(Session &session) const {
    for (const std::string &name : created_) {
      QOPT_RETURN_IF_ERROR(writeFile(getPath(name), texts_.at(name)));
      session.say("wrote " + getPath(name));
    }
    for (const std::string &name : changed_) {
      QOPT_RETURN_IF_ERROR(writeFile(getPath(name), texts_.at(name)));
      session.say("changed " + getPath(name));
    }
    return absl::OkStatus();
  }

private:
  std::string root_;
  std::map<std::string, std::string> texts_;
  std::vector<std::string> created_, changed_;
};
} // namespace

/// --dir, or the folder around the current one that is qopt's tree.
static absl::StatusOr<std::string> findTree(const Arguments &arguments) {
  llvm::SmallString<128> folder;
  if (std::optional<std::string> given = arguments.get("dir"))
    folder = *given;
  else if (fs::current_path(folder))
    folder = ".";
  for (llvm::StringRef at = folder; !at.empty(); at = path::parent_path(at)) {
    if (fs::exists(at + "/include/qopt/InitAll.h"))
      return at.str();
    if (arguments.has("dir"))
      break;
  }
  return Error(Code::BadFlagValue,
               "'" + folder + "' is not in qopt's source tree")
      .help("go there, or name it by --dir; a pass for an installed qopt: "
            "qopt new pass NAME --out-of-tree DIR");
}

/// Folders below include/qopt with a Passes.td, as `Transforms, Target/HLS`.
static std::string listStages(const std::string &tree) {
  std::vector<std::string> stages;
  llvm::SmallString<128> root(tree + "/include/qopt");
  std::error_code error;
  for (fs::recursive_directory_iterator it(root, error), end;
       it != end && !error; it.increment(error))
    if (path::filename(it->path()) == "Passes.td")
      stages.push_back(
          path::parent_path(it->path()).drop_front(root.size() + 1).str());
  llvm::sort(stages);
  return llvm::join(stages, ", ");
}

/// What passes of a stage are in.
static llvm::StringRef getNamespace(llvm::StringRef stage) {
  return stage == "Target/HLS"           ? "qopt::hls"
         : stage == "Target/CPU/Kernels" ? "qopt::qcpu"
                                         : "qopt";
}

static llvm::StringRef getFlagPrefix(llvm::StringRef stage) {
  if (stage == "Conversion")
    return "";
  if (stage.starts_with("Target/CPU"))
    return "qcpu-";
  if (stage.starts_with("Target/HLS"))
    return "hls-";
  return stage.starts_with("Target") ? "fxp-" : "qg-";
}

static absl::Status newPass(const std::string &tree, llvm::StringRef stage,
                            llvm::StringRef name, Session &session) {
  if (!fs::exists(tree + "/include/qopt/" + stage + "/Passes.td"))
    return Error(Code::BadFlagValue, "expected a stage with passes (" +
                                         listStages(tree) + "), got '" + stage +
                                         "'");
  std::string kebab = makeKebab(name);
  std::string flag = (getFlagPrefix(stage) + kebab).str();
  Words words{
      {"NAME", name.str()},
      {"STAGE", stage.str()},
      {"SPACE", getNamespace(stage).str()},
      {"KEBAB", kebab},
      {"FLAG", flag},
      {"BANNER", makeBanner(name, "TODO: what it does, in one phrase")}};
  Scaffold scaffold(tree);
  std::string test = ("test/" + stage + "/" + kebab + ".mlir").str();
  QOPT_RETURN_IF_ERROR(scaffold.create("lib/" + stage + "/" + name + ".cpp",
                                       fill(kPassSource, words)));
  QOPT_RETURN_IF_ERROR(scaffold.create(test, fill(kPassTest, words)));
  QOPT_RETURN_IF_ERROR(scaffold.insert("include/qopt/" + stage + "/Passes.td",
                                       Scaffold::BeforeLast, "#endif",
                                       fill(kPassDefinition, words)));
  QOPT_RETURN_IF_ERROR(scaffold.write(session));
  session.say("next: build, and make " + test + " pass");
  return absl::OkStatus();
}

static absl::Status newPlugin(const std::string &folder, llvm::StringRef name,
                              Session &session) {
  Words words{{"NAME", name.str()},
              {"KEBAB", makeKebab(name)},
              {"BANNER", makeBanner(name, "A pass outside of qopt's tree")}};
  Scaffold scaffold(folder);
  QOPT_RETURN_IF_ERROR(
      scaffold.create("CMakeLists.txt", fill(kPluginCMake, words)));
  QOPT_RETURN_IF_ERROR(
      scaffold.create(name + ".cpp", fill(kPluginSource, words)));
  QOPT_RETURN_IF_ERROR(scaffold.write(session));
  session.say("next: cmake -S " + folder + " -B " + folder +
              "/build -DCMAKE_PREFIX_PATH=QOPT && cmake --build " + folder +
              "/build");
  return absl::OkStatus();
}

static absl::Status newOp(const Arguments &arguments, const std::string &tree,
                          llvm::StringRef family, llvm::StringRef name,
                          Session &session) {
  QOPT_ASSIGN(int64_t since, arguments.getInt("since", 1, 1));
  // Models of older opsets are few; the test takes one that exporters write.
  Words words{{"NAME", name.str()},
              {"SINCE", std::to_string(since)},
              {"OPSET", std::to_string(std::max<int64_t>(since, 21))}};
  std::string source = ("lib/Frontend/ONNX/Ops/" + family + ".cpp").str();
  if (!fs::exists(tree + "/" + source))
    return Error(Code::BadFlagValue,
                 "expected a family of ONNX ops, the name "
                 "of a file in lib/Frontend/ONNX/Ops, got '" +
                     family + "'");
  std::string entry = ("void frontend::register" + family + "Ops(").str();
  std::string test = "test/Frontend/ONNX/" + makeKebab(name) + ".test";
  Scaffold scaffold(tree);
  QOPT_RETURN_IF_ERROR(scaffold.create(test, fill(kOpTest, words)));
  QOPT_RETURN_IF_ERROR(scaffold.insert(source, Scaffold::BehindFirst, entry,
                                       fill(kOpRow, words)));
  QOPT_RETURN_IF_ERROR(scaffold.insert(source, Scaffold::BeforeLast, entry,
                                       fill(kOpHandler, words)));
  QOPT_RETURN_IF_ERROR(scaffold.write(session));
  session.say("next: build, and make " + test + " pass");
  return absl::OkStatus();
}

static constexpr llvm::StringLiteral kFormats =
    "include/qopt/Numerics/Formats.def";

/// A format with a table, and its codes where there are none of that width.
static absl::Status newTable(const Arguments &arguments,
                             const std::string &tree, llvm::StringRef name,
                             Session &session) {
  std::vector<std::string> levels = arguments.getList("levels");
  QOPT_ASSIGN(int64_t steps, arguments.getInt("steps", 127, 1));
  unsigned bits = llvm::Log2_64(std::max<size_t>(levels.size(), 1));
  double last = -INFINITY;
  bool isValid = bits >= 1 && bits <= 7 && levels.size() == size_t(1) << bits;
  for (const std::string &text : levels) {
    double level = 0;
    isValid &= !llvm::StringRef(text).getAsDouble(level) && level >= last &&
               std::fabs(level * double(steps)) <= 127;
    last = level;
  }
  if (!isValid)
    return Error(Code::BadFlagValue,
                 "--levels: expected 2 to 128 numbers, a power of two, in "
                 "growing order, within 127 of --steps");
  std::string stored = "lut" + std::to_string(bits);
  std::string test = ("test/Assignment/format-" + name + ".mlir").str();
  Scaffold scaffold(tree);
  QOPT_RETURN_IF_ERROR(scaffold.create(
      test, fill(kTableTest, {{"NAME", name.str()}, {"STORED", stored}})));
  QOPT_ASSIGN(std::string rows, readFile(scaffold.getPath(kFormats)));
  std::string codes = "QOPT_TABLE_FORMAT(" + stored + ", ";
  if (rows.find(codes) == std::string::npos)
    QOPT_RETURN_IF_ERROR(scaffold.insert(
        kFormats, Scaffold::BehindFirst, "QOPT_TABLE_FORMAT(lut4",
        codes + std::to_string(bits) + ", " + name.str() + ")\n"));
  QOPT_RETURN_IF_ERROR(scaffold.insert(
      kFormats, Scaffold::BeforeLast, "#undef QOPT_INTEGER_FORMAT",
      "QOPT_LEVELS(" + name.str() + ", " + stored + ", " +
          std::to_string(steps) + ", " + llvm::join(levels, ", ") + ")\n"));
  QOPT_RETURN_IF_ERROR(scaffold.write(session));
  session.say("next: build, and make " + test + " pass");
  return absl::OkStatus();
}

static absl::Status newFormat(const Arguments &arguments,
                              const std::string &tree, llvm::StringRef name,
                              Session &session) {
  if (arguments.has("levels"))
    return newTable(arguments, tree, name, session);
  QOPT_ASSIGN(int64_t bits, arguments.getInt("bits", 0, 1));
  if (bits < 1 || bits > 16)
    return Error(Code::MissingArgument,
                 "expected --bits N, 1 to 16, or --levels for a format");
  Words words{{"NAME", name.str()}};
  std::string test = ("test/Dialect/QG/format-" + name + ".mlir").str();
  Scaffold scaffold(tree);
  QOPT_RETURN_IF_ERROR(scaffold.create(test, fill(kFormatTest, words)));
  QOPT_RETURN_IF_ERROR(scaffold.insert(
      kFormats, Scaffold::BehindFirst, "QOPT_INTEGER_FORMAT(si16",
      ("QOPT_INTEGER_FORMAT(" + name + ", " + std::to_string(bits) + ", " +
       (arguments.has("signed") ? "true)\n" : "false)\n"))
          .str()));
  QOPT_RETURN_IF_ERROR(scaffold.write(session));
  session.say("next: build, and make " + test + " pass");
  return absl::OkStatus();
}

static absl::Status newVerb(const std::string &tree, llvm::StringRef name,
                            Session &session) {
  std::string kebab = makeKebab(name);
  Words words{{"NAME", name.str()},
              {"KEBAB", kebab},
              {"BANNER", makeBanner(name, "qopt " + kebab)}};
  Scaffold scaffold(tree);
  std::string test = "test/Driver/" + kebab + ".test";
  QOPT_RETURN_IF_ERROR(scaffold.create("lib/Driver/Verbs/" + name + ".cpp",
                                       fill(kVerbSource, words)));
  QOPT_RETURN_IF_ERROR(scaffold.create(test, fill(kVerbTest, words)));
  QOPT_RETURN_IF_ERROR(scaffold.write(session));
  session.say("next: build, and make " + test + " pass");
  return absl::OkStatus();
}

static absl::Status newLayer(const std::string &tree, llvm::StringRef name,
                             Session &session) {
  std::string kebab = makeKebab(name), snake = kebab;
  std::replace(snake.begin(), snake.end(), '-', '_');
  Words words{
      {"NAME", name.str()},
      {"SNAKE", snake},
      {"BANNER", makeBanner(name, "TODO: what it does, in one phrase")}};
  Scaffold scaffold(tree);
  QOPT_RETURN_IF_ERROR(scaffold.create("lib/Target/HLS/Layers/" + name + ".cpp",
                                       fill(kLayerSource, words)));
  std::string test = "test/Target/HLS/" + kebab + ".mlir";
  QOPT_RETURN_IF_ERROR(scaffold.create(test, fill(kLayerTest, words)));
  QOPT_RETURN_IF_ERROR(scaffold.insert("include/qopt/Target/HLS/IR/HLS.td",
                                       Scaffold::BeforeLast, "#endif",
                                       fill(kLayerDefinition, words)));
  QOPT_RETURN_IF_ERROR(scaffold.write(session));
  session.say("next: build, and make " + test + " pass");
  return absl::OkStatus();
}

static absl::Status newTarget(const std::string &tree, llvm::StringRef name,
                              Session &session) {
  std::string kebab = makeKebab(name);
  Words words{{"NAME", name.str()},
              {"KEBAB", kebab},
              {"BANNER", makeBanner("Target", "The row of --emit=" + kebab)}};
  Scaffold scaffold(tree);
  std::string test = ("test/Target/" + name + "/" + kebab + ".mlir").str();
  QOPT_RETURN_IF_ERROR(scaffold.create("lib/Target/" + name + "/Target.cpp",
                                       fill(kTargetSource, words)));
  QOPT_RETURN_IF_ERROR(scaffold.create(test, fill(kTargetTest, words)));
  QOPT_RETURN_IF_ERROR(scaffold.insert("docs/contributing/layers.md",
                                       Scaffold::BeforeLast, "| Pipelines |",
                                       fill(kTargetRow, words)));
  QOPT_RETURN_IF_ERROR(scaffold.write(session));
  session.say("next: build, and make " + test + " pass");
  return absl::OkStatus();
}

static absl::Status newRounding(const std::string &tree, llvm::StringRef name,
                                Session &session) {
  Words words{
      {"NAME", name.str()},
      {"KEBAB", makeKebab(name)},
      {"BANNER", makeBanner(name, "TODO: what it does, in one phrase")}};
  Scaffold scaffold(tree);
  QOPT_RETURN_IF_ERROR(
      scaffold.create("lib/Assignment/Rounding/Methods/" + name + ".cpp",
                      fill(kRoundingSource, words)));
  QOPT_RETURN_IF_ERROR(scaffold.insert("include/qopt/Assignment/Rounders.def",
                                       Scaffold::BeforeLast, "#undef",
                                       fill(kRoundingRow, words)));
  QOPT_RETURN_IF_ERROR(scaffold.write(session));
  session.say("next: build; the tests of rounding run it as every row");
  return absl::OkStatus();
}

namespace {
/// A thing that can be added.
struct Kind {
  const char *name;
  /// Words behind `new`, and how the help writes those behind the kind.
  size_t words;
  const char *usage;
  absl::Status (*create)(const Arguments &arguments, const std::string &tree,
                         Session &session);
};
} // namespace

static const std::string &getName(const Arguments &arguments) {
  return arguments.positional().back();
}

static const Kind kKinds[] = {
    {"pass", 3, "STAGE NAME",
     [](const Arguments &arguments, const std::string &tree, Session &session) {
       return newPass(tree, arguments.positional()[1], getName(arguments),
                      session);
     }},
    {"op", 3, "FAMILY NAME [--since N]",
     [](const Arguments &arguments, const std::string &tree, Session &session) {
       return newOp(arguments, tree, arguments.positional()[1],
                    getName(arguments), session);
     }},
    {"format", 2, "NAME --bits N [--signed]",
     [](const Arguments &arguments, const std::string &tree, Session &session) {
       return newFormat(arguments, tree, getName(arguments), session);
     }},
    {"verb", 2, "NAME",
     [](const Arguments &arguments, const std::string &tree, Session &session) {
       return newVerb(tree, getName(arguments), session);
     }},
    {"layer", 2, "NAME",
     [](const Arguments &arguments, const std::string &tree, Session &session) {
       return newLayer(tree, getName(arguments), session);
     }},
    {"target", 2, "NAME",
     [](const Arguments &arguments, const std::string &tree, Session &session) {
       return newTarget(tree, getName(arguments), session);
     }},
    {"rounding", 2, "NAME",
     [](const Arguments &arguments, const std::string &tree, Session &session) {
       return newRounding(tree, getName(arguments), session);
     }},
};

static absl::StatusOr<const Kind *> findKind(llvm::StringRef name) {
  std::string names;
  for (const Kind &kind : kKinds) {
    if (name == kind.name)
      return &kind;
    names += std::string(names.empty() ? "" : ", ") + kind.name;
  }
  if (name == "kernel")
    return Error(Code::UnsupportedOption, "there is no scaffold for a " + name)
        .help("docs/contributing says which places a new one touches");
  return Error(Code::BadFlagValue,
               "expected one of " + names + ", got '" + name + "'");
}

static absl::StatusOr<ExitCode> runNew(const Arguments &arguments,
                                       Session &session) {
  llvm::ArrayRef<std::string> names = arguments.positional();
  QOPT_ASSIGN(const Kind *kind, findKind(names[0]));
  llvm::StringRef kindName = kind->name, name = names.back();
  if (names.size() > 1 && kindName != "format" && !isCamelCase(name))
    return Error(Code::BadFlagValue,
                 "expected a name in CamelCase, a verb first for a pass, "
                 "got '" +
                     name + "'");
  if (std::optional<std::string> folder = arguments.get("out-of-tree")) {
    // The stage may be named and does not matter there.
    if (kindName != "pass" || names.size() < 2)
      return Error(Code::MissingArgument,
                   "expected: qopt new pass NAME --out-of-tree DIR");
    QOPT_RETURN_IF_ERROR(newPlugin(*folder, name, session));
    return ExitCode::Ok;
  }
  if (names.size() != kind->words)
    return Error(Code::MissingArgument,
                 "expected: qopt new " + kindName + " " + kind->usage);
  QOPT_ASSIGN(std::string tree, findTree(arguments));
  QOPT_RETURN_IF_ERROR(kind->create(arguments, tree, session));
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getNewVerb() {
  return {"new",
          "scaffold: a pass, an op, a format, .., and its failing test",
          "pass STAGE NAME | op FAMILY NAME | format NAME | verb NAME | "
          "layer NAME | target NAME | rounding NAME",
          1,
          3,
          {getNewFlags()},
          runNew,
          /*place=*/140};
}
} // namespace qopt::driver

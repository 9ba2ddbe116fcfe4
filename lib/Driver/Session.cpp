//===- Session.cpp - What every verb shares -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Flags that several verbs have are read here once.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"
#include "qopt/InitAll.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Parallel.h"

using namespace qopt;
using namespace qopt::driver;

Session::Session() = default;
Session::~Session() = default;

llvm::raw_ostream &Session::out() { return llvm::outs(); }
llvm::raw_ostream &Session::err() { return llvm::errs(); }

/// More would not fit into memory before they gain anything.
static constexpr int64_t kMostJobs = 1024;

absl::Status Session::configure(const Arguments &arguments) {
  isQuiet_ = arguments.has("quiet");
  isVerbose_ = arguments.has("verbose");
  QOPT_ASSIGN(std::string mode,
              arguments.getChoice("progress",
                                  {"auto", "bar", "lines", "json", "none"},
                                  isQuiet_ ? "none" : "auto"));
  progressMode_ = *parseProgressMode(mode);
  QOPT_ASSIGN(int64_t jobs, arguments.getInt("jobs", 0, 1));
  if (jobs > kMostJobs)
    return Error(Code::BadFlagValue, "--jobs: expected an integer from 1 to " +
                                         llvm::Twine(kMostJobs) + ", got " +
                                         llvm::Twine(jobs));
  if (jobs)
    llvm::parallel::strategy = llvm::hardware_concurrency(unsigned(jobs));
  return setLLVMArguments(arguments.getAll("llvm-arg"));
}

absl::Status Session::setLLVMArguments(llvm::ArrayRef<std::string> values) {
  if (values.empty())
    return absl::OkStatus();
  std::vector<const char *> words = {"qopt"};
  for (const std::string &value : values)
    words.push_back(value.c_str());
  std::string problems;
  llvm::raw_string_ostream os(problems);
  if (!llvm::cl::ParseCommandLineOptions(words.size(), words.data(), "", &os))
    return Error(Code::BadFlagValue, "--llvm-arg: " + problems);
  return absl::OkStatus();
}

mlir::MLIRContext *Session::context() {
  if (!context_) {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    // Threads would change nothing in results, but cost start-up time.
    context_ = std::make_unique<mlir::MLIRContext>(
        registry, mlir::MLIRContext::Threading::DISABLED);
    context_->loadAllAvailableDialects();
    context_->getDiagEngine().registerHandler([this](mlir::Diagnostic &d) {
      if (d.getSeverity() != mlir::DiagnosticSeverity::Warning)
        return mlir::failure();
      say("warning: " + d.str());
      return mlir::success();
    });
  }
  return context_.get();
}

Progress Session::startProgress(llvm::StringRef phase, int64_t total) {
  return Progress(err(), progressMode_, phase, total);
}

void Session::say(const llvm::Twine &text) {
  if (!isQuiet_)
    err() << text << "\n";
}

llvm::ArrayRef<Flag> driver::getImportFlags() {
  static constexpr Flag kFlags[] = {
      {"dim", "NAME=N", "bind a symbolic dimension (repeatable)"},
      {"shape", "INPUT=1x3x8x8", "bind the shape of an input (repeatable)"},
      {"const", "INPUT=@F.npy", "make an input a constant (repeatable)"},
      {"seed", "N", "random numbers of the model (default 0)"},
  };
  return kFlags;
}

static absl::Status addShape(llvm::StringRef name, llvm::StringRef text,
                             ImportOptions &options) {
  std::vector<int64_t> shape;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, 'x');
  for (llvm::StringRef part : parts) {
    int64_t extent;
    if (part.getAsInteger(10, extent) || extent < 0 || extent > INT32_MAX)
      return Error(Code::BadFlagValue,
                   "--shape: expected extents as in x=1x3x224x224, got '" +
                       name + "=" + text + "'");
    shape.push_back(extent);
  }
  options.shapes[name.str()] = std::move(shape);
  return absl::OkStatus();
}

absl::StatusOr<ImportOptions>
driver::getImportOptions(const Arguments &arguments) {
  ImportOptions options;
  QOPT_ASSIGN(auto dims, arguments.getMap("dim"));
  for (auto &[name, text] : dims) {
    int64_t extent;
    if (llvm::StringRef(text).getAsInteger(10, extent) || extent < 0 ||
        extent > INT32_MAX)
      return Error(Code::BadFlagValue, "--dim: expected NAME=EXTENT, got '" +
                                           name + "=" + text + "'");
    options.dims[name] = extent;
  }
  QOPT_ASSIGN(auto shapes, arguments.getMap("shape"));
  for (auto &[name, text] : shapes)
    QOPT_RETURN_IF_ERROR(addShape(name, text, options));
  QOPT_ASSIGN(auto consts, arguments.getMap("const"));
  for (auto &[name, text] : consts) {
    llvm::StringRef path = text;
    if (!path.consume_front("@"))
      return Error(Code::BadFlagValue, "--const: expected NAME=@FILE.npy, "
                                       "got '" +
                                           name + "=" + text + "'");
    QOPT_ASSIGN(Tensor value, readArray(path));
    options.consts[name] = std::move(value);
  }
  QOPT_ASSIGN(int64_t seed, arguments.getInt("seed", 0, 0));
  options.seed = uint64_t(seed);
  return options;
}

llvm::ArrayRef<Flag> driver::getDataFlags() {
  static constexpr Flag kFlags[] = {
      {"data", "[INPUT=]PATH",
       ".npy, .npz[:ARRAY], .pb, a folder of those, or random[:SEED] "
       "(repeatable)"},
      {"samples", "N", "use at most N samples"},
      {"skip", "N", "leave out the first N samples"},
      {"pre", "INPUT=STEPS",
       "scale:1/255,mean:..,std:..,layout:nhwc->nchw,channels:bgr,"
       "reshape:..,permute:..,dtype:..; or none"},
  };
  return kFlags;
}

absl::StatusOr<Preprocessing>
driver::getPreprocessing(const Arguments &arguments,
                         const Preprocessing &recorded) {
  std::vector<std::string> declarations = arguments.getAll("pre");
  if (declarations.empty())
    return recorded;
  Preprocessing result;
  if (declarations.size() == 1 && declarations.front() == "none")
    return result;
  for (const std::string &declaration : declarations)
    QOPT_RETURN_IF_ERROR(result.add(declaration));
  return result;
}

absl::StatusOr<std::unique_ptr<DataSource>>
driver::openData(const Arguments &arguments,
                 const std::vector<TensorSpec> &inputs,
                 const Preprocessing &preprocessing) {
  std::vector<std::string> paths = arguments.getAll("data");
  if (paths.empty())
    return Error(Code::MissingArgument, "expected --data PATH");
  QOPT_ASSIGN(std::unique_ptr<DataSource> data,
              DataSource::open(paths, inputs, preprocessing));
  QOPT_ASSIGN(int64_t skip, arguments.getInt("skip", 0, 0));
  QOPT_ASSIGN(int64_t samples, arguments.getInt("samples", INT64_MAX, 1));
  QOPT_RETURN_IF_ERROR(data->restrictTo(skip, samples));
  return data;
}

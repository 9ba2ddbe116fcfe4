//===- Diagnostics.cpp - Errors with a code, notes and a way out ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The payloads of absl::Status that carry code, notes and help.
//===----------------------------------------------------------------------===//
#include "qopt/Support/Diagnostics.h"

#include "absl/strings/cord.h"
#include "llvm/Support/Format.h"

using namespace qopt;

static constexpr const char *kCodeKey = "qopt/code";
static constexpr const char *kNotesKey = "qopt/notes";
static constexpr const char *kHelpKey = "qopt/help";
// Notes are one payload; no note contains this separator.
static constexpr char kSeparator = '\x1e';

static constexpr DiagnosticRow kRows[] = {
#define QOPT_DIAGNOSTIC(name, number, exit, meaning)                           \
  {Code::name, #name, ExitCode::exit, meaning},
#include "qopt/Support/Diagnostics.def"
};

llvm::ArrayRef<DiagnosticRow> qopt::getDiagnosticRows() { return kRows; }

static std::string getPayload(const absl::Status &status, const char *key) {
  auto payload = status.GetPayload(key);
  return payload ? std::string(*payload) : std::string();
}

// Only the string_view constructor: the one from std::string is a template
// whose name the system's compiler mangles differently.
static absl::Cord makeCord(const std::string &text) {
  return absl::Cord(absl::string_view(text));
}

Error::operator absl::Status() const {
  absl::Status status(absl::StatusCode::kInvalidArgument, message_);
  status.SetPayload(kCodeKey, makeCord(std::to_string(int(code_))));
  std::string notes;
  for (const std::string &note : notes_)
    notes += note + kSeparator;
  if (!notes.empty())
    status.SetPayload(kNotesKey, makeCord(notes));
  if (!help_.empty())
    status.SetPayload(kHelpKey, makeCord(help_));
  return status;
}

Code qopt::getCode(const absl::Status &status) {
  int number = 0;
  std::string text = getPayload(status, kCodeKey);
  if (llvm::StringRef(text).getAsInteger(10, number))
    return Code::Internal;
  return Code(number);
}

ExitCode qopt::getExitCode(const absl::Status &status) {
  if (status.ok())
    return ExitCode::Ok;
  Code code = getCode(status);
  for (const DiagnosticRow &row : kRows)
    if (row.code == code)
      return row.exit;
  return ExitCode::Internal;
}

llvm::SmallVector<std::string> qopt::getNotes(const absl::Status &status) {
  llvm::SmallVector<std::string> notes;
  std::string all = getPayload(status, kNotesKey);
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(all).split(parts, kSeparator, -1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts)
    notes.push_back(part.str());
  return notes;
}

std::string qopt::getHelp(const absl::Status &status) {
  return getPayload(status, kHelpKey);
}

absl::Status qopt::withCode(absl::Status status, Code code) {
  if (!status.ok() && !status.GetPayload(kCodeKey))
    status.SetPayload(kCodeKey, makeCord(std::to_string(int(code))));
  return status;
}

absl::Status qopt::withPrefix(const absl::Status &status,
                              const llvm::Twine &prefix) {
  if (status.ok())
    return status;
  absl::Status result(status.code(),
                      prefix.str() + std::string(status.message()));
  status.ForEachPayload([&](absl::string_view key, const absl::Cord &value) {
    result.SetPayload(key, value);
  });
  return result;
}

void qopt::printError(llvm::raw_ostream &os, const absl::Status &status) {
  os << "error[QOPT" << llvm::format("%04d", int(getCode(status)))
     << "]: " << std::string(status.message()) << "\n";
  for (const std::string &note : getNotes(status))
    os << "note: " << note << "\n";
  if (std::string help = getHelp(status); !help.empty())
    os << "help: " << help << "\n";
}

//===- Progress.h - One live line per phase -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Progress goes to stderr so that stdout carries results only: one line that
// is redrawn on a terminal, a plain line per 10 % elsewhere, or JSON lines.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_PROGRESS_H
#define QOPT_SUPPORT_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace qopt {

enum class ProgressMode { Auto, Bar, Lines, Json, None };
std::optional<ProgressMode> parseProgressMode(llvm::StringRef name);

/// One phase of known length. `update` is cheap; it prints at most ten times a
/// second.
class Progress {
public:
  using Clock = std::chrono::steady_clock;
  Progress(llvm::raw_ostream &os, ProgressMode mode, llvm::StringRef phase,
           int64_t total);
  ~Progress() { finish(); }
  void update(int64_t done);
  /// Ends the line; later updates are ignored.
  void finish();

private:
  void print(int64_t done);

  llvm::raw_ostream &os_;
  ProgressMode mode_;
  std::string phase_;
  int64_t total_;
  int64_t lastDone_ = 0;
  int64_t lastTenth_ = 0;
  bool isFinished_ = false;
  bool hasPrinted_ = false;
  Clock::time_point start_, lastPrint_;
};

} // namespace qopt

#endif // QOPT_SUPPORT_PROGRESS_H

//===- Progress.cpp - One live line per phase -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rendering of Progress; the remaining time is the mean rate so far.
//===----------------------------------------------------------------------===//
#include "qopt/Support/Progress.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include <unistd.h>

using namespace qopt;

std::optional<ProgressMode> qopt::parseProgressMode(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<ProgressMode>>(name)
      .Case("auto", ProgressMode::Auto)
      .Case("bar", ProgressMode::Bar)
      .Case("lines", ProgressMode::Lines)
      .Case("json", ProgressMode::Json)
      .Case("none", ProgressMode::None)
      .Default(std::nullopt);
}

Progress::Progress(llvm::raw_ostream &os, ProgressMode mode,
                   llvm::StringRef phase, int64_t total)
    : os_(os), mode_(mode), phase_(phase.str()), total_(total),
      start_(Clock::now()), lastPrint_(start_) {
  if (mode_ == ProgressMode::Auto)
    mode_ = ::isatty(STDERR_FILENO) ? ProgressMode::Bar : ProgressMode::Lines;
}

void Progress::update(int64_t done) {
  if (isFinished_ || mode_ == ProgressMode::None)
    return;
  lastDone_ = done;
  Clock::time_point now = Clock::now();
  if (mode_ == ProgressMode::Lines) {
    int64_t tenth = total_ > 0 ? done * 10 / total_ : 10;
    if (tenth == lastTenth_)
      return;
    lastTenth_ = tenth;
  } else if (done != total_ &&
             now - lastPrint_ < std::chrono::milliseconds(100))
    return;
  lastPrint_ = now;
  print(done);
}

void Progress::print(int64_t done) {
  hasPrinted_ = true;
  double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  double left = done > 0 ? elapsed / done * (total_ - done) : 0;
  if (mode_ == ProgressMode::Json) {
    os_ << llvm::json::Value(llvm::json::Object{{"phase", phase_},
                                                {"done", done},
                                                {"total", total_},
                                                {"eta_s", left}})
        << "\n";
    return;
  }
  if (mode_ == ProgressMode::Bar)
    os_ << "\r\x1b[K";
  os_ << phase_ << " " << done << "/" << total_;
  if (done < total_)
    os_ << llvm::format(", %.1f s left", left);
  else
    os_ << llvm::format(", %.1f s", elapsed);
  if (mode_ == ProgressMode::Lines)
    os_ << "\n";
  os_.flush();
}

void Progress::finish() {
  if (!isFinished_ && hasPrinted_ && mode_ == ProgressMode::Bar)
    os_ << "\n";
  isFinished_ = true;
}

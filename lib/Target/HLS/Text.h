//===- Text.h - Lines of C++ ----------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Indented lines; what a layer writes becomes emitc.verbatim ops of one file.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_TEXT_H
#define QOPT_LIB_TARGET_HLS_TEXT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <string>

namespace qopt::hls {

class Text {
public:
  void line(const llvm::Twine &text) {
    text_.append(2 * depth_, ' ');
    text_ += text.str();
    text_ += '\n';
  }
  void lines(llvm::ArrayRef<std::string> lines) {
    for (const std::string &text : lines)
      line(text);
  }
  /// Preprocessor lines begin at the margin.
  void pragma(const llvm::Twine &text) {
    text_ += "#pragma HLS " + text.str() + "\n";
  }
  void directive(const llvm::Twine &text) { text_ += text.str() + "\n"; }
  void open(const llvm::Twine &text) {
    line(text + " {");
    ++depth_;
  }
  void close(llvm::StringRef after = "") {
    --depth_;
    line("}" + after);
  }
  /// `for (int NAME = 0; NAME < COUNT; ++NAME) {`
  void loop(llvm::StringRef name, int64_t count) {
    open("for (int " + name + " = 0; " + name + " < " + llvm::Twine(count) +
         "; ++" + name + ")");
  }
  /// The same, unrolled in hardware.
  void unrolled(llvm::StringRef name, int64_t count) {
    loop(name, count);
    pragma("UNROLL");
  }
  void blank() { text_ += '\n'; }
  std::string take() { return std::move(text_); }
  bool empty() const { return text_.empty(); }

private:
  std::string text_;
  unsigned depth_ = 0;
};

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_TEXT_H

//===- Escape.cpp - Bytes as text -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// unescapeBytes(escapeBytes(b)) = b for all bytes: every \xHH in the result is
// one that was written here.
//===----------------------------------------------------------------------===//
#include "qopt/Support/Escape.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"

using namespace qopt;

/// `\xHH` with upper-case digits.
static bool isEscape(llvm::StringRef text) {
  auto isDigit = [](char c) {
    return llvm::isDigit(c) || (c >= 'A' && c <= 'F');
  };
  return text.size() >= 4 && text.starts_with("\\x") && isDigit(text[2]) &&
         isDigit(text[3]);
}

/// Bytes of the character of UTF-8 that `text` begins with; 0: none.
static size_t getCharacterSize(llvm::StringRef text) {
  size_t size = llvm::getNumBytesForUTF8(llvm::UTF8(text[0]));
  return size <= text.size() && llvm::json::isUTF8(text.take_front(size)) ? size
                                                                          : 0;
}

static std::string escape(llvm::StringRef bytes, bool alsoEscapes) {
  std::string text;
  while (!bytes.empty()) {
    bool isByte = alsoEscapes && isEscape(bytes);
    size_t size = isByte ? 0 : getCharacterSize(bytes);
    if (!size)
      text += "\\x" + llvm::toHex(bytes.take_front());
    text += bytes.take_front(size);
    bytes = bytes.drop_front(std::max<size_t>(size, 1));
  }
  return text;
}

std::string qopt::escapeBytes(llvm::StringRef bytes) {
  return escape(bytes, /*alsoEscapes=*/true);
}

std::string qopt::toUtf8(llvm::StringRef bytes) {
  return escape(bytes, /*alsoEscapes=*/false);
}

std::string qopt::unescapeBytes(llvm::StringRef text) {
  std::string bytes;
  while (!text.empty()) {
    bool isByte = isEscape(text);
    bytes +=
        isByte ? llvm::fromHex(text.substr(2, 2)) : text.take_front().str();
    text = text.drop_front(isByte ? 4 : 1);
  }
  return bytes;
}

//===- MutateText.h - Other texts out of one ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// IR and JSON changed by words instead of bytes.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TEST_FUZZ_MUTATETEXT_H
#define QOPT_TEST_FUZZ_MUTATETEXT_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>

namespace qopt::fuzz {

/// One to four words of `text` dropped, repeated, exchanged, or with an extreme
/// value; lines moved.
std::string mutateText(llvm::StringRef text, uint32_t seed);

/// Some lines of `text` replaced by lines of `other`.
std::string crossTexts(llvm::StringRef text, llvm::StringRef other,
                       uint32_t seed);

} // namespace qopt::fuzz

/// The two functions that libFuzzer asks for.
#define QOPT_FUZZ_MUTATES_TEXT()                                               \
  extern "C" size_t LLVMFuzzerMutate(uint8_t *, size_t, size_t);               \
  extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,        \
                                            size_t most, unsigned seed) {      \
    if (seed % 8 == 0 || size == 0)                                            \
      return LLVMFuzzerMutate(data, size, most);                               \
    std::string text = qopt::fuzz::mutateText(                                 \
        {reinterpret_cast<const char *>(data), size}, seed);                   \
    text.resize(std::min(text.size(), most));                                  \
    std::copy(text.begin(), text.end(), data);                                 \
    return text.size();                                                        \
  }                                                                            \
  extern "C" size_t LLVMFuzzerCustomCrossOver(                                 \
      const uint8_t *first, size_t firstSize, const uint8_t *second,           \
      size_t secondSize, uint8_t *out, size_t most, unsigned seed) {           \
    std::string text = qopt::fuzz::crossTexts(                                 \
        {reinterpret_cast<const char *>(first), firstSize},                    \
        {reinterpret_cast<const char *>(second), secondSize}, seed);           \
    text.resize(std::min(text.size(), most));                                  \
    std::copy(text.begin(), text.end(), out);                                  \
    return text.size();                                                        \
  }

#endif // QOPT_TEST_FUZZ_MUTATETEXT_H

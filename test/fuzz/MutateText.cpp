//===- MutateText.cpp - Other texts out of one ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A word is a run of letters and digits, or one other character.
//===----------------------------------------------------------------------===//
#include "MutateText.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include <random>
#include <vector>

using llvm::StringRef;

static constexpr const char *kNumbers[] = {"0",
                                           "1",
                                           "2",
                                           "3",
                                           "16",
                                           "127",
                                           "256",
                                           "-1",
                                           "65536",
                                           "2147483648",
                                           "4294967296",
                                           "9223372036854775807",
                                           "-9223372036854775808",
                                           "18446744073709551616",
                                           "1e309",
                                           "1e-320",
                                           "0.5",
                                           "NaN",
                                           "0x7FC00000",
                                           "0xFF800000",
                                           "?",
                                           "null",
                                           "true",
                                           "[]",
                                           "{}",
                                           "\"\""};

static bool isWordCharacter(char c) { return llvm::isAlnum(c) || c == '_'; }

static std::vector<StringRef> splitWords(StringRef text) {
  std::vector<StringRef> words;
  while (!text.empty()) {
    StringRef word = text.take_while(isWordCharacter);
    if (word.empty())
      word = text.take_front(1);
    words.push_back(word);
    text = text.drop_front(word.size());
  }
  return words;
}

namespace {
class Words {
public:
  Words(StringRef text, uint32_t seed) : words(splitWords(text)), rng(seed) {}

  void change();
  std::string join() const { return llvm::join(words, ""); }
  size_t pick(size_t count) { return rng() % count; }

private:
  /// A word that is no space and no lone punctuation mark, mostly.
  size_t pickWord();
  void replaceNumber();
  void moveRange();

  std::vector<StringRef> words;
  std::minstd_rand rng;
};
} // namespace

size_t Words::pickWord() {
  size_t index = pick(words.size());
  for (int tries = 0; tries < 8 && !isWordCharacter(words[index][0]); ++tries)
    index = pick(words.size());
  return index;
}

void Words::replaceNumber() {
  size_t index = pick(words.size());
  for (int tries = 0; tries < 64 && !llvm::isDigit(words[index][0]); ++tries)
    index = pick(words.size());
  words[index] = kNumbers[pick(std::size(kNumbers))];
}

/// A few words to another place, or there as well.
void Words::moveRange() {
  size_t first = pick(words.size());
  size_t count = std::min<size_t>(1 + pick(40), words.size() - first);
  std::vector<StringRef> range(words.begin() + first,
                               words.begin() + first + count);
  if (pick(2))
    words.erase(words.begin() + first, words.begin() + first + count);
  words.insert(words.begin() + pick(words.size() + 1), range.begin(),
               range.end());
}

void Words::change() {
  for (size_t i = 0, e = 1 + pick(4); i < e && !words.empty(); ++i) {
    switch (pick(6)) {
    case 0:
      words.erase(words.begin() + pickWord());
      break;
    case 1:
      words[pickWord()] = words[pickWord()];
      break;
    case 2:
      std::swap(words[pickWord()], words[pickWord()]);
      break;
    case 3:
      moveRange();
      break;
    default:
      replaceNumber();
    }
  }
}

std::string qopt::fuzz::mutateText(StringRef text, uint32_t seed) {
  Words words(text, seed);
  words.change();
  return words.join();
}

std::string qopt::fuzz::crossTexts(StringRef text, StringRef other,
                                   uint32_t seed) {
  std::minstd_rand rng(seed);
  llvm::SmallVector<StringRef> lines, others;
  text.split(lines, '\n');
  other.split(others, '\n');
  for (size_t i = 0, e = 1 + rng() % 4; i < e; ++i) {
    StringRef line = others[rng() % others.size()];
    size_t at = rng() % lines.size();
    if (rng() % 2)
      lines[at] = line;
    else
      lines.insert(lines.begin() + at, line);
  }
  return llvm::join(lines, "\n");
}

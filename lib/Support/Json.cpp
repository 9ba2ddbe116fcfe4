//===- Json.cpp - JSON that comes from a file -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A scan of the brackets and names before the parser, which then only meets
// what it can hold.
//===----------------------------------------------------------------------===//
#include "qopt/Support/Json.h"

#include "llvm/ADT/StringSet.h"
#include <cmath>
#include <vector>

using namespace qopt;
namespace json = llvm::json;

/// What qopt writes has less than ten levels; the parser needs a frame for
/// each.
static constexpr size_t kMostLevels = 200;

namespace {
/// Follows brackets and strings. Says nothing of other mistakes: those are the
/// parser's to find.
class Scanner {
public:
  explicit Scanner(llvm::StringRef text) : text(text) {}

  void run() {
    while (at < text.size() && !isTooDeep)
      step();
  }

  bool isTooDeep = false;
  /// The first member that an object has twice, as a path.
  std::string duplicate;

private:
  struct Level {
    bool isObject;
    llvm::StringSet<> names;
    std::string name; ///< of the member that is read
  };

  void step() {
    char c = text[at];
    if (c == '"')
      return readString();
    ++at;
    if (c == '{' || c == '[') {
      isTooDeep = levels.size() == kMostLevels;
      levels.push_back({c == '{', {}, ""});
      isName = c == '{';
    } else if ((c == '}' || c == ']') && !levels.empty()) {
      levels.pop_back();
      isName = false;
    } else if (c == ',') {
      isName = !levels.empty() && levels.back().isObject;
    }
  }

  void readString() {
    size_t start = at++;
    while (at < text.size() && text[at] != '"')
      at += text[at] == '\\' ? 2 : 1;
    at = std::min(at + 1, text.size());
    // Cut off: the parser says so.
    if (isName && at - start > 1)
      addName(text.slice(start, at));
    isName = false;
  }

  /// "a" and "\u0061" are one name.
  void addName(llvm::StringRef quoted) {
    Level &level = levels.back();
    level.name = quoted.drop_front().drop_back().str();
    if (quoted.contains('\\')) {
      llvm::Expected<json::Value> value = json::parse(quoted);
      if (!value)
        return llvm::consumeError(value.takeError());
      level.name = value->getAsString().value_or("").str();
    }
    if (level.names.insert(level.name).second || !duplicate.empty())
      return;
    for (const Level &outer : levels)
      if (!outer.name.empty())
        duplicate += (duplicate.empty() ? "" : ".") + outer.name;
  }

  llvm::StringRef text;
  size_t at = 0;
  std::vector<Level> levels;
  /// A string is the name of a member.
  bool isName = false;
};
} // namespace

/// 1e999 is JSON, and read as infinity, which is none when it is written.
static bool isFinite(const json::Value &value) {
  if (const json::Array *array = value.getAsArray())
    return llvm::all_of(*array, isFinite);
  if (const json::Object *object = value.getAsObject())
    return llvm::all_of(
        *object, [](const auto &member) { return isFinite(member.second); });
  return std::isfinite(value.getAsNumber().value_or(0));
}

absl::StatusOr<json::Value> qopt::parseJson(llvm::StringRef text) {
  Scanner scanner(text);
  scanner.run();
  if (scanner.isTooDeep)
    return absl::InvalidArgumentError("expected at most " +
                                      std::to_string(kMostLevels) +
                                      " levels of brackets, got more");
  llvm::Expected<json::Value> value = json::parse(text);
  if (!value)
    return absl::InvalidArgumentError(llvm::toString(value.takeError()));
  if (!scanner.duplicate.empty())
    return absl::InvalidArgumentError("expected '" + scanner.duplicate +
                                      "' once, got it twice in one object");
  if (!isFinite(*value))
    return absl::InvalidArgumentError(
        "expected numbers that 64-bit floats hold, got a larger one");
  return std::move(*value);
}

absl::StatusOr<json::Object> qopt::parseJsonObject(llvm::StringRef text,
                                                   llvm::StringRef file) {
  absl::StatusOr<json::Value> value = parseJson(text);
  if (!value.ok())
    return absl::InvalidArgumentError(("'" + file + "': ").str() +
                                      std::string(value.status().message()));
  json::Object *object = value->getAsObject();
  if (!object)
    return absl::InvalidArgumentError(
        ("'" + file + "' is not an object").str());
  return std::move(*object);
}

//===- JsonTest.cpp - JSON that comes from a file -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#include "qopt/Support/Json.h"
#include "qopt/Support/Escape.h"

#include <gtest/gtest.h>

using namespace qopt;

static std::string getMessage(llvm::StringRef text) {
  absl::StatusOr<llvm::json::Value> value = parseJson(text);
  return value.ok() ? "ok" : std::string(value.status().message());
}

TEST(Json, AMemberIsThereOnce) {
  EXPECT_EQ(getMessage(R"({"a": 1, "b": {"a": 2}, "c": ["a", "a"]})"), "ok");
  EXPECT_EQ(getMessage(R"([{"a": 1}, {"a": 1}])"), "ok");
  EXPECT_EQ(getMessage(R"({"a": "a", "b": "a"})"), "ok");
  EXPECT_EQ(getMessage(R"({"a": 1, "a": 1})"),
            "expected 'a' once, got it twice in one object");
  EXPECT_EQ(getMessage(R"({"a": {"x": [], "y": {}, "x": 0}})"),
            "expected 'a.x' once, got it twice in one object");
  EXPECT_EQ(getMessage(R"({"r": [{"b": 1}, {"c": 1, "b": 1, "c": 2}]})"),
            "expected 'r.c' once, got it twice in one object");
}

TEST(Json, TwoSpellingsAreOneName) {
  EXPECT_EQ(getMessage(R"({"a": 1, "\u0061": 2})"),
            "expected 'a' once, got it twice in one object");
  EXPECT_EQ(getMessage(R"({"a\"": 1, "a": 2, "\\": 3})"), "ok");
}

TEST(Json, DepthIsBounded) {
  std::string deep(100000, '[');
  EXPECT_EQ(getMessage(deep), "expected at most 200 levels of brackets, got "
                              "more");
  std::string good = std::string(150, '[') + std::string(150, ']');
  EXPECT_EQ(getMessage(good), "ok");
}

TEST(Json, DamageIsNoCrash) {
  std::string text = R"({"a": [1, {"b\"": "c"}], "a": {"d": null}})";
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_NE(getMessage(llvm::StringRef(text).take_front(size)), "ok");
  for (size_t at = 0; at < text.size(); ++at)
    for (char c : {'"', '\\', '{', '}', ']', ','}) {
      std::string damaged = text;
      damaged[at] = c;
      getMessage(damaged);
    }
}

TEST(Escape, BytesComeBack) {
  EXPECT_EQ(escapeBytes("caf\xe9"), "caf\\xE9");
  EXPECT_EQ(escapeBytes("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(escapeBytes("caf\\xE9"), "caf\\x5CxE9");
  EXPECT_EQ(escapeBytes("C:\\x\\xyz"), "C:\\x\\xyz");
  // As people copy it.
  EXPECT_EQ(toUtf8("caf\\xE9\xe9"), "caf\\xE9\\xE9");
  // All strings of these, up to five.
  llvm::StringRef letters("\\xE9\xe9\xc3\xa9\0", 7);
  for (unsigned length = 0; length <= 5; ++length) {
    size_t count = 1;
    for (unsigned i = 0; i < length; ++i)
      count *= letters.size();
    for (size_t code = 0; code < count; ++code) {
      std::string bytes;
      for (size_t i = 0, rest = code; i < length; ++i, rest /= letters.size())
        bytes += letters[rest % letters.size()];
      std::string text = escapeBytes(bytes);
      ASSERT_TRUE(llvm::json::isUTF8(text));
      ASSERT_EQ(unescapeBytes(text), bytes);
    }
  }
}

TEST(Json, NumbersAreFinite) {
  EXPECT_EQ(getMessage(R"({"a": [1e308, -1e308, 18446744073709551615]})"),
            "ok");
  for (const char *text :
       {"1e309", R"({"a": -1e400})", R"([{"b": [0, 1e999]}])"})
    EXPECT_EQ(getMessage(text),
              "expected numbers that 64-bit floats hold, got a larger one");
}

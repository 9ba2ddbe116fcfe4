//===- ap_int.h - Integers of any width for C simulation ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A stand-in for the vendor's header, written from its public documentation:
// the part that generated code uses. Values of up to 64 bits compute as 64-bit
// integers; wider ones are words of a stream, of which only ranges of bits are
// read and written. C++14, any compiler. Synthesis uses the vendor's header.
//===----------------------------------------------------------------------===//
#ifndef QOPT_RT_HLS_AP_INT_H
#define QOPT_RT_HLS_AP_INT_H

#include <cstdint>

namespace qopt_hls {

constexpr std::uint64_t mask(int bits) {
  return bits >= 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << bits) - 1;
}

/// Up to 64 bits of a number that is wider or narrower.
template <typename Number> class Range {
public:
  Range(Number &number, int high, int low)
      : number_(number), high_(high), low_(low) {}
  Range(const Range &) = default;
  operator std::uint64_t() const { return number_.bits(high_, low_); }
  Range &operator=(std::uint64_t value) {
    number_.setBits(high_, low_, value);
    return *this;
  }
  Range &operator=(const Range &other) { return *this = std::uint64_t(other); }
  template <typename Other> Range &operator=(const Range<Other> &other) {
    return *this = std::uint64_t(other);
  }

private:
  Number &number_;
  int high_, low_;
};

/// Bits [low, high] of a wide word.
template <int W> class Wide {
public:
  Wide() : words_() {}
  Wide(long long value) : words_() {
    words_[0] = std::uint64_t(value);
    for (int i = 1; i < kWords; ++i)
      words_[i] = value < 0 ? ~std::uint64_t(0) : 0;
  }
  std::uint64_t bits(int high, int low) const {
    int word = low / 64, shift = low % 64;
    std::uint64_t value = words_[word] >> shift;
    if (shift && word + 1 < kWords)
      value |= words_[word + 1] << (64 - shift);
    return value & mask(high - low + 1);
  }
  void setBits(int high, int low, std::uint64_t value) {
    int word = low / 64, shift = low % 64;
    std::uint64_t field = mask(high - low + 1);
    value &= field;
    words_[word] = (words_[word] & ~(field << shift)) | (value << shift);
    if (shift && high / 64 != word)
      words_[word + 1] = (words_[word + 1] & ~(field >> (64 - shift))) |
                         (value >> (64 - shift));
  }
  Range<Wide> range(int high, int low) { return {*this, high, low}; }
  Range<const Wide> range(int high, int low) const {
    return {*this, high, low};
  }
  bool operator==(const Wide &other) const {
    for (int i = 0; i < kWords; ++i)
      if (words_[i] != other.words_[i])
        return false;
    return true;
  }
  bool operator!=(const Wide &other) const { return !(*this == other); }

private:
  static constexpr int kWords = (W + 63) / 64;
  std::uint64_t words_[kWords];
};

/// A number of up to 64 bits, kept sign- or zero-extended.
template <int W, bool Signed> class Narrow {
public:
  Narrow() : value_(0) {}
  Narrow(long long value) : value_(wrap(value)) {}
  Narrow(unsigned long long value) : value_(wrap((long long)value)) {}
  Narrow(int value) : value_(wrap(value)) {}
  Narrow(unsigned value) : value_(wrap((long long)value)) {}
  Narrow(long value) : value_(wrap(value)) {}
  Narrow(unsigned long value) : value_(wrap((long long)value)) {}
  Narrow(bool value) : value_(wrap(value)) {}
  template <int V, bool S>
  Narrow(const Narrow<V, S> &other) : value_(wrap((long long)other)) {}
  template <typename Number>
  Narrow(const Range<Number> &range)
      : value_(wrap((long long)std::uint64_t(range))) {}

  operator long long() const { return value_; }

  Narrow &operator+=(long long other) { return *this = Narrow(value_ + other); }
  Narrow &operator-=(long long other) { return *this = Narrow(value_ - other); }
  Narrow &operator*=(long long other) { return *this = Narrow(value_ * other); }
  Narrow &operator++() { return *this += 1; }
  bool operator[](int bit) const { return bits(bit, bit) != 0; }

  std::uint64_t bits(int high, int low) const {
    return (std::uint64_t(value_) >> low) & mask(high - low + 1);
  }
  void setBits(int high, int low, std::uint64_t value) {
    std::uint64_t field = mask(high - low + 1) << low;
    value_ = wrap((long long)((std::uint64_t(value_) & ~field) |
                              ((value << low) & field)));
  }
  Range<Narrow> range(int high, int low) { return {*this, high, low}; }
  Range<const Narrow> range(int high, int low) const {
    return {*this, high, low};
  }

private:
  static long long wrap(long long value) {
    if (W >= 64)
      return value;
    std::uint64_t bits = std::uint64_t(value) & mask(W);
    if (Signed && (bits >> (W - 1)) & 1)
      bits |= ~mask(W);
    return (long long)bits;
  }
  long long value_;
};

template <int W, bool Signed, bool IsWide> struct Select {
  using Type = Narrow<W, Signed>;
};
template <int W, bool Signed> struct Select<W, Signed, true> {
  using Type = Wide<W>;
};

} // namespace qopt_hls

template <int W>
using ap_int = typename qopt_hls::Select<W, true, (W > 64)>::Type;
template <int W>
using ap_uint = typename qopt_hls::Select<W, false, (W > 64)>::Type;

#endif // QOPT_RT_HLS_AP_INT_H

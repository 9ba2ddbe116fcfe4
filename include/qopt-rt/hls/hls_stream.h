//===- hls_stream.h - Unbounded FIFOs for C simulation --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A stand-in for the vendor's header, written from its public documentation.
// Units run one after another in a simulation, so a stream grows as far as a
// frame; reading an empty one is a defect of the design and ends the program.
//===----------------------------------------------------------------------===//
#ifndef QOPT_RT_HLS_HLS_STREAM_H
#define QOPT_RT_HLS_HLS_STREAM_H

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace hls {

template <typename T, int Depth = 0> class stream {
public:
  explicit stream(const char *name = "stream") : name_(name), head_(0) {}
  stream(const stream &) = delete;
  stream &operator=(const stream &) = delete;
  ~stream() {
    if (!empty())
      std::fprintf(stderr, "warning: %zu tokens are left in stream '%s'\n",
                   size(), name_);
  }

  bool empty() const { return head_ == tokens_.size(); }
  bool full() const { return false; }
  std::size_t size() const { return tokens_.size() - head_; }

  void write(const T &token) { tokens_.push_back(token); }
  T read() {
    if (empty()) {
      std::fprintf(stderr, "error: read of the empty stream '%s'\n", name_);
      std::exit(1);
    }
    T token = tokens_[head_++];
    if (head_ == tokens_.size()) {
      tokens_.clear();
      head_ = 0;
    }
    return token;
  }
  void read(T &token) { token = read(); }
  bool read_nb(T &token) {
    if (empty())
      return false;
    token = read();
    return true;
  }
  bool write_nb(const T &token) {
    write(token);
    return true;
  }
  stream &operator<<(const T &token) {
    write(token);
    return *this;
  }
  stream &operator>>(T &token) {
    token = read();
    return *this;
  }

private:
  const char *name_;
  std::vector<T> tokens_;
  std::size_t head_;
};

} // namespace hls

#endif // QOPT_RT_HLS_HLS_STREAM_H

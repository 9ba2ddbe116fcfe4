/*===- qopt_weights.h - Files of weights, mapped by the host --------------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A model whose weights lie in a file (qopt compile --weights-file) takes them
 * by qopt_call.weights. M.h has the length and the name of the contents:
 *
 *   qopt_weights weights;
 *   int error = qopt_weights_open(&weights, "model.weights",
 *                                 MODEL_WEIGHTS_BYTES, MODEL_WEIGHTS_ID);
 *   if (error != QOPT_WEIGHTS_OK)
 *     ...
 *   call.weights = weights.data;
 *   ... calls ...
 *   qopt_weights_close(&weights);
 *
 * The file, all numbers little-endian:
 *
 *   offset  bytes
 *        0      8  "QOPTWTS" and a zero
 *        8      4  version of this layout: 1
 *       12      4  offset of the data: 4096
 *       16      8  bytes of the data; the file ends behind them
 *       24      4  alignment of arrays in the data: 64
 *       28      4  zero
 *       32     32  SHA-256 of the data
 *       64         zeros up to the data
 *
 * The data begin at a page, so that a mapped file is aligned. Pages of it are
 * read when they are needed and shared by all processes that map the file. This
 * header needs POSIX; other hosts read the data into memory of 64-byte
 * alignment.
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_WEIGHTS_H
#define QOPT_WEIGHTS_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QOPT_WEIGHTS_VERSION 1u
#define QOPT_WEIGHTS_OFFSET 4096u
#define QOPT_WEIGHTS_ALIGNMENT 64u

/* Results of qopt_weights_open. */
#define QOPT_WEIGHTS_OK 0
#define QOPT_WEIGHTS_EOPEN 1   /* there is no such file, or it is not readable */
#define QOPT_WEIGHTS_EFORMAT 2 /* it is no file of weights, or a newer one */
#define QOPT_WEIGHTS_ELENGTH 3 /* it is shorter or longer than the model's */
#define QOPT_WEIGHTS_EMODEL 4  /* it holds the weights of another model */
#define QOPT_WEIGHTS_EMAP 5    /* it cannot be mapped */

typedef struct qopt_weights {
  const void *data; /* for qopt_call.weights; NULL if opening failed */
  void *mapping;
  size_t mapped_bytes;
} qopt_weights;

static inline uint64_t qopt_weights_number(const unsigned char *at, int bytes) {
  uint64_t value = 0;
  while (bytes-- > 0)
    value = value << 8 | at[bytes];
  return value;
}

/* Whether 64 hexadecimal digits spell 32 bytes. */
static inline int qopt_weights_is(const unsigned char *hash, const char *id) {
  static const char digits[] = "0123456789abcdef";
  int i;
  for (i = 0; i < 32; ++i)
    if (id[2 * i] != digits[hash[i] >> 4] ||
        id[2 * i + 1] != digits[hash[i] & 15])
      return 0;
  return 1;
}

/* What is wrong with the first bytes of a file of `length` bytes. */
static inline int qopt_weights_check(const unsigned char *header,
                                     uint64_t length, uint64_t bytes,
                                     const char *id) {
  uint64_t has;
  if (length < 64 || memcmp(header, "QOPTWTS", 8) != 0 ||
      qopt_weights_number(header + 8, 4) != QOPT_WEIGHTS_VERSION ||
      qopt_weights_number(header + 12, 4) != QOPT_WEIGHTS_OFFSET)
    return QOPT_WEIGHTS_EFORMAT;
  has = qopt_weights_number(header + 16, 8);
  if (length < QOPT_WEIGHTS_OFFSET || length - QOPT_WEIGHTS_OFFSET != has)
    return QOPT_WEIGHTS_ELENGTH;
  if (has != bytes || !qopt_weights_is(header + 32, id))
    return QOPT_WEIGHTS_EMODEL;
  return QOPT_WEIGHTS_OK;
}

/* Maps the weights of the model that has `bytes` and `id` in its header. */
static inline int qopt_weights_open(qopt_weights *weights, const char *path,
                                    uint64_t bytes, const char *id) {
  unsigned char header[64];
  struct stat status;
  int error = QOPT_WEIGHTS_OK, file;
  memset(weights, 0, sizeof *weights);
  memset(header, 0, sizeof header);
  file = open(path, O_RDONLY);
  if (file < 0)
    return QOPT_WEIGHTS_EOPEN;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
    error = QOPT_WEIGHTS_EOPEN;
  else if (pread(file, header, sizeof header, 0) < 0)
    error = QOPT_WEIGHTS_EOPEN;
  else
    error = qopt_weights_check(header, (uint64_t)status.st_size, bytes, id);
  if (error == QOPT_WEIGHTS_OK) {
    weights->mapped_bytes = (size_t)status.st_size;
    weights->mapping =
        weights->mapped_bytes == (uint64_t)status.st_size
            ? mmap(NULL, weights->mapped_bytes, PROT_READ, MAP_SHARED, file, 0)
            : MAP_FAILED;
    if (weights->mapping == MAP_FAILED) {
      weights->mapping = NULL;
      error = QOPT_WEIGHTS_EMAP;
    } else {
      weights->data = (const char *)weights->mapping + QOPT_WEIGHTS_OFFSET;
    }
  }
  close(file);
  return error;
}

static inline void qopt_weights_close(qopt_weights *weights) {
  if (weights->mapping)
    munmap(weights->mapping, weights->mapped_bytes);
  memset(weights, 0, sizeof *weights);
}

#ifdef __cplusplus
}
#endif

#endif /* QOPT_WEIGHTS_H */

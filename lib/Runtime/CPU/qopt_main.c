/*===- qopt_main.c - A compiled model as a command ------------------------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What `qopt compile --emit=exe` links with a model: reads .npy arrays, calls
 * M_run once per sample, writes .npy arrays. C11 and POSIX threads; compiled
 * with -DQOPT_RUN=M_run -DQOPT_INFO=M_info, and where weights lie in a file
 * with -DQOPT_MODEL_WEIGHTS_ID and -DQOPT_MODEL_WEIGHTS_BYTES of the header.
 *===----------------------------------------------------------------------===*/
#include "qopt-rt/qopt_pool.h"
#include "qopt-rt/qopt_rt2.h"
#include "qopt-rt/qopt_weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int QOPT_RUN(const qopt_call *call);
const qopt_info *QOPT_INFO(void);

/* Exit codes: those of qopt. */
enum {
  EXIT_USAGE = 2,
  EXIT_MODEL = 4,
  EXIT_DATA = 5,
  EXIT_RESOURCE = 10,
  EXIT_INTERNAL = 70
};
enum { MAX_RANK = 16, PRINTED_VALUES = 16, MAX_HEADER = 1 << 16 };

typedef struct array {
  uint32_t dtype, rank;
  int64_t dims[MAX_RANK];
  uint64_t bytes;
  unsigned char *data;
} array;

typedef struct element_type {
  const char *name, *npy; /* bfloat16 is read as its 16 bits */
  unsigned width;
} element_type;

/* In the order of the QOPT_F32 enumeration. */
static const element_type types[] = {
    {"f32", "<f4", 4}, {"f64", "<f8", 8}, {"f16", "<f2", 2}, {"bf16", "<u2", 2},
    {"i8", "|i1", 1},  {"i16", "<i2", 2}, {"i32", "<i4", 4}, {"i64", "<i8", 8},
    {"u8", "|u1", 1},  {"u16", "<u2", 2}, {"u32", "<u4", 4}, {"u64", "<u8", 8},
    {"b1", "|b1", 1}};

static void fail(int code, const char *what, const char *name,
                 const char *more) {
  fprintf(stderr, "error: %s '%s'%s%s\n", what, name, *more ? ": " : "", more);
  exit(code);
}

static void *allocate(uint64_t bytes) {
  void *result = NULL;
  /* A multiple of the alignment, and never nothing. */
  bytes = (bytes + 64) / 64 * 64;
  if (bytes == (size_t)bytes)
    result = aligned_alloc(64, (size_t)bytes);
  if (!result) {
    fprintf(stderr, "error: out of memory (%llu bytes)\n",
            (unsigned long long)bytes);
    exit(EXIT_RESOURCE);
  }
  return result;
}

static void print_shape(FILE *file, uint32_t rank, const int64_t *dims) {
  uint32_t i;
  for (i = 0; i < rank; ++i)
    fprintf(file, "%s%lld", i ? "x" : "", (long long)dims[i]);
}

/* The value behind `key` in the header's dictionary. */
static const char *find_key(const char *header, const char *key) {
  const char *at = strstr(header, key);
  if (!at)
    return NULL;
  at += strlen(key);
  while (*at == ' ' || *at == ':')
    ++at;
  return at;
}

static void parse_shape(const char *at, array *result, const char *path) {
  if (!at || *at++ != '(')
    fail(EXIT_DATA, "expected 'shape' as a tuple of extents in", path, "");
  result->rank = 0;
  for (;;) {
    char *end;
    while (*at == ' ' || *at == ',')
      ++at;
    if (*at == ')')
      return;
    long long extent = strtoll(at, &end, 10);
    if (end == at || extent < 0 || result->rank == MAX_RANK)
      fail(EXIT_DATA, "expected 'shape' as a tuple of extents in", path, "");
    result->dims[result->rank++] = extent;
    at = end;
  }
}

static void parse_dtype(const char *at, uint32_t wanted, array *result,
                        const char *path) {
  const char *npy = types[wanted].npy;
  size_t length = strlen(npy);
  if (!at || (*at != '\'' && *at != '"') || strncmp(at + 1, npy, length) ||
      (at[1 + length] != '\'' && at[1 + length] != '"')) {
    char more[64];
    snprintf(more, sizeof more, "expected elements of type %s (%s)",
             types[wanted].name, npy);
    fail(EXIT_DATA, "cannot use", path, more);
  }
  result->dtype = wanted;
}

/* Reads an array whose elements are of type `dtype`. */
static array read_npy(const char *path, uint32_t dtype) {
  array result = {0};
  unsigned char start[12];
  uint32_t header_bytes, i;
  char *header;
  const char *order;
  FILE *file = fopen(path, "rb");
  if (!file)
    fail(EXIT_DATA, "cannot open", path, "");
  if (fread(start, 1, 10, file) != 10 || memcmp(start, "\x93NUMPY", 6) ||
      start[6] < 1 || start[6] > 3)
    fail(EXIT_DATA, "is not a .npy file:", path, "");
  header_bytes = start[8] | (uint32_t)start[9] << 8;
  if (start[6] > 1) {
    if (fread(start + 10, 1, 2, file) != 2)
      fail(EXIT_DATA, "is truncated:", path, "");
    header_bytes |= (uint32_t)start[10] << 16 | (uint32_t)start[11] << 24;
  }
  if (header_bytes > MAX_HEADER)
    fail(EXIT_DATA, "header is too long:", path, "");
  header = allocate(header_bytes + 1);
  if (fread(header, 1, header_bytes, file) != header_bytes)
    fail(EXIT_DATA, "is truncated:", path, "");
  header[header_bytes] = 0;
  parse_dtype(find_key(header, "'descr'"), dtype, &result, path);
  order = find_key(header, "'fortran_order'");
  if (!order || strncmp(order, "False", 5))
    fail(EXIT_DATA, "cannot use", path, "expected C order, as numpy saves");
  parse_shape(find_key(header, "'shape'"), &result, path);
  free(header);
  result.bytes = types[dtype].width;
  for (i = 0; i < result.rank; ++i) {
    uint64_t extent = (uint64_t)result.dims[i];
    if (extent && result.bytes > UINT64_MAX / 4 / extent)
      fail(EXIT_DATA, "shape is too large:", path, "");
    result.bytes *= extent;
  }
  /* The length of the file before the length it claims. */
  {
    long data = ftell(file), end = -1;
    if (data < 0 || fseek(file, 0, SEEK_END) || (end = ftell(file)) < data ||
        fseek(file, data, SEEK_SET))
      fail(EXIT_DATA, "expected a regular file:", path, "");
    if ((uint64_t)(end - data) < result.bytes)
      fail(EXIT_DATA, "is truncated:", path, "");
  }
  result.data = allocate(result.bytes);
  if (fread(result.data, 1, (size_t)result.bytes, file) != result.bytes)
    fail(EXIT_DATA, "is truncated:", path, "");
  fclose(file);
  return result;
}

/* NumPy knows no bfloat16: such arrays are saved as f32. */
static array widen(const array *value) {
  array wide = *value;
  uint64_t i;
  wide.dtype = QOPT_F32;
  wide.bytes = value->bytes * 2;
  wide.data = allocate(wide.bytes);
  for (i = 0; i < value->bytes / 2; ++i) {
    uint16_t half;
    uint32_t bits;
    memcpy(&half, value->data + 2 * i, 2);
    bits = (uint32_t)half << 16;
    memcpy(wide.data + 4 * i, &bits, 4);
  }
  return wide;
}

static void write_npy(const char *path, const array *value) {
  char header[1024];
  uint32_t i, used = 10;
  FILE *file = fopen(path, "wb");
  used +=
      (uint32_t)snprintf(header + used, sizeof header - used,
                         "{'descr': '%s', 'fortran_order': False, 'shape': (",
                         types[value->dtype].npy);
  /* (3,) and (3, 4), as NumPy writes them. */
  for (i = 0; i < value->rank; ++i)
    used += (uint32_t)snprintf(header + used, sizeof header - used, "%lld%s",
                               (long long)value->dims[i],
                               i + 1 < value->rank ? ", "
                               : value->rank == 1  ? ","
                                                   : "");
  used += (uint32_t)snprintf(header + used, sizeof header - used, "), }");
  while ((used + 1) % 64)
    header[used++] = ' ';
  header[used++] = '\n';
  memcpy(header, "\x93NUMPY\x01\x00", 8);
  header[8] = (char)((used - 10) & 255);
  header[9] = (char)((used - 10) >> 8);
  if (!file || fwrite(header, 1, used, file) != used ||
      fwrite(value->data, 1, (size_t)value->bytes, file) != value->bytes ||
      fclose(file))
    fail(EXIT_RESOURCE, "cannot write", path, "");
}

static double half_to_double(uint16_t bits) {
  int exponent = bits >> 10 & 31;
  double value = bits & 1023, sign = bits >> 15 ? -1 : 1;
  if (exponent == 31)
    return value != 0 ? (double)0 / 0.0 : sign / 0.0;
  value = exponent ? value + 1024 : value;
  for (exponent = exponent ? exponent - 25 : -24; exponent > 0; --exponent)
    value *= 2;
  for (; exponent < 0; ++exponent)
    value /= 2;
  return sign * value;
}

static void print_value(const array *value, uint64_t index) {
  const unsigned char *at = value->data + index * types[value->dtype].width;
  union {
    float f32;
    double f64;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
  } bits;
  bits.u64 = 0;
  memcpy(&bits, at, types[value->dtype].width);
  switch (value->dtype) {
  case QOPT_F32:
    printf(" %.9g", bits.f32);
    break;
  case QOPT_F64:
    printf(" %.9g", bits.f64);
    break;
  case QOPT_F16:
    printf(" %.9g", half_to_double(bits.u16));
    break;
  case QOPT_BF16:
    bits.u32 = (uint32_t)bits.u16 << 16;
    printf(" %.9g", bits.f32);
    break;
  case QOPT_I8:
    printf(" %d", (signed char)*at);
    break;
  case QOPT_I16:
    printf(" %d", bits.i16);
    break;
  case QOPT_I32:
    printf(" %ld", (long)bits.i32);
    break;
  case QOPT_I64:
    printf(" %lld", (long long)bits.i64);
    break;
  case QOPT_U16:
    printf(" %u", bits.u16);
    break;
  case QOPT_U32:
    printf(" %lu", (unsigned long)bits.u32);
    break;
  case QOPT_U64:
    printf(" %llu", (unsigned long long)bits.u64);
    break;
  default: /* u8, b1 */
    printf(" %u", *at);
  }
}

static void print_array(const char *name, const array *value) {
  uint64_t i, count = value->bytes / types[value->dtype].width;
  printf("%s: %s ", name, types[value->dtype].name);
  print_shape(stdout, value->rank, value->dims);
  printf(" =");
  for (i = 0; i < count && i < PRINTED_VALUES; ++i)
    print_value(value, i);
  printf(i < count ? " ...\n" : "\n");
}

/* What a call gives: outputs, and behind them the lengths of a model of version
 * 2 as scalars. */
typedef struct result_list {
  const qopt_tensor *tensors;
  uint32_t count, n_outputs;
  const qopt_info2 *lengths; /* NULL: none */
} result_list;

static result_list list_results(const qopt_info *info) {
  result_list results = {info->outputs, info->n_outputs, info->n_outputs, NULL};
  const qopt_info2 *lengths = (const qopt_info2 *)info;
  qopt_tensor *tensors;
  uint32_t i;
  if (info->abi != QOPT_ABI2)
    return results;
  results.lengths = lengths;
  results.count += lengths->n_dims;
  tensors = allocate(results.count * sizeof *tensors);
  memset(tensors, 0, results.count * sizeof *tensors);
  memcpy(tensors, info->outputs, info->n_outputs * sizeof *tensors);
  for (i = 0; i < lengths->n_dims; ++i) {
    tensors[info->n_outputs + i].name = lengths->dims[i].name;
    tensors[info->n_outputs + i].dtype = QOPT_I64;
    tensors[info->n_outputs + i].bytes = sizeof(int64_t);
  }
  results.tensors = tensors;
  return results;
}

/* The index of the length of an output, or -1; sets `axis` to what it counts.
 */
static int32_t find_length(const result_list *results, uint32_t output,
                           uint32_t *axis) {
  if (!results->lengths || output >= results->n_outputs)
    return -1;
  for (*axis = 0; *axis < results->tensors[output].rank; ++*axis) {
    int32_t dim = results->lengths->output_symbols[output].dims[*axis];
    if (dim >= 0)
      return dim;
  }
  return -1;
}

static void print_tensors(const char *kind, const result_list *list) {
  const qopt_tensor *tensors = list->tensors;
  uint32_t i;
  for (i = 0; i < list->count; ++i) {
    uint32_t axis;
    int32_t dim = find_length(list, i, &axis);
    printf("  %s %s: %s ", kind, tensors[i].name, types[tensors[i].dtype].name);
    print_shape(stdout, tensors[i].rank, tensors[i].dims);
    if (dim >= 0)
      printf(", of dimension %u the first '%s'", (unsigned)axis,
             list->lengths->dims[dim].name);
    if (tensors[i].scale != 0)
      printf(", stands for %.9g * (x - %d)", tensors[i].scale,
             (int)tensors[i].zero_point);
    printf("\n");
  }
}

#ifdef QOPT_MODEL_WEIGHTS_ID
#define WEIGHTS_USAGE " [--weights FILE]"
#else
#define WEIGHTS_USAGE ""
#endif

static void print_usage(const char *program, const qopt_info *info,
                        const result_list *results) {
  result_list inputs = {info->inputs, info->n_inputs, 0, NULL};
  printf("usage: %s --input [NAME=]@F.npy [--output [NAME=]@F.npy] "
         "[--threads N]" WEIGHTS_USAGE "\n"
         "One sample or a stack of samples, in the form that the model takes:\n"
         "nothing is preprocessed. Outputs that are not written are printed.\n"
         "%s, for %s\n",
         program, info->name, info->target);
  print_tensors("input", &inputs);
  print_tensors("output", results);
}

/* Which tensor `[NAME=]@FILE` is about; sets `path`. The name can be left out
 * where the first `own` are one. */
static uint32_t find_tensor(const char *argument, uint32_t count, uint32_t own,
                            const qopt_tensor *tensors, const char **path) {
  const char *at = strstr(argument, "=@");
  uint32_t i;
  if (!at && *argument == '@' && own == 1) {
    *path = argument + 1;
    return 0;
  }
  if (!at)
    fail(EXIT_USAGE, "expected NAME=@FILE.npy, got", argument, "");
  *path = at + 2;
  for (i = 0; i < count; ++i)
    if (strlen(tensors[i].name) == (size_t)(at - argument) &&
        !strncmp(tensors[i].name, argument, (size_t)(at - argument)))
      return i;
  fail(EXIT_USAGE, "the model has no array for", argument, "see --help");
  return 0;
}

static int ends_with(const array *value, uint32_t skip, const qopt_tensor *t,
                     uint32_t from) {
  return value->rank - skip == t->rank - from &&
         !memcmp(value->dims + skip, t->dims + from,
                 (t->rank - from) * sizeof *t->dims);
}

enum { SINGLE, ROWS, STACK };

/* How many samples an array holds: one as it is, a multiple of the batch, or
 * one more leading dimension. */
static int64_t count_samples(const array *value, const qopt_tensor *tensor,
                             int *layout, const char *path) {
  if (value->rank == tensor->rank && ends_with(value, 0, tensor, 0)) {
    *layout = SINGLE;
    return 1;
  }
  if (tensor->rank && value->rank == tensor->rank &&
      ends_with(value, 1, tensor, 1) && tensor->dims[0] > 0 &&
      value->dims[0] % tensor->dims[0] == 0) {
    *layout = ROWS;
    return value->dims[0] / tensor->dims[0];
  }
  if (value->rank == tensor->rank + 1 && ends_with(value, 1, tensor, 0)) {
    *layout = STACK;
    return value->dims[0];
  }
  fprintf(stderr, "error: input '%s' expects ", tensor->name);
  print_shape(stderr, tensor->rank, tensor->dims);
  fprintf(stderr, " or a stack of those, '%s' is ", path);
  print_shape(stderr, value->rank, value->dims);
  fprintf(stderr, "\n");
  exit(EXIT_DATA);
}

/* The array that gets `samples` results of an output. */
static array make_output(const qopt_tensor *tensor, int64_t samples,
                         int layout) {
  array result = {0};
  uint32_t lead = layout == STACK || (layout == ROWS && !tensor->rank);
  result.dtype = tensor->dtype;
  result.rank = tensor->rank + lead;
  if (result.rank > MAX_RANK)
    fail(EXIT_DATA, "too many dimensions:", tensor->name, "");
  memcpy(result.dims + lead, tensor->dims, tensor->rank * sizeof *tensor->dims);
  if (lead)
    result.dims[0] = samples;
  else if (layout == ROWS)
    result.dims[0] *= samples;
  result.bytes = tensor->bytes * (uint64_t)samples;
  result.data = allocate(result.bytes);
  return result;
}

/* One sample: an array is as long as its length says. Several: the rows of all
 * as long as the longest, with zeros behind the others. */
static void trim_output(array *output, const qopt_tensor *tensor, uint32_t axis,
                        const int64_t *lengths, int64_t samples) {
  uint64_t rows = 1, inner = types[tensor->dtype].width, row;
  uint32_t lead = output->rank - tensor->rank, i;
  int64_t longest = 0, sample;
  unsigned char *packed;
  for (i = 0; i < tensor->rank; ++i)
    if (i < axis)
      rows *= (uint64_t)tensor->dims[i];
    else if (i > axis)
      inner *= (uint64_t)tensor->dims[i];
  for (sample = 0; sample < samples; ++sample)
    if (lengths[sample] > longest)
      longest = lengths[sample];
  output->dims[axis + lead] = longest;
  output->bytes = (uint64_t)samples * rows * (uint64_t)longest * inner;
  packed = allocate(output->bytes);
  memset(packed, 0, output->bytes);
  for (sample = 0; sample < samples; ++sample) {
    uint64_t used = (uint64_t)lengths[sample] * inner;
    for (row = 0; row < rows; ++row)
      memcpy(
          packed + ((uint64_t)sample * rows + row) * (uint64_t)longest * inner,
          output->data + (uint64_t)sample * tensor->bytes + row * used, used);
  }
  free(output->data);
  output->data = packed;
}

/* Where a sample lies in all arrays. */
typedef struct sample_place {
  const array *inputs;
  array *outputs;
  uint64_t sample;
} sample_place;

/* Calls the model for a sample. Of lengths, outputs have one more number. */
static void run_sample(qopt_call2 *call, const qopt_info *info,
                       const result_list *results, const sample_place *place) {
  const void **sources = (const void **)call->call.inputs;
  void **targets = (void **)call->call.outputs;
  uint32_t i;
  int error;
  for (i = 0; i < info->n_inputs; ++i)
    sources[i] =
        place->inputs[i].data + info->inputs[i].bytes * place->sample;
  for (i = 0; i < info->n_outputs; ++i)
    targets[i] =
        place->outputs[i].data + info->outputs[i].bytes * place->sample;
  error = QOPT_RUN(&call->call);
  if (error) {
    fprintf(stderr, "error: the model refused the call with code %d\n", error);
    exit(EXIT_INTERNAL);
  }
  for (i = info->n_outputs; i < results->count; ++i)
    memcpy(place->outputs[i].data + sizeof(int64_t) * place->sample,
           &call->result_lengths[i - info->n_outputs], sizeof(int64_t));
}

typedef struct request {
  const char **inputs, **outputs; /* paths, by index of the model */
  const char *weights;            /* NULL: beside this command */
  uint32_t threads;
} request;

static request parse(int argc, char **argv, const qopt_info *info,
                     const result_list *results) {
  request result = {0};
  int i;
  result.threads = 1;
  result.inputs = allocate(info->n_inputs * sizeof(char *));
  result.outputs = allocate(results->count * sizeof(char *));
  memset((void *)result.inputs, 0, info->n_inputs * sizeof(char *));
  memset((void *)result.outputs, 0, results->count * sizeof(char *));
  for (i = 1; i < argc; i += 2) {
    const char *path, *flag = argv[i],
                      *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) {
      print_usage(argv[0], info, results);
      exit(0);
    }
    if (!value)
      fail(EXIT_USAGE, "expected a flag and its value, got", flag,
           "see --help");
    if (!strcmp(flag, "--input")) {
      uint32_t index = find_tensor(value, info->n_inputs, info->n_inputs,
                                   info->inputs, &path);
      result.inputs[index] = path;
    } else if (!strcmp(flag, "--output") || !strcmp(flag, "-o")) {
      uint32_t index = find_tensor(value, results->count, info->n_outputs,
                                   results->tensors, &path);
      result.outputs[index] = path;
    } else if (*WEIGHTS_USAGE && !strcmp(flag, "--weights")) {
      result.weights = value;
    } else if (!strcmp(flag, "--threads")) {
      char *end;
      long threads = strtol(value, &end, 10);
      if (*end || threads < 1 || threads > 1024)
        fail(EXIT_USAGE, "--threads: expected 1 to 1024, got", value, "");
      result.threads = (uint32_t)threads;
    } else {
      fail(EXIT_USAGE, "unknown flag", flag, "see --help");
    }
  }
  return result;
}

/* Reads all inputs; returns the number of samples. */
static int64_t read_inputs(const request *asked, const qopt_info *info,
                           array *inputs, int *layout) {
  int64_t samples = 1;
  int other;
  uint32_t i;
  for (i = 0; i < info->n_inputs; ++i) {
    const qopt_tensor *tensor = &info->inputs[i];
    int64_t count;
    if (!asked->inputs[i])
      fail(EXIT_USAGE, "expected --input NAME=@FILE.npy for", tensor->name,
           "see --help");
    inputs[i] = read_npy(asked->inputs[i], tensor->dtype);
    /* The first input decides how outputs are stacked. */
    count = count_samples(&inputs[i], tensor, i ? &other : layout,
                          asked->inputs[i]);
    if (i && count != samples)
      fail(EXIT_DATA, "another number of samples in", asked->inputs[i], "");
    samples = count;
  }
  return samples;
}

/* The lengths of one sample are in the shapes of its outputs: not printed. */
static void write_outputs(const request *asked, const result_list *results,
                          const array *outputs, int layout) {
  uint32_t i;
  for (i = 0; i < results->count; ++i)
    if (asked->outputs[i]) {
      array wide =
          outputs[i].dtype == QOPT_BF16 ? widen(&outputs[i]) : outputs[i];
      write_npy(asked->outputs[i], &wide);
    } else if (i < results->n_outputs || layout != SINGLE)
      print_array(results->tensors[i].name, &outputs[i]);
}

/* Maps the weights that the model does not hold: those of `path`, or of the
 * file beside this command. NULL: it holds them. */
static const void *open_weights(const char *path) {
#ifdef QOPT_MODEL_WEIGHTS_ID
  static const char *const problems[] = {
      "",
      "cannot open",
      "is no file of weights:",
      "is shorter or longer than its header says:",
      "holds the weights of another model:",
      "cannot map"};
  static char own[4096];
  static qopt_weights weights; /* mapped until the end */
  int error;
  if (!path) {
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 16);
    if (length < 0)
      fail(EXIT_RESOURCE, "cannot find", "/proc/self/exe",
           "use --weights FILE");
    strcpy(own + length, ".weights");
    path = own;
  }
  error = qopt_weights_open(&weights, path, QOPT_MODEL_WEIGHTS_BYTES,
                            QOPT_MODEL_WEIGHTS_ID);
  if (error)
    fail(EXIT_MODEL, problems[error], path, "");
  return weights.data;
#else
  (void)path;
  return NULL;
#endif
}

int main(int argc, char **argv) {
  const qopt_info *info = QOPT_INFO();
  result_list results = list_results(info);
  request asked = parse(argc, argv, info, &results);
  array *inputs = allocate(info->n_inputs * sizeof(array));
  array *outputs = allocate(results.count * sizeof(array));
  qopt_call2 call = {0};
  int64_t samples, sample;
  int layout = SINGLE;
  uint32_t i, axis;
  samples = read_inputs(&asked, info, inputs, &layout);
  for (i = 0; i < results.count; ++i) {
    /* Rows that do not all count are not joined. */
    int32_t dim = find_length(&results, i, &axis);
    outputs[i] =
        make_output(&results.tensors[i], samples,
                    layout == ROWS && dim >= 0 && axis == 0 ? STACK : layout);
  }
  call.call.abi = info->abi;
  call.call.threads = asked.threads;
  call.call.weights = open_weights(asked.weights);
  call.call.inputs = allocate(info->n_inputs * sizeof(void *));
  call.call.outputs = allocate(info->n_outputs * sizeof(void *));
  call.call.arena = allocate(info->arena_bytes);
  call.result_lengths =
      allocate((results.count - info->n_outputs) * sizeof(int64_t));
  if (asked.threads > 1) {
    call.call.pool = qopt_pool_create(asked.threads);
    call.call.parallel_for = call.call.pool ? qopt_pool_parallel_for : NULL;
  }
  for (sample = 0; sample < samples; ++sample) {
    sample_place place = {inputs, outputs, (uint64_t)sample};
    run_sample(&call, info, &results, &place);
  }
  for (i = 0; i < info->n_outputs; ++i) {
    int32_t dim = find_length(&results, i, &axis);
    if (dim >= 0)
      trim_output(&outputs[i], &info->outputs[i], axis,
                  (const int64_t *)(void *)outputs[info->n_outputs + dim].data,
                  samples);
  }
  write_outputs(&asked, &results, outputs, layout);
  qopt_pool_destroy(call.call.pool);
  return 0;
}

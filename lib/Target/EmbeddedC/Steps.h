//===- Steps.h - A network as calls on buffers ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Private to the C target: what FindSteps reads from @main, PlaceBuffers
// gives addresses to, and the emitters write down.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_EMBEDDEDC_STEPS_H
#define QOPT_LIB_TARGET_EMBEDDEDC_STEPS_H

#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Numerics/FixedPoint.h"
#include "qopt/Target/EmbeddedC/Emit.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace qopt::embedded {

/// A window over an image; one spatial dimension is an image of one row.
struct Window {
  int64_t height, width, channels;
  int64_t outHeight, outWidth;
  int64_t kernel[2], strides[2], pads[2], dilations[2];
  int64_t border = 0;

  int64_t taps() const { return kernel[0] * kernel[1]; }
  int64_t pixels() const { return outHeight * outWidth; }
  /// Whether some tap of some pixel lies outside of the image.
  bool leavesImage() const {
    auto leaves = [&](int i, int64_t in, int64_t out) {
      int64_t last = (out - 1) * strides[i] - pads[i];
      return pads[i] > 0 || last + (kernel[i] - 1) * dilations[i] >= in;
    };
    return leaves(0, height, outHeight) || leaves(1, width, outWidth);
  }
};

/// Weights as `least + step * code`.
struct GridWeights {
  unsigned bits = 0; ///< of a code, 1 to 7; 0: weights are bytes
  int64_t least = 0, step = 0;
};

struct Step {
  enum Kind {
    Gather,    ///< convolution through a copied window
    Direct,    ///< product whose columns lie in the input as they are
    Depthwise, ///< a channel at a time
    Grouped,
    SumPool,
    MaxPool,
    Resize,
    Add,
    Multiply,
    Rescale,
    LookUp,
    Softmax,
    ArgReduce, ///< positions of the largest or smallest, as results
    Move,      ///< transpose, slice, broadcast
    Pick,      ///< slices of one dimension by constant numbers
    Pad,       ///< by one number
    Concat,
    Recurrent  ///< LSTM, GRU or RNN over a sequence
  };
  Kind kind;
  mlir::Operation *op = nullptr;
  fxp::RequantizeOp requantize; ///< behind an accumulating op
  std::vector<mlir::Value> inputs;
  mlir::Value output;
  std::string name;
  Window window{};
  int64_t n = 0, k = 0; ///< channels out, and products of each
  int64_t batch = 1;    ///< images, each a call
  int64_t scratch = 0;  ///< bytes that live during the step alone
  /// The dimensions of a resize, and those between them.
  int64_t firstAxis = 0, lastAxis = 0;
  /// Weights of at most 4 bits lie two in a byte.
  bool isPacked = false;
  /// Weights are codes of a table of 2^b bytes; empty: they are not.
  llvm::SmallVector<int8_t> table;
  GridWeights grid;
  /// Results of the network in 32 bits: sums as they are.
  bool isSums = false;
  int64_t macs = 0;

  /// Products of a row as the kernels take them: whole words, or pairs of them
  /// where weights are packed.
  int64_t getRow() const {
    return llvm::alignTo(k, isPacked || !table.empty() ? 8 : 4);
  }
};

/// Bytes of an element of a stored integer or of a sum.
inline int64_t getElementBytes(mlir::Value value) {
  return getTensorType(value).getElementTypeBitWidth() / 8;
}
/// Whether the kernels of qopt_embedded_16bit.h compute a step: some stored
/// integers have 16 bits. Moves have bytes of any number.
bool isWide(const Step &step);

/// Where the bytes of a value lie.
struct Place {
  enum Base { Arena, Input, Output } base = Arena;
  int64_t offset = 0; ///< bytes, or an index
};

struct StepList {
  std::vector<Step> steps;
  /// Values that share the bytes of another one (reshapes).
  llvm::DenseMap<mlir::Value, mlir::Value> aliases;
  llvm::DenseMap<mlir::Value, Place> places;
  std::vector<Place> scratch; ///< per step
  int64_t arenaBytes = 0, liveBytes = 0;

  mlir::Value getRoot(mlir::Value value) const {
    auto it = aliases.find(value);
    return it == aliases.end() ? value : it->second;
  }
};

/// Whether an operand of a sum or product repeats along leading dimensions of
/// `result` alone, as the kernels read it.
bool repeatsInFront(mlir::Value operand, mlir::Value result);
/// Where the first layers are computed strip by strip.
struct Patches {
  int64_t layers = 0, strips = 1;
};
/// The most layers from the input on that strips of rows can share: images that
/// convolutions make, each read by the next alone.
int64_t countPatchable(mlir::func::FuncOp main);
/// Computes the rows of the last of the first `layers` layers in strips, one
/// after the other, with as many rows of the layers in front as they need: the
/// same numbers, some of them twice. False if there are too few rows.
bool splitIntoPatches(mlir::func::FuncOp main, const Patches &patches);

/// Copies of the other operands that are smaller than their results.
void broadcastOperands(mlir::func::FuncOp main);
/// A sum of products for each of its roundings.
void cloneForRoundings(mlir::func::FuncOp main);
/// Results that are constants of other elements than bytes become the bytes of
/// those elements, as a little-endian machine holds them; `kHeldType` of a
/// result says what they are.
void storeConstantResults(mlir::func::FuncOp main);
inline constexpr const char *kHeldType = "c.holds";
/// Copies of results that are an input, a constant or another result.
void copyResults(mlir::func::FuncOp main);

/// Steps of @main in order, or every reason why there are none.
absl::StatusOr<StepList> findSteps(mlir::func::FuncOp main);

/// Gives every buffer and scratch its place in one arena.
void placeBuffers(StepList &list, mlir::func::FuncOp main);

/// Whether the weights of a product fit in 4 bits each and its sums, made in
/// sixteenths, in 32.
bool fitsPacked(const Step &step);
/// The grid of the weights of a product, if they have one of few bits and its
/// sums fit in 32.
GridWeights makeGrid(const Step &step);
/// The smallest grid that holds `weights` and the zeros that pad their rows.
GridWeights findGrid(const Step &step, llvm::ArrayRef<int8_t> weights);
/// What no sum of codes and of the rest of a row exceeds together.
int64_t getLargestGridSum(const Step &step);
/// Rows of codes, or all of them in one row where they are unpacked.
std::vector<uint32_t> packGrid(const Step &step,
                               llvm::ArrayRef<int8_t> weights);
/// The table for the weights of a product that has levels, 0 among them where
/// rows of codes are padded; empty without levels.
llvm::SmallVector<int8_t> makeTable(const Step &step);

/// A dimension of a resize: positions of the result, and inputs of each.
struct GridAxis {
  int64_t extent, taps;
};

/// Where arrays of a recurrent layer lie in its scratch.
struct RecurrentScratch {
  explicit RecurrentScratch(fxp::RecurrentOp op);
  int64_t xRow, stateRow; ///< bytes of rows of weights, whole words
  int64_t a, s, h, c, xBytes, hBytes, bytes;
};

/// How accumulators of a step become bytes; what the weights file holds.
struct StepConstants {
  std::vector<int8_t> weights; ///< in the order that the kernel reads
  std::vector<uint32_t> words; ///< of codes, in place of the weights
  std::vector<int32_t> bias;
  std::vector<int32_t> multiplier;
  std::vector<uint8_t> shift;
  std::vector<int8_t> table, levels;
  std::vector<int32_t> exponentials;
  /// Of a recurrent layer; its weights, biases and scales are those of x, then
  /// those of the state.
  std::vector<int16_t> sigmoid;
  std::vector<FixedScale> factors;
  /// Of a resize, the outermost dimension first: where an input begins, in
  /// bytes, and its coefficient, for all positions of `axes`. Of a Pick, where
  /// slices begin.
  std::vector<int32_t> offsets, coefficients;
  std::vector<GridAxis> axes;
  int64_t zeroPoint = 0, low = 0, high = 0;
  /// Of wide steps: sums of 64 bits, and entries of 16 bits.
  std::vector<int64_t> wideBias;
  std::vector<int16_t> wideTable;
  bool isWide = false;
  /// What no sum exceeds, by magnitude: channel by channel, or of all; empty
  /// where nothing is known.
  std::vector<int64_t> largest;
  /// Channels of a product whose weights are all 0.
  std::vector<bool> isConstant;
  /// Upper words of products round alone (Numerics/UpperWord.h); `shift` then
  /// is less by kLeastUpperShift.
  bool isUntied = false;
};

absl::StatusOr<StepConstants> computeConstants(const Step &step);
/// Those of a recurrent layer.
absl::Status fillRecurrent(const Step &step, StepConstants &constants);

} // namespace qopt::embedded

#endif // QOPT_LIB_TARGET_EMBEDDEDC_STEPS_H

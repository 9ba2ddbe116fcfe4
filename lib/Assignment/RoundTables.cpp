//===- RoundTables.cpp - Embedding tables in few bits ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// row = scale * integers, with the scale that loses least.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/RoundTables.h"
#include "AssignWeights.h"
#include "LevelTable.h"
#include "qopt/Assignment/LayerRules.h"
#include "qopt/Dialect/QG/IR/StoredRows.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

/// Smaller tables (positions, types of tokens) are not worth their rounding:
/// 64 KB.
static constexpr int64_t kLeastElements = 16384;

/// The squares of two tables add up to one number, wherever one looks.
static bool areCosinesAndSines(const Tensor &a, const Tensor &b) {
  int64_t count = a.numElements();
  auto sumAt = [&](int64_t i) {
    double x = a.getFloat(i), y = b.getFloat(i);
    return x * x + y * y;
  };
  constexpr double kRounded = 2e-3; // tables that were 16-bit floats
  double first = count > 0 ? sumAt(0) : 0;
  for (int64_t i = 0; i < count; ++i)
    if (!(std::fabs(sumAt(i) - first) <= kRounded * first))
      return false;
  return first > 0;
}

/// Tables of angles are no embeddings: their error turns every query and key.
static bool givesAngles(qg::GatherOp op) {
  for (auto other : op->getBlock()->getOps<qg::GatherOp>()) {
    if (other.getX() == op.getX() ||
        other.getX().getType() != op.getX().getType())
      continue;
    std::optional<Tensor> own = qg::matchConstant(op.getX()),
                          partner = qg::matchConstant(other.getX());
    if (own && partner && areCosinesAndSines(*own, *partner))
      return true;
  }
  return false;
}

/// Picks slices of float constants at positions that are computed. Single
/// elements are no rows: the scale of one would be as large as itself.
static bool readsConstants(qg::GatherOp op) {
  RankedTensorType type = getTensorType(op.getX());
  return op.getX().getDefiningOp<qg::ConstantOp>() &&
         !op.getIndices().getDefiningOp<qg::ConstantOp>() &&
         type.getRank() >= 2 && type.getShape().back() > 1 &&
         isa<FloatType>(type.getElementType()) && !givesAngles(op);
}

/// Why a table has no rows of few bits; empty if it may have.
static std::string getReasonAgainstShape(qg::GatherOp op) {
  RankedTensorType type = getTensorType(op.getX());
  if (type.getRank() != 2 || op.getAxis() != 0)
    return "only rows of tables of two dimensions are rounded";
  if (!type.getElementType().isF32())
    return "only tables of f32 are rounded; convert the model to f32";
  if (type.getNumElements() < kLeastElements)
    return ("it has fewer than " + Twine(kLeastElements) +
            " elements, too few to be worth their rounding")
        .str();
  return "";
}

bool qopt::readsTable(Operation *op) {
  auto gather = dyn_cast<qg::GatherOp>(op);
  return gather && readsConstants(gather) &&
         getReasonAgainstShape(gather).empty();
}

/// Bits of the table that an op reads; 0 for one that stays float. Four bits of
/// the input reach every layer behind it, so they are somebody's decision.
static unsigned getBits(Operation *op) {
  auto own = op->getAttrOfType<StringAttr>("qg.weights");
  if (!own)
    return 8;
  if (own == kFloatFormat)
    return 0;
  std::optional<WeightFormat> format = WeightFormat::parse(own);
  return format && format->element->stored->bits <= 4 ? 4 : 8;
}

std::string qopt::getReasonAgainstTable(Operation *op, bool roundsTables) {
  auto gather = dyn_cast<qg::GatherOp>(op);
  if (!gather || !readsConstants(gather))
    return "";
  if (std::string reason = getReasonAgainstShape(gather); !reason.empty())
    return reason;
  if (!roundsTables)
    return "its rows would be decoded into floats, which this target avoids "
           "(--requant f32 rounds tables)";
  return getBits(op) ? "it is not finite" : "kept float by the recipe";
}

namespace {
/// [V, D] as signed integers with a scale for each row [V, 1].
struct IntegerTable {
  std::vector<int8_t> integers;
  Tensor scales;
  int64_t rows, columns;
};
} // namespace

/// Sum of squared errors of a row rounded with `scale`.
static double getError(ArrayRef<float> row, double scale, double most) {
  double sum = 0;
  for (float value : row) {
    double step = std::clamp(std::nearbyint(value / scale), -most, most);
    sum += (step * scale - value) * (step * scale - value);
  }
  return sum;
}

/// The best of some scales below that of the largest magnitude: with few
/// levels it pays to saturate.
static float chooseScale(ArrayRef<float> row, double most) {
  double magnitude = 0;
  for (float value : row)
    magnitude = std::max(magnitude, double(std::fabs(value)));
  double best = magnitude / most;
  if (!(best >= kLeastScale))
    return 1;
  double least = getError(row, best, most);
  for (double part : {0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65}) {
    double scale = part * magnitude / most;
    double error = getError(row, scale, most);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return float(best);
}

/// nullopt for a table that is not finite.
static std::optional<IntegerTable> roundTable(const Tensor &table,
                                              unsigned bits) {
  int64_t rows = table.shape()[0], columns = table.shape()[1];
  IntegerTable result{std::vector<int8_t>(rows * columns),
                      Tensor(DType::f32, {rows, 1}), rows, columns};
  double most = (1 << (bits - 1)) - 1;
  ArrayRef<float> values = table.span<float>();
  if (!llvm::all_of(values, [](float value) { return std::isfinite(value); }))
    return std::nullopt;
  for (int64_t r = 0; r < rows; ++r) {
    ArrayRef<float> row = values.slice(r * columns, columns);
    float scale = chooseScale(row, most);
    result.scales.setFloat(r, scale);
    for (int64_t c = 0; c < columns; ++c)
      result.integers[r * columns + c] = int8_t(
          std::clamp(std::nearbyint(double(row[c]) / scale), -most, most));
  }
  return result;
}

RoundedTables qopt::roundTables(ModuleOp module) {
  RoundedTables done;
  SmallVector<qg::GatherOp> gathers;
  module.walk([&](qg::GatherOp op) {
    if (readsTable(op))
      gathers.push_back(op);
  });
  llvm::DenseSet<Value> counted;
  for (qg::GatherOp op : gathers) {
    unsigned bits = getBits(op);
    std::optional<Tensor> values = qg::matchConstant(op.getX());
    if (!bits || !values)
      continue;
    std::optional<IntegerTable> table = roundTable(*values, bits);
    if (!table)
      continue;
    qg::ShapedBuilder b(OpBuilder(op), op.getLoc());
    qg::StoredRows rows{Tensor::from<int8_t>(DType::i8,
                                             {table->rows, table->columns},
                                             ArrayRef<int8_t>(table->integers)),
                        bits, bits == 4 ? -8 : 0};
    Value integers = qg::gatherRows(b, rows, op.getIndices());
    Value scales = b.gather(b.constant(table->scales), op.getIndices(), 0);
    Value result = b.mul(integers, scales);
    if (counted.insert(op.getX()).second) {
      int64_t stored = bits == 4 ? (table->columns + 1) / 2 : table->columns;
      ++done.count;
      done.bytesBefore += 4 * table->rows * table->columns;
      done.bytesAfter += table->rows * (stored + 4);
    }
    op.getResult().replaceAllUsesWith(result);
    op.erase();
  }
  return done;
}

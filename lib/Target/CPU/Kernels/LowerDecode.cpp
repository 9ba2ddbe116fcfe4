//===- LowerDecode.cpp - qcpu.decode_matmul to loops ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Few rows decode weights in registers, as they are read. Many rows share the
// work: a block of weights becomes floats once, in the first cache, and all
// rows of a task pass over it while their sums wait beside it.
//===----------------------------------------------------------------------===//
#include "DecodeKernel.h"
#include "WeightCode.h"
#include "WindowKernel.h"
#include "qopt/Target/CPU/IR/QCPU.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt::qcpu;

/// Up to so many rows weights are decoded for every tile.
static constexpr int64_t kFewRows = 16;
/// Rows of a task, and steps of a block: 128 x 48 floats are half of a cache.
static constexpr int64_t kTaskRows = 128, kBlockSteps = 128;

namespace {
/// Operands of the kernel besides those of a window.
struct DecodeViews {
  FlatView scales, zps;
  int64_t blockRows, blockColumns, bits, zeroPoint, channels;
  SmallVector<int8_t> levels;
  bool isX86;

  bool hasZps() const { return zps.shape.front() > 1; }
  bool hasOneScale() const { return scales.shape.front() == 1; }
  bool hasColumns() const { return blockRows > 1; }
  int64_t perWord() const { return bits < 8 ? 32 / bits : 1; }
};

/// Decodes the weights of a panel, step by step.
class PanelDecoder {
public:
  PanelDecoder(Emitter &emit, const WindowKernel &k, const DecodeViews &v,
               const Panel &panel);

  /// Loads the parameters of group `g`.
  void enter(Value g);
  /// Calls back with the weights of a step; one float for every channel.
  using Step = llvm::function_ref<void(int64_t place, ArrayRef<Value>)>;
  /// Word `word` of every vector, which begins with step `at`: its first
  /// `count` codes.
  void decodeWord(Value word, Value at, int64_t count, Step step);

  int64_t groupWords() const {
    return llvm::divideCeil(groupLength(), v.perWord());
  }
  /// Steps whose words follow one another.
  int64_t groupLength() const {
    return v.hasColumns() ? depth : std::min(v.blockColumns, depth);
  }

private:
  Value toFloat(Value word, int64_t place);
  Value loadReal(const FlatView &view, Value index, int64_t lanes);
  Value loadZeroPoints(Value at);
  void loadColumn(Value at, Value word, int64_t place,
                  SmallVectorImpl<Value> &scale, SmallVectorImpl<Value> &zero);
  Value loadColumnZeroPoint(Value block, Value index, Value word,
                            int64_t place);
  Value getColumnBlock(int64_t vector);
  Value splatReal(double value) {
    return emit.splat(real, emit.builder.getF32FloatAttr(float(value)));
  }

  Emitter &emit;
  const WindowKernel &k;
  const DecodeViews &v;
  const Panel &panel;
  VectorType real, words;
  int64_t depth, pitch;
  Value weights; ///< first word (byte) of the panel
  Value parameters;
  SmallVector<Value> scales, zeros;
  Value table;
};
} // namespace

PanelDecoder::PanelDecoder(Emitter &emit, const WindowKernel &k,
                           const DecodeViews &v, const Panel &panel)
    : emit(emit), k(k), v(v), panel(panel) {
  OpBuilder &b = emit.builder;
  real = emit.vec(k.lanes, b.getF32Type());
  words = emit.vec(k.lanes, b.getI32Type());
  depth = k.x.shape[3];
  pitch = panel.vectors * k.lanes;
  int64_t groups = v.hasColumns() ? 1 : llvm::divideCeil(depth, v.blockColumns);
  int64_t whole = depth / groupLength(), rest = depth % groupLength();
  int64_t perLane = whole * groupWords() + llvm::divideCeil(rest, v.perWord());
  weights = emit.mul(panel.packed, perLane);
  parameters = emit.mul(panel.packed, groups);
  if (v.bits < 8 && v.isX86 && k.lanes == 16) {
    SmallVector<float> entries;
    for (int64_t i = 0; i < 16; ++i)
      entries.push_back(v.levels[i % v.levels.size()] - float(v.zeroPoint));
    table = arith::ConstantOp::create(
        b, emit.loc, DenseElementsAttr::get(real, ArrayRef<float>(entries)));
  }
  if (v.hasOneScale()) {
    Value scale = vector::BroadcastOp::create(
        b, emit.loc, real, loadReal(v.scales, emit.index(0), 1));
    scales.assign(panel.vectors, scale);
  }
}

/// f32 scales, whatever they are stored in.
Value PanelDecoder::loadReal(const FlatView &view, Value index, int64_t lanes) {
  OpBuilder &b = emit.builder;
  Value loaded =
      lanes == 1 ? emit.loadScalar(view, index) : emit.load(view, index, lanes);
  if (view.element.isF32())
    return loaded;
  Type type = lanes == 1 ? Type(b.getF32Type()) : Type(real);
  return arith::ExtFOp::create(b, emit.loc, type, loaded);
}

Value PanelDecoder::loadZeroPoints(Value at) {
  OpBuilder &b = emit.builder;
  Value codes;
  if (v.bits == 8) {
    codes = arith::ExtSIOp::create(b, emit.loc, words,
                                   emit.load(v.zps, at, k.lanes));
  } else {
    // Vectors are whole bytes.
    Value byte =
        arith::DivUIOp::create(b, emit.loc, at, emit.index(8 / v.bits));
    codes = decodeWeights(emit, {v.zps, byte, k.lanes}, WeightCode{v.bits, 0},
                          b.getI32Type());
  }
  return arith::SIToFPOp::create(b, emit.loc, real, codes);
}

void PanelDecoder::enter(Value g) {
  if (v.hasColumns())
    return;
  Value at = emit.add(parameters, emit.mul(g, pitch));
  if (!v.hasOneScale()) {
    scales.clear();
    for (int64_t j = 0; j < panel.vectors; ++j)
      scales.push_back(loadReal(v.scales, emit.add(at, j * k.lanes), k.lanes));
  }
  zeros.clear();
  for (int64_t j = 0; v.hasZps() && j < panel.vectors; ++j)
    zeros.push_back(loadZeroPoints(emit.add(at, j * k.lanes)));
}

/// Which block of columns a vector belongs to.
Value PanelDecoder::getColumnBlock(int64_t vector) {
  int64_t width = k.vectors * k.lanes;
  if (v.blockRows >= v.channels)
    return emit.index(0);
  if (v.blockRows >= width)
    return emit.divide(panel.number, v.blockRows / width, INT64_MAX).first;
  return emit.add(emit.mul(panel.number, width / v.blockRows),
                  vector * k.lanes / v.blockRows);
}

Value PanelDecoder::loadColumnZeroPoint(Value block, Value index, Value word,
                                        int64_t place) {
  OpBuilder &b = emit.builder;
  auto bits = [&](int64_t value) {
    return arith::ConstantOp::create(b, emit.loc,
                                     b.getI32IntegerAttr(int32_t(value)));
  };
  Value code;
  if (v.bits == 8) {
    code = arith::ExtSIOp::create(b, emit.loc, b.getI32Type(),
                                  emit.loadScalar(v.zps, index));
  } else {
    int64_t columnWords = llvm::divideCeil(depth, v.perWord());
    code = emit.loadScalar(v.zps, emit.add(emit.mul(block, columnWords), word));
    code = arith::ShRUIOp::create(b, emit.loc, code, bits(place * v.bits));
    code = arith::AndIOp::create(b, emit.loc, code, bits((1 << v.bits) - 1));
  }
  return arith::SIToFPOp::create(b, emit.loc, b.getF32Type(), code);
}

/// Scales and zero points of step `at`, one for every block of columns.
void PanelDecoder::loadColumn(Value at, Value word, int64_t place,
                              SmallVectorImpl<Value> &scale,
                              SmallVectorImpl<Value> &zero) {
  OpBuilder &b = emit.builder;
  for (int64_t j = 0; j < panel.vectors; ++j) {
    bool isSame =
        j && (v.blockRows >= k.vectors * k.lanes ||
              j * k.lanes / v.blockRows == (j - 1) * k.lanes / v.blockRows);
    if (isSame) {
      scale.push_back(scale.back());
      if (v.hasZps())
        zero.push_back(zero.back());
      continue;
    }
    Value block = getColumnBlock(j);
    Value index = emit.add(emit.add(emit.mul(block, depth), at), place);
    scale.push_back(vector::BroadcastOp::create(b, emit.loc, real,
                                                loadReal(v.scales, index, 1)));
    if (!v.hasZps())
      continue;
    zero.push_back(vector::BroadcastOp::create(
        b, emit.loc, real, loadColumnZeroPoint(block, index, word, place)));
  }
}

/// Code `place` of every lane as the number that it stands for.
Value PanelDecoder::toFloat(Value word, int64_t place) {
  OpBuilder &b = emit.builder;
  auto constant = [&](int64_t value) {
    return emit.splat(words, b.getI32IntegerAttr(int32_t(value)));
  };
  if (v.bits == 8) {
    Value code = arith::ExtSIOp::create(b, emit.loc, words, word);
    Value level = arith::SIToFPOp::create(b, emit.loc, real, code);
    if (!v.zeroPoint)
      return level;
    return arith::SubFOp::create(b, emit.loc, level, splatReal(v.zeroPoint));
  }
  Value code = word;
  if (place)
    code = arith::ShRUIOp::create(b, emit.loc, code, constant(place * v.bits));
  if (table)
    return LLVM::CallIntrinsicOp::create(
               b, emit.loc, real,
               b.getStringAttr("llvm.x86.avx512.permvar.sf.512"),
               ValueRange{table, code})
        .getResult(0);
  code = arith::AndIOp::create(b, emit.loc, code, constant((1 << v.bits) - 1));
  if (int64_t low = v.levels.front() - v.zeroPoint)
    code = arith::AddIOp::create(b, emit.loc, code, constant(low));
  return arith::SIToFPOp::create(b, emit.loc, real, code);
}

void PanelDecoder::decodeWord(Value word, Value at, int64_t count, Step step) {
  OpBuilder &b = emit.builder;
  Value from = emit.add(weights, emit.mul(word, pitch));
  SmallVector<Value> loaded;
  for (int64_t j = 0; j < panel.vectors; ++j)
    loaded.push_back(emit.load(k.weight, emit.add(from, j * k.lanes), k.lanes));
  for (int64_t place = 0; place < count; ++place) {
    SmallVector<Value> columnScales, columnZeros, result;
    if (v.hasColumns() && !v.hasOneScale())
      loadColumn(at, word, place, columnScales, columnZeros);
    ArrayRef<Value> scale = columnScales.empty() ? scales : columnScales;
    ArrayRef<Value> zero = v.hasColumns() ? columnZeros : zeros;
    for (int64_t j = 0; j < panel.vectors; ++j) {
      Value level = toFloat(loaded[j], place);
      if (!zero.empty())
        level = arith::SubFOp::create(b, emit.loc, level, zero[j]);
      result.push_back(arith::MulFOp::create(b, emit.loc, level, scale[j]));
    }
    step(place, result);
  }
}

namespace {
/// Loops of the kernel.
class DecodeLoops {
public:
  DecodeLoops(Emitter &emit, WindowEmitter &window, const DecodeViews &views,
              bool roundToInt)
      : emit(emit), window(window), k(window.kernel()), v(views),
        roundToInt(roundToInt) {
    depth = k.x.shape[3];
    width = k.vectors * k.lanes;
  }

  void emitFewRows();
  void emitManyRows();

private:
  /// Gets the weights of step `at + place` and carries `state` on.
  using StepBody =
      llvm::function_ref<void(Value at, int64_t place, ArrayRef<Value> weights,
                              SmallVectorImpl<Value> &state)>;
  /// Tiles of one height from row `firstRow` on.
  struct Tiles {
    int64_t firstRow, rows, count;
    int64_t perTask() const { return std::max<int64_t>(kTaskRows / rows, 1); }
  };
  /// Floats on the stack of a task: weights of a block, sums of its tiles.
  struct Task {
    const Panel &panel;
    Tiles tiles;
    Value low, high;
    FlatView weights, sums;
    int64_t pitch() const { return sums.strides.front(); }
  };

  Value loadBias(const Panel &panel, int64_t vector);
  void multiply(Value x, int64_t rows, ArrayRef<Value> weights,
                SmallVectorImpl<Value> &acc);
  SmallVector<Value>
  repeat(int64_t count, SmallVector<Value> state,
         llvm::function_ref<void(Value, SmallVectorImpl<Value> &)> body);
  SmallVector<Value> forWords(PanelDecoder &panel, std::pair<Value, Value> at,
                              int64_t steps, SmallVector<Value> state,
                              StepBody body);
  SmallVector<Value> forSteps(PanelDecoder &panel, Value first, int64_t steps,
                              SmallVector<Value> state, StepBody body);
  int64_t getBlockSteps() const;
  void emitPanels(std::pair<int64_t, int64_t> range, int64_t valid,
                  Tiles tiles);
  void emitTask(const Panel &panel, Tiles tiles, Value low, Value high);
  void forTiles(const Task &task, bool stores,
                llvm::function_ref<void(Value, SmallVectorImpl<Value> &)> body);
  void emitBlock(PanelDecoder &panel, const Task &task, Value first,
                 int64_t steps);
  FlatView allocate(int64_t rows, int64_t pitch);

  Emitter &emit;
  WindowEmitter &window;
  const WindowKernel &k;
  const DecodeViews &v;
  bool roundToInt;
  int64_t depth, width;
};
} // namespace

Value DecodeLoops::loadBias(const Panel &panel, int64_t vector) {
  if (k.bias.shape.front() == 1)
    return emit.zero(emit.vec(k.lanes, emit.builder.getF32Type()));
  return emit.load(k.bias, emit.add(panel.packed, vector * k.lanes), k.lanes);
}

/// One step of `rows` rows whose inputs are from `x` on.
void DecodeLoops::multiply(Value x, int64_t rows, ArrayRef<Value> weights,
                           SmallVectorImpl<Value> &acc) {
  OpBuilder &b = emit.builder;
  Type real = weights.front().getType();
  for (int64_t i = 0; i < rows; ++i) {
    Value input = vector::BroadcastOp::create(
        b, emit.loc, real,
        emit.loadScalar(k.x, emit.add(x, i * k.x.strides[2])));
    for (auto [j, weight] : llvm::enumerate(weights)) {
      Value &sum = acc[i * weights.size() + j];
      if (k.dot == "fma")
        sum = math::FmaOp::create(b, emit.loc, input, weight, sum);
      else
        sum = arith::AddFOp::create(
            b, emit.loc, sum,
            arith::MulFOp::create(b, emit.loc, input, weight));
    }
  }
}

/// A loop that may carry nothing.
SmallVector<Value> DecodeLoops::repeat(
    int64_t count, SmallVector<Value> state,
    llvm::function_ref<void(Value, SmallVectorImpl<Value> &)> body) {
  if (state.empty()) {
    emit.loop(count, [&](Value i) { body(i, state); });
    return state;
  }
  return emit.reduce(count, state, [&](Value i, ValueRange inner) {
    SmallVector<Value> current(inner);
    body(i, current);
    return current;
  });
}

/// Steps of one group, from its word and step `at` on.
SmallVector<Value>
DecodeLoops::forWords(PanelDecoder &panel, std::pair<Value, Value> at,
                      int64_t steps, SmallVector<Value> state, StepBody body) {
  int64_t per = v.perWord(), words = steps / per, rest = steps % per;
  // Words are a run of steps, bytes are not.
  int64_t unroll = per > 1 ? 1 : std::min<int64_t>(words, 4);
  auto decode = [&](Value word, int64_t count,
                    SmallVectorImpl<Value> &current) {
    Value step = emit.add(at.second, emit.mul(word, per));
    panel.decodeWord(emit.add(at.first, word), step, count,
                     [&](int64_t place, ArrayRef<Value> weights) {
                       body(step, place, weights, current);
                     });
  };
  int64_t loops = unroll ? words / unroll : 0;
  if (loops)
    state = repeat(loops, std::move(state),
                   [&](Value s, SmallVectorImpl<Value> &current) {
                     for (int64_t u = 0; u < unroll; ++u)
                       decode(emit.add(emit.mul(s, unroll), u), per, current);
                   });
  for (int64_t word = loops * unroll; word < words; ++word)
    decode(emit.index(word), per, state);
  if (rest)
    decode(emit.index(words), rest, state);
  return state;
}

/// Steps [first, first + steps): groups from the start of one on, or a part of
/// one group from the start of a word on.
SmallVector<Value> DecodeLoops::forSteps(PanelDecoder &panel, Value first,
                                         int64_t steps,
                                         SmallVector<Value> state,
                                         StepBody body) {
  int64_t group = panel.groupLength(), words = panel.groupWords();
  auto [start, inside] = emit.divide(first, group, depth);
  if (steps < group || depth == group) {
    panel.enter(start);
    Value word = emit.add(emit.mul(start, words),
                          emit.divide(inside, v.perWord(), depth).first);
    return forWords(panel, {word, first}, steps, std::move(state), body);
  }
  auto whole = [&](Value g, int64_t count, SmallVector<Value> current) {
    Value number = emit.add(start, g);
    panel.enter(number);
    return forWords(
        panel, {emit.mul(number, words), emit.add(first, emit.mul(g, group))},
        count, std::move(current), body);
  };
  state = repeat(
      steps / group, std::move(state),
      [&](Value g, SmallVectorImpl<Value> &current) {
        SmallVector<Value> next =
            whole(g, group, SmallVector<Value>(current.begin(), current.end()));
        current.assign(next.begin(), next.end());
      });
  if (int64_t rest = steps % group)
    state = whole(emit.index(steps / group), rest, std::move(state));
  return state;
}

void DecodeLoops::emitFewRows() {
  window.emitTasks([&](const WindowEmitter::Tile &tile) {
    PanelDecoder panel(emit, k, v, tile.panel);
    SmallVector<Value> sums;
    for (int64_t i = 0; i < tile.rows; ++i)
      for (int64_t j = 0; j < tile.panel.vectors; ++j)
        sums.push_back(loadBias(tile.panel, j));
    sums = forSteps(panel, emit.index(0), depth, sums,
                    [&](Value at, int64_t place, ArrayRef<Value> weights,
                        SmallVectorImpl<Value> &acc) {
                      multiply(emit.add(emit.add(tile.x, at), place), tile.rows,
                               weights, acc);
                    });
    window.emitEpilogue(tile, sums, roundToInt);
  });
}

/// Whole groups, or a whole part of one.
int64_t DecodeLoops::getBlockSteps() const {
  int64_t group = v.hasColumns() ? depth : v.blockColumns;
  if (group >= depth)
    return std::min(kBlockSteps, depth);
  if (group <= kBlockSteps)
    return kBlockSteps / group * group;
  return group % kBlockSteps ? group : kBlockSteps;
}

FlatView DecodeLoops::allocate(int64_t rows, int64_t pitch) {
  OpBuilder &b = emit.builder;
  auto type = MemRefType::get({rows * pitch}, b.getF32Type());
  FlatView view;
  view.memref =
      memref::AllocaOp::create(b, emit.loc, type, b.getI64IntegerAttr(64));
  view.element = b.getF32Type();
  view.shape = {rows, pitch};
  view.strides = {pitch, 1};
  return view;
}

/// Calls back with the first row of every tile of a task and its sums.
void DecodeLoops::forTiles(
    const Task &task, bool stores,
    llvm::function_ref<void(Value, SmallVectorImpl<Value> &)> body) {
  int64_t rows = task.tiles.rows, vectors = task.panel.vectors;
  emit.loop(task.low, task.high, 1, [&](Value tile) {
    Value local = arith::SubIOp::create(emit.builder, emit.loc, tile, task.low);
    Value at = emit.mul(local, rows * task.pitch());
    auto place = [&](int64_t i) {
      return emit.add(at, i / vectors * task.pitch() + i % vectors * k.lanes);
    };
    SmallVector<Value> sums;
    for (int64_t i = 0; i < rows * vectors; ++i)
      sums.push_back(emit.load(task.sums, place(i), k.lanes));
    body(emit.add(emit.mul(tile, rows), task.tiles.firstRow), sums);
    for (int64_t i = 0; stores && i < rows * vectors; ++i)
      emit.store(sums[i], task.sums, place(i));
  });
}

/// Steps [first, first + steps) for all tiles of a task.
void DecodeLoops::emitBlock(PanelDecoder &panel, const Task &task, Value first,
                            int64_t steps) {
  int64_t vectors = task.panel.vectors;
  forSteps(panel, first, steps, {},
           [&](Value at, int64_t place, ArrayRef<Value> weights,
               SmallVectorImpl<Value> &) {
             Value row =
                 arith::SubIOp::create(emit.builder, emit.loc, at, first);
             Value to = emit.mul(emit.add(row, place), task.pitch());
             for (auto [j, weight] : llvm::enumerate(weights))
               emit.store(weight, task.weights, emit.add(to, j * k.lanes));
           });
  forTiles(task, /*stores=*/true, [&](Value row, SmallVectorImpl<Value> &sums) {
    Value x = emit.add(emit.mul(row, k.x.strides[2]), first);
    SmallVector<Value> done =
        emit.reduce(steps, sums, [&](Value step, ValueRange inner) {
          SmallVector<Value> current(inner), weights;
          Value from = emit.mul(step, task.pitch());
          for (int64_t j = 0; j < vectors; ++j)
            weights.push_back(
                emit.load(task.weights, emit.add(from, j * k.lanes), k.lanes));
          multiply(emit.add(x, step), task.tiles.rows, weights, current);
          return current;
        });
    sums.assign(done.begin(), done.end());
  });
}

void DecodeLoops::emitTask(const Panel &panel, Tiles tiles, Value low,
                           Value high) {
  OpBuilder &b = emit.builder;
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  // Tasks are iterations of a loop: each gives its part of the stack back.
  Value stack = LLVM::StackSaveOp::create(b, emit.loc, pointer);
  int64_t steps = getBlockSteps(), pitch = panel.vectors * k.lanes;
  Task task{
      panel,
      tiles,
      low,
      high,
      allocate(steps, pitch),
      allocate(std::min(tiles.perTask(), tiles.count) * tiles.rows, pitch)};
  PanelDecoder decoder(emit, k, v, panel);
  SmallVector<Value> bias;
  for (int64_t j = 0; j < panel.vectors; ++j)
    bias.push_back(loadBias(panel, j));
  forTiles(task, /*stores=*/true, [&](Value, SmallVectorImpl<Value> &sums) {
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = bias[i % bias.size()];
  });
  emit.loop(depth / steps, [&](Value block) {
    emitBlock(decoder, task, emit.mul(block, steps), steps);
  });
  if (int64_t rest = depth % steps)
    emitBlock(decoder, task, emit.index(depth - rest), rest);
  forTiles(task, /*stores=*/false,
           [&](Value row, SmallVectorImpl<Value> &sums) {
             auto start = [&](const FlatView &view) {
               return emit.add(emit.mul(row, view.strides[2]), panel.channel);
             };
             WindowEmitter::Tile tile{panel, row, {start(k.y)}, tiles.rows};
             for (const FlatView &extra : k.extras)
               tile.pixel.push_back(extra.shape.size() == 1 ? panel.packed
                                                            : start(extra));
             window.emitEpilogue(tile, sums, roundToInt);
           });
  LLVM::StackRestoreOp::create(b, emit.loc, stack);
}

/// Panels [first, first + count) of `valid` channels each.
void DecodeLoops::emitPanels(std::pair<int64_t, int64_t> range, int64_t valid,
                             Tiles tiles) {
  auto [first, count] = range;
  int64_t parts = llvm::divideCeil(tiles.count, tiles.perTask());
  int64_t work =
      std::min(tiles.perTask(), tiles.count) * tiles.rows * valid * depth;
  emit.parallelLoop(count * parts, work, [&, first = first](Value task) {
    auto [number, part] = emit.divide(task, parts, INT64_MAX);
    number = emit.add(number, first);
    Value channel = emit.mul(number, width);
    Panel panel{
        emit.index(0), number,  int64_t(llvm::divideCeil(valid, k.lanes)),
        valid,         channel, channel};
    Value low = emit.mul(part, tiles.perTask());
    Value high = emit.add(low, std::min(tiles.perTask(), tiles.count));
    if (tiles.count % tiles.perTask() && parts > 1)
      high = arith::MinUIOp::create(emit.builder, emit.loc, high,
                                    emit.index(tiles.count));
    emitTask(panel, tiles, low, high);
  });
}

void DecodeLoops::emitManyRows() {
  int64_t rows = k.x.shape[2], full = k.channels / width;
  int64_t rest = k.channels % width, tiles = rows / k.rows;
  for (Tiles part :
       {Tiles{0, k.rows, tiles}, Tiles{tiles * k.rows, rows % k.rows, 1}}) {
    if (!part.rows)
      continue;
    emitPanels({0, full}, width, part);
    if (rest)
      emitPanels({full, 1}, rest, part);
  }
}

LogicalResult qopt::qcpu::lowerDecodeMatmul(Operation *operation,
                                            OpBuilder &builder, bool isX86) {
  auto op = cast<DecodeMatmulOp>(operation);
  Emitter emit(builder, op.getLoc());
  WindowKernel kernel;
  DecodeViews views;
  auto read = [&](Value value, FlatView &view) {
    return succeeded(emit.readRows(value, view));
  };
  if (!read(op.getX(), kernel.x) || !read(op.getWeight(), kernel.weight) ||
      !read(op.getScales(), views.scales) || !read(op.getZps(), views.zps) ||
      !read(op.getBias(), kernel.bias) || !read(op.getInit(), kernel.y))
    return failure();
  for (Value extra : op.getExtras())
    if (!read(extra, kernel.extras.emplace_back()))
      return failure();
  kernel.isUnsigned = false;
  readTile(op, kernel);
  setPointwise(kernel);
  views.blockRows = op.getBlock()[0];
  views.blockColumns = op.getBlock()[1];
  views.bits = op.getBits();
  views.zeroPoint = op.getZp();
  views.channels = kernel.channels;
  llvm::append_range(views.levels, op.getLevels());
  views.isX86 = isX86;
  bool isFew = kernel.width <= kFewRows;
  WindowEmitter window(emit, std::move(kernel));
  DecodeLoops loops(emit, window, views, /*roundToInt=*/isX86);
  if (isFew)
    loops.emitFewRows();
  else
    loops.emitManyRows();
  return success();
}

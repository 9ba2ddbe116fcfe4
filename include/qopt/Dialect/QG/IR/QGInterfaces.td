//===- QGInterfaces.td - What passes ask ops instead of their names -------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_QG_INTERFACES_TD
#define QOPT_QG_INTERFACES_TD

include "mlir/IR/OpBase.td"

def ReferenceOpInterface : OpInterface<"ReferenceOpInterface"> {
  let cppNamespace = "::qopt";
  let description = [{
    Reference semantics of an op on host arrays. The interpreter calls nothing
    else, the importer and `qg-fold-constants` fold through it, and every
    backend is compared with it bit by bit.
  }];
  let methods = [
    InterfaceMethod<[{
      Computes the results from the operands. `operands` holds one array per
      SSA operand in order (quantized tensors hold their stored integers).
      Emits an error on the op and fails where the semantics are undefined.
    }],
    "::llvm::LogicalResult", "evaluate",
    (ins "::llvm::ArrayRef<::qopt::Tensor>":$operands,
         "::llvm::SmallVectorImpl<::qopt::Tensor> &":$results)>
  ];
}

def FormatRuleOpInterface : OpInterface<"FormatRuleOpInterface"> {
  let cppNamespace = "::qopt";
  let description = [{
    How an op treats the encoding of its tensors: what calibration,
    quantization and the QDQ folding ask instead of matching op names.
  }];
  let methods = [
    InterfaceMethod<"The rule, see qopt::FormatRule.",
      "::qopt::FormatRule", "getFormatRule">
  ];
}

def LinearOpInterface : OpInterface<"LinearOpInterface"> {
  let cppNamespace = "::qopt";
  let description = [{
    An op that multiplies its input with a weight:
    `y[.., o] = bias[o] + sum over taps and c of x[.., c] * weight[o, tap, c]`,
    the weight's dimensions in an order of its own. Input channels are the last
    dimension of the input, result channels the last of the only result; the
    bias, if there is one, has an element for each result channel. Scaling the
    weight and the bias of a result channel scales that channel of the result.

    `qg.dynamic_matmul` is one as well. What it lacks is a decision to take:
    its weight is stored and it rounds its input itself (`roundsInput`), so
    passes that choose encodings leave it alone.
  }];
  let methods = [
    InterfaceMethod<"The operand that is multiplied with the weight.",
      "::mlir::OpOperand &", "getInputOperand", (ins), "",
      [{ return $_op->getOpOperand(0); }]>,
    InterfaceMethod<"The weight.",
      "::mlir::OpOperand &", "getWeightOperand", (ins), "",
      [{ return $_op->getOpOperand(1); }]>,
    InterfaceMethod<"The bias; null for an op without one.",
      "::mlir::OpOperand *", "getBiasOperand", (ins), "", [{
        return $_op->getNumOperands() > 2 ? &$_op->getOpOperand(2) : nullptr;
      }]>,
    InterfaceMethod<"Sets the bias, of an op that has none yet as well.",
      "void", "setBias", (ins "::mlir::Value":$bias), "", [{
        if ($_op->getNumOperands() > 2)
          $_op->setOperand(2, bias);
        else
          $_op->insertOperands(2, bias);
      }]>,
    InterfaceMethod<[{
      Which dimension of the weight is which, groups, and the window (extents,
      steps and pads in elements of the spatial dimensions).
    }],
    "::qopt::LinearGeometry", "getLinearGeometry">,
    InterfaceMethod<[{
      Whether the op rounds its input by itself at run time. Its weight is
      stored already: there is nothing to assign.
    }],
    "bool", "roundsInput", (ins), "", [{ return false; }]>,
    InterfaceMethod<[{
      Whether there is an integer form for a weight that is computed at run
      time, such as the keys of an attention.
    }],
    "bool", "canComputeWeight", (ins), "", [{ return false; }]>
  ];
  let extraClassDeclaration = [{
    ::mlir::Value getInput();
    ::mlir::Value getWeight();
    /// Null for an op without a bias.
    ::mlir::Value getBias();
    void setWeight(::mlir::Value weight);
    /// Whether weight and bias (if there is one) are constants of a float type.
    bool hasFloatConstants();
    /// Whether the weight is an f32 constant that all batches share: one that
    /// can be rounded to an encoding.
    bool canRoundWeight();

    /// Dimension of the weight that counts result channels.
    int64_t getOutputAxis();
    /// Dimension of the weight that counts input channels, of one group.
    int64_t getInputAxis();
    /// Number of result channels.
    int64_t countOutputs();
    /// Whether all batches are multiplied with the same weight.
    bool isShared();
    /// Whether every result position sums over a window of the input.
    bool isConvolution();
    /// Whether every input channel has weights of its own: as many groups as
    /// channels.
    bool isDepthwise();
    /// Whether every vector of input channels is multiplied with one and the
    /// same matrix: a matmul, or a convolution of extent 1 without pads.
    bool isChannelMatrix();
    /// Whether a constant added to an input channel adds one constant to every
    /// result channel: nothing is read from outside the input.
    bool passesOffsets();
    /// Whether the weight may have a scale for each group of N input channels.
    bool canHaveGroups();
    /// Multiply-accumulates of one execution; taps that fall outside the input
    /// count as well.
    int64_t countMacs();
  }];
}

#endif // QOPT_QG_INTERFACES_TD

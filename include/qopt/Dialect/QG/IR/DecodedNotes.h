//===- DecodedNotes.h - Products whose stored weights became floats -------===//
// SPDX-License-Identifier: Apache-2.0
//
// Weights that a file brings in integers and that no encoding holds are floats
// from the importer on. What they were is told to whoever asks.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_DECODEDNOTES_H
#define QOPT_DIALECT_QG_IR_DECODEDNOTES_H

namespace qopt::qg {

/// On a function: names of products, and why their weights became floats.
inline constexpr const char *kDecodedAttr = "qg.decoded";

/// Of a qg.quantize whose input the model rounds itself, up to the last bit of
/// f32: integers stand for it, and float arithmetic does without.
inline constexpr const char *kToLastBitAttr = "qg.to_last_bit";

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_DECODEDNOTES_H

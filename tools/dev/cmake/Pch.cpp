//===- Pch.cpp - Owner of the precompiled MLIR headers --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Parsing MLIR's headers is nearly all of a file's compile time; this empty
// file owns the one precompiled copy (tools/dev/cmake/AddQopt.cmake).
//===----------------------------------------------------------------------===//

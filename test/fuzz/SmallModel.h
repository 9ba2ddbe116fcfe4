//===- SmallModel.h - A model for plans and recipes -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Settings are carried out on it: what names layers must find some.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TEST_FUZZ_SMALLMODEL_H
#define QOPT_TEST_FUZZ_SMALLMODEL_H

#include "Harness.h"
#include "qopt/Pipelines/Recipe.h"

namespace qopt::fuzz {

/// Quantizes a model of two layers, `first` and `second`, as a recipe says.
void runRecipe(const Recipe &recipe);

} // namespace qopt::fuzz

#endif // QOPT_TEST_FUZZ_SMALLMODEL_H

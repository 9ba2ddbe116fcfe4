//===- RecordTarget.cpp - Fuzzing of profiles, locks and manifests --------===//
// SPDX-License-Identifier: Apache-2.0
//
// The JSON files that qopt writes for itself, each by its reader.
//===----------------------------------------------------------------------===//
#include "Harness.h"
#include "MutateText.h"
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Artifacts/Lock.h"
#include "qopt/Artifacts/Program.h"
#include "qopt/Calibration/Profile.h"

#include <cstdlib>

using namespace qopt;

QOPT_FUZZ_MUTATES_TEXT()

static void readProfile(llvm::StringRef text) {
  auto profile = Profile::fromJSON(text);
  if (!profile.ok())
    return fuzz::expectNoDefect(profile.status());
  auto again = Profile::fromJSON(profile->toJSON());
  if (!again.ok())
    std::abort();
  fuzz::expectNoDefect(profile->merge(*again));
}

static void readManifest(llvm::StringRef text) {
  std::string path = fuzz::writeScratch("model.qopt/manifest.json", text);
  llvm::StringRef stem = path;
  stem.consume_back(".qopt/manifest.json");
  auto bundle = readBundle(stem);
  if (!bundle.ok())
    return fuzz::expectNoDefect(bundle.status());
  for (const char *key : {"inputs", "outputs"})
    fuzz::expectNoDefect(bundle->getSpecs(key).status());
  fuzz::expectNoDefect(
      openProgram(&fuzz::getContext(), stem, ProgramOptions()).status());
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef text(reinterpret_cast<const char *>(data), size);
  readProfile(text);
  auto lock = parseLock(text, "lock.json");
  fuzz::expectNoDefect(lock.status());
  if (lock.ok())
    fuzz::expectNoDefect(compareLocks(*lock, *lock));
  readManifest(text);
  return 0;
}

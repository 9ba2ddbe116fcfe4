//===- Profile.cpp - The profile's file -----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// JSON with 17 digits per number, so that reading gives back what was written.
// The reader trusts nothing: a file may come from anywhere.
//===----------------------------------------------------------------------===//
#include "qopt/Calibration/Profile.h"
#include "qopt/Support/Json.h"

#include "absl/strings/str_cat.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace qopt;
namespace json = llvm::json;

absl::Status Profile::merge(const Profile &other) {
  if (tensors.empty()) {
    *this = other;
    return absl::OkStatus();
  }
  for (const auto &[name, statistics] : tensors)
    if (!other.tensors.count(name))
      return absl::InvalidArgumentError(
          absl::StrCat("expects profiles of one model, tensor '", name,
                       "' is in one of them only"));
  for (const auto &[name, statistics] : other.tensors) {
    auto it = tensors.find(name);
    if (it == tensors.end())
      return absl::InvalidArgumentError(
          absl::StrCat("expects profiles of one model, tensor '", name,
                       "' is in one of them only"));
    if (absl::Status status = it->second.merge(statistics); !status.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("tensor '", name, "': ", status.message()));
  }
  samples += other.samples;
  return absl::OkStatus();
}

static json::Array toArray(const std::vector<float> &values) {
  json::Array array;
  for (float value : values)
    array.push_back(double(value));
  return array;
}

static json::Object toObject(const std::string &name,
                             const TensorStatistics &statistics) {
  json::Object object{{"name", name},
                      {"count", statistics.count},
                      {"low", double(statistics.low)},
                      {"high", double(statistics.high)},
                      {"exponent", statistics.histogram.getExponent()}};
  // [bin, count] of the bins in use.
  json::Array bins;
  for (int64_t i = -Histogram::halfBins; i < Histogram::halfBins; ++i)
    if (uint64_t count = statistics.histogram.getCount(i))
      bins.push_back(json::Array{i, count});
  object["bins"] = std::move(bins);
  if (statistics.nans)
    object["nans"] = statistics.nans;
  if (statistics.infinities)
    object["infinities"] = statistics.infinities;
  if (!statistics.rows.empty()) {
    json::Array rows;
    for (auto [bin, count] : statistics.rows.bins())
      rows.push_back(json::Array{bin, count});
    object["rows"] = std::move(rows);
  }
  if (!statistics.channelLow.empty()) {
    object["channel_low"] = toArray(statistics.channelLow);
    object["channel_high"] = toArray(statistics.channelHigh);
  }
  if (!statistics.sampleRanges.empty()) {
    json::Array samples;
    for (const auto &[index, range] : statistics.sampleRanges)
      samples.push_back(
          json::Array{index, double(range.first), double(range.second)});
    object["sample_ranges"] = std::move(samples);
  }
  return object;
}

std::string Profile::toJSON() const {
  json::Array list;
  for (const auto &[name, statistics] : tensors)
    list.push_back(toObject(name, statistics));
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << json::Value(json::Object{
                {"schema", absl::StrCat("qopt.profile/", schemaVersion)},
                {"samples", samples},
                {"tensors", std::move(list)}})
         << "\n";
  return text;
}

static absl::Status makeError(const std::string &message) {
  return absl::InvalidArgumentError(message);
}

static absl::Status checkSchema(const json::Object &object) {
  std::optional<llvm::StringRef> schema = object.getString("schema");
  llvm::StringRef number = schema.value_or("");
  int version = 0;
  if (!number.consume_front("qopt.profile/") ||
      number.getAsInteger(10, version) || version < 1)
    return makeError(absl::StrCat(
        "expects a file of schema qopt.profile/1, got '",
        schema.value_or("no schema").str(), "'; make one with qopt calibrate"));
  if (version > Profile::schemaVersion)
    return makeError(absl::StrCat("expects a schema up to qopt.profile/",
                                  Profile::schemaVersion, ", got qopt.profile/",
                                  version,
                                  "; use a newer qopt or calibrate again"));
  return absl::OkStatus();
}

static bool readFloats(const json::Object &object, llvm::StringRef key,
                       std::vector<float> &values) {
  const json::Array *array = object.getArray(key);
  if (!array)
    return object.get(key) == nullptr;
  for (const json::Value &value : *array) {
    std::optional<double> number = value.getAsNumber();
    if (!number)
      return false;
    values.push_back(float(*number));
  }
  return true;
}

/// An integer and a count, as [bin, count]; nullopt for anything else.
static std::optional<std::pair<int64_t, uint64_t>>
readCount(const json::Value &value) {
  const json::Array *pair = value.getAsArray();
  if (!pair || pair->size() != 2)
    return std::nullopt;
  std::optional<int64_t> bin = (*pair)[0].getAsInteger();
  std::optional<int64_t> count = (*pair)[1].getAsInteger();
  if (!bin || !count || *count < 0)
    return std::nullopt;
  return std::pair(*bin, uint64_t(*count));
}

static bool readRows(const json::Object &object, TensorStatistics &out) {
  const json::Array *list = object.getArray("rows");
  if (!list)
    return object.get("rows") == nullptr;
  for (const json::Value &value : *list) {
    auto bin = readCount(value);
    // Squares of floats reach from 2^-298 to 2^256.
    if (!bin || std::abs(bin->first) > 1024)
      return false;
    out.rows.addCount(bin->first, bin->second);
  }
  return true;
}

/// A count that is written only where it is not 0.
static bool readOwnCount(const json::Object &object, llvm::StringRef key,
                         uint64_t &out) {
  std::optional<int64_t> count = object.getInteger(key);
  out = uint64_t(count.value_or(0));
  return count ? *count >= 0 : object.get(key) == nullptr;
}

static bool readBins(const json::Object &object, TensorStatistics &out) {
  const json::Array *bins = object.getArray("bins");
  std::optional<int64_t> exponent = object.getInteger("exponent");
  if (!bins || !exponent || *exponent < Histogram::minExponent ||
      *exponent > 128)
    return false;
  out.histogram.reset(int(*exponent));
  for (const json::Value &value : *bins) {
    auto bin = readCount(value);
    if (!bin || bin->first < -Histogram::halfBins ||
        bin->first >= Histogram::halfBins)
      return false;
    out.histogram.addCount(bin->first, bin->second);
  }
  return out.histogram.getTotal() == out.count;
}

static bool readSampleRanges(const json::Object &object,
                             TensorStatistics &out) {
  const json::Array *list = object.getArray("sample_ranges");
  if (!list)
    return object.get("sample_ranges") == nullptr;
  for (const json::Value &value : *list) {
    const json::Array *triple = value.getAsArray();
    if (!triple || triple->size() != 3)
      return false;
    std::optional<int64_t> index = (*triple)[0].getAsInteger();
    std::optional<double> low = (*triple)[1].getAsNumber();
    std::optional<double> high = (*triple)[2].getAsNumber();
    if (!index || !low || !high)
      return false;
    out.sampleRanges[*index] = {float(*low), float(*high)};
  }
  return true;
}

static bool readStatistics(const json::Object &object, TensorStatistics &out) {
  std::optional<int64_t> count = object.getInteger("count");
  std::optional<double> low = object.getNumber("low");
  std::optional<double> high = object.getNumber("high");
  if (!count || *count < 0 || !low || !high || !(*low <= *high))
    return false;
  out.count = uint64_t(*count);
  out.low = float(*low);
  out.high = float(*high);
  return readBins(object, out) && readRows(object, out) &&
         readOwnCount(object, "nans", out.nans) &&
         readOwnCount(object, "infinities", out.infinities) &&
         readFloats(object, "channel_low", out.channelLow) &&
         readFloats(object, "channel_high", out.channelHigh) &&
         out.channelLow.size() == out.channelHigh.size() &&
         readSampleRanges(object, out);
}

absl::StatusOr<Profile> Profile::fromJSON(llvm::StringRef text) {
  absl::StatusOr<json::Value> value = parseJson(text);
  if (!value.ok())
    return makeError(
        absl::StrCat("expects a profile in JSON: ", value.status().message()));
  const json::Object *object = value->getAsObject();
  if (!object)
    return makeError("expects a profile in JSON, got no object");
  if (absl::Status status = checkSchema(*object); !status.ok())
    return status;
  const json::Array *list = object->getArray("tensors");
  std::optional<int64_t> samples = object->getInteger("samples");
  if (!list || !samples || *samples < 0)
    return makeError("expects 'samples' and 'tensors' in a profile; the file "
                     "is damaged, calibrate again");
  Profile profile;
  profile.samples = *samples;
  for (const json::Value &entry : *list) {
    const json::Object *tensor = entry.getAsObject();
    std::optional<llvm::StringRef> name =
        tensor ? tensor->getString("name") : std::nullopt;
    if (!name)
      return makeError("expects a 'name' for every tensor of a profile");
    TensorStatistics statistics;
    if (!readStatistics(*tensor, statistics) ||
        !profile.tensors.insert({name->str(), std::move(statistics)}).second)
      return makeError(absl::StrCat("expects consistent statistics of tensor '",
                                    name->str(),
                                    "'; the file is damaged, calibrate again"));
  }
  return profile;
}

absl::Status Profile::write(llvm::StringRef path) const {
  llvm::SmallString<128> temporary;
  int descriptor;
  if (std::error_code error = llvm::sys::fs::createUniqueFile(
          path + ".%%%%%%.tmp", descriptor, temporary))
    return absl::UnavailableError(absl::StrCat(
        "expects a writable folder for '", path.str(), "': ", error.message()));
  std::error_code error;
  {
    llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
    stream << toJSON();
    stream.close();
    error = stream.error();
    stream.clear_error();
  }
  if (!error)
    error = llvm::sys::fs::rename(temporary, path);
  if (!error)
    return absl::OkStatus();
  llvm::sys::fs::remove(temporary);
  return absl::UnavailableError(
      absl::StrCat("cannot write '", path.str(), "': ", error.message()));
}

absl::StatusOr<Profile> Profile::read(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return absl::NotFoundError(
        absl::StrCat("expects a readable profile '", path.str(),
                     "': ", buffer.getError().message()));
  absl::StatusOr<Profile> profile = fromJSON((*buffer)->getBuffer());
  if (!profile.ok())
    return makeError(
        absl::StrCat("'", path.str(), "': ", profile.status().message()));
  return profile;
}

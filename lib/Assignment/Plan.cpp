//===- Plan.cpp - Chosen formats and why, and their file ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One JSON object, rows in the order of the network; JSON has no infinities,
// so what is not known is left out.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/Plan.h"
#include "AssignWeights.h"
#include "qopt/Assignment/Rounder.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/Format.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/Json.h"

#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace qopt;
namespace json = llvm::json;

static void setFinite(json::Object &object, llvm::StringRef key, double value) {
  if (std::isfinite(value))
    object[key] = value;
}

static json::Value toJson(const PlanPoint &point,
                          llvm::ArrayRef<BudgetReport> budgets) {
  json::Object used;
  for (auto [budget, amount] : llvm::zip(budgets, point.used))
    setFinite(used, budget.name, amount);
  json::Object object{{"name", point.name},
                      {"formats", json::Array(point.formats)},
                      {"used", std::move(used)}};
  setFinite(object, "predicted", point.predicted);
  setFinite(object, "measured", point.measured);
  return object;
}

json::Value qopt::toJson(const LayerCandidates &layer) {
  json::Array rows;
  for (const Candidate &candidate : layer.candidates) {
    json::Object row{{"format", candidate.format},
                     {"rounding", candidate.rounding},
                     {"width", int64_t(candidate.width)},
                     {"stored_bits", candidate.storedBits}};
    setFinite(row, "weight_error", candidate.weightError);
    setFinite(row, "output_error", candidate.outputError);
    setFinite(row, "divergence", candidate.divergence);
    setFinite(row, "loss", candidate.loss);
    rows.push_back(std::move(row));
  }
  return json::Object{{"layer", layer.layer},
                      {"op", layer.op},
                      {"weights", layer.weights},
                      {"macs", layer.macs},
                      {"candidates", std::move(rows)}};
}

std::string Plan::toJson() const {
  json::Array rows, budgetRows, frontRows, uniformRows, layerRows;
  for (const PlanDecision &decision : decisions) {
    json::Object row{
        {"layer", decision.layer},     {"op", decision.op},
        {"format", decision.format},   {"rounding", decision.rounding},
        {"weights", decision.weights}, {"stored_bits", decision.storedBits},
        {"loss", decision.loss}};
    if (!decision.reason.empty())
      row["reason"] = decision.reason;
    rows.push_back(std::move(row));
  }
  for (const BudgetReport &budget : budgets) {
    json::Object row{{"name", budget.name},
                     {"used", budget.used},
                     {"shadow_price", budget.shadowPrice},
                     {"binding", budget.isBinding()}};
    setFinite(row, "limit", budget.limit);
    budgetRows.push_back(std::move(row));
  }
  for (const PlanPoint &point : front)
    frontRows.push_back(::toJson(point, budgets));
  for (const PlanPoint &point : uniform)
    uniformRows.push_back(::toJson(point, budgets));
  for (const LayerCandidates &layer : layers)
    layerRows.push_back(qopt::toJson(layer));
  json::Object object{{"schema", "qopt.plan/1"},
                      {"model_sha256", model},
                      {"sensitivity", sensitivity},
                      {"metric", metric},
                      {"transforms", transforms},
                      {"samples", samples},
                      {"held_back", heldBack},
                      {"decisions", std::move(rows)},
                      {"float_layers", json::Array(floatLayers)},
                      {"float_weights", floatWeights},
                      {"optimal", isOptimal},
                      {"predicted", predicted},
                      {"bound", bound},
                      {"gap", gap},
                      {"budgets", std::move(budgetRows)},
                      {"front", std::move(frontRows)},
                      {"uniform", std::move(uniformRows)},
                      {"rounds", json::Array(rounds)},
                      {"layers", std::move(layerRows)}};
  setFinite(object, "measured", measured);
  return llvm::formatv("{0:2}\n", json::Value(std::move(object))).str();
}

namespace {
/// Reads fields of one object; remembers the first that has the wrong form.
class Reader {
public:
  explicit Reader(const json::Object &object) : object(object) {}

  void read(llvm::StringRef key, std::string &into) {
    if (std::optional<llvm::StringRef> value = object.getString(key))
      into = value->str();
    else
      fail(key);
  }
  void read(llvm::StringRef key, int64_t &into) {
    if (std::optional<int64_t> value = object.getInteger(key);
        value && *value >= 0)
      into = *value;
    else
      fail(key);
  }
  void read(llvm::StringRef key, double &into) {
    if (std::optional<double> value = object.getNumber(key))
      into = *value;
    else
      fail(key);
  }
  /// Missing is not wrong.
  template <typename T> void readOptional(llvm::StringRef key, T &into) {
    if (object.get(key))
      read(key, into);
  }
  void readArray(llvm::StringRef key, std::vector<std::string> &into) {
    readArray(key, [&](const json::Value &value) {
      into.push_back(value.getAsString().value_or("").str());
      return value.getAsString().has_value();
    });
  }
  template <typename Visit> void readArray(llvm::StringRef key, Visit visit) {
    const json::Array *array = object.getArray(key);
    if (!array)
      return fail(key);
    for (const json::Value &value : *array)
      if (!visit(value))
        fail(key);
  }
  void fail(llvm::StringRef key) {
    if (problem.empty())
      problem = key.str();
  }
  bool isGood() const { return problem.empty(); }

  const json::Object &object;
  std::string problem;
};
} // namespace

/// False for what is no object, or one of whose fields has the wrong form.
static bool readObject(const json::Value &value,
                       llvm::function_ref<void(Reader &)> read) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return false;
  Reader reader(*object);
  read(reader);
  return reader.isGood();
}

static bool readCandidate(const json::Value &value, Candidate &candidate) {
  return readObject(value, [&](Reader &reader) {
    int64_t width = 0;
    reader.read("format", candidate.format);
    reader.read("rounding", candidate.rounding);
    reader.read("width", width);
    reader.read("stored_bits", candidate.storedBits);
    reader.readOptional("weight_error", candidate.weightError);
    reader.readOptional("output_error", candidate.outputError);
    reader.readOptional("divergence", candidate.divergence);
    reader.readOptional("loss", candidate.loss);
    candidate.width = unsigned(width);
  });
}

std::optional<LayerCandidates> qopt::parseCandidates(const json::Value &value) {
  LayerCandidates layer;
  bool isGood = readObject(value, [&](Reader &reader) {
    reader.read("layer", layer.layer);
    reader.read("op", layer.op);
    reader.read("weights", layer.weights);
    reader.read("macs", layer.macs);
    reader.readArray("candidates", [&](const json::Value &row) {
      return readCandidate(row, layer.candidates.emplace_back());
    });
  });
  return isGood ? std::optional(std::move(layer)) : std::nullopt;
}

static bool readPoint(const json::Value &value, const Plan &plan,
                      PlanPoint &point) {
  return readObject(value, [&](Reader &reader) {
    reader.read("name", point.name);
    reader.readOptional("predicted", point.predicted);
    reader.readOptional("measured", point.measured);
    reader.readArray("formats", point.formats);
    const json::Object *used = reader.object.getObject("used");
    for (const BudgetReport &budget : plan.budgets)
      point.used.push_back(used ? used->getNumber(budget.name).value_or(NAN)
                                : NAN);
  });
}

static bool readDecision(const json::Value &value, PlanDecision &decision) {
  return readObject(value, [&](Reader &reader) {
    reader.read("layer", decision.layer);
    reader.read("op", decision.op);
    reader.read("format", decision.format);
    reader.read("rounding", decision.rounding);
    reader.read("weights", decision.weights);
    reader.read("stored_bits", decision.storedBits);
    reader.readOptional("loss", decision.loss);
    reader.readOptional("reason", decision.reason);
  });
}

static bool readBudget(const json::Value &value, BudgetReport &budget) {
  return readObject(value, [&](Reader &reader) {
    reader.read("name", budget.name);
    reader.read("used", budget.used);
    reader.readOptional("limit", budget.limit);
    reader.readOptional("shadow_price", budget.shadowPrice);
  });
}

static absl::Status checkPlanSchema(const json::Object &object,
                                    llvm::StringRef file) {
  llvm::StringRef schema = object.getString("schema").value_or("");
  llvm::StringRef rest = schema;
  int64_t version;
  if (!rest.consume_front("qopt.plan/") || rest.getAsInteger(10, version) ||
      version < 1)
    return Error(Code::PlanInvalid, "'" + file +
                                        "': expected schema qopt.plan/1, got "
                                        "'" +
                                        schema + "'");
  if (version > Plan::schemaVersion)
    return Error(Code::PlanInvalid,
                 "'" + file + "' was written by a newer qopt (" + schema +
                     ", this one reads qopt.plan/1)")
        .help("use that qopt, or run 'qopt plan' again");
  return absl::OkStatus();
}

absl::StatusOr<Plan> Plan::fromJson(llvm::StringRef text,
                                    llvm::StringRef file) {
  absl::StatusOr<json::Object> object = parseJsonObject(text, file);
  if (!object.ok())
    return withCode(object.status(), Code::PlanInvalid);
  QOPT_RETURN_IF_ERROR(checkPlanSchema(*object, file));
  Plan plan;
  Reader reader(*object);
  reader.read("model_sha256", plan.model);
  reader.read("sensitivity", plan.sensitivity);
  reader.read("metric", plan.metric);
  reader.readOptional("transforms", plan.transforms);
  reader.read("samples", plan.samples);
  reader.read("held_back", plan.heldBack);
  reader.readArray("decisions", [&](const json::Value &row) {
    return readDecision(row, plan.decisions.emplace_back());
  });
  if (object->get("float_layers"))
    reader.readArray("float_layers", plan.floatLayers);
  reader.readOptional("float_weights", plan.floatWeights);
  plan.isOptimal = object->getBoolean("optimal").value_or(false);
  reader.read("predicted", plan.predicted);
  reader.read("bound", plan.bound);
  reader.read("gap", plan.gap);
  reader.readOptional("measured", plan.measured);
  reader.readArray("budgets", [&](const json::Value &row) {
    return readBudget(row, plan.budgets.emplace_back());
  });
  for (auto [key, points] :
       {std::pair("front", &plan.front), {"uniform", &plan.uniform}})
    reader.readArray(key, [&, points = points](const json::Value &row) {
      return readPoint(row, plan, points->emplace_back());
    });
  reader.readArray("rounds", plan.rounds);
  reader.readArray("layers", [&](const json::Value &row) {
    std::optional<LayerCandidates> layer = parseCandidates(row);
    if (layer)
      plan.layers.push_back(std::move(*layer));
    return layer.has_value();
  });
  if (!reader.isGood())
    return Error(Code::PlanInvalid, "'" + file + "': '" + reader.problem +
                                        "' is missing or has the wrong form");
  return plan;
}

absl::StatusOr<Plan> Plan::read(llvm::StringRef path) {
  absl::StatusOr<std::string> text = readFile(path, /*limit=*/1 << 28);
  if (!text.ok())
    return Error(Code::PlanInvalid, std::string(text.status().message()));
  return fromJson(*text, path);
}

absl::Status qopt::checkFormats(llvm::ArrayRef<std::string> formats,
                                llvm::StringRef name) {
  std::string wrong;
  for (const std::string &format : formats)
    if (!WeightFormat::parse(format))
      wrong += (wrong.empty() ? "'" : ", '") + format + "'";
  if (wrong.empty())
    return absl::OkStatus();
  return Error(Code::BadFlagValue, name + ": expected " +
                                       getWeightFormatNames() + ", got " +
                                       wrong);
}

int64_t qopt::getFormatBits(llvm::StringRef format) {
  return WeightFormat::parse(format)->element->stored->bits;
}

absl::Status qopt::applyPlan(mlir::ModuleOp module, const Plan &plan) {
  std::map<std::pair<std::string, std::string>, LinearOpInterface> ops;
  module.walk([&](LinearOpInterface op) {
    ops[{qg::getUserName(op), op->getName().getStringRef().str()}] = op;
  });
  std::vector<std::string> problems;
  std::map<mlir::Operation *, std::string> taken;
  for (const PlanDecision &decision : plan.decisions) {
    auto it = ops.find({decision.layer, decision.op});
    std::string name = "'" + decision.layer + "'";
    if (it == ops.end()) {
      problems.push_back(name + ": the model has no such " + decision.op);
      continue;
    }
    LinearOpInterface op = it->second;
    if (!op.canRoundWeight())
      problems.push_back(name + ": its weight is not constant");
    if (!WeightFormat::parse(decision.format))
      problems.push_back(name + ": expected a format " +
                         getWeightFormatNames() + ", got '" + decision.format +
                         "'");
    if (!lookupRounder(decision.rounding))
      problems.push_back(name + ": expected rounding " + listRounders() +
                         ", got '" + decision.rounding + "'");
    auto [earlier, isNew] = taken.try_emplace(op, decision.format);
    if (!isNew)
      problems.push_back(name + ": is decided twice, " + earlier->second +
                         " and " + decision.format);
  }
  if (!problems.empty()) {
    Error error(Code::PlanInvalid,
                "the plan does not fit the model: " + problems.front());
    for (const std::string &problem : llvm::drop_begin(problems))
      std::move(error).note(problem);
    return std::move(error).help("run 'qopt plan' on this model");
  }
  for (const PlanDecision &decision : plan.decisions) {
    mlir::Operation *op = ops[{decision.layer, decision.op}];
    mlir::MLIRContext *context = op->getContext();
    op->setAttr("qg.weights", mlir::StringAttr::get(context, decision.format));
    op->setAttr("qg.rounding",
                mlir::StringAttr::get(context, decision.rounding));
  }
  return absl::OkStatus();
}

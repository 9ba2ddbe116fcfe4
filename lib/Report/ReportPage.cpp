//===- ReportPage.cpp - One page about a compiled model -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Pictures are SVG written here, so that the page needs no network and its
// text can be compared. Numbers in pictures are rounded to what a pixel shows.
//===----------------------------------------------------------------------===//
#include "qopt/Report/ReportPage.h"
#include "qopt/Pipelines/LayerReport.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace qopt;

static const char kStyle[] = R"(
:root{--ink:#1b2330;--soft:#5b6675;--line:#d6dce5;--paper:#fff;--card:#f4f6f9;
--a:#2563eb;--b:#d97706;--c:#059669;--bad:#b91c1c}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b6;
--line:#38424f;--paper:#14181e;--card:#1d232c;--a:#6ea0ff;--b:#f0a44b;
--c:#4ccf9f;--bad:#f28b82}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
margin:0 auto;max-width:1100px;padding:24px}
h1{font-size:26px;margin:0}h2{font-size:19px;margin:32px 0 8px}
p,small{color:var(--soft)}.cards{display:flex;flex-wrap:wrap;gap:12px;
margin:16px 0}.card{background:var(--card);border-radius:8px;padding:10px 16px;
min-width:130px}.card b{display:block;font-size:21px}
.card span{color:var(--soft);font-size:13px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13px}
th,td{padding:4px 8px;border-bottom:1px solid var(--line);text-align:left;
vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
th{cursor:pointer;white-space:nowrap;position:sticky;top:0;
background:var(--paper)}td.name{word-break:break-word;min-width:150px}
svg{max-width:100%;height:auto}.wide svg{min-width:720px}svg text{fill:var(--soft);font-size:11px}
.axis{stroke:var(--line)}.grid{display:grid;gap:14px;
grid-template-columns:repeat(auto-fill,minmax(240px,1fr))}
figure{margin:0}figcaption{font-size:12px;color:var(--soft);
overflow-wrap:anywhere}.bad{color:var(--bad)}
@media print{th{position:static}}
)";

/// Sorting by a click on a header; without script the table is as it is.
static const char kScript[] = R"(
document.querySelectorAll('th').forEach(function(h){h.onclick=function(){
var t=h.closest('table'),i=[].indexOf.call(h.parentNode.children,h),
d=h.dataset.down=h.dataset.down=='1'?'0':'1',b=t.tBodies[0];
function v(r){var c=r.cells[i];return c.dataset.v!==undefined?
(c.dataset.v===''?-1e300:+c.dataset.v):c.textContent}
[].slice.call(b.rows).sort(function(x,y){x=v(x);y=v(y);
var s=typeof x=='number'&&typeof y=='number'?x-y:(''+x).localeCompare(''+y);
return d=='1'?-s:s}).forEach(function(r){b.appendChild(r)})}});
)";

static std::string escape(llvm::StringRef text) {
  std::string result;
  for (char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
  }
  return result;
}

static std::string printDecibels(double value) {
  return std::isfinite(value) ? llvm::formatv("{0:f1}", value).str() : "";
}

/// As many digits as say something.
static std::string printNumber(double value, const char *digits = "%.6g") {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(digits, value);
  return text;
}

/// A long name without its middle: its end tells it from its neighbours.
static std::string abbreviate(llvm::StringRef name) {
  constexpr size_t kMost = 80;
  if (name.size() <= kMost)
    return name.str();
  return (name.take_front(kMost / 2) + "\u2026" + name.take_back(kMost / 2 - 1))
      .str();
}

/// A round step that cuts a range into about `count` parts.
static double getTickStep(double range, int count) {
  double step = std::pow(10, std::floor(std::log10(range / count)));
  for (double factor : {2.0, 5.0, 10.0})
    if (range / (step * factor) >= count - 1)
      return step * factor;
  return step;
}

/// Round numbers in [low, high]; one where they are the same number.
static std::vector<double> getTicks(double low, double high) {
  if (high - low <= 1e-9 * std::max(std::fabs(low), std::fabs(high)))
    return {low};
  double step = getTickStep(high - low, 6);
  std::vector<double> ticks;
  for (double k = std::ceil(low / step); k * step <= high + step * 1e-9; ++k)
    ticks.push_back(k * step);
  return ticks;
}

static std::string printBytes(double bytes) {
  if (bytes >= 1e6)
    return llvm::formatv("{0:f2} MB", bytes / 1e6).str();
  return llvm::formatv("{0:f1} kB", bytes / 1e3).str();
}

namespace {
/// A plot: data coordinates to pixels, frame and ticks.
class Plot {
public:
  Plot(int width, int height) : width(width), height(height) {}

  void setX(double low, double high) { xLow = low, xHigh = high; }
  void setY(double low, double high) { yLow = low, yHigh = high; }
  double x(double value) const {
    return left + (value - xLow) / std::max(xHigh - xLow, 1e-300) *
                      (width - left - right);
  }
  double y(double value) const {
    return height - bottom -
           (value - yLow) / std::max(yHigh - yLow, 1e-300) *
               (height - top - bottom);
  }
  void add(const std::string &text) { body += text; }
  void addLine(double x0, double y0, double x1, double y1,
               llvm::StringRef style) {
    add(llvm::formatv("<line x1='{0:f1}' y1='{1:f1}' x2='{2:f1}' y2='{3:f1}' "
                      "{4}/>",
                      x0, y0, x1, y1, style));
  }
  void addText(double px, double py, llvm::StringRef anchor,
               llvm::StringRef text) {
    add(llvm::formatv("<text x='{0:f1}' y='{1:f1}' text-anchor='{2}'>{3}"
                      "</text>",
                      px, py, anchor, escape(text)));
  }
  void addPoint(double px, double py, llvm::StringRef color, double radius,
                llvm::StringRef title) {
    add(llvm::formatv("<circle cx='{0:f1}' cy='{1:f1}' r='{2:f1}' "
                      "fill='var(--{3})'><title>{4}</title></circle>",
                      px, py, radius, color, escape(title)));
  }
  void addFrame(llvm::StringRef xName, llvm::StringRef yName) {
    addLine(left, height - bottom, width - right, height - bottom,
            "class='axis'");
    addLine(left, top, left, height - bottom, "class='axis'");
    addText((left + width - right) / 2.0, height - 6, "middle", xName);
    addText(left, top - 8, "start", yName);
  }
  std::string print(llvm::StringRef label) const {
    return llvm::formatv("<svg viewBox='0 0 {0} {1}' width='{0}' height='{1}' "
                         "role='img' aria-label='{2}'>{3}</svg>\n",
                         width, height, escape(label), body)
        .str();
  }

  int width, height, left = 52, right = 14, top = 24, bottom = 34;

private:
  double xLow = 0, xHigh = 1, yLow = 0, yHigh = 1;
  std::string body;
};

class Page {
public:
  explicit Page(const ReportData &data) : data(data), os(text) {}
  std::string write();

private:
  void writeCards();
  void writeDepth();
  void writeLayers();
  void writePlan();
  void writeFront();
  void writeHistograms();
  void writeWide();
  void writeCard(llvm::StringRef value, llvm::StringRef name) {
    os << "<div class='card'><b>" << escape(value) << "</b><span>"
       << escape(name) << "</span></div>\n";
  }

  const ReportData &data;
  std::string text;
  llvm::raw_string_ostream os;
};
} // namespace

void Page::writeCards() {
  os << "<div class='cards'>\n";
  writeCard(data.scheme + (data.plan ? " + plan" : ""), "scheme");
  if (data.weights) {
    double count = double(data.weights);
    writeCard(llvm::formatv("{0:f2}", double(data.storedBits) / count).str(),
              "bits a weight, with scales");
    writeCard(printBytes(double(data.storedBits) / 8), "weights");
    writeCard(
        llvm::formatv("{0:f2}x", 32 * count / double(data.storedBits)).str(),
        "smaller than float");
  }
  writeCard(printBytes(double(data.arenaBytes)), "arena");
  if (data.macs)
    writeCard(llvm::formatv("{0:f2} M", double(data.macs) / 1e6).str(), "MACs");
  if (data.macs)
    writeCard(llvm::formatv("{0:f1} %",
                            100.0 * double(data.wideMacs) / double(data.macs))
                  .str(),
              "of MACs wider than 8 bits");
  if (std::isfinite(data.outputSqnr))
    writeCard(
        printDecibels(data.outputSqnr) + " dB",
        llvm::formatv("last layer, {0} samples", data.measuredSamples).str());
  if (data.plan && std::isfinite(data.plan->measured))
    writeCard(llvm::formatv("{0:e2}", data.plan->measured).str(),
              "divergence of the plan, held-back samples");
  os << "</div>\n";
}

/// Ratios of signal to noise along the network, and bits below them.
void Page::writeDepth() {
  std::vector<const ReportLayer *> rows;
  double most = 10;
  for (const ReportLayer &layer : data.layers) {
    if (!std::isfinite(layer.sqnr) && !std::isfinite(layer.weightSqnr) &&
        !std::isfinite(layer.inputSqnr))
      continue;
    rows.push_back(&layer);
    for (double value : {layer.sqnr, layer.weightSqnr, layer.inputSqnr})
      if (std::isfinite(value))
        most = std::max(most, std::min(value, 90.0));
  }
  if (rows.empty())
    return;
  os << "<h2>Signal to noise by depth</h2>\n<p>";
  if (data.measuredSamples)
    os << "<span style='color:var(--a)'>&#9679;</span> output of the layer, "
          "measured from the start of the network over "
       << data.measuredSamples << " samples &nbsp; ";
  os << "<span style='color:var(--b)'>&#9679;</span> its rounded weight &nbsp; "
        "<span style='color:var(--c)'>&#9679;</span> its rounded input, "
        "predicted from the profile (errors up to a factor per channel, which "
        "folding moves between layers)</p>\n";
  Plot plot(1050, 300);
  plot.setX(-0.5, double(rows.size()) - 0.5);
  plot.setY(0, std::ceil(most / 10) * 10);
  for (double value = 0; value <= std::ceil(most / 10) * 10; value += 10) {
    plot.addLine(plot.left, plot.y(value), plot.width - plot.right,
                 plot.y(value), "class='axis' stroke-dasharray='2 4'");
    plot.addText(plot.left - 6, plot.y(value) + 4, "end",
                 llvm::formatv("{0:f0}", value).str());
  }
  std::string path;
  for (auto [i, layer] : llvm::enumerate(rows)) {
    auto addPoint = [&](double value, llvm::StringRef color, double radius,
                        llvm::StringRef what) {
      if (std::isfinite(value))
        plot.addPoint(plot.x(double(i)), plot.y(std::clamp(value, 0.0, 90.0)),
                      color, radius,
                      (shortenName(layer->name) + ": " + what + " " +
                       printDecibels(value) + " dB")
                          .str());
    };
    addPoint(layer->inputSqnr, "c", 2.5, "input");
    addPoint(layer->weightSqnr, "b", 2.5, "weight");
    addPoint(layer->sqnr, "a", 4, "output");
    if (std::isfinite(layer->sqnr))
      path += llvm::formatv("{0}{1:f1},{2:f1} ", path.empty() ? "M" : "L",
                            plot.x(double(i)),
                            plot.y(std::clamp(layer->sqnr, 0.0, 90.0)))
                  .str();
  }
  if (!path.empty())
    plot.add("<path d='" + path + "' fill='none' stroke='var(--a)'/>");
  plot.addFrame("layers in the order of the network", "dB");
  os << "<div class='wide'>" << plot.print("SQNR by depth") << "</div>";
}

void Page::writeLayers() {
  os << "<h2>Layers</h2>\n<div class='wide'><table><thead><tr><th class='n'>#"
        "</th><th>layer</th><th>op</th><th>weight</th><th class='n'>weights"
        "</th><th class='n'>bits each</th><th class='n'>MACs</th>"
        "<th class='n'>weight dB</th><th class='n'>input dB</th>"
        "<th class='n'>output dB</th><th>decision and reason</th></tr>"
        "</thead><tbody>\n";
  auto number = [&](double value, const std::string &shown) {
    os << "<td class='n' data-v='";
    if (std::isfinite(value))
      os << llvm::formatv("{0}", value);
    os << "'>" << shown << "</td>";
  };
  for (auto [i, layer] : llvm::enumerate(data.layers)) {
    os << "<tr>";
    number(double(i), std::to_string(i));
    os << "<td class='name' title='" << escape(layer.name) << "'>"
       << escape(shortenName(layer.name)) << "</td><td>"
       << escape(llvm::StringRef(layer.op).split('.').second) << "</td><td>"
       << escape(layer.weightFormat) << "</td>";
    bool hasWeights = layer.weights > 0;
    number(hasWeights ? double(layer.weights) : NAN,
           hasWeights ? std::to_string(layer.weights) : "");
    double bits = double(layer.storedBits) / double(layer.weights);
    number(hasWeights ? bits : NAN,
           hasWeights ? llvm::formatv("{0:f2}", bits).str() : "");
    number(layer.macs ? double(layer.macs) : NAN,
           layer.macs ? std::to_string(layer.macs) : "");
    for (double value : {layer.weightSqnr, layer.inputSqnr, layer.sqnr})
      number(value, printDecibels(value));
    os << "<td>" << (layer.isFloat ? "<span class='bad'>float</span> " : "")
       << escape(layer.reason) << "</td></tr>\n";
  }
  os << "</tbody></table></div>\n";
}

namespace {
/// A plan in the plot of loss against a budget.
struct Mark {
  double x, y; ///< use of the budget, logarithm of the loss
  llvm::StringRef color;
  double radius;
  std::string name;
};
} // namespace

/// The front, uniform plans and the choice, by their use of budget `r`.
static std::vector<Mark> getMarks(const Plan &plan, size_t r) {
  std::vector<Mark> marks;
  auto add = [&](llvm::ArrayRef<double> used, double measured,
                 llvm::StringRef color, double radius, std::string name) {
    if (r < used.size() && std::isfinite(used[r]) && measured > 0)
      marks.push_back(
          {used[r], std::log10(measured), color, radius, std::move(name)});
  };
  for (const PlanPoint &point : plan.front)
    add(point.used, point.measured, "a", 4, point.name);
  for (const PlanPoint &point : plan.uniform)
    add(point.used, point.measured, "b", 4, "uniform " + point.name);
  std::vector<double> used;
  for (const BudgetReport &budget : plan.budgets)
    used.push_back(budget.used);
  add(used, plan.measured, "c", 7, "chosen");
  return marks;
}

/// A plot whose axes hold all marks, with ticks.
static Plot makeFrontPlot(llvm::ArrayRef<Mark> marks) {
  double xLow = marks[0].x, xHigh = xLow, yLow = marks[0].y, yHigh = yLow;
  for (const Mark &mark : marks) {
    xLow = std::min(xLow, mark.x);
    xHigh = std::max(xHigh, mark.x);
    yLow = std::min(yLow, mark.y);
    yHigh = std::max(yHigh, mark.y);
  }
  yLow = std::floor(yLow);
  yHigh = std::max(std::ceil(yHigh), yLow + 1);
  Plot plot(1050, 340);
  double pad =
      xHigh > xLow ? (xHigh - xLow) * 0.04 : std::max(std::fabs(xLow), 1.0);
  plot.setX(xLow - pad, xHigh + pad);
  plot.setY(yLow, yHigh);
  for (double value = yLow; value <= yHigh; ++value) {
    plot.addLine(plot.left, plot.y(value), plot.width - plot.right,
                 plot.y(value), "class='axis' stroke-dasharray='2 4'");
    plot.addText(plot.left - 6, plot.y(value) + 4, "end",
                 llvm::formatv("1e{0:f0}", value).str());
  }
  for (double value : getTicks(xLow, xHigh))
    plot.addText(plot.x(value), plot.height - plot.bottom + 14, "middle",
                 printNumber(value));
  return plot;
}

/// Loss against the first budget.
void Page::writeFront() {
  const Plan &plan = *data.plan;
  size_t r = 0;
  for (size_t k = plan.budgets.size(); k-- > 0;)
    if (std::isfinite(plan.budgets[k].limit))
      r = k;
  std::vector<Mark> marks = getMarks(plan, r);
  if (marks.size() < 2)
    return;
  Plot plot = makeFrontPlot(marks);
  std::string path;
  for (const Mark &mark : marks)
    if (mark.color == "a")
      path += llvm::formatv("{0}{1:f1},{2:f1} ", path.empty() ? "M" : "L",
                            plot.x(mark.x), plot.y(mark.y))
                  .str();
  if (!path.empty())
    plot.add("<path d='" + path + "' fill='none' stroke='var(--a)'/>");
  for (const Mark &mark : marks)
    plot.addPoint(plot.x(mark.x), plot.y(mark.y), mark.color, mark.radius,
                  llvm::formatv("{0}: {1} {2}, divergence {3}", mark.name,
                                plan.budgets[r].name,
                                llvm::format("%.6g", mark.x),
                                llvm::format("%.3g", std::pow(10, mark.y)))
                      .str());
  if (std::isfinite(plan.budgets[r].limit))
    plot.addLine(plot.x(plan.budgets[r].limit), plot.top,
                 plot.x(plan.budgets[r].limit), plot.height - plot.bottom,
                 "stroke='var(--bad)' stroke-dasharray='5 3'");
  plot.addFrame(plan.budgets[r].name,
                "measured divergence on samples held back");
  os << "<p><span style='color:var(--c)'>&#9679;</span> chosen &nbsp; <span "
        "style='color:var(--a)'>&#9679;</span> front &nbsp; <span "
        "style='color:var(--b)'>&#9679;</span> one format for all &nbsp; "
        "dashed: the budget</p><div class='wide'>"
     << plot.print("Pareto plot") << "</div>\n";
}

void Page::writePlan() {
  if (!data.plan)
    return;
  const Plan &plan = *data.plan;
  os << "<h2>Plan</h2>\n<p>Sensitivity: " << escape(plan.sensitivity) << " on "
     << plan.samples << " samples, accepted on " << plan.heldBack
     << " others. Predicted "
     << llvm::formatv("{0:e3}, no plan is below {1:e3} (gap {2:f2} %)",
                      plan.predicted, plan.bound, plan.gap * 100)
     << (plan.isOptimal ? "" : "; a limit ended the search") << ".</p>\n";
  writeFront();
  os << "<div class='wide'><table><thead><tr><th>budget</th><th class='n'>used"
        "</th><th class='n'>limit</th><th>binding</th><th class='n'>loss saved "
        "by one more</th></tr></thead><tbody>\n";
  for (const BudgetReport &budget : plan.budgets)
    os << "<tr><td>" << escape(budget.name) << "</td><td class='n'>"
       << printNumber(budget.used) << "</td><td class='n'>"
       << (std::isfinite(budget.limit) ? printNumber(budget.limit) : "none")
       << "</td><td>" << (budget.isBinding() ? "yes" : "no")
       << "</td><td class='n'>"
       << (budget.isBinding()
               ? llvm::formatv("{0:e2}", budget.shadowPrice).str()
               : "")
       << "</td></tr>\n";
  os << "</tbody></table></div><p>";
  for (const std::string &round : plan.rounds)
    os << escape(round) << "<br>";
  os << "</p>\n";
}

/// Counts on a logarithmic scale; what the encoding clips is red.
static std::string drawHistogram(const ReportTensor &tensor) {
  Plot plot(240, 96);
  plot.left = 4, plot.right = 4, plot.top = 6, plot.bottom = 18;
  double most = 1;
  for (uint64_t count : tensor.bins)
    most = std::max(most, double(count));
  plot.setX(tensor.low, tensor.high);
  plot.setY(0, std::log1p(most));
  double step = (tensor.high - tensor.low) / double(tensor.bins.size());
  bool isRounded = tensor.format != "f32";
  for (auto [i, count] : llvm::enumerate(tensor.bins)) {
    if (!count)
      continue;
    double from = tensor.low + step * double(i);
    double centre = from + step / 2;
    bool isClipped =
        isRounded && (centre < tensor.clipLow || centre > tensor.clipHigh);
    double top = plot.y(std::log1p(double(count)));
    plot.add(llvm::formatv("<rect x='{0:f1}' y='{1:f1}' width='{2:f1}' "
                           "height='{3:f1}' fill='var(--{4})'/>",
                           plot.x(from), top,
                           std::max(plot.x(from + step) - plot.x(from), 0.6),
                           plot.y(0) - top, isClipped ? "bad" : "a"));
  }
  if (isRounded)
    for (double edge : {tensor.clipLow, tensor.clipHigh})
      if (edge > tensor.low && edge < tensor.high)
        plot.addLine(plot.x(edge), plot.top, plot.x(edge), plot.y(0),
                     "stroke='var(--bad)'");
  plot.addLine(plot.left, plot.y(0), plot.width - plot.right, plot.y(0),
               "class='axis'");
  plot.addText(plot.left, plot.height - 5, "start",
               printNumber(tensor.low, "%.3g"));
  plot.addText(plot.width - plot.right, plot.height - 5, "end",
               printNumber(tensor.high, "%.3g"));
  return plot.print("histogram of " + tensor.name);
}

void Page::writeHistograms() {
  if (data.tensors.empty())
    return;
  os << "<h2>Activations and where they are clipped</h2>\n<p>"
     << data.calibrationSamples
     << " calibration samples, counts on a logarithmic scale; red is clipped "
        "by the encoding.</p>\n<div class='grid'>\n";
  for (const ReportTensor &tensor : data.tensors) {
    if (tensor.bins.empty())
      continue;
    os << "<figure>" << drawHistogram(tensor) << "<figcaption title='"
       << escape(tensor.name) << "'>" << escape(tensor.format);
    if (std::isfinite(tensor.sqnr))
      os << ", " << printDecibels(tensor.sqnr) << " dB";
    os << ": " << escape(abbreviate(shortenName(tensor.name)))
       << "</figcaption></figure>\n";
  }
  os << "</div>\n";
}

void Page::writeWide() {
  os << "<h2>What stayed wide, and why</h2>\n";
  std::string rows;
  for (const ReportLayer &layer : data.layers)
    if (layer.isFloat)
      rows += "<tr><td>layer</td><td class='name'>" +
              escape(shortenName(layer.name)) + "</td><td>" +
              escape(layer.reason) + "</td></tr>\n";
  for (const ReportTensor &tensor : data.tensors)
    if (tensor.format == "f32")
      rows += "<tr><td>tensor</td><td class='name'>" +
              escape(shortenName(tensor.name)) + "</td><td>" +
              escape(tensor.reason) + "</td></tr>\n";
  if (rows.empty())
    os << "<p>Nothing: every layer computes in integers.</p>\n";
  else
    os << "<div class='wide'><table><thead><tr><th>what</th><th>name</th><th>"
          "why</th></tr></thead><tbody>\n"
       << rows << "</tbody></table></div>\n";
}

std::string Page::write() {
  os << "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><meta "
        "name='viewport' content='width=device-width,initial-scale=1'><title>"
     << escape(data.name) << " - qopt report</title><style>" << kStyle
     << "</style></head><body>\n<h1>" << escape(data.name) << "</h1>\n<p>"
     << escape(data.target) << ", accumulators rounded by "
     << escape(data.requantize) << "</p>\n";
  writeCards();
  writeDepth();
  writePlan();
  writeLayers();
  writeWide();
  writeHistograms();
  // "</" ends a script, whatever language it is in.
  std::string json = llvm::formatv("{0}", toJson(data)).str();
  for (size_t at = 0; (at = json.find("</", at)) != std::string::npos; at += 3)
    json.replace(at, 2, "<\\/");
  os << "<script type='application/json' id='qopt-report'>" << json
     << "</script>\n<script>" << kScript << "</script>\n</body></html>\n";
  return std::move(text);
}

std::string qopt::toHtml(const ReportData &report) {
  return Page(report).write();
}

//===- TestBench.cpp - Test bench and build files -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The bench reads frames and the interpreter's results from one file, so that
// the same program serves C simulation here and co-simulation at the vendor's.
//===----------------------------------------------------------------------===//
#include "TestBench.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

static constexpr llvm::StringLiteral kApInt =
#include "ApInt.inc"
    ;
static constexpr llvm::StringLiteral kStream =
#include "HlsStream.inc"
    ;

static unsigned getBytes(StreamType type) {
  return type.getBits() <= 8 ? 1 : type.getBits() <= 16 ? 2 : 4;
}

std::string hls::packVectors(const BenchPorts &ports,
                             ArrayRef<TestVector> vectors) {
  std::string bytes;
  auto pack = [&](const BenchPort &port, const Tensor &tensor) {
    for (int64_t i = 0; i < tensor.numElements(); ++i) {
      int64_t value = tensor.getInt(i);
      for (unsigned byte = 0; byte < getBytes(port.type); ++byte)
        bytes += char(value >> (8 * byte));
    }
  };
  for (const TestVector &vector : vectors) {
    for (const BenchPort &port : ports.inputs)
      pack(port, vector.inputs[port.index]);
    for (const BenchPort &port : ports.outputs)
      pack(port, vector.outputs[port.index]);
  }
  return bytes;
}

static constexpr llvm::StringLiteral kReadValue = R"(
/// One little-endian integer.
static long long read_value(std::FILE *file, int bytes, bool is_signed) {
  unsigned long long value = 0;
  for (int i = 0; i < bytes; ++i) {
    const int byte = std::fgetc(file);
    if (byte == EOF) {
      std::fprintf(stderr, "error: the file of vectors is too short\n");
      std::exit(1);
    }
    value |= (unsigned long long)byte << (8 * i);
  }
  if (is_signed && (value >> (8 * bytes - 1)) & 1)
    value |= ~0ull << (8 * bytes - 1);
  return (long long)value;
}
)";

std::string hls::emitTestBench(const BenchPorts &ports, StringRef symbol,
                               size_t frames) {
  Text text;
  text.line(kReadValue.trim());
  text.blank();
  text.line("// usage: csim [vectors.bin [frames]]");
  text.open("int main(int argc, char **argv)");
  text.line("std::FILE *file = std::fopen(argc > 1 ? argv[1] : "
            "\"vectors.bin\", \"rb\");");
  text.line("if (!file && argc < 2)");
  text.line("  file = std::fopen(\"tb/vectors.bin\", \"rb\");");
  text.open("if (!file)");
  text.line("std::fprintf(stderr, \"error: no file of vectors\\n\");");
  text.line("return 1;");
  text.close();
  text.line("const int frames = argc > 2 ? std::atoi(argv[2]) : " +
            Twine(frames) + ";");
  text.line("long long compared = 0, mismatches = 0;");
  text.open("for (int frame = 0; frame < frames; ++frame)");
  std::string call = (symbol + "(").str();
  for (const auto *list : {&ports.inputs, &ports.outputs})
    for (const BenchPort &port : *list) {
      text.line("hls::stream<" + getWordName(port.type) + " > " + port.name +
                "(\"" + port.name + "\");");
      call += (StringRef(call).ends_with("(") ? "" : ", ") + port.name;
    }
  auto readArguments = [](StreamType type) {
    return (Twine(getBytes(type)) + ", " + (type.isSigned() ? "true" : "false"))
        .str();
  };
  for (const BenchPort &port : ports.inputs) {
    text.loop("t", port.type.getTokens());
    text.line(getWordName(port.type) + " word = 0;");
    text.loop("i", port.type.getLanes());
    text.line("const " + getElementName(port.type) +
              " value = read_value(file, " + readArguments(port.type) + ");");
    emitSetLane(text, port.type, "word", "i", "value");
    text.close();
    text.line(port.name + ".write(word);");
    text.close();
  }
  text.line(call + ");");
  for (const BenchPort &port : ports.outputs) {
    text.loop("t", port.type.getTokens());
    text.line("const " + getWordName(port.type) + " word = " + port.name +
              ".read();");
    text.loop("i", port.type.getLanes());
    emitLane(text, port.type, "value", "word", "i");
    text.line("const long long expected = read_value(file, " +
              readArguments(port.type) + ");");
    text.line("++compared;");
    text.open("if ((long long)value != expected)");
    text.line("if (++mismatches <= 10)");
    text.line("  std::fprintf(stderr, \"frame %d, " + port.name +
              "[%d]: expected %lld, got %lld\\n\",");
    text.line("               frame, t * " + Twine(port.type.getLanes()) +
              " + i, expected, (long long)value);");
    text.close();
    text.close();
    text.close();
  }
  text.close();
  text.line("std::fclose(file);");
  text.line("std::printf(\"%lld compared, %lld mismatches\\n\", compared, "
            "mismatches);");
  text.line("return mismatches != 0 || compared == 0;");
  text.close();
  return text.take();
}

static constexpr llvm::StringLiteral kMakefile =
    R"(# C simulation needs a C++14 compiler and nothing else:
#   make csim               with g++
#   make csim CXX=clang++
# The headers of the simulation are in sim/; synthesis takes the vendor's.
CXX = g++
CXXFLAGS = -O2 -std=c++14 -Wall -Wextra -Wno-unknown-pragmas -Wno-unused-label
BUILD = build
SOURCES = @SOURCES@ tb/tb.cpp
OBJECTS = $(SOURCES:%.cpp=$(BUILD)/%.o)

csim: $(BUILD)/csim
	./$(BUILD)/csim tb/vectors.bin

$(BUILD)/csim: $(OBJECTS)
	$(CXX) $(CXXFLAGS) $^ -o $@

$(BUILD)/%.o: %.cpp $(wildcard src/*.h weights/*.h sim/*.h)
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -isystem sim -c $< -o $@

# Vitis HLS up to 2024.2, and later releases.
synth:
	vitis_hls -f run_hls.tcl
synth-unified:
	v++ -c --mode hls --config hls_config.cfg --work_dir $(BUILD)/hls

clean:
	rm -rf $(BUILD)

.PHONY: csim synth synth-unified clean
)";

static std::string replace(StringRef text, StringRef from, StringRef to) {
  auto [before, after] = text.split(from);
  return (before + to + after).str();
}

void hls::addBuildFiles(std::map<std::string, std::string> &files,
                        const ProjectOptions &options,
                        ArrayRef<std::string> sources) {
  files["sim/ap_int.h"] = kApInt.str();
  files["sim/hls_stream.h"] = kStream.str();
  std::string list;
  for (const std::string &source : sources)
    list += (list.empty() ? "" : " ") + source;
  files["Makefile"] = replace(kMakefile, "@SOURCES@", list);

  std::string tcl =
      "# vitis_hls -f run_hls.tcl, or: vitis-run --mode hls --tcl run_hls.tcl\n"
      "open_project -reset project\n"
      "set_top " +
      options.symbol + "\n";
  std::string config = (Twine("# v++ -c --mode hls --config hls_config.cfg "
                              "--work_dir build/hls\npart=") +
                        options.part->vendor + "\n\n[hls]\n")
                           .str();
  std::string period = llvm::formatv("{0:f3}", options.clockNs).str();
  config += "clock=" + period +
            "ns\nflow_target=vivado\n"
            "package.output.format=ip_catalog\nsyn.top=" +
            options.symbol + "\n";
  for (const std::string &source : sources) {
    tcl += "add_files " + source + "\n";
    config += "syn.file=" + source + "\n";
  }
  tcl += "add_files -tb tb/tb.cpp\nadd_files -tb tb/vectors.bin\n"
         "open_solution -reset solution\nset_part " +
         std::string(options.part->vendor) + "\ncreate_clock -period " +
         period +
         "\ncsim_design\ncsynth_design\n# cosim_design\n"
         "export_design -format ip_catalog\nexit\n";
  config += "tb.file=tb/tb.cpp\ntb.file=tb/vectors.bin\n";
  files["run_hls.tcl"] = tcl;
  files["hls_config.cfg"] = config;
}

"""write_onnx.py OUT.onnx < TEXT: a model from ONNX's textual syntax."""
import sys

import onnx.parser

onnx.save(onnx.parser.parse_model(sys.stdin.read()), sys.argv[1])

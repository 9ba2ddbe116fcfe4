"""hostile.py FOLDER: writes ONNX files that no importer should trust."""
import pathlib
import sys

from onnx import TensorProto as T
from onnx import helper as h

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def value(name, shape):
    return h.make_tensor_value_info(name, T.FLOAT, shape)


def save(name, nodes, inputs, outputs, weights=()):
    graph = h.make_graph(nodes, "g", inputs, outputs, weights)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)],
                         ir_version=9)
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
    return model


x, y = value("x", [1, 4]), value("y", None)
good = save("good", [h.make_node("Relu", ["x"], ["y"])], [x], [y])
data = good.SerializeToString()
(folder / "truncated.onnx").write_bytes(data[:len(data) // 2])
(folder / "empty.onnx").write_bytes(b"")
(folder / "garbage.onnx").write_bytes(bytes(range(256)) * 4)
save("cycle", [h.make_node("Relu", ["b"], ["a"]),
               h.make_node("Abs", ["a"], ["b"])], [], [value("a", [1])])
save("attribute", [h.make_node("Softmax", ["x"], ["y"], axis="last")], [x], [y])
save("huge", [h.make_node("Relu", ["x"], ["y"])],
     [value("x", [2**40, 2**40])], [y])
save("negative", [h.make_node("Relu", ["x"], ["y"])], [value("x", [-7])], [y])
save("undefined", [h.make_node("Relu", ["nothing"], ["y"])], [x], [y])
save("twice", [h.make_node("Relu", ["x"], ["y"]),
               h.make_node("Abs", ["x"], ["y"])], [x], [y])
save("nooutput", [h.make_node("Relu", ["x"], ["a"])], [x], [y])
short = h.make_tensor("w", T.FLOAT, [4], [1, 2, 3, 4])
del short.float_data[:]
short.raw_data = b"\0" * 7
save("short", [h.make_node("Add", ["x", "w"], ["y"])], [x], [y], [short])
outside = h.make_tensor("w", T.FLOAT, [4], [1, 2, 3, 4])
del outside.float_data[:]
outside.data_location = T.EXTERNAL
entry = outside.external_data.add()
entry.key, entry.value = "location", "missing.bin"
save("external", [h.make_node("Add", ["x", "w"], ["y"])], [x], [y], [outside])
save("repeats", [h.make_node("Tile", ["x", "r"], ["y"])], [x], [y],
     [h.make_tensor("r", T.INT64, [2], [2**62, 2**62])])
save("pads", [h.make_node("Pad", ["x", "p"], ["y"])], [x], [y],
     [h.make_tensor("p", T.INT64, [4], [0, 0, 2**62, 2**62])])
save("window", [h.make_node("MaxPool", ["i"], ["y"], kernel_shape=[0, 3])],
     [value("i", [1, 1, 8, 8])], [y])
save("strides", [h.make_node("MaxPool", ["i"], ["y"], kernel_shape=[3, 3],
                             strides=[0, -1])],
     [value("i", [1, 1, 8, 8])], [y])
save("axis", [h.make_node("Softmax", ["x"], ["y"], axis=9)], [x], [y])
save("perm", [h.make_node("Transpose", ["x"], ["y"], perm=[0, 0])], [x], [y])
save("group", [h.make_node("Conv", ["i", "w"], ["y"], group=0)],
     [value("i", [1, 4, 8, 8])], [y],
     [h.make_tensor("w", T.FLOAT, [4, 4, 1, 1], [0.0] * 16)])
save("unsupported", [h.make_node("Frobnicate", ["x"], ["a"], name="one"),
                     h.make_node("Multinomial", ["a", "a"], ["b"],
                                 name="two"),
                     h.make_node("Relu", ["b"], ["y"])], [x], [y])


def trunc(name, bits, scale=1.0, zero=0.0):
    """Trunc 2 of QONNX, whose parameters are numbers of any size."""
    values = dict(s=scale, z=zero, b=8.0, t=scale, n=zero, a=bits)
    save(name, [h.make_node("Trunc", ["x", *values], ["y"])], [x], [y],
         [h.make_tensor(n, T.DOUBLE, [], [v]) for n, v in values.items()])


trunc("trunc4", 4.0)
trunc("bits_nan", float("nan"))
trunc("bits_inf", float("inf"))
trunc("bits_huge", 1e300)
trunc("scale_inf", 4.0, scale=float("inf"))
trunc("scale_huge", 4.0, scale=1e300)
trunc("zero_nan", 4.0, zero=float("nan"))


def function(name, *nodes):
    return h.make_function("local", name, ["x"], ["y"], nodes,
                           [h.make_opsetid("", 17), h.make_opsetid("local", 1)])


def calls(name, functions):
    """A model of one node that calls the first function."""
    graph = h.make_graph([h.make_node("F0", ["x"], ["y"], domain="local")],
                         "g", [x], [y])
    model = h.make_model(graph, functions=functions, ir_version=9,
                         opset_imports=[h.make_opsetid("", 17),
                                        h.make_opsetid("local", 1)])
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


def twice(callee):
    return (h.make_node(callee, ["x"], ["a"], domain="local"),
            h.make_node(callee, ["a"], ["y"], domain="local"))


# 2^40 nodes in a few hundred bytes; a function that calls itself twice.
calls("laughs", [function(f"F{i}", *twice(f"F{i + 1}")) for i in range(40)] +
      [function("F40", h.make_node("Relu", ["x"], ["y"]))])
calls("itself", [function("F0", *twice("F0"))])
calls("each_other", [function("F0", *twice("F1")),
                     function("F1", *twice("F0"))])

# Loops that are unrolled, since their state is a list, inside of each other.
LIST = h.make_sequence_type_proto(h.make_tensor_type_proto(T.FLOAT, None))


def unrolled(depth):
    inner = unrolled(depth - 1) if depth else h.make_node("Identity", ["s"],
                                                          ["t"])
    body = h.make_graph(
        [inner, h.make_node("Identity", ["c"], ["d"])], f"body{depth}",
        [h.make_tensor_value_info("i", T.INT64, []),
         h.make_tensor_value_info("c", T.BOOL, []),
         h.make_value_info("s", LIST)],
        [h.make_tensor_value_info("d", T.BOOL, []), h.make_value_info("t", LIST)])
    return h.make_node("Loop", ["n", "", "s"], ["t"], body=body)


save("unrolled", [h.make_node("SequenceConstruct", ["x"], ["s"]), unrolled(5),
                  h.make_node("SequenceAt", ["t", "z"], ["y"])], [x], [y],
     [h.make_tensor("n", T.INT64, [], [250]), h.make_tensor("z", T.INT64, [], [0])])

# What fails in the middle of what an operator writes.
for kind, gates in (("GRU", 3), ("LSTM", 4), ("RNN", 1)):
    save(f"mixed_{kind}", [h.make_node(kind, ["d", "w", "r"], ["y"],
                                       hidden_size=5)],
         [h.make_tensor_value_info("d", T.DOUBLE, [4, 2, 3])], [y],
         [h.make_tensor(n, T.FLOAT, [1, 5 * gates, k], [0.5] * 5 * gates * k)
          for n, k in (("w", 3), ("r", 5))])
blocks = h.make_graph(
    [h.make_node("DequantizeLinear", ["q", "s"], ["w"], axis=2, block_size=4),
     h.make_node("MatMul", ["i", "w"], ["y"])], "g", [value("i", [6, 2, 5])],
    [y], [h.make_tensor("q", T.INT4, [3, 5, 8], [1] * 120),
          h.make_tensor("s", T.FLOAT, [3, 5, 2], [0.5] * 30)])
(folder / "batches.onnx").write_bytes(h.make_model(
    blocks, ir_version=10,
    opset_imports=[h.make_opsetid("", 21)]).SerializeToString())

# 2^14 times 2^63 - 1 is no count; nor are extents below 0.
for name, shape in (("many", [2**14, 2**63 - 1]),
                    ("below", [-1, 4])):
    save(f"random_{name}", [h.make_node("RandomNormal", [], ["y"],
                                        shape=shape)], [], [y])

# Lists where bodies must give tensors; a rate of no element.
SCALAR = h.make_tensor_value_info("i", T.INT64, [])
CONDITION = h.make_tensor_value_info("c", T.BOOL, [])


def steps(name, count, nodes, condition, *results):
    """A loop over the state s, its body's condition and results."""
    body = h.make_graph(nodes, "body", [SCALAR, CONDITION, value("s", [1, 4])],
                        [h.make_value_info(condition, LIST), value("t", None),
                         *(h.make_value_info(n, LIST) for n in results)])
    save(f"{name}{count}", [h.make_node("Loop", ["n", "", "x"],
                                        ["z", "y"] if results else ["y"],
                                        body=body)],
         [x], [y], [h.make_tensor("n", T.INT64, [], [count])])


state = h.make_node("Relu", ["s"], ["t"])
listed = h.make_node("SequenceConstruct", ["s"], ["l"])
for count in (1, 3):
    steps("condition_list", count, [listed, state], "l")
    steps("stacked_list", count, [h.make_node("Identity", ["c"], ["d"]), state,
                                  listed], "d", "l")
    scanned = h.make_graph(
        [h.make_node("SequenceConstruct", ["e"], ["l"])], "body",
        [value("e", [4])], [h.make_value_info("l", LIST)])
    save(f"scanned_list{count}", [h.make_node("Scan", ["v"], ["y"], body=scanned,
                                              num_scan_inputs=1)],
         [value("v", [count, 4])], [y])
adam = h.make_graph(
    [h.make_node("Adam", ["r", "n", "x", "x", "x", "x"], ["y", "v", "w"],
                 domain="ai.onnx.preview.training")], "g", [x], [y],
    [h.make_tensor("r", T.FLOAT, [0, 2], []), h.make_tensor("n", T.INT64, [], [1])])
(folder / "no_rate.onnx").write_bytes(h.make_model(
    adam, ir_version=9, opset_imports=[
        h.make_opsetid("", 17),
        h.make_opsetid("ai.onnx.preview.training", 1)]).SerializeToString())
save("resize_list", [h.make_node("SequenceConstruct", ["x"], ["q"]),
                     h.make_node("Resize", ["i", "", "q"], ["y"])],
     [x, value("i", [1, 1, 4, 4])], [y])
save("integers", [h.make_node("ConvInteger", ["u", "w"], ["y"])],
     [h.make_tensor_value_info("u", T.UINT8, [1, 3, 5, 5])], [y],
     [h.make_tensor("w", T.UINT8, [], [1])])

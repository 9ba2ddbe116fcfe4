# SPDX-License-Identifier: Apache-2.0
"""What tools/dev/fuzz.py says when a route is wrong."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "dev"))
import fuzz  # noqa: E402
from graphtext import Graph, reduce  # noqa: E402

TEXT = """module {
  func.func @main(%arg0: tensor<2x3xf32> {qg.name = "x"}, %arg1: tensor<3xf32>) -> (tensor<2xf32>, tensor<2x3xf32>) {
    %0 = qg.unary exp %arg0 : tensor<2x3xf32> -> tensor<2x3xf32>
    %1 = qg.binary  add %0, %arg1 : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
    %2 = qg.unary tanh %1 : tensor<2x3xf32> -> tensor<2x3xf32>
    %3 = qg.reduce  sum %2 axes [1] : tensor<2x3xf32> -> tensor<2xf32>
    return %3, %1 : tensor<2xf32>, tensor<2x3xf32>
  }
}
"""


def test_text_is_read_and_written():
    graph = Graph.parse(TEXT)
    assert graph.results == ["%3", "%1"]
    assert graph.inner() == ["%0", "%1", "%2", "%3"]
    assert graph.types["%3"] == "tensor<2xf32>"
    assert graph.types["%arg0"] == "tensor<2x3xf32>"
    assert str(Graph.parse(str(graph))) == str(graph)


def test_types_with_commas_are_one_part():
    element = "!qg.q<si8, axis = 0, dense_resource<s> : tensor<2xf32>>"
    graph = Graph.parse(
        f"func.func @main(%a: tensor<2x{element}>, %b: tensor<1xf32>) -> "
        f"tensor<2xf32> {{\n  %0 = qg.dequantize %a : tensor<2x{element}> -> "
        f"tensor<2xf32>\n  return %0 : tensor<2xf32>\n}}\n")
    assert [name for name, _ in graph.arguments] == ["%a", "%b"]
    assert graph.types["%a"] == f"tensor<2x{element}>"


def test_what_does_not_matter_is_reduced_away():
    graph = reduce(Graph.parse(TEXT), lambda g: "tanh" in str(g))
    assert [node.text.split()[1] for node in graph.nodes] == ["tanh"]
    assert [name for name, _ in graph.arguments] == ["%1"]


class WrongRoutes(fuzz.Routes):
    """A machine whose tanh is wrong."""

    def __init__(self):
        self.routes = {"object": None}

    def compare(self, route, text, seed):
        graph = Graph.parse(str(text))
        wrong = {node.name for node in graph.nodes if "tanh" in node.text}
        return [int(name in wrong) for name in graph.results]


def test_the_first_node_that_differs_is_named(capsys):
    graph = Graph.parse(TEXT)
    totals = {"differing elements": 0, "failed": 0}
    fuzz.check(WrongRoutes(), graph.returning(graph.inner()), 7, totals)
    said = capsys.readouterr().out
    assert totals["differing elements"] == 1
    assert "seed 7: object: result 2 differs in 1 elements" in said
    assert "%2 = qg.unary tanh %1" in said.split("reduced:")[0]
    reduced = said.split("reduced:")[1]
    assert "tanh" in reduced and "exp" not in reduced and "sum" not in reduced

# SPDX-License-Identifier: Apache-2.0
"""One @main of straight-line IR as text that can be edited: which values it
returns, and what it computes them from."""
import re
from dataclasses import dataclass, field, replace

NAME = re.compile(r"%[A-Za-z0-9_$.-]+")


def split(text):
    """At the commas outside all brackets."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text.replace("->", "  ")):
        depth += (char in "<([{") - (char in ">)]}")
        if char == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    tail = text[start:].strip()
    return parts + [tail] if tail else parts


def find_close(text, at):
    """The place of the bracket that closes the one at `at`."""
    depth = 0
    for i, char in enumerate(text[at:], at):
        if char == ">" and text[i - 1] == "-":
            continue
        depth += (char in "<([{") - (char in ">)]}")
        if depth == 0:
            return i
    raise ValueError(f"no closing bracket: {text[at:at + 80]}")


@dataclass
class Node:
    name: str
    text: str  # what is behind `name = `

    @property
    def type(self):
        arrow = self.text.rfind("-> ")
        colon = self.text.find(" : ") if arrow < 0 else arrow
        return self.text[colon + 3:]

    @property
    def operands(self):
        # Names inside attributes are resources: they have no percent sign.
        return NAME.findall(self.text)


@dataclass
class Graph:
    before: str  # aliases and the opening of the module
    arguments: list  # of (name, type and attributes)
    nodes: list
    results: list  # of names
    after: str
    types: dict = field(default_factory=dict)

    @staticmethod
    def parse(text):
        start = text.index("func.func @main(")
        opening = text.index("(", start)
        close = find_close(text, opening)
        arguments = [tuple(part.split(": ", 1))
                     for part in split(text[opening + 1:close])]
        body = text.index("{\n", text.index("\n", close) - 2) + 2
        lines = text[body:].split("\n")
        end = next(i for i, line in enumerate(lines)
                   if line.strip().startswith("return"))
        nodes = [Node(*line.strip().split(" = ", 1)) for line in lines[:end]]
        results = NAME.findall(lines[end].split(" : ")[0])
        graph = Graph(text[:start], arguments, nodes, results,
                      "\n".join(lines[end + 1:]))
        graph.types = {name: split_type(rest) for name, rest in arguments}
        graph.types.update((node.name, node.type) for node in nodes)
        return graph

    def __str__(self):
        inputs = ", ".join(f"{name}: {rest}" for name, rest in self.arguments)
        types = ", ".join(self.types[name] for name in self.results)
        body = "\n".join(f"    {n.name} = {n.text}" for n in self.nodes)
        end = f"    return {', '.join(self.results)} : {types}"
        return (f"{self.before}func.func @main({inputs}) -> ({types}) {{\n"
                f"{body}\n{end}\n{self.after}")

    def returning(self, results):
        """The same nodes with other results, and what nobody needs left out.
        Arguments stay, so that the inputs fit."""
        needed, nodes = set(results), []
        for node in reversed(self.nodes):
            if node.name in needed:
                needed.update(node.operands)
                nodes.insert(0, node)
        return replace(self, nodes=nodes, results=list(results))

    def inner(self):
        """Names of all values that are computed, in order."""
        return [node.name for node in self.nodes if node.operands]

    def find(self, name):
        return next((n for n in self.nodes if n.name == name), None)

    def get_sources(self, name):
        """Values that a value is computed from, and that are computed."""
        node, inner = self.find(name), set(self.inner())
        return [o for o in node.operands if o in inner] if node else []

    def cut(self, name):
        """The graph with an argument in place of a node."""
        node = self.find(name)
        arguments = self.arguments + [(name, node.type)]
        nodes = [n for n in self.nodes if n.name != name]
        return replace(self, arguments=arguments, nodes=nodes)

    def without_unread_arguments(self):
        read = {name for n in self.nodes for name in n.operands}
        read.update(self.results)
        return replace(self, arguments=[a for a in self.arguments
                                        if a[0] in read] or self.arguments[:1])


def split_type(rest):
    """The type in front of an argument's attributes."""
    at = rest.find(" {")
    return rest if at < 0 else rest[:at]


def reduce(graph, fails):
    """The smallest graph found for which `fails(graph)` still holds: fewer
    and earlier results, then arguments in place of nodes, until nothing more
    goes."""
    smaller = True
    while smaller:
        smaller = False
        for name in list(graph.results):
            rest = [r for r in graph.results if r != name]
            if rest and fails(candidate := graph.returning(rest)):
                graph, smaller = candidate, True
        for name in list(graph.results):
            for earlier in graph.get_sources(name):
                results = [earlier if r == name else r for r in graph.results]
                if fails(candidate := graph.returning(results)):
                    graph, smaller = candidate, True
                    break
        for node in reversed(list(graph.nodes)):
            if not graph.find(node.name) or not node.operands:
                continue
            candidate = graph.cut(node.name).returning(graph.results)
            candidate = candidate.without_unread_arguments()
            if fails(candidate):
                graph, smaller = candidate, True
    return graph

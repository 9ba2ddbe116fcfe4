"""Compares a plan with the report of what was compiled from it."""
import json
import sys

plan = json.load(open(sys.argv[1]))
report = json.load(open(sys.argv[2]))
size = next(b for b in plan["budgets"] if b["name"] == "size")
print("size kept:", size["used"] <= size["limit"])
print("size as predicted:", report["object_weight_bytes"] == size["used"])
fitting = [p["measured"] for p in plan["uniform"]
           if p["used"]["size"] <= size["limit"]]
print("never worse than uniform:",
      bool(fitting) and plan["measured"] <= min(fitting))
front = [(p["used"]["size"], p["predicted"]) for p in plan["front"]]
print("front falls:", len(front) >= 3 and front == sorted(front) and all(
    a[1] > b[1] for a, b in zip(front, front[1:])))
formats = {layer["name"]: layer["weight_format"] for layer in report["layers"]}
print("formats as planned:", len(plan["decisions"]) >= 2 and all(
    formats[d["layer"]] == d["format"] for d in plan["decisions"]))

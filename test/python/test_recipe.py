# SPDX-License-Identifier: Apache-2.0
"""Recipes, plans and files from Python against the command."""
import contextlib
import inspect
import io
import json
import os
import pathlib
import re

import numpy as np
import pytest

import qopt
from qopt import _qopt

CNN = pathlib.Path(__file__).parents[1] / "Driver" / "Inputs" / "cnn.onnxtxt"
PRODUCTS = CNN.with_name("products.onnxtxt")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "digits.npy"
    np.save(path, np.random.default_rng(0).random((12, 1, 6, 6),
                                                  dtype=np.float32))
    return path


def command(*words):
    assert _qopt.run_command([str(w) for w in words] + ["-q"]) == 0


def contents(folder):
    """Bytes of files, locks left out: data may have another name."""
    folder = pathlib.Path(folder)
    return {p.relative_to(folder).as_posix(): p.read_bytes()
            for p in sorted(folder.rglob("*"))
            if p.is_file() and p.name != "lock.json"}


RUNS = [
    ["--scheme", "w8a8"],
    ["--scheme", "w4a8", "--layer", "head=weights:si8,rounding:nearest"],
    ["--scheme", "w4a4", "--method", "moving-average", "--skip", "2"],
    ["--weights", "si4:g4", "--rounding", "nearest", "--bias-correction",
     "off", "--method", "percentile:99.5", "--samples", "9"],
    ["--transforms", "equalization", "--requant", "fixed:20",
     "--integer-only", "--outputs", "quantized", "--opt-level", "2"],
    ["--scheme", "float"],
]


@pytest.mark.parametrize("flags", RUNS)
def test_the_recipe_of_a_command_makes_the_same_bytes(tmp_path, digits, flags):
    target = "x86-64-v3"
    data = [] if "float" in flags else ["--data", digits]
    command("compile", CNN, *data, "--pre", "image=scale:1/2", *flags,
            "--target", target, "--emit", "object,header,ir:quantized", "-o",
            tmp_path / "a" / "net")
    lock = json.loads((tmp_path / "a" / "net.qopt" / "lock.json").read_text())
    files = qopt.build(
        qopt.load(CNN), tmp_path / "b" / "net", data=digits if data else None,
        pre="image=scale:1/2", recipe=lock["recipe"], target=target,
        emit=lock["emit"], symbol=lock["symbol"], outputs=lock["outputs"],
        integer_only=lock["integer_only"],
        opt_level=lock["target"]["opt_level"])
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    made = json.loads((tmp_path / "b" / "net.qopt" / "lock.json").read_text())
    assert made == lock
    assert str(tmp_path / "b" / "net.o") in files
    qopt.build(qopt.load(CNN), tmp_path / "c" / "net",
               data=digits if data else None,
               lock=tmp_path / "a" / "net.qopt" / "lock.json")
    assert contents(tmp_path / "a") == contents(tmp_path / "c")


@pytest.mark.parametrize("emit,target", [("c", None), ("hls", "xc7z020")])
def test_folders_are_the_command_s(tmp_path, digits, emit, target):
    words = ["--target", target] if target else []
    command("compile", CNN, "--data", digits, "--emit", emit, *words, "-o",
            f"{tmp_path}/a/net/")
    options = {"target": target} if target else {}
    qopt.build(qopt.load(CNN), tmp_path / "b" / "net", data=str(digits),
               emit=emit, **options)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_arrays_in_memory_are_as_good_as_files(tmp_path, digits):
    command("compile", CNN, "--data", digits, "--scheme", "w4a8", "--weights",
            "si3", "--transforms", "none", "-o", tmp_path / "net")
    recipe = json.loads((tmp_path / "net.qopt" / "manifest.json").read_text()
                        )["recipe"]
    model = qopt.load(CNN)
    arrays = iter(list(np.load(digits)[:, None]))
    quantized = qopt.quantize(model, data=arrays, recipe=recipe)
    qopt.compile(quantized, symbol="net").save(tmp_path / "python")
    assert (tmp_path / "net.o").read_bytes() == \
        (tmp_path / "python.o").read_bytes()
    assert quantized.recipe == {**recipe, "schema": "qopt.recipe/1"}
    assert any("bits on average" in line for line in quantized.messages)
    assert quantized.profile.to_json() == \
        (tmp_path / "net.qopt" / "profile.json").read_text()
    # Statistics that are given instead make the same ranges.
    again = qopt.quantize(model, quantized.profile, data=np.load(digits)[:, None],
                          recipe=recipe)
    assert again.to_mlir() == quantized.to_mlir()


def test_keywords_come_before_the_recipe(digits):
    model, data = qopt.load(CNN), str(digits)
    recipe = {"scheme": "w4a8", "weights": "si4", "rounding": "nearest",
              "layers": [{"layer": "head", "weights": "si8"}]}
    made = qopt.quantize(model, data=data, recipe=recipe, weights="nf4",
                         layers={"stem*": {"weights": "f32"}}).recipe
    assert made["weights"] == "nf4" and made["rounding"] == "nearest"
    assert made["layers"] == [{"layer": "head", "weights": "si8"},
                              {"layer": "stem*", "weights": "f32"}]
    assert qopt.quantize(model, data=data).recipe["scheme"] == "w8a8"


def test_saves_what_quantize_writes(tmp_path, digits):
    for suffix in ("mlir", "mlirbc", "onnx"):
        command("quantize", CNN, "--data", digits, "-o",
                tmp_path / f"a.{suffix}")
        qopt.quantize(qopt.load(CNN), data=digits).save(
            tmp_path / f"b.{suffix}")
        assert (tmp_path / f"a.{suffix}").read_bytes() == \
            (tmp_path / f"b.{suffix}").read_bytes()
    with pytest.raises(qopt.UsageError, match="ends in .mlir"):
        qopt.load(CNN).save(tmp_path / "x.txt")


def test_rows_need_no_data(tmp_path):
    command("compile", PRODUCTS, "--scheme", "w4a8-dyn", "-o",
            tmp_path / "a" / "net")
    qopt.build(qopt.load(PRODUCTS), tmp_path / "b" / "net", scheme="w4a8-dyn")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_plan_is_the_command_s(tmp_path, digits):
    words = ["--formats", "si2,si4,si8", "--rounding", "nearest",
             "--sensitivity", "weight-error", "--plan-samples", "4",
             "--rounds", "0", "--budget", "avg-bits=6", "--pin", "head=si8"]
    with contextlib.redirect_stdout(io.StringIO()):
        command("plan", CNN, "--data", digits, *words, "-o",
                tmp_path / "plan.json")
    plan = qopt.plan(qopt.load(CNN), digits, "avg-bits=6",
                     formats=["si2", "si4", "si8"], rounding="nearest",
                     sensitivity="weight-error", plan_samples=4, rounds=0,
                     pin={"head": "si8"}, state=tmp_path / "kept")
    assert plan.to_json() == (tmp_path / "plan.json").read_text()
    assert (tmp_path / "kept.candidates").exists()
    command("compile", CNN, "--data", digits, "--plan", tmp_path / "plan.json",
            "-o", tmp_path / "a" / "net")
    qopt.build(qopt.load(CNN), tmp_path / "b" / "net", data=digits, plan=plan)
    same, other = contents(tmp_path / "a"), contents(tmp_path / "b")
    for files in (same, other):  # what the plan was chosen from
        del files["net.qopt/plan.json"]
    assert same == other


def flags_of(verb, capfd):
    _qopt.run_command(["help", verb])
    lines = capfd.readouterr().out.split("every verb:")[0]
    return set(re.findall(r"--([a-z-]+)", "\n".join(
        line[:34] for line in lines.splitlines() if line.startswith("  "))))


# Flags that are something else in Python: the model's own arguments (load), the
# arguments in front, files that are objects here, and a keyword's other name.
ELSEWHERE = {"output": "output", "dim": None, "shape": None, "const": None,
             "seed": None, "recipe": "recipe", "plan": "plan", "layer": "layers",
             "requant": "requantize", "symbol-prefix": "symbol",
             "profile": "profile", "data": "data", "json": None,
             "scheme": "scheme"}


@pytest.mark.parametrize("verb,function", [
    ("compile", "build"), ("quantize", "quantize"), ("plan", "plan")])
def test_every_flag_has_a_keyword(verb, function, capfd):
    stubs = pathlib.Path(qopt.__file__).with_name("__init__.pyi").read_text()
    declared = re.search(rf"^def {function}\((.*?)\) ?->", stubs, re.M | re.S)
    names = set(re.findall(r"(\w+):", declared.group(1)))
    for flag in flags_of(verb, capfd):
        keyword = ELSEWHERE.get(flag, flag.replace("-", "_"))
        if keyword == "output" and function != "build":
            continue
        assert keyword is None or keyword in names, f"--{flag}"


def test_stubs_are_what_is_there():
    stubs = pathlib.Path(qopt.__file__).with_name("__init__.pyi").read_text()
    for name in ("quantize", "plan", "build", "compile", "calibrate", "load"):
        declared = re.search(rf"^def {name}\((.*?)\) ?->", stubs, re.M | re.S)
        names = set(re.findall(r"(\w+):", declared.group(1)))
        real = {p.name for p in inspect.signature(
            getattr(qopt, name)).parameters.values()
            if p.kind is not p.VAR_KEYWORD}
        assert real <= names, name
        assert getattr(qopt, name).__doc__


def test_a_lock_is_kept_or_nothing_is_written(tmp_path, digits):
    command("compile", CNN, "--data", digits, "-o", tmp_path / "a" / "net")
    lock = json.loads((tmp_path / "a" / "net.qopt" / "lock.json").read_text())
    other = tmp_path / "other.npy"
    np.save(other, np.load(digits)[::-1])
    with pytest.raises(qopt.Error, match="not what the lock says: data") as e:
        qopt.build(qopt.load(CNN), tmp_path / "b" / "net", data=other,
                   lock=lock)
    assert e.value.exit_code == 9
    with pytest.raises(qopt.UsageError, match="does not go with"):
        qopt.build(qopt.load(CNN), tmp_path / "b" / "net", data=digits,
                   lock=lock, weights="si4")
    with pytest.raises(qopt.ModelError, match="newer qopt"):
        qopt.build(qopt.load(CNN), tmp_path / "b" / "net", data=digits,
                   lock={**lock, "schema": "qopt.lock/3"})
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("settings,message", [
    ({"roundng": "gptq"}, "roundng is no setting"),
    ({"rounding": "up"}, "rounding: expected one of gptq"),
    ({"weights": 4}, "weights: expected a text"),
    ({"bias_correction": "on"}, "bias_correction: expected true or false"),
    ({"layers": {"haed": {"weights": "si4"}}}, "did you mean 'head'"),
    ({"scheme": "float", "weights": "si4"}, "weights is for weights that"),
    ({"requantize": "fixed:99"}, "requantize: expected f32"),
    ({"plan": {"decisions": 1}}, "plan: expected decisions")])
def test_wrong_settings_are_usage_errors(digits, settings, message):
    with pytest.raises(qopt.UsageError, match=message):
        qopt.quantize(qopt.load(CNN), data=digits, **settings)


@pytest.mark.parametrize("options,message", [
    ({"emit": "objekt"}, "objekt"), ({"target": "z80"}, "z80"),
    ({"outputs": "none"}, "outputs: expected model or quantized"),
    ({"opt_level": -1}, "opt_level: expected an integer"),
    ({"emit": "c", "target": "x86-64"}, "target: expected none"),
    ({"emit": 3}, "emit: expected a list of texts"),
    ({"integer_only": "yes"}, "integer_only: expected true or false"),
    ({"clock": "5ns"}, "clock: expected none, what emit names does not read"),
    ({"emit": "c", "opt_level": 2}, "opt_level: expected none"),
    ({"opt_level": 4}, "expected an integer from 0 to 3, got '4'"),
    ({"target": ""}, "--target: expects a name, got ''"),
    ({"symbol": 3}, "symbol: expected a text")])
def test_wrong_options_are_usage_errors(tmp_path, options, message):
    with pytest.raises(qopt.UsageError, match=message):
        qopt.build(qopt.load(CNN), tmp_path / "net", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("settings,message", [
    ({"formats": ["si9"]}, "si9"),
    ({"target": ""}, "target: expects a name, got ''"),
    ({"formats": 3}, "formats: expected a list of texts"),
    ({"rounds": -1}, "rounds: expected an integer >= 0, got '-1'"),
    ({"worst": "much"}, "worst: expected a number, got '\"much\"'"),
    ({"pin": 3}, "pin: expected pairs of a layer and a format"),
    ({"tie": 3}, "tie: expected a list of lists of layers"),
    ({"tie": [""]}, "tie: expected LAYER,LAYER, got ''"),
    ({"time_limit": 0}, "time_limit: expected seconds"),
    ({"budgets": 1}, "budgets: no such setting of a plan"),
    ({"sensitivity": "x"}, "sensitivity: expected one of proxy"),
    ({"sensitivity": 1}, "sensitivity: expected a text, got 1")])
def test_wrong_plans_are_usage_errors(digits, settings, message):
    with pytest.raises(qopt.UsageError, match=message):
        qopt.plan(qopt.load(CNN), digits, "avg-bits=4", **settings)


def test_no_data_is_said():
    with pytest.raises(qopt.Error, match="expects --data or --profile"):
        qopt.quantize(qopt.load(CNN))
    with pytest.raises(qopt.DataError):
        qopt.quantize(qopt.load(CNN), data=[])


def test_the_model_s_own_encodings(tmp_path, digits):
    qopt.quantize(qopt.load(CNN), data=digits).save(tmp_path / "q.onnx")
    command("compile", tmp_path / "q.onnx", "-o", tmp_path / "a" / "q")
    model = qopt.load(tmp_path / "q.onnx")
    qopt.build(model, tmp_path / "b" / "q")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert qopt.quantize(model).recipe["scheme"] == "qdq"


@pytest.mark.parametrize("change", [
    {"target": {"triple": 3}}, {"target": 3}, {"preprocessing": [{}]},
    {"preprocessing": 3}, {"import": {"shapes": {"image": 3}}}])
def test_damaged_locks_are_model_errors(tmp_path, change):
    model = qopt.load(CNN)
    qopt.build(model, tmp_path / "a" / "net")
    path = tmp_path / "a" / "net.qopt" / "lock.json"
    lock = {**json.loads(path.read_text()), **change}
    for wrong in (lock, tmp_path / "none.json", CNN):
        with pytest.raises(qopt.ModelError, match="lock"):
            qopt.build(model, tmp_path / "b" / "net", lock=wrong)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("settings,message", [
    ({"recipe": "r.json"}, "recipe: expected a dict of settings, got 'r.json'"),
    ({"layers": 3}, "layers: expected a list of dicts"),
    ({"layers": {"head": 3}}, "layers: expected a list of dicts")])
def test_settings_of_another_kind_are_usage_errors(digits, settings, message):
    with pytest.raises(qopt.UsageError, match=message):
        qopt.quantize(qopt.load(CNN), data=digits, **settings)


def test_values_that_no_code_has_are_usage_errors(digits):
    model = qopt.load(CNN)
    with pytest.raises(qopt.UsageError,
                       match="target_requantize: expected f32, pow2 or fixed"):
        qopt.quantize(model, data=digits, target_requantize="fixed")
    with pytest.raises(qopt.UsageError, match="threads: expected 1 to 256, got 0"):
        qopt.compile(model, threads=0)
    with pytest.raises(qopt.UsageError, match="opt_level: expected 0 to 3, got 4"):
        qopt.compile(model, opt_level=4)

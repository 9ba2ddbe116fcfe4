"""export_sklearn.py OUT: scikit-learn pipelines through skl2onnx, gradient boosting
through onnxmltools."""
import argparse
import pathlib
import re

import numpy as np
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
from sklearn.svm import LinearSVC
from skl2onnx import to_onnx

from samples import SAMPLES

NETWORKS = {
    "scaler_logistic": lambda: make_pipeline(
        StandardScaler(), LogisticRegression()),
    "scaler_perceptron": lambda: make_pipeline(
        StandardScaler(), MLPClassifier((32, 16), max_iter=60)),
    "pca_perceptron": lambda: make_pipeline(
        PCA(8), MLPClassifier((24,), activation="tanh", max_iter=60)),
    "minmax_svc": lambda: make_pipeline(MinMaxScaler(), LinearSVC()),
    "normalizer_bayes": lambda: make_pipeline(Normalizer(), GaussianNB()),
    "scaler_ridge": lambda: make_pipeline(StandardScaler(), Ridge()),
    "perceptron_regressor": lambda: make_pipeline(
        StandardScaler(), MLPRegressor(hidden_layer_sizes=(32, 32), max_iter=60)),
}


def boosting():
    import lightgbm
    return lightgbm.LGBMClassifier(n_estimators=5, verbose=-1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    x, labels = make_classification(400, 16, n_informative=8, n_classes=3,
                                    random_state=0)
    _, values = make_regression(400, 16, random_state=0)
    x = x.astype(np.float32)
    for name, make in {**NETWORKS, "lightgbm": boosting}.items():
        folder = options.out / name
        if not re.search(options.only, name) or (folder / "samples.npz").exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        try:
            np.random.seed(0)
            model = make()
            regression = name.endswith(("ridge", "regressor"))
            model.fit(x, values if regression else labels)
            if name == "lightgbm":
                from onnxmltools import convert_lightgbm
                from onnxmltools.convert.common.data_types import FloatTensorType
                onnx_model = convert_lightgbm(
                    model, initial_types=[("X", FloatTensorType([1, 16]))],
                    zipmap=False)
            else:
                zipmap = {} if regression else {"options": {
                    id(model): {} if name == "minmax_svc" else {"zipmap": False}}}
                onnx_model = to_onnx(model, x[:1], target_opset=17, **zipmap)
            (folder / "model.onnx").write_bytes(onnx_model.SerializeToString())
            np.savez(folder / "samples.npz", X=x[:SAMPLES, None])
        except Exception as error:
            line = (str(error).strip() or type(error).__name__).splitlines()[0]
            (folder / "not-exported.txt").write_text(line)
            print(f"{name}: {line[:160]}", flush=True)


if __name__ == "__main__":
    main()

"""export_sklearn.py OUT: scikit-learn pipelines through skl2onnx, gradient boosting
through onnxmltools."""
import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (MinMaxScaler, Normalizer, PolynomialFeatures,
                                   StandardScaler)
from sklearn.svm import SVC, LinearSVC
from skl2onnx import to_onnx

from networks import export_all, make_parser
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
    "polynomial_ridge": lambda: make_pipeline(
        StandardScaler(), PolynomialFeatures(2), Ridge()),
    "scaler_ridge_classifier": lambda: make_pipeline(
        StandardScaler(), RidgeClassifier()),
    "scaler_kmeans": lambda: make_pipeline(
        StandardScaler(), KMeans(5, n_init=1, random_state=0)),
    "scaler_vectors": lambda: make_pipeline(StandardScaler(), SVC(max_iter=100)),
}


def boosting():
    import lightgbm
    return lightgbm.LGBMClassifier(n_estimators=5, verbose=-1)


def convert(name, model, example):
    if name == "lightgbm":
        from onnxmltools import convert_lightgbm
        from onnxmltools.convert.common.data_types import FloatTensorType
        return convert_lightgbm(
            model, initial_types=[("X", FloatTensorType([1, 16]))], zipmap=False)
    last = model.steps[-1][1]
    if isinstance(last, ClassifierMixin) and not isinstance(last, LinearSVC):
        return to_onnx(model, example, target_opset=17,
                       options={id(model): {"zipmap": False}})
    return to_onnx(model, example, target_opset=17)


def main():
    x, labels = make_classification(400, 16, n_informative=8, n_classes=3,
                                    random_state=0)
    _, values = make_regression(400, 16, random_state=0)
    x = x.astype(np.float32)

    def export(name, make, folder):
        np.random.seed(0)
        model = make()
        model.fit(x, values if name.endswith(("ridge", "regressor")) else labels)
        (folder / "model.onnx").write_bytes(
            convert(name, model, x[:1]).SerializeToString())
        np.savez(folder / "samples.npz", X=x[:SAMPLES, None])

    export_all(make_parser(__doc__).parse_args(),
               {**NETWORKS, "lightgbm": boosting}, export)


if __name__ == "__main__":
    main()

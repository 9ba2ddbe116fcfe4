"""export_sklearn.py OUT: scikit-learn pipelines through skl2onnx, gradient boosting
through onnxmltools."""
import tempfile

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.ensemble import (AdaBoostClassifier, ExtraTreesClassifier,
                              GradientBoostingClassifier, GradientBoostingRegressor,
                              HistGradientBoostingClassifier,
                              HistGradientBoostingRegressor, IsolationForest,
                              RandomForestClassifier, RandomForestRegressor,
                              StackingClassifier, VotingClassifier)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (Binarizer, KBinsDiscretizer, MinMaxScaler,
                                   Normalizer, OneHotEncoder, PolynomialFeatures,
                                   StandardScaler)
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier
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


def columns():
    """Some columns scaled, one a category of few values, one of two."""
    return ColumnTransformer([
        ("scaled", StandardScaler(), list(range(12))),
        ("bins", KBinsDiscretizer(4, encode="onehot-dense"), [12, 13]),
        ("signs", make_pipeline(Binarizer(), OneHotEncoder(sparse_output=False)), [14])])


TREES = {
    "tree": lambda: DecisionTreeClassifier(max_depth=5),
    "forest": lambda: RandomForestClassifier(10, max_depth=6),
    "forest_regressor": lambda: RandomForestRegressor(10, max_depth=6),
    "extra_trees": lambda: ExtraTreesClassifier(10, max_depth=6),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=8),
    "boosting_regressor": lambda: GradientBoostingRegressor(n_estimators=12),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=6),
    "histograms_regressor": lambda: HistGradientBoostingRegressor(max_iter=10),
    "isolation_outliers": lambda: IsolationForest(n_estimators=10, random_state=0),
    "ada_boosting": lambda: AdaBoostClassifier(n_estimators=5),
    "scaler_forest": lambda: make_pipeline(
        StandardScaler(), RandomForestClassifier(8, max_depth=5)),
}
OTHERS = {
    "neighbours": lambda: KNeighborsClassifier(5),
    "neighbours_regressor": lambda: KNeighborsRegressor(3, weights="distance"),
    "scaler_vectors_regressor": lambda: make_pipeline(StandardScaler(), SVR()),
    "vectors_probability": lambda: SVC(kernel="poly", degree=2, probability=True),
    "process_regressor": lambda: GaussianProcessRegressor(alpha=0.1),
    "columns_logistic": lambda: make_pipeline(columns(), LogisticRegression()),
    "columns_forest": lambda: make_pipeline(
        columns(), RandomForestClassifier(6, max_depth=4)),
    "imputer_logistic": lambda: make_pipeline(SimpleImputer(), LogisticRegression()),
    "bayes": GaussianNB,
    "mixture": lambda: GaussianMixture(3, random_state=0),
    "voting": lambda: VotingClassifier(
        [("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=4))],
        voting="soft"),
    "stacking": lambda: StackingClassifier(
        [("a", LogisticRegression()), ("b", RandomForestClassifier(4, max_depth=4))]),
    "calibrated": lambda: CalibratedClassifierCV(
        RandomForestClassifier(4, max_depth=4), cv=2),
}


def lightgbm(kind, **options):
    def make():
        import lightgbm as package
        return getattr(package, kind)(n_estimators=5, verbose=-1, **options)
    return make


def xgboost(kind, **options):
    def make():
        import xgboost as package
        return getattr(package, kind)(n_estimators=6, max_depth=4, **options)
    return make


def catboost(kind, **options):
    def make():
        import catboost as package
        return getattr(package, kind)(
            iterations=8, depth=4, verbose=False, allow_writing_files=False, **options)
    return make


BOOSTING = {
    "lightgbm": lightgbm("LGBMClassifier"),
    "lightgbm_regressor": lightgbm("LGBMRegressor"),
    "lightgbm_dart_regressor": lightgbm("LGBMRegressor", boosting_type="dart"),
    "lightgbm_forest": lightgbm("LGBMClassifier", boosting_type="rf",
                                bagging_freq=1, bagging_fraction=0.7),
    "xgboost": xgboost("XGBClassifier"),
    "xgboost_regressor": xgboost("XGBRegressor"),
    "xgboost_poisson_regressor": xgboost("XGBRegressor", objective="count:poisson"),
    "xgboost_forest": xgboost("XGBRFClassifier"),
    "catboost": catboost("CatBoostClassifier"),
    "catboost_regressor": catboost("CatBoostRegressor"),
}


def convert(name, model, example):
    if name.startswith("catboost"):
        import onnx
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            model.save_model(file.name, format="onnx")
            return onnx.load(file.name)
    if name.startswith(("lightgbm", "xgboost")):
        import onnxmltools
        from onnxmltools.convert.common.data_types import FloatTensorType
        types = [("X", FloatTensorType([1, 16]))]
        if name.startswith("lightgbm"):
            return onnxmltools.convert_lightgbm(model, initial_types=types, zipmap=False)
        return onnxmltools.convert_xgboost(model, initial_types=types)
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    if isinstance(last, ClassifierMixin) and not isinstance(last, LinearSVC):
        return to_onnx(model, example, target_opset=17,
                       options={id(model): {"zipmap": False}})
    return to_onnx(model, example, target_opset={"": 17, "ai.onnx.ml": 3})


def main():
    x, labels = make_classification(400, 16, n_informative=8, n_classes=3,
                                    random_state=0)
    _, values = make_regression(400, 16, random_state=0)
    x = x.astype(np.float32)

    def export(name, make, folder):
        np.random.seed(0)
        model = make()
        model.fit(x, np.abs(values) if "poisson" in name else
                  values if name.endswith(("ridge", "regressor")) else labels)
        made = convert(name, model, x[:1])
        (folder / "model.onnx").write_bytes(made.SerializeToString())
        np.savez(folder / "samples.npz",
                 **{made.graph.input[0].name: x[:SAMPLES, None]})

    export_all(make_parser(__doc__).parse_args(),
               {**NETWORKS, **TREES, **OTHERS, **BOOSTING}, export)


if __name__ == "__main__":
    main()

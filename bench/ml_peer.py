"""Trains one model with another library and prints the seconds and the memory as JSON, as `trainyard-bench-ml` does.

A process of its own per measurement: `bench/ml.py` sets the number of threads in its environment. Imports, and reading the
table, are not measured. Models have the defaults of their library unless a comment says otherwise.
"""

import argparse
import ctypes
import importlib
import json
import pathlib
import tempfile
import time
import warnings

import numpy

warnings.filterwarnings("ignore")

# Seconds for which predictions are repeated.
TIMED_S = 0.3
# Maximum number of predicted rows of one call each.
SINGLE_ROWS = 1_000


def status_mb(name):
    with open("/proc/self/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name)) / 1024


class Data:
    """The rows to train on and those to predict. Targets of a classification are indices into `classes`."""

    def __init__(self, arguments):
        self.is_regression = arguments.task == "regression"
        self.categories = []
        if arguments.form == "matrix":
            train, test = (
                numpy.fromfile(path.with_suffix(".f64")).reshape(-1, arguments.columns)
                for path in (arguments.train, arguments.test)
            )
            self.rows, self.queried = (numpy.ascontiguousarray(part[:, :-1]) for part in (train, test))
            self.targets, self.classes = train[:, -1].astype(int), ["0", "1"]
            return
        import pandas

        train, test = (pandas.read_pickle(path.with_suffix(".pkl")) for path in (arguments.train, arguments.test))
        targets = train.pop("target")
        test = test.drop(columns="target")
        self.categories = [name for name, dtype in train.dtypes.items() if str(dtype) == "category"]
        if self.is_regression:
            self.targets, self.classes = targets.to_numpy(), []
        else:
            self.classes, self.targets = numpy.unique(targets.to_numpy(dtype=str), return_inverse=True)
            self.classes = list(self.classes)
        # Without categories every library gets an array, with which predictions are faster.
        to_input = (lambda frame: frame) if self.categories else (lambda frame: frame.to_numpy())
        self.rows, self.queried = to_input(train), to_input(test)


def sklearn_class(module, name, library):
    """A class of scikit-learn, or the one that its extension puts in its place."""
    if library == "scikit-learn-intelex":
        from sklearnex import patch_sklearn

        patch_sklearn(verbose=False)
    return getattr(importlib.import_module(f"sklearn.{module}"), name)


def estimator(library, model, data, arguments):
    threads, regression = arguments.threads, data.is_regression
    if library in SEARCHES:
        return SEARCHES[library](data, arguments)
    if model in ("boosting", "boosting-equal"):
        return booster(library, model == "boosting-equal", data, threads)
    if library == "lightgbm":
        import lightgbm

        return lightgbm.LGBMClassifier(
            boosting_type="rf", n_estimators=100, num_leaves=255, bagging_freq=1, bagging_fraction=0.632,
            feature_fraction=0.3, n_jobs=threads, verbose=-1,
        )
    if model == "forest":
        name = "RandomForestRegressor" if regression else "RandomForestClassifier"
        forest = sklearn_class("ensemble", name, library)(n_estimators=100, random_state=42, n_jobs=threads)
        return with_columns(forest, data, scale=False)
    linear = {
        "svm": lambda: sklearn_class("svm", "SVC", library)(),
        "svm-calibrated": lambda: sklearn_class("svm", "SVC", library)(probability=True, random_state=42),
        "logistic": lambda: sklearn_class("linear_model", "LogisticRegression", library)(max_iter=1_000),
    }[model]()
    return linear if arguments.form == "matrix" else with_columns(linear, data, scale=True)


def with_columns(model, data, scale):
    """A pipeline with one column per category. With `scale` numbers are imputed and standardized."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    if not data.categories:
        return make_pipeline(numbers, model) if scale else model
    one_hot = (OneHotEncoder(handle_unknown="ignore"), data.categories)
    others = numbers if scale else "passthrough"
    columns = ColumnTransformer([("one_hot", *one_hot)], remainder=others, sparse_threshold=0)
    return make_pipeline(columns, model)


def booster(library, equal, data, threads):
    """`equal` has 100 rounds with 31 leaves and a learning rate of 0.1, leaf by leaf and without early stopping."""
    kind = "Regressor" if data.is_regression else "Classifier"
    if library == "lightgbm":
        import lightgbm

        # The defaults: 100 rounds, 31 leaves, a learning rate of 0.1.
        return getattr(lightgbm, f"LGBM{kind}")(n_jobs=threads, random_state=42, verbose=-1)
    if library == "xgboost":
        import xgboost

        options = {"n_estimators": 100, "grow_policy": "lossguide", "max_leaves": 31, "max_depth": 0, "learning_rate": 0.1}
        options = (options if equal else {}) | {"enable_categorical": bool(data.categories)}
        return getattr(xgboost, f"XGB{kind}")(n_jobs=threads, random_state=42, tree_method="hist", **options)
    if library == "catboost":
        import catboost

        # CatBoost takes categories as texts, without missing ones.
        for frame in (data.rows, data.queried) if data.categories else ():
            for name in data.categories:
                frame[name] = frame[name].astype(object).where(frame[name].notna(), "missing").astype(str)
        options = {"iterations": 100, "grow_policy": "Lossguide", "max_leaves": 31, "learning_rate": 0.1}
        options = (options if equal else {}) | {"cat_features": data.categories or None}
        return getattr(catboost, f"CatBoost{kind}")(
            thread_count=threads, random_seed=42, verbose=0, allow_writing_files=False, **options
        )
    from sklearn import ensemble

    # The defaults: 100 rounds, 31 leaves, a learning rate of 0.1, and early stopping for more than 10,000 rows.
    early = False if equal else "auto"
    return getattr(ensemble, f"HistGradientBoosting{kind}")(random_state=42, early_stopping=early)


class Flaml:
    """FLAML's search within the time budget. XGBoost is left out: FLAML needs a version before 3."""

    def __init__(self, data, arguments):
        from flaml import AutoML

        self.is_regression, self.arguments, self.model = data.is_regression, arguments, AutoML()

    def fit(self, rows, targets):
        linear = [] if self.is_regression else ["lrl1"]
        self.model.fit(
            rows, targets, task=self.arguments.task, metric="rmse" if self.is_regression else "log_loss",
            time_budget=self.arguments.budget, n_jobs=self.arguments.threads, seed=42, verbose=0,
            estimator_list=["lgbm", "rf", "extra_tree", "catboost", *linear],
        )

    def predict(self, rows):
        return self.model.predict(rows)

    def predict_proba(self, rows):
        return self.model.predict_proba(rows)


class AutoGluon:
    """AutoGluon with the presets `medium_quality` within the time budget."""

    def __init__(self, data, arguments):
        from autogluon.tabular import TabularPredictor

        self.arguments, self.folder = arguments, tempfile.TemporaryDirectory()
        kind = "regression" if data.is_regression else "multiclass" if len(data.classes) > 2 else "binary"
        metric = "root_mean_squared_error" if data.is_regression else "log_loss"
        self.model = TabularPredictor("target", problem_type=kind, eval_metric=metric, path=self.folder.name, verbosity=0)

    def frame(self, rows):
        import pandas

        return pandas.DataFrame(rows) if isinstance(rows, numpy.ndarray) else rows

    def fit(self, rows, targets):
        self.model.fit(
            self.frame(rows).assign(target=targets), time_limit=self.arguments.budget, presets="medium_quality",
            num_cpus=self.arguments.threads,
        )

    def predict(self, rows):
        return self.model.predict(self.frame(rows)).to_numpy()

    def predict_proba(self, rows):
        return self.model.predict_proba(self.frame(rows)).to_numpy()


SEARCHES = {"flaml": Flaml, "autogluon": AutoGluon}


def outputs(fitted, rows, is_regression):
    """The numbers, or the probabilities of all classes; without calibration the sigmoid of the decision value."""
    if is_regression:
        return numpy.asarray(fitted.predict(rows), dtype="f8")
    if hasattr(fitted, "predict_proba"):
        return numpy.asarray(fitted.predict_proba(rows), dtype="f8")
    positive = 1 / (1 + numpy.exp(-fitted.decision_function(rows)))
    return numpy.column_stack([1 - positive, positive])


def seconds_of(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def median_us(calls):
    """The median of the microseconds of calls, for a limited time; the first call is not counted."""
    found, start = [], time.perf_counter()
    for call in calls:
        found.append(seconds_of(call))
        if len(found) > 3 and time.perf_counter() - start > TIMED_S:
            break
    return float(numpy.median(found[1:] or found)) * 1e6


def prediction_times(predict, queried):
    """Microseconds of a prediction for one row, and per row of a batch."""
    take = (lambda at: queried[at : at + 1]) if isinstance(queried, numpy.ndarray) else (lambda at: queried.iloc[[at]])
    single = [take(at) for at in range(min(len(queried), SINGLE_ROWS))]
    row_us = median_us((lambda row=row: predict(row)) for row in single)
    batch_us = median_us((lambda: predict(queried)) for _ in range(50)) / len(queried)
    return {"row_us": row_us, "batch_us": batch_us}


def lightgbm_row_us(fitted, queried):
    """LightGBM's fast path for one row, a function of its C interface, without the overhead of its Python classes."""
    from lightgbm.basic import _LIB

    booster, columns, fast = fitted.booster_, queried.shape[1], ctypes.c_void_p()
    # 0: predictions as usual, from the first round to the last; 1: the numbers are f64.
    made = _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle, 0, 0, -1, 1, ctypes.c_int32(columns), ctypes.c_char_p(b"num_threads=1"), ctypes.byref(fast)
    )
    assert made == 0, "LightGBM has no fast path"
    found, length = (ctypes.c_double * max(1, fitted.n_classes_ if hasattr(fitted, "n_classes_") else 1))(), ctypes.c_int64()
    rows = [queried[at].ctypes.data_as(ctypes.c_void_p) for at in range(min(len(queried), SINGLE_ROWS))]
    function = _LIB.LGBM_BoosterPredictForMatSingleRowFast
    predict = lambda row: function(fast, row, ctypes.byref(length), found)
    microseconds = median_us((lambda row=row: predict(row)) for row in rows)
    _LIB.LGBM_FastConfigFree(fast)
    return microseconds


def onnx_times(fitted, queried, threads):
    """The same forest in ONNX Runtime."""
    import onnxruntime
    from skl2onnx import to_onnx

    numbers = queried.astype("f4")
    converted = to_onnx(fitted, numbers[:1], options={"zipmap": False})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(converted.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [session.get_outputs()[-1].name]
    input_name = session.get_inputs()[0].name
    return prediction_times(lambda rows: session.run(names, {input_name: rows}), numbers)


def main():
    parser = argparse.ArgumentParser()
    for name in ("--library", "--model", "--form", "--task"):
        parser.add_argument(name, required=True)
    for name in ("--train", "--test", "--out"):
        parser.add_argument(name, required=True, type=pathlib.Path)
    parser.add_argument("--columns", type=int, help="of a matrix, with the class")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--budget", type=float, help="seconds of a search")
    parser.add_argument("--onnx", action="store_true", help="also predict with ONNX Runtime")
    arguments = parser.parse_args()
    data = Data(arguments)
    fitted = estimator(arguments.library, arguments.model, data, arguments)
    with open("/proc/self/clear_refs", "w", encoding="utf-8") as reset:
        reset.write("5")
    before = status_mb("VmRSS:")
    seconds = seconds_of(lambda: fitted.fit(data.rows, data.targets))
    peak = status_mb("VmHWM:")
    outputs(fitted, data.queried, data.is_regression).astype("<f8").tofile(arguments.out)
    answer = {"fit_s": seconds, "fit_mb": max(0.0, peak - before), "peak_mb": peak, "classes": data.classes}
    if arguments.form == "table" and arguments.library not in SEARCHES:
        answer |= prediction_times(lambda rows: outputs(fitted, rows, data.is_regression), data.queried)
        if arguments.library == "lightgbm" and not data.categories:
            answer["row_us"] = lightgbm_row_us(fitted, data.queried)
        if arguments.onnx:
            answer["also"] = {"onnxruntime": onnx_times(fitted, data.queried, arguments.threads)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

"""Trains one model with another library and prints the seconds and the memory as JSON, as `trainyard-bench-ml` does.

A process of its own per measurement: `bench/ml.py` sets the number of threads in its environment. The import is not
measured.
"""

import argparse
import json
import time
import warnings

import numpy

warnings.filterwarnings("ignore")

# Seconds of a search, also in `trainyard-bench-ml`.
BUDGET_S = 60


def status_mb(name):
    with open("/proc/self/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name)) / 1024


def estimator(library, model, threads):
    """The estimator with its defaults: 100 trees; an RBF kernel with C = 1 and gamma `scale`; an L2 penalty of 1.

    `boosting-equal` has 100 rounds with 31 leaves and a learning rate of 0.1, leaf by leaf and without early stopping.
    """
    if model in ("boosting", "boosting-equal"):
        return booster(library, model == "boosting-equal", threads)
    if library == "flaml":
        return Searched(threads)
    if library == "lightgbm":
        import lightgbm

        return lightgbm.LGBMClassifier(
            boosting_type="rf", n_estimators=100, num_leaves=255, bagging_freq=1, bagging_fraction=0.632,
            feature_fraction=0.3, n_jobs=threads, verbose=-1,
        )
    if library == "scikit-learn-intelex":
        from sklearnex import patch_sklearn

        patch_sklearn(verbose=False)
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    return {
        "svm": lambda: SVC(),
        "svm-calibrated": lambda: SVC(probability=True, random_state=42),
        "logistic": lambda: LogisticRegression(max_iter=1_000),
        "forest": lambda: RandomForestClassifier(n_estimators=100, random_state=42, n_jobs=threads),
    }[model]()


def booster(library, equal, threads):
    if library == "lightgbm":
        from lightgbm import LGBMClassifier

        # The defaults: 100 rounds, 31 leaves, a learning rate of 0.1.
        return LGBMClassifier(n_jobs=threads, random_state=42, verbose=-1)
    if library == "xgboost":
        from xgboost import XGBClassifier

        options = {"n_estimators": 100, "grow_policy": "lossguide", "max_leaves": 31, "max_depth": 0, "learning_rate": 0.1}
        return XGBClassifier(n_jobs=threads, random_state=42, tree_method="hist", **(options if equal else {}))
    if library == "catboost":
        from catboost import CatBoostClassifier

        options = {"iterations": 100, "grow_policy": "Lossguide", "max_leaves": 31, "learning_rate": 0.1}
        return CatBoostClassifier(
            thread_count=threads, random_seed=42, verbose=0, allow_writing_files=False, **(options if equal else {})
        )
    from sklearn.ensemble import HistGradientBoostingClassifier

    # The defaults: 100 rounds, 31 leaves, a learning rate of 0.1, and early stopping for more than 10,000 rows.
    return HistGradientBoostingClassifier(random_state=42, early_stopping=False if equal else "auto")


class Searched:
    """FLAML's search for the model with the smallest log loss, within the time budget.

    XGBoost is left out: FLAML needs a version before 3.
    """

    def __init__(self, threads):
        self.threads = threads

    def fit(self, rows, classes):
        from flaml import AutoML

        self.model = AutoML()
        self.model.fit(
            rows, classes, task="classification", metric="log_loss", time_budget=BUDGET_S, n_jobs=self.threads,
            seed=42, verbose=0, estimator_list=["lgbm", "rf", "extra_tree", "catboost", "lrl1"],
        )

    def predict_proba(self, rows):
        return self.model.predict_proba(rows)


def scores(fitted, rows):
    """Probabilities of class 1; without calibration the sigmoid of the decision value."""
    if hasattr(fitted, "predict_proba"):
        return fitted.predict_proba(rows)[:, 1]
    return 1 / (1 + numpy.exp(-fitted.decision_function(rows)))


def main():
    parser = argparse.ArgumentParser()
    for name in ("--library", "--model", "--train", "--test", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--columns", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    table = numpy.fromfile(arguments.train).reshape(-1, arguments.columns)
    rows, classes = numpy.ascontiguousarray(table[:, :-1]), table[:, -1].astype(int)
    queried = numpy.ascontiguousarray(numpy.fromfile(arguments.test).reshape(-1, arguments.columns)[:, :-1])
    del table
    fitted = estimator(arguments.library, arguments.model, arguments.threads)
    with open("/proc/self/clear_refs", "w", encoding="utf-8") as reset:
        reset.write("5")
    before = status_mb("VmRSS:")
    start = time.perf_counter()
    fitted.fit(rows, classes)
    seconds = time.perf_counter() - start
    peak = status_mb("VmHWM:")
    scores(fitted, queried).astype("<f8").tofile(arguments.out)
    print(json.dumps({"fit_s": seconds, "fit_mb": max(0.0, peak - before), "peak_mb": peak}))


if __name__ == "__main__":
    main()

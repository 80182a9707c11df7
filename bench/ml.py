"""`make bench-ml`: the training engines beside scikit-learn, its Intel extension, LightGBM, XGBoost, CatBoost and FLAML.

Every measurement is a process of its own that reads a fold of a table, trains one model and predicts the held-out rows. It may
use as many cores as it has threads. In each round every contender trains on the same fold, one after the other; rounds use
different folds. All cases have their first round before any has its second one, so a run that reaches its time limit has
fewer rounds, and not fewer cases. `ml_tables.py` has the tables, `ml_peer.py` the other libraries, `ml_report.py` the goals.
"""

import argparse
import dataclasses
import importlib.metadata
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import numpy
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

import ml_report
import ml_tables

OURS, REFERENCE = "Trainyard", "scikit-learn"
INTEL = "scikit-learn-intelex"
BOOSTERS = ("lightgbm", "xgboost", "catboost")
PEER = pathlib.Path(__file__).with_name("ml_peer.py")
AUTOGLUON = pathlib.Path("target/tools/autogluon/bin/python")
# A measurement of another library that takes longer is stopped.
TIMEOUT_S = 240
# Settings for older BLAS libraries, which would make the current ones slower.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
ALGORITHMS = {
    "forest": "random_forest", "boosting": "gradient_boosting", "svm-calibrated": "svm", "logistic": "logistic_regression",
    "auto": "auto",
}


@dataclasses.dataclass(frozen=True)
class Case:
    model: str
    table: str
    # `matrix`: an engine alone, on numbers. `table`: a job, from a CSV with categories.
    form: str = "table"
    rounds: int = 3
    threads: tuple = (2,)
    contenders: tuple = ()
    # Part of a quick run.
    quick: bool = False
    # Only measured on request.
    large: bool = False


ENGINES = [
    Case("svm", "4 k × 20", "matrix", 3, (1, 2), quick=True),
    Case("svm", "10 k × 20", "matrix", 3, (1, 2)),
    Case("svm-calibrated", "4 k × 20", "matrix", 3, (1, 2), quick=True),
    Case("svm-calibrated", "10 k × 20", "matrix", 2, (1, 2)),
    Case("logistic", "10 k × 20", "matrix", 3, (1, 2), quick=True),
    Case("logistic", "100 k × 30", "matrix", 2, (1, 2)),
    Case("forest", "10 k × 20", "matrix", 3, (1, 2), quick=True),
    Case("forest", "100 k × 30", "matrix", 1, (1, 2)),
    Case("boosting-equal", "10 k × 20", "matrix", 3, (1, 2), quick=True),
    Case("boosting-equal", "100 k × 30", "matrix", 2, (1, 2)),
    Case("boosting", "100 k × 30", "matrix", 1),
    Case("logistic", "1 M × 20", "matrix", 1, large=True),
    Case("forest", "1 M × 20", "matrix", 1, contenders=(OURS, INTEL, "lightgbm"), large=True),
    Case("boosting-equal", "1 M × 20", "matrix", 1, contenders=(OURS, REFERENCE, "lightgbm", "xgboost"), large=True),
]
QUICK_TABLES = ("titanic", "breast_cancer", "concrete", "churn")
# Several classes multiply the trees; CatBoost needs minutes for these tables.
LONG_TABLES = ("splice", "letter", "digits", "diamonds")
REAL_TABLES = (
    "titanic", "breast_cancer", "german", "pima", "spambase", "churn", "telco", "wine", "diabetes", "concrete", "magic",
    *LONG_TABLES,
)
FOREST_TABLES = ("titanic", "breast_cancer", "german", "churn", "spambase", "magic", "letter", "diabetes", "concrete", "diamonds")
AUTO_TABLES = ("titanic", "german", "churn", "concrete", "spambase", "diamonds")
JOBS = [
    Case("forest", "10 k × 20", threads=(1,), rounds=2, quick=True),
    Case("boosting", "10 k × 20", threads=(1,), rounds=2, contenders=(OURS, REFERENCE, "lightgbm"), quick=True),
    *(Case("forest", name, rounds=2, quick=name in QUICK_TABLES) for name in FOREST_TABLES),
    *(Case(model, name, rounds=2, quick=name == "titanic") for model in ("svm-calibrated", "logistic") for name in ("titanic", "german", "churn")),
    *(
        Case("boosting", name, rounds=1 if name in LONG_TABLES else 3, quick=name in QUICK_TABLES)
        for name in REAL_TABLES
    ),
    *(Case("auto", name, rounds=1, quick=name == "titanic") for name in AUTO_TABLES),
]


def log(text):
    print(text, file=sys.stderr, flush=True)


def version(library):
    """The version of an installed library; `None` if it is not installed."""
    if library == "autogluon":
        program = "import importlib.metadata as m; print(m.version('autogluon.tabular'))"
        return subprocess.check_output([AUTOGLUON, "-c", program], text=True).strip() if AUTOGLUON.exists() else None
    try:
        return importlib.metadata.version({"xgboost": "xgboost-cpu"}.get(library, library))
    except importlib.metadata.PackageNotFoundError:
        return None


def contenders(case, is_regression):
    if case.model == "auto":
        singles = ["random_forest", "extra_trees", "gradient_boosting", "svm", "ridge" if is_regression else "logistic_regression"]
        found = [OURS, "flaml", "autogluon", *(f"{OURS} {name}" for name in singles)]
        # The search has no support vector machine above 10,000 rows, either.
        found = [name for name in found if not (name.endswith(" svm") and case.table == "diamonds")]
    elif case.contenders:
        found = list(case.contenders)
    elif case.model.startswith("boosting"):
        found = [OURS, REFERENCE, *BOOSTERS]
    elif case.form == "matrix":
        found = [OURS, REFERENCE, INTEL] + ["lightgbm"] * (case.model == "forest")
    else:
        found = [OURS, REFERENCE]
    return [name for name in found if name.startswith(OURS) or version(name)]


def command(contender, case, fold, columns, threads, is_regression, options):
    task = "regression" if is_regression else "classification"
    out = fold.train.with_suffix(".out")
    budget = ["--budget", options.budget] if case.model == "auto" and contender in (OURS, "flaml", "autogluon") else []
    if not contender.startswith(OURS):
        python = AUTOGLUON if contender == "autogluon" else sys.executable
        onnx = ["--onnx"] * (case.model == "forest" and case.form == "table" and case.threads == (1,))
        return [
            python, PEER, "--library", contender, "--model", case.model, "--form", case.form, "--task", task, "--train", fold.train,
            "--test", fold.test, "--out", out, "--columns", columns, "--threads", threads, *budget, *onnx,
        ]
    files = lambda extension: ["--train", fold.train.with_suffix(extension), "--test", fold.test.with_suffix(extension), "--out", out]
    if case.form == "matrix":
        return [options.binary, "--threads", threads, "matrix", "--model", case.model, "--columns", columns, *files(".f64")]
    algorithm = contender.removeprefix(OURS).strip() or ALGORITHMS[case.model]
    target = ["--algorithm", algorithm, "--target", ml_tables.TARGET, "--task", task]
    return [options.binary, "--threads", threads, "table", *target, *budget, *files(".csv")]


def run(contender, case, fold, columns, threads, is_regression, options):
    """One measurement. If there is none, the result has only `error`."""
    program = command(contender, case, fold, columns, threads, is_regression, options)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    cores = sorted(os.sched_getaffinity(0))[:threads]
    try:
        answer = subprocess.run(
            [str(part) for part in program], capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
            env=environment | {name: str(threads) for name in names}, preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
    except subprocess.TimeoutExpired:
        return {"error": f"stopped after {TIMEOUT_S} s"}
    if answer.returncode != 0:
        lines = answer.stderr.strip().splitlines() or ["no message"]
        return {"error": f"failed: {lines[-1][:200]}"}
    result = json.loads(answer.stdout.splitlines()[-1])
    return result | quality(numpy.fromfile(fold.train.with_suffix(".out")), fold.actual, result.pop("classes"), is_regression)


def quality(found, actual, classes, is_regression):
    """The metrics of the held-out rows, and the loss of each row."""
    if is_regression:
        losses = (found - actual) ** 2
        return {"rmse": float(numpy.sqrt(losses.mean())), "r2": r2_score(actual, found), "losses": losses}
    found = found.reshape(len(actual), len(classes))
    codes = numpy.array([classes.index(label) for label in actual])
    losses = -numpy.log(numpy.clip(found[numpy.arange(len(codes)), codes], 1e-15, 1))
    shares = found / found.sum(axis=1, keepdims=True)
    auc = roc_auc_score(codes, found[:, 1]) if len(classes) == 2 else roc_auc_score(codes, shares, multi_class="ovr")
    return {"accuracy": accuracy_score(codes, found.argmax(axis=1)), "auc": auc, "log_loss": float(losses.mean()), "losses": losses}


def measure(cases, options, folder):
    """Results by case and thread count, by contender, by round; and what was left out, in sentences."""
    deadline, results, capped, shapes = time.monotonic() + options.minutes * 60, {}, [], {}
    for number in range(max(case.rounds for case in cases)):
        for case in cases:
            if number >= min(case.rounds, options.rounds):
                continue
            # A search and its budget end in time.
            needed = 3 * options.budget if case.model == "auto" else 0
            if time.monotonic() + needed > deadline:
                capped.append(f"{case.model}, {case.table}, {case.form}: only {number} of {case.rounds} rounds, because of the time limit")
                continue
            found = ml_tables.TABLES[case.table]()
            shapes[case.table] = ml_tables.described(case.table, found)
            fold = ml_tables.write_fold(found, folder, number, case.form == "matrix")
            for threads in case.threads:
                by_contender = results.setdefault((case, threads), {})
                for contender in contenders(case, found.is_regression):
                    if any("error" in result for result in by_contender.get(contender, {}).values()):
                        continue
                    result = run(contender, case, fold, found.frame.shape[1], threads, found.is_regression, options)
                    what = f"{case.model}, {case.table}, {case.form}, {threads} threads: {contender}"
                    log(f"round {number + 1}, {what}: " + (result.get("error") or f"{result['fit_s']:.4f} s"))
                    if "error" in result:
                        capped.append(f"{what} {result['error']}")
                    by_contender.setdefault(contender, {})[number] = result
                    for other, times in result.pop("also", {}).items():
                        by_contender.setdefault(other, {})[number] = times
            shutil.rmtree(folder)
            folder.mkdir()
    return results, capped, shapes


def main():
    parser = argparse.ArgumentParser(description="Measures the training engines beside other libraries.")
    parser.add_argument("--binary", default="target/dist/trainyard-bench-ml", help="the program of our engines")
    parser.add_argument("--only", action="append", choices=list(ml_report.NAMES), help="a model; can be repeated")
    parser.add_argument("--table", action="append", choices=list(ml_tables.TABLES), help="a table; can be repeated")
    parser.add_argument("--rounds", type=int, default=5, help="at most this many rounds of a case")
    parser.add_argument("--minutes", type=float, help="no measurement begins after this time (default: 42, quick 4)")
    parser.add_argument("--budget", type=float, help="seconds of a search (default: 60, quick 15)")
    parser.add_argument("--quick", action="store_true", help="one round of small tables")
    parser.add_argument("--large", action="store_true", help="also the table with a million rows")
    parser.add_argument("--report", type=pathlib.Path, help="also write the report to this file")
    options = parser.parse_args()
    options.rounds = min(options.rounds, 1) if options.quick else options.rounds
    options.minutes = options.minutes or (4 if options.quick else 42)
    options.budget = options.budget or (15 if options.quick else 60)
    cases = [case for case in ENGINES + JOBS if not case.large or options.large]
    cases = [case for case in cases if case.quick or not options.quick]
    cases = [case for case in cases if options.only is None or case.model in options.only]
    cases = [case for case in cases if options.table is None or case.table in options.table]
    if not cases:
        parser.error("no case has this model and this table")
    folder = pathlib.Path("target/bench-ml")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    started, load = time.monotonic(), os.getloadavg()[0]
    results, capped, shapes = measure(cases, options, folder)
    libraries = (REFERENCE, INTEL, *BOOSTERS, "flaml", "autogluon", "onnxruntime")
    versions = [f"{name} {version(name)}" for name in libraries if version(name)]
    run_facts = {"options": options, "load": (load, os.getloadavg()[0]), "minutes": (time.monotonic() - started) / 60, "versions": versions}
    text, met = ml_report.report(results, capped, shapes, run_facts)
    print(text)
    if options.report:
        options.report.write_text(text, encoding="utf-8")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()

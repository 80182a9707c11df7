"""`make bench-ml`: the training engines beside scikit-learn, its Intel extension, libraries for boosting and FLAML, same folds.

Every measurement is a process of its own that reads a table of numbers, trains one model with the defaults of its library
and predicts the held-out fold. In each round every contender trains on the same fold, one after the other; rounds use
different folds. Ratios are those within a round. Only the fit is timed.
"""

import argparse
import csv
import importlib.metadata
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import numpy
import sklearn
from sklearn.datasets import make_classification
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

FOLDS = 5
OURS, REFERENCE = "Trainyard", "scikit-learn"
PEER = pathlib.Path(__file__).with_name("ml_peer.py")

# Case, table, rounds. A table of n rows has n training rows: a fifth more is held out.
CASES = [
    ("svm", "1 k × 20", 5),
    ("svm", "4 k × 20", 5),
    ("svm", "10 k × 20", 5),
    ("svm-calibrated", "1 k × 20", 5),
    ("svm-calibrated", "4 k × 20", 5),
    ("svm-calibrated", "10 k × 20", 5),
    ("logistic", "10 k × 20", 5),
    ("logistic", "100 k × 30", 5),
    ("forest", "Titanic", 5),
    ("forest", "10 k × 20", 5),
    ("forest", "100 k × 30", 3),
    ("boosting-equal", "10 k × 20", 5),
    ("boosting-equal", "100 k × 30", 3),
    ("boosting", "Titanic", 5),
    ("boosting", "breast cancer", 5),
    ("boosting", "10 k × 20", 5),
    ("boosting", "100 k × 30", 3),
    ("auto", "Titanic", 3),
    ("auto", "breast cancer", 3),
    ("auto", "10 k × 20", 3),
]
SYNTHETIC = {"1 k × 20": (1_000, 20), "4 k × 20": (4_000, 20), "10 k × 20": (10_000, 20), "100 k × 30": (100_000, 30)}
# Model, other library, how many times as fast.
GOALS = [
    ("svm", REFERENCE, 4.0), ("svm-calibrated", REFERENCE, 5.0), ("logistic", REFERENCE, 2.0),
    ("boosting-equal", "lightgbm", 1.2),
]
BOOSTERS = ("lightgbm", "xgboost", "catboost")
SEARCHER = "flaml"
NAMES = {
    "svm": "SVM (RBF)",
    "svm-calibrated": "SVM (RBF) with probabilities",
    "logistic": "logistic regression",
    "forest": "random forest (100 trees)",
    "boosting-equal": "gradient boosting (100 rounds, 31 leaves)",
    "boosting": "gradient boosting",
    "auto": "search within 60 s",
}


def log(text):
    print(text, file=sys.stderr, flush=True)


def titanic():
    """Seven columns of a passenger as numbers; missing values are NaN."""
    with open("datasets/titanic.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    number = lambda text: float(text) if text else math.nan
    code = lambda names: lambda text: float(names.index(text)) if text in names else math.nan
    readers = {
        "sex": code(["female", "male"]), "age": number, "pclass": number, "sibsp": number, "parch": number,
        "fare": number, "embarked": code(["C", "Q", "S"]),
    }
    features = [[read(row[name]) for name, read in readers.items()] for row in rows]
    return numpy.array(features), numpy.array([int(row["survived"]) for row in rows])


def breast_cancer():
    with open("datasets/breast_cancer.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    features = [[float(value) for name, value in row.items() if name != "target"] for row in rows]
    return numpy.array(features), numpy.array([int(row["target"]) for row in rows])


def synthetic(rows, columns):
    features, classes = make_classification(
        n_samples=rows * FOLDS // (FOLDS - 1), n_features=columns, n_informative=columns // 2,
        n_redundant=columns // 5, n_clusters_per_class=4, flip_y=0.05, class_sep=0.8, random_state=7,
    )
    return StandardScaler().fit_transform(features), classes


def folds(name, folder):
    """Files of the training part and the held-out part of each fold, and the held-out classes."""
    real = {"Titanic": titanic, "breast cancer": breast_cancer}
    features, classes = real[name]() if name in real else synthetic(*SYNTHETIC[name])
    table = numpy.column_stack([features, classes]).astype("<f8")
    parts = []
    split = StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(features, classes)
    for number, (train, test) in enumerate(split):
        files = [folder / f"{name.replace(' ', '')}-{number}-{part}.f64" for part in ("train", "test")]
        for path, rows in zip(files, (train, test)):
            numpy.ascontiguousarray(table[rows]).tofile(path)
        parts.append((*files, classes[test]))
    return parts, table.shape[1]


def run(contender, model, part, columns, threads, binary):
    """One measurement: seconds, memory, and the quality on the held-out fold."""
    train, test, actual = part
    out = train.with_suffix(".out")
    program = [binary] if contender == OURS else [sys.executable, str(PEER), "--library", contender]
    options = ["--model", model, "--train", train, "--test", test, "--out", out]
    limits = ["--columns", str(columns), "--threads", str(threads)]
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | {name: str(threads) for name in names}
    answer = subprocess.run(
        [*program, *map(str, options), *limits], check=True, capture_output=True, text=True, env=environment
    )
    result = json.loads(answer.stdout.splitlines()[-1])
    probabilities = numpy.fromfile(out)
    result["accuracy"] = accuracy_score(actual, probabilities >= 0.5)
    result["auc"] = roc_auc_score(actual, probabilities)
    result["log_loss"] = log_loss(actual, numpy.clip(probabilities, 1e-15, 1 - 1e-15))
    return result


def contenders(model, table):
    if model == "auto":
        return [OURS] + [SEARCHER] * bool(has(SEARCHER))
    found = [OURS, REFERENCE]
    if model.startswith("boosting"):
        return found + [name for name in BOOSTERS if has(name)]
    if has("scikit-learn-intelex") and table != "Titanic":
        found.append("scikit-learn-intelex")
    if has("lightgbm") and model == "forest":
        found.append("lightgbm")
    return found


def has(package):
    try:
        return importlib.metadata.version("xgboost-cpu" if package == "xgboost" else package)
    except importlib.metadata.PackageNotFoundError:
        return None


def mean_ranks(results):
    """Per contender the mean rank of its log loss over the tables of gradient boosting, 1 for the smallest."""
    ranks = {}
    for (model, _, threads), by_contender in results.items():
        if model == "boosting" and threads == 2:
            losses = {contender: statistics.mean(of(rounds, "log_loss")) for contender, rounds in by_contender.items()}
            for rank, contender in enumerate(sorted(losses, key=losses.get), 1):
                ranks.setdefault(contender, []).append(rank)
    return {contender: statistics.mean(found) for contender, found in ranks.items()}


def measure(binary, folder, chosen, limit):
    """Per case, thread count and contender: the results of the rounds."""
    results = {}
    for model, table, rounds in CASES:
        if chosen and model not in chosen:
            continue
        parts, columns = folds(table, folder)
        for number in range(min(rounds, limit)):
            # Searches take their budget with any number of threads.
            for threads in (2,) if model == "auto" else (1, 2):
                for contender in contenders(model, table):
                    result = run(contender, model, parts[number % FOLDS], columns, threads, binary)
                    log(f"{NAMES[model]}, {table}, round {number + 1}, {threads} threads: {contender} {result['fit_s']:.4f} s")
                    results.setdefault((model, table, threads), {}).setdefault(contender, []).append(result)
        for path in folder.glob("*"):
            path.unlink()
    return results


def of(results, name):
    return [result[name] for result in results]


def ratio(by_contender, other):
    """The median over the rounds of `their seconds / our seconds`: how many times as fast we are."""
    pairs = zip(by_contender[OURS], by_contender[other])
    return statistics.median(theirs["fit_s"] / ours["fit_s"] for ours, theirs in pairs)


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def report(results, load):
    describe = ["git", "describe", "--always", "--dirty"]
    version = subprocess.run(describe, capture_output=True, text=True, check=False).stdout
    peers = [f"{name} {has(name)}" for name in ("scikit-learn-intelex", *BOOSTERS, SEARCHER) if has(name)]
    lines = [
        "# Training engines, measured",
        "",
        f"- `make bench-ml` on {time.strftime('%Y-%m-%d')}, commit {version.strip()}.",
        f"- {os.cpu_count()} cores ({processor()}); load average before: {load[0]:.2f}, after: {load[1]:.2f}.",
        f"- {', '.join([f'scikit-learn {sklearn.__version__}', *peers])} on Python {platform.python_version()}.",
        "- Defaults of each library (`bench/ml_peer.py`). One process per measurement, contenders in turns on the same folds;"
        " seconds and memory are those of the fit. The times are medians with their range, the ratio is the median of the"
        " ratios within a round; memory is the largest, quality the mean on the held-out folds.",
        "- The log loss of an SVM without probabilities is that of the sigmoid of its decision value and means nothing.",
        "- A search has a budget of 60 s for everything. Ours also measures its model on 5 % of the training rows, which it"
        " does not learn from.",
        "",
        "| model | training rows × columns | threads | contender | fit, s | range | time ÷ Trainyard | memory, MB | accuracy | AUC | log loss |",
        "|---|---|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (model, table, threads), by_contender in results.items():
        for contender, rounds in by_contender.items():
            seconds = of(rounds, "fit_s")
            times = "–" if contender == OURS else f"{ratio(by_contender, contender):.1f}"
            quality = [f"{statistics.mean(of(rounds, name)):.4f}" for name in ("accuracy", "auc", "log_loss")]
            if model == "svm":
                quality[2] = "–"
            lines.append(
                f"| {NAMES[model]} | {table} | {threads} | {contender} | {statistics.median(seconds):.4f} "
                f"| {min(seconds):.4f} to {max(seconds):.4f} | {times} | {max(of(rounds, 'fit_mb')):.0f} "
                f"| {' | '.join(quality)} |"
            )
    lines += ["", "| goal | measured | |", "|---|---:|---|"]
    goals = []
    for (model, table, threads), by_contender in results.items():
        for goal_model, other, factor in GOALS:
            # The goals are for 4,000 rows and more; below, the start of a thread is measured.
            if model == goal_model and table != "1 k × 20" and other in by_contender:
                value = ratio(by_contender, other)
                what = f"{NAMES[model]}, {table}, {threads} threads: at least {factor:g} × {other}"
                goals.append((what, value, value >= factor))
    ranks = mean_ranks(results)
    if "catboost" in ranks:
        what = f"{NAMES['boosting']}: a mean rank of the log loss at most that of catboost, {ranks['catboost']:.2f}"
        goals.append((what, ranks[OURS], ranks[OURS] <= ranks["catboost"]))
    lines += [f"| {what} | {value:.1f} | {'met' if met else '**NOT met**'} |" for what, value, met in goals]
    return "\n".join(lines) + "\n", all(met for _, _, met in goals)


def main():
    parser = argparse.ArgumentParser(description="Measures the training engines beside other libraries.")
    parser.add_argument("--binary", default="target/dist/trainyard-bench-ml", help="the program of our engines")
    parser.add_argument("--only", action="append", choices=list(NAMES), help="a model; can be repeated")
    parser.add_argument("--rounds", type=int, default=FOLDS, help="at most this many rounds")
    parser.add_argument("--report", type=pathlib.Path, help="also write the report to this file")
    arguments = parser.parse_args()
    before = os.getloadavg()[0]
    folder = pathlib.Path("target/bench-ml")
    folder.mkdir(parents=True, exist_ok=True)
    results = measure(arguments.binary, folder, arguments.only, arguments.rounds)
    text, met = report(results, (before, os.getloadavg()[0]))
    print(text)
    if arguments.report:
        arguments.report.write_text(text, encoding="utf-8")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()

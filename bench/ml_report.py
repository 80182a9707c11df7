"""The report of `make bench-ml`: one table, the goals, and what was left out."""

import math
import os
import pathlib
import platform
import statistics
import subprocess
import time

OURS, REFERENCE, INTEL = "Trainyard", "scikit-learn", "scikit-learn-intelex"
NAMES = {
    "svm": "SVM (RBF)",
    "svm-calibrated": "SVM (RBF) with probabilities",
    "logistic": "logistic regression",
    "forest": "random forest (100 trees)",
    "boosting-equal": "gradient boosting (100 rounds, 31 leaves)",
    "boosting": "gradient boosting",
    "auto": "search",
}
# Model, other library, how many times as fast the fit of an engine is.
SPEED = [
    ("svm", REFERENCE, 4.0), ("svm", INTEL, 1.8), ("svm-calibrated", REFERENCE, 5.0), ("logistic", REFERENCE, 2.0),
    ("forest", REFERENCE, 25.0), ("forest", INTEL, 2.5), ("boosting-equal", "lightgbm", 1.2), ("boosting", "catboost", 5.0),
]
# Model, other library, measure of a prediction, how many times as fast.
PREDICTION = [
    ("boosting", "lightgbm", "row_us", 5.0), ("forest", "onnxruntime", "row_us", 10.0),
    ("forest", REFERENCE, "batch_us", 8.0), ("forest", "onnxruntime", "batch_us", 10.0),
]
MEMORY_MODELS = ("svm", "svm-calibrated", "forest")
# Standard errors of the mean difference of the losses of the held-out rows that count as noise.
NOISE = 2.0


class Results:
    """Results by case and thread count, by contender, by round."""

    def __init__(self, results):
        self.results = results

    def cases(self, model=None, form=None):
        for (case, threads), by_contender in self.results.items():
            if model in (None, case.model) and form in (None, case.form):
                yield case, threads, by_contender


def rounds(by_contender, *contenders):
    """The results of each contender in the rounds that all of them have finished, in the order of the rounds."""
    found = [{n: r for n, r in by_contender.get(name, {}).items() if "error" not in r} for name in contenders]
    common = sorted(set.intersection(*map(set, found)))
    return [[results[number] for number in common] for results in found]


def ratio(by_contender, other, measure="fit_s"):
    """The median over the rounds of `theirs / ours`; `None` without a common round."""
    ours, theirs = rounds(by_contender, OURS, other)
    pairs = [(a[measure], b[measure]) for a, b in zip(ours, theirs) if measure in a and measure in b]
    return statistics.median(b / a for a, b in pairs) if pairs else None


def mean(results, measure):
    found = [result[measure] for result in results if measure in result]
    return statistics.mean(found) if found else None


def score_of(results):
    """The name of the score, smaller is better."""
    return "rmse" if results and "rmse" in results[0] else "log_loss"


def speed_goals(results):
    for model, other, factor in SPEED:
        for case, threads, by_contender in results.cases(model, "matrix"):
            value = ratio(by_contender, other)
            if value is not None:
                what = f"{NAMES[model]}, {case.table}, {threads} thread{'s' * (threads > 1)}: the fit at least {factor:g} × as fast as {other}"
                yield what, f"{value:.1f} ×", value >= factor
    for model, other, measure, factor in PREDICTION:
        for case, threads, by_contender in results.cases(model, "table"):
            value = ratio(by_contender, other, measure) if case.threads == (1,) else None
            if value is not None:
                kind = "one row" if measure == "row_us" else "a batch"
                what = f"{NAMES[model]}, {case.table}, 1 thread: the prediction of {kind} at least {factor:g} × as fast as {other}"
                yield what, f"{value:.1f} ×", value >= factor


def memory_goals(results):
    for case, threads, by_contender in results.cases(form="matrix"):
        ours, theirs = rounds(by_contender, OURS, REFERENCE)
        if case.model in MEMORY_MODELS and ours and not case.table.startswith(("1 k", "4 k")):
            share = max(r["fit_mb"] for r in ours) / max(1e-9, max(r["fit_mb"] for r in theirs))
            what = f"{NAMES[case.model]}, {case.table}, {threads} thread{'s' * (threads > 1)}: at most a third of {REFERENCE}'s memory"
            yield what, f"{share:.2f}", share <= 1 / 3


def forest_goals(results):
    """The worst table of each metric."""
    limits = [
        ("accuracy", "at most 0.5 points below", lambda ours, theirs: theirs - ours, 0.005, lambda v: f"{v * 100:+.2f} points"),
        ("auc", "at most 0.5 points below", lambda ours, theirs: theirs - ours, 0.005, lambda v: f"{v * 100:+.2f} points"),
        ("log_loss", "at most 2 % above", lambda ours, theirs: ours / theirs - 1, 0.02, lambda v: f"{v * 100:+.1f} %"),
        ("rmse", "at most", lambda ours, theirs: ours / theirs - 1, 0.0, lambda v: f"{v * 100:+.1f} %"),
    ]
    for metric, words, distance, limit, text in limits:
        found = []
        for case, threads, by_contender in results.cases("forest"):
            ours, theirs = (mean(part, metric) for part in rounds(by_contender, OURS, REFERENCE))
            if ours is not None and threads == max(case.threads):
                found.append((distance(ours, theirs), case.table))
        if found:
            worst, table = max(found)
            what = f"{NAMES['forest']}: {metric} {words} {REFERENCE}'s on each of {len(found)} tables"
            yield what, f"worst: {text(worst)} on {table}", worst <= limit


def boosting_goals(results):
    ranks, ratios = {}, []
    for case, _, by_contender in results.cases("boosting", "table"):
        names = [name for name in by_contender if rounds(by_contender, name)[0]]
        if case.threads == (1,) or not {OURS, "catboost"} <= set(names):
            continue
        common = dict(zip(names, rounds(by_contender, *names)))
        if not common[OURS]:
            continue
        means = {name: mean(found, score_of(found)) for name, found in common.items()}
        for rank, name in enumerate(sorted(means, key=means.get), 1):
            ranks.setdefault(name, []).append(rank)
        ratios.append(ratio(by_contender, "catboost"))
        if case.table == "diamonds":
            yield f"{NAMES['boosting']}, diamonds: RMSE at most 525", f"{means[OURS]:.1f}", means[OURS] <= 525
    if ratios:
        found = {name: statistics.mean(values) for name, values in sorted(ranks.items())}
        words = ", ".join(f"{name} {rank:.2f}" for name, rank in sorted(found.items(), key=lambda entry: entry[1]))
        what = f"{NAMES['boosting']}: a mean rank over {len(ratios)} real tables no worse than catboost's"
        yield what, words, found[OURS] <= found["catboost"]
        speed = math.exp(statistics.mean(math.log(value) for value in ratios))
        yield f"{NAMES['boosting']}: at most a fifth of catboost's time (geometric mean over these tables)", f"{speed:.1f} ×", speed >= 5


def search_goals(results):
    for other in ("flaml", "autogluon"):
        better = {}
        for case, _, by_contender in results.cases("auto"):
            ours, theirs = rounds(by_contender, OURS, other)
            if ours:
                score = score_of(ours)
                better[case.table] = mean(ours, score) < mean(theirs, score)
        if better:
            worse = [table for table, is_better in better.items() if not is_better]
            share = 1 - len(worse) / len(better)
            text = f"{len(better) - len(worse)} of {len(better)}" + (f"; not: {', '.join(worse)}" if worse else "")
            # A goal only beside FLAML.
            yield f"search: better than {other} on at least two thirds of the tables", text, share >= 2 / 3 if other == "flaml" else None
    distances = []
    for case, _, by_contender in results.cases("auto"):
        singles = [name for name in by_contender if name.startswith(f"{OURS} ")]
        for name in singles:
            ours, single = rounds(by_contender, OURS, name)
            # Losses of the same rows: the error of their difference is far smaller than that of a score.
            differences = [a - b for run, other in zip(ours, single) for a, b in zip(run["losses"], other["losses"])]
            if len(differences) > 1:
                error = statistics.stdev(differences) / math.sqrt(len(differences))
                distances.append((statistics.mean(differences) / error if error else 0.0, f"{case.table}, {name.split()[1]}"))
        ours = rounds(by_contender, OURS)[0]
        if ours:
            used = [result["search"]["used_s"] / result["search"]["budget_s"] for result in ours]
            yield f"search, {case.table}: uses 90 to 110 % of its budget", f"{min(used):.0%} to {max(used):.0%}", 0.9 <= min(used) and max(used) <= 1.1
    if distances:
        worst, where = max(distances)
        what = f"search: not worse than a default by more than noise, {NOISE:g} standard errors of the difference"
        yield what, f"worst: {worst:+.1f} standard errors ({where})", worst <= NOISE


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def number(value, digits):
    return "–" if value is None else f"{value:.{digits}f}"


def row(case, threads, contender, by_contender, rows_and_columns):
    found = rounds(by_contender, contender)[0]
    seconds = [result["fit_s"] for result in found if "fit_s" in result]
    times = None if contender == OURS else ratio(by_contender, contender)
    memory = [result["fit_mb"] for result in found if "fit_mb" in result]
    # The sigmoid of a decision value is no probability.
    log_loss = None if case.model == "svm" else mean(found, "log_loss")
    return "| " + " | ".join([
        NAMES[case.model], case.form, case.table, rows_and_columns, str(threads), contender, str(len(found)),
        number(statistics.median(seconds) if seconds else None, 4),
        f"{min(seconds):.4f} to {max(seconds):.4f}" if seconds else "–", number(times, 1),
        number(max(memory) if memory else None, 0), number(mean(found, "accuracy"), 4), number(mean(found, "auc"), 4),
        number(log_loss, 4), number(mean(found, "r2"), 4), number(mean(found, "rmse"), 3),
        number(mean(found, "row_us"), 2), number(mean(found, "batch_us"), 3),
    ]) + " |"


def report(measured, capped, shapes, facts):
    results, options, load = Results(measured), facts["options"], facts["load"]
    describe = ["git", "describe", "--always", "--dirty"]
    version = subprocess.run(describe, capture_output=True, text=True, check=False).stdout
    words = ["QUICK=1"] * options.quick + [f"ONLY={name}" for name in options.only or []]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = [
        "# Training engines, measured",
        "",
        f"- `{' '.join(['make bench-ml', *words])}` on {time.strftime('%Y-%m-%d')}, commit {version.strip()}, {facts['minutes']:.0f} minutes.",
        f"- {os.cpu_count()} cores ({processor()}), {memory:.0f} GB; load average before: {load[0]:.2f}, after: {load[1]:.2f}.",
        f"- {', '.join(facts['versions'])}, on Python {platform.python_version()}. The support vector machines of scikit-learn are libsvm's.",
        "- One process per measurement, on as many cores as threads; contenders in turns on the same folds. Times are medians with"
        " their range, and ratios the medians of those within a round. Memory is the largest growth during the fit.",
        "- `matrix`: the fit of an engine on numbers. `table`: a job from a CSV with categories to a model file. Its fit is from the"
        " split to the trained model, with all preprocessing; its memory has the table as well. It does not train on 5 % of the"
        " rows, on which a job measures its metrics. The other libraries get the table as a data frame, with its categories natively"
        " where they support them.",
        f"- A search has {options.budget:g} s for everything.",
        "- Predictions are those within a process: one row, and rows of a batch, in microseconds per row. LightGBM's time for one row"
        " is that of its C interface; scikit-learn and ONNX Runtime are called from Python.",
        "",
        "| model | input | table | training rows × columns | threads | contender | rounds | fit, s | range | time ÷ Trainyard | memory, MB"
        " | accuracy | AUC | log loss | R² | RMSE | one row, µs | batch, µs |",
        "|---|---|---|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for case, threads, by_contender in results.cases():
        size = shapes[case.table].split(": ", 1)[1].split(", ")
        size = f"{size[0].split()[0]} × {size[1].split()[0]}"
        lines += [row(case, threads, contender, by_contender, size) for contender in by_contender]
    goals = [speed_goals, memory_goals, forest_goals, boosting_goals, search_goals]
    found = [goal for group in goals for goal in group(results)]
    verdict = {True: "met", False: "**missed**", None: "for comparison"}
    lines += ["", "| goal | measured | |", "|---|---|---|"]
    lines += [f"| {what} | {value} | {verdict[met]} |" for what, value, met in found]
    lines += ["", "Tables:", "", *(f"- {text}" for text in shapes.values())]
    lines += ["", "Left out:", "", *(f"- {text}" for text in capped or ["nothing"])]
    return "\n".join(lines) + "\n", all(met is not False for _, _, met in found)

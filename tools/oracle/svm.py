#!/usr/bin/python3
"""Writes tests/data/svm.txt: what scikit-learn's LinearSVC and average_precision_score make of tests/data/knn.

Features are divided by their length + 1e-5 as in PCL's and VISSL's scripts (`normal` 1) or left as they are (0). Lines:

    machine labels loss C weight normal class   objective bias |w|^2 w0 w1 w2   elevens area steps
    top labels loss C weight normal             top-1 of the largest decision value
    choice class                                the cost that three folds choose, 0.005 0.1 or 0.5

labels: single, or several: every third row has the class (5 label + 3) mod 12 too. weight: how much the class's own rows cost, 0 for
"balanced". Trained to a tolerance of 1e-11, far below what is compared. Average precision: of all test rows by eleven recalls and by
area, written out here from the VOC development kits' definition, and scikit-learn's."""
import os
import warnings

import numpy as np
from sklearn.metrics import average_precision_score
from sklearn.svm import LinearSVC

here = os.path.dirname(os.path.abspath(__file__))
data = os.path.join(here, "..", "..", "tests", "data")
CLASSES, FOLDS, COSTS = 12, 3, (0.005, 0.1, 0.5)


def load(name, normal):
    x = np.load(os.path.join(data, "knn", name + ".npy")).astype("f8")
    label = np.load(os.path.join(data, "knn", name + "-labels.npy"))
    return x / (np.linalg.norm(x, axis=1, keepdims=True) + 1e-5) if normal else x, label


def members(label, labels):
    y = label[:, None] == np.arange(CLASSES)
    if labels == "several":
        third = np.arange(len(label)) % 3 == 0
        y[third, (5 * label[third] + 3) % CLASSES] = True
    return y


def voc(score, y):
    """The two definitions of the VOC development kits: 2007's, and 2010's."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(y[order])
    recall, precision = hits / y.sum(), hits / np.arange(1, len(y) + 1)
    # recall >= j / 10 in whole numbers: 3 / 10 is not 0.30000000000000004
    elevens = np.mean([precision[10 * hits >= j * y.sum()].max() for j in range(11)])
    r = np.concatenate([[0], recall, [1]])
    p = np.maximum.accumulate(np.concatenate([[0], precision, [0]])[::-1])[::-1]
    return elevens, np.sum((r[1:] - r[:-1]) * p[1:])


def train(x, y, loss, c, weight):
    machine = LinearSVC(C=c, loss=loss, class_weight="balanced" if weight == 0 else {True: weight, False: 1}, tol=1e-11,
                        max_iter=10 ** 7, dual=True, intercept_scaling=1, random_state=0)
    return machine.fit(x, y)


def objective(machine, x, y, loss, c, weight):
    w, sign = np.append(machine.coef_[0], machine.intercept_), np.where(y, 1, -1)
    short = np.maximum(0, 1 - sign * machine.decision_function(x))
    cost = c * np.where(y, weight, 1) if weight else c * len(y) / (2 * np.where(y, y.sum(), (~y).sum()))
    return w @ w / 2 + np.sum(cost * (short ** 2 if loss == "squared_hinge" else short))


def choose(x, y):
    """Every third row of the class, and of the others, is a fold."""
    fold = np.empty(len(y), int)
    for side in (True, False):
        fold[y == side] = np.arange((y == side).sum()) % FOLDS
    mean = [np.mean([average_precision_score(y[fold == f], train(x[fold != f], y[fold != f], "squared_hinge", c, 2)
                                             .decision_function(x[fold == f])) for f in range(FOLDS)]) for c in COSTS]
    assert np.sort(mean)[-1] - np.sort(mean)[-2] > 1e-6
    return COSTS[int(np.argmax(mean))]


def main():
    warnings.filterwarnings("error")
    with open(os.path.join(data, "svm.txt"), "w") as f:
        for labels, loss, c, weight, normal in [("single", "squared_hinge", 0.5, 2, 1), ("single", "hinge", 3, 2, 1),
                                                ("single", "squared_hinge", 0.003, 0, 0), ("several", "squared_hinge", 0.5, 2, 1),
                                                ("several", "hinge", 3, 0, 1)]:
            (x, label), (test, test_label) = load("train", normal), load("test", normal)
            y, test_y = members(label, labels), members(test_label, labels)
            scores = []
            for k in range(CLASSES):
                machine = train(x, y[:, k], loss, c, weight)
                scores.append(machine.decision_function(test))
                w = machine.coef_[0]
                values = [objective(machine, x, y[:, k], loss, c, weight), machine.intercept_[0], w @ w, *w[:3],
                          *voc(scores[-1], test_y[:, k]), average_precision_score(test_y[:, k], scores[-1])]
                f.write(f"machine {labels} {loss} {c} {weight} {normal} {k}  " + " ".join(f"{v:.12g}" for v in values) + "\n")
            if labels == "single":
                f.write(f"top {labels} {loss} {c} {weight} {normal}  {np.mean(np.argmax(scores, 0) == test_label):.12g}\n")
        x, label = load("train", 1)
        for k in range(CLASSES):
            f.write(f"choice {k}  {choose(x, label == k)}\n")


if __name__ == "__main__":
    main()

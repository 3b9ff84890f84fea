#!/usr/bin/python3
"""Writes tests/data/cluster_scores.txt: scikit-learn's scores of random tables of clusters and classes.

Lines: n k c noise, then nmi ami ari accuracy. Rows are drawn by formula.py: the class of row i is a hash in [0, c), its cluster
that class modulo k or, for a share `noise` of the rows, a hash in [0, k)."""
import os

import numpy as np
import formula
from scipy.optimize import linear_sum_assignment
from sklearn import metrics

CASES = [(1, 1, 1, 0), (2, 2, 2, 1), (5, 3, 2, .5), (50, 1, 4, 0), (50, 6, 1, 1), (40, 40, 3, 1), (300, 7, 7, 0), (300, 7, 7, .3),
         (300, 7, 7, 1), (1000, 30, 5, .2), (1000, 4, 20, .6), (2000, 100, 90, .5), (60, 60, 60, 0)]


def draw(n, name, high):
    """Whole numbers in [0, high)."""
    u = formula.fill((n,), name).numpy().astype(np.float64)
    return np.floor((u + 1) / 2 * high).astype(np.int64)


out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "data", "cluster_scores.txt")
with open(out, "w") as f:
    for n, k, c, noise in CASES:
        label = draw(n, "label", c)
        random = formula.fill((n,), "noise").numpy().astype(np.float64) < 2 * noise - 1
        cluster = np.where(random, draw(n, "cluster", k), label % k)
        table = np.zeros((k, c), dtype=np.int64)
        np.add.at(table, (cluster, label), 1)
        rows, columns = linear_sum_assignment(-table)
        scores = (metrics.normalized_mutual_info_score(label, cluster), metrics.adjusted_mutual_info_score(label, cluster),
                  metrics.adjusted_rand_score(label, cluster), table[rows, columns].sum() / n)
        f.write(f"{n} {k} {c} {noise} " + " ".join(f"{s:.15g}" for s in scores) + "\n")

#!/usr/bin/python3
"""eval svm beside scikit-learn's LinearSVC on the same features, as PCL and VISSL call it: mean average precision and seconds.

Usage: bench/svm.py [PROTEA [TRAIN.npy TEST.npy]], the two written by `protea embed`; without them features of VOC07's size are
drawn (5,011 and 4,952 images, 2,048 numbers, 20 classes, several an image). Trains on all images (C 0.5, positives twice, tolerance
1e-4, at most 2000 passes, squared hinge), reading included. scikit-learn trains its classes in as many processes as there are
processors, over one copy of the features. The two take turns, three times; the median counts. Needs Debian's python3-sklearn."""
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from joblib import Parallel, delayed
from sklearn.svm import LinearSVC

TURNS = 3
KEYS = ("map_11point", "map_area", "top1")


def draw(path, n, seed, prototypes, d=2048, classes=20):
    """Features after a ReLU, as a network's are: a sum of its classes' directions and noise."""
    rng = np.random.default_rng(seed)
    has = rng.random((n, classes)) < 0.05
    has[np.arange(n), rng.integers(0, classes, n)] = True
    z = np.maximum(0, 0.08 * has @ prototypes + rng.standard_normal((n, d))).astype("<f4")
    np.save(path, z)
    with open(path[:-4] + ".csv", "w") as f:
        f.write("row,path,label,class\n")
        for i in range(n):
            own = np.flatnonzero(has[i])
            f.write(f"{i},{i}.jpg,{';'.join(map(str, own))},{';'.join(f'c{c:02d}' for c in own)}\n")


def load(path):
    z = np.load(path).astype("f8")
    with open(path[:-4] + ".csv", newline="") as f:
        names = [row["class"].split(";") for row in csv.DictReader(f)]
    return z / (np.linalg.norm(z, axis=1, keepdims=True) + 1e-5), names


def precision(score, y):
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(y[order])
    falling = np.maximum.accumulate((hits / np.arange(1, len(y) + 1))[::-1])[::-1]
    elevens = np.mean([falling[np.argmax(10 * hits >= j * y.sum())] for j in range(11)])
    return elevens, np.sum(falling[y[order]]) / y.sum()


def train_and_rank(x, y, test):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        machine = LinearSVC(C=0.5, class_weight={True: 2, False: 1}, tol=1e-4, dual=True, max_iter=2000, random_state=0)
        return machine.fit(x, y).decision_function(test)


def scikit_learn(train_path, test_path):
    (x, names), (test, test_names) = load(train_path), load(test_path)
    classes = sorted({c for own in names for c in own})
    y = np.array([[c in own for c in classes] for own in names])
    test_y = np.array([[c in own for c in classes] for own in test_names])
    scores = Parallel(n_jobs=os.cpu_count())(delayed(train_and_rank)(x, y[:, c], test) for c in range(len(classes)))
    result = dict(zip(KEYS, np.mean([precision(scores[c], test_y[:, c]) for c in range(len(classes))], axis=0)))
    if test_y.sum() == len(test_y):
        result["top1"] = np.mean(np.argmax(scores, 0) == np.argmax(test_y, 1))
    return result


def protea(command, train_path, test_path):
    text = subprocess.run([command, "eval", "svm", "features", "--train", train_path, "--test", test_path, "--shots", "0", "--json"],
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return {key: value[0] for key, value in json.loads(text).items() if key in KEYS}


def timed(f, *arguments):
    began = time.perf_counter()
    result = f(*arguments)
    return time.perf_counter() - began, result


def main():
    command = os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else "build/protea")
    with tempfile.TemporaryDirectory() as folder:
        paths = sys.argv[2:4]
        if not paths:
            prototypes = np.random.default_rng(1).standard_normal((20, 2048))
            paths = [os.path.join(folder, "train.npy"), os.path.join(folder, "test.npy")]
            draw(paths[0], 5011, 2, prototypes)
            draw(paths[1], 4952, 3, prototypes)
        runs = {"protea": [], "scikit-learn": []}
        for _ in range(TURNS):
            runs["protea"].append(timed(protea, command, *paths))
            runs["scikit-learn"].append(timed(scikit_learn, *paths))
    for name, turns in runs.items():
        print(f"{name}: {statistics.median(seconds for seconds, _ in turns):.2f} s",
              ", ".join(f"{key} {value:.6f}" for key, value in turns[0][1].items()))


main()

#!/usr/bin/python3
"""k-means of Protea, faiss and scikit-learn in one run, on the same rows from the same centroids.

Usage: bench/kmeans.py [PROTEA [N D K ITERATIONS]]; needs Debian's python3-faiss and python3-sklearn. Prints for each the
milliseconds of an iteration (mean without the first), its times Protea's, the objective of the last iteration (before its
update; scikit-learn's is after it) and peak memory over that of the data. faiss runs with OpenBLAS of both kinds that
Debian has (libopenblas0-pthread, which is what one gets, and -openmp), where they are installed or BLAS names the folder
that holds openblas-pthread and openblas-openmp; otherwise with the system's BLAS, which may be very slow. Each is a
process of its own; the two runs of Protea frame the others, and the faster counts.
"""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

BLAS = os.environ.get("BLAS", "/usr/lib/x86_64-linux-gnu")


def rows(n, d, k):
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((2 * k, d), dtype=np.float32)
    x = centres[rng.integers(0, 2 * k, n)] + np.float32(0.9) * rng.standard_normal((n, d), dtype=np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True), rng


def child_faiss(k, iterations):
    import faiss
    x, start = np.load("x.npy"), np.load("start.npy")
    faiss.omp_set_num_threads(os.cpu_count())
    kmeans = faiss.Kmeans(x.shape[1], k, niter=iterations, seed=1, max_points_per_centroid=10**9)
    kmeans.train(x, init_centroids=start)
    times = [s["time"] for s in kmeans.iteration_stats]
    return (times[-1] - times[0]) / (iterations - 1), kmeans.iteration_stats[-1]["obj"]


def child_sklearn(k, iterations):
    from sklearn.cluster import KMeans
    x, start = np.load("x.npy"), np.load("start.npy")

    def fit(steps):
        began = time.perf_counter()
        model = KMeans(k, init=start, n_init=1, max_iter=steps, tol=0, algorithm="lloyd").fit(x)
        return time.perf_counter() - began, model

    once, _ = fit(1)
    seconds, model = fit(iterations)
    return (seconds - once) / (model.n_iter_ - 1), model.inertia_


def protea(command, precision, k, iterations):
    subprocess.run([command, "kmeans", "x.npy", "-k", str(k), "-o", precision, "--init", "start.npy", "--niter",
                    str(iterations), "--max-points-per-centroid", "0", "--precision", precision, "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    with open(f"{precision}/stats.json") as f:
        record = json.load(f)["record"]
    return sum(r["seconds"] for r in record[1:]) / (len(record) - 1), record[-1]["objective"]


def child(name, k, iterations):
    command, _, precision = name.partition(" ")
    if precision:
        seconds, objective = protea(command, precision, k, iterations)
        who = resource.RUSAGE_CHILDREN
    else:
        seconds, objective = {"faiss": child_faiss, "sklearn": child_sklearn}[name](k, iterations)
        who = resource.RUSAGE_SELF
    print(seconds, objective, resource.getrusage(who).ru_maxrss * 1024)


def run(name, k, iterations, environment):
    line = subprocess.run([sys.executable, os.path.abspath(__file__), "--child", name, str(k), str(iterations)], check=True,
                          stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}).stdout.split()
    return tuple(float(v) for v in line[-3:])


def main():
    command = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.abspath("build/protea")
    n, d, k, iterations = (int(v) for v in sys.argv[2:6]) if len(sys.argv) > 5 else (200000, 128, 2500, 10)
    kinds = [kind for kind in ("pthread", "openmp") if os.path.isdir(f"{BLAS}/openblas-{kind}")]
    order = ["f32", "bf16"] + [f"faiss {kind}" for kind in kinds or ["system"]] + ["sklearn", "f32", "bf16"]
    best = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        x, rng = rows(n, d, k)
        np.save("x.npy", x)
        np.save("start.npy", x[rng.choice(n, k, replace=False)])
        for name in order:
            blas = name.split()[1] if " " in name else kinds[0] if kinds else None
            environment = {"LD_LIBRARY_PATH": f"{BLAS}/openblas-{blas}"} if blas else {}
            measured = run(f"{command} {name}" if name in ("f32", "bf16") else name.split()[0], k, iterations, environment)
            best[name] = min(best.get(name, measured), measured)
        os.chdir("/")
    print(f"n {n}, d {d}, K {k}, {iterations} iterations")
    print(f"{'':14}{'ms':>9}{'GFLOP/s':>9}{'/ f32':>8}{'/ bf16':>8}{'objective':>14}{'memory':>8}")
    for name, (seconds, objective, memory) in best.items():
        label = f"Protea {name}" if name in ("f32", "bf16") else name
        print(f"{label:14}{seconds * 1e3:9.1f}{2e-9 * n * d * k / seconds:9.0f}{seconds / best['f32'][0]:8.2f}"
              f"{seconds / best['bf16'][0]:8.2f}{objective:14.1f}{memory / (4 * n * d):8.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()

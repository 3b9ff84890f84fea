#!/usr/bin/python3
"""t-SNE by scikit-learn (Barnes-Hut): the peer that `protea bench tsne` is compared with.

Reads rows.npy and map.npy, Protea's map of them, from --files. scikit-learn runs with its defaults (perplexity 30, 1,000 iterations,
angle 0.5, start from the principal axes, learning rate by size), all threads, and threads that sleep soon when they wait. How well
both maps keep neighbours is said on standard error.
"""
import argparse
import os
import pathlib
import resource
import sys
import time

os.environ.setdefault("GOMP_SPINCOUNT", "10001")

import numpy as np  # noqa: E402: the variable is read when OpenMP is loaded
from sklearn.manifold import TSNE, trustworthiness  # noqa: E402
from sklearn.neighbors import NearestNeighbors  # noqa: E402

NEIGHBOURS = 10


def neighbours(x):
    return NearestNeighbors(n_neighbors=NEIGHBOURS).fit(x).kneighbors(return_distance=False)


def kept(x, xy):
    """Share of each row's neighbours that are its neighbours in the map."""
    common = [len(np.intersect1d(a, b)) for a, b in zip(neighbours(x), neighbours(xy))]
    return np.mean(common) / NEIGHBOURS


def judge(name, x, xy, note):
    print(f"{name}: {kept(x, xy):.3f} of {NEIGHBOURS} neighbours kept, trustworthiness "
          f"{trustworthiness(x, xy, n_neighbors=NEIGHBOURS):.4f}{note}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype")
    parser.add_argument("--layout")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--files", required=True)
    args = parser.parse_args()
    folder = pathlib.Path(args.files)
    x = np.load(folder / "rows.npy")
    tsne = TSNE(init="pca", learning_rate="auto", n_jobs=args.threads or None, random_state=0)
    start, cpu = time.perf_counter(), time.process_time()
    xy = tsne.fit_transform(x)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    judge("scikit-learn", x, xy, f", divergence {tsne.kl_divergence_:.4f}, {cpu:.1f} s of CPU")
    judge("Protea", x, np.load(folder / "map.npy"), "")
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seconds_per_step {seconds:.4f} rss_mib {rss:.0f}")


if __name__ == "__main__":
    main()

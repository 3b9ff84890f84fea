#!/usr/bin/python3
"""An iteration of faiss's k-means: the peer that `protea bench kmeans` is compared with.

200,000 unit vectors of 128 numbers around 5,000 centres, 2,500 clusters, always f32, with the BLAS that the system has.
bench/kmeans.py compares more of them, from the same centroids and with their objectives.
"""
import argparse
import resource

import faiss
import numpy as np

ROWS, WIDTH, CLUSTERS = 200000, 128, 2500


def rows():
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((2 * CLUSTERS, WIDTH), dtype=np.float32)
    x = centres[rng.integers(0, 2 * CLUSTERS, ROWS)] + np.float32(0.9) * rng.standard_normal((ROWS, WIDTH), dtype=np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype")
    parser.add_argument("--layout")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--files")
    args = parser.parse_args()
    if args.threads:
        faiss.omp_set_num_threads(args.threads)
    kmeans = faiss.Kmeans(WIDTH, CLUSTERS, niter=args.steps + 1, seed=1)
    kmeans.train(rows())
    times = [s["time"] for s in kmeans.iteration_stats]
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seconds_per_step {(times[-1] - times[0]) / (len(times) - 1):.4f} rss_mib {rss:.0f}")


if __name__ == "__main__":
    main()

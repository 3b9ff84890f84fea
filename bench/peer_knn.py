#!/usr/bin/python3
"""kNN by faiss's flat search and a vote in numpy: the peer that `protea bench knn` is compared with.

10,000 queries in 50,000 rows of 512 numbers, k 200, temperature 0.1: faiss.IndexFlatIP on normalised rows, always f32, with the
BLAS that the system has; normalising and adding the rows is timed too, as it is in Protea.
"""
import argparse
import resource
import statistics
import time

import faiss
import numpy as np

ROWS, QUERIES, WIDTH, CLASSES, K, TEMPERATURE = 50000, 10000, 512, 10, 200, 0.1


def knn(rows, labels, queries):
    rows, queries = rows.copy(), queries.copy()
    faiss.normalize_L2(rows)
    faiss.normalize_L2(queries)
    index = faiss.IndexFlatIP(WIDTH)
    index.add(rows)
    similarity, neighbour = index.search(queries, K)
    weight = np.exp(similarity / np.float32(TEMPERATURE))
    voted = labels[neighbour]
    votes = np.stack([(weight * (voted == c)).sum(1) for c in range(CLASSES)], axis=1)
    return votes.argmax(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype")
    parser.add_argument("--layout")
    parser.add_argument("--files")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3)
    args = parser.parse_args()
    if args.threads:
        faiss.omp_set_num_threads(args.threads)
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((ROWS, WIDTH), dtype=np.float32)
    queries = rng.standard_normal((QUERIES, WIDTH), dtype=np.float32)
    labels = rng.integers(0, CLASSES, ROWS)
    times = []
    for _ in range(min(args.steps, 2)):  # a search takes several seconds
        start = time.perf_counter()
        knn(rows, labels, queries)
        times.append(time.perf_counter() - start)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seconds_per_step {statistics.median(times):.4f} rss_mib {rss:.0f}")


if __name__ == "__main__":
    main()

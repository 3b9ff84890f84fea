#!/usr/bin/python3
"""Sinkhorn-Knopp in PyTorch: the peer that `protea bench sinkhorn` is compared with.

4,096 samples, 3,000 prototypes, epsilon 0.05, 3 iterations, f32, by the paper's alternation on the whole matrix.
Prints one line: `seconds_per_step X rss_mib Y` (median, peak).
"""
import argparse
import resource
import statistics
import time

import torch

SAMPLES, PROTOTYPES, EPSILON, ITERATIONS = 4096, 3000, 0.05, 3


def sinkhorn(scores):
    q = torch.exp(scores / EPSILON)
    q /= q.sum()
    for _ in range(ITERATIONS):
        q /= q.sum(dim=0, keepdim=True) * PROTOTYPES
        q /= q.sum(dim=1, keepdim=True) * SAMPLES
    return q * SAMPLES


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype", help="not used: codes are always f32")
    parser.add_argument("--layout", help="not used")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's default")
    parser.add_argument("--steps", type=int, default=5, help="timed steps, after one that is not")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)

    torch.manual_seed(0)
    scores = torch.randn(SAMPLES, PROTOTYPES) / 128**0.5
    sinkhorn(scores)
    seconds = []
    for _ in range(args.steps):
        start = time.perf_counter()
        sinkhorn(scores)
        seconds.append(time.perf_counter() - start)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seconds_per_step {statistics.median(seconds):.5f} rss_mib {rss:.0f}")


if __name__ == "__main__":
    main()

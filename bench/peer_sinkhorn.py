#!/usr/bin/python3
"""Sinkhorn-Knopp in PyTorch: the peer that `protea bench sinkhorn` is compared with.

4,096 samples, 3,000 prototypes, epsilon 0.05, 3 iterations, always f32, by the paper's alternation on the whole matrix.
"""
import torch

import peer

SAMPLES, PROTOTYPES, EPSILON, ITERATIONS = 4096, 3000, 0.05, 3


def sinkhorn(scores):
    q = torch.exp(scores / EPSILON)
    q /= q.sum()
    for _ in range(ITERATIONS):
        q /= q.sum(dim=0, keepdim=True) * PROTOTYPES
        q /= q.sum(dim=1, keepdim=True) * SAMPLES
    return q * SAMPLES


def make_step(_):
    scores = torch.randn(SAMPLES, PROTOTYPES) / 128**0.5
    return lambda: sinkhorn(scores)


if __name__ == "__main__":
    peer.run(__doc__, make_step)

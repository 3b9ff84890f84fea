#!/usr/bin/python3
"""TSD's support bank alone in PyTorch: the peer that `protea bench tsd-bank` is compared with.

10 classes of 100 rows of 512 numbers, 128 offered, the prototypes, and the 3 nearest supports of each of the 128.
"""
import torch
import torch.nn.functional as F

import peer
from peer_tsd import CLASSES, PER_CLASS, Bank


def make_step(args):
    bank, z = Bank(512), torch.randn(128, 512)
    while len(bank.rows) < CLASSES * PER_CLASS:
        bank.add(z, 3 * torch.randn(128, CLASSES))

    def step():
        bank.add(z, 3 * torch.randn(128, CLASSES))
        bank.prototypes()
        (z @ F.normalize(bank.rows, dim=1).t()).topk(3, 1)

    return step


if __name__ == "__main__":
    peer.run(__doc__, make_step)

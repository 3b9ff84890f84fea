"""Ten PCL steps by plain PyTorch in double, written to tests/data/pcl.txt; run from the project's root.

Two views of 32 pixels, 16 images a step out of 96, steps 5 to 14 of an epoch; resnet18-w16 with the small stem, head with a hidden
layer, 32 keys of width 32 in the queue, momentum 0.9; clusters of two granularities (40 and 28) are given by formula, with their
prototypes and concentrations; eight negatives, drawn as src/method/pcl.c draws them; SGD, cosine.
Lines: as tools/oracle/network.py.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from formula import fill, fill_module
from network import Backbone, crops, describe, describe_module
from philox import METHOD, Philox, draw_negatives

N, IMAGES, DIM, STEPS, FIRST, SEED = 16, 96, 32, 10, 5, 1
CLUSTERS = (40, 28)
QUEUE, NEGATIVES, M, TEMPERATURE, WEIGHT = 32, 8, 0.9, 0.2, 0.5
LR, MOMENTUM, WD = 0.01, 0.9, 1e-4


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone(16)
        self.fc = nn.Sequential(nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, DIM))

    def forward(self, x):
        return F.normalize(self.fc(self.backbone(x)))


class Granularity:
    """As the test fills it: clusters by a rule, prototypes and concentrations by formula."""

    def __init__(self, m, k):
        self.prototypes = F.normalize(fill((k, DIM), f"prototypes.{m}").double())
        self.phi = fill((k,), f"concentration.{m}", 0.2, 0.1).double()
        self.labels = [(i * 11 + 3 * m) % k for i in range(IMAGES)]


def indices(step):
    """Which images a step has: as rig_fill_views."""
    first = step * N
    return [((first + i) * 7) % IMAGES for i in range(N)]


def info_nce(q, k, queue):
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue.t()], 1) / TEMPERATURE
    return F.cross_entropy(logits, torch.zeros(N, dtype=torch.long))


def proto_nce(q, m, g, step):
    positive = [g.labels[i] for i in indices(step)]
    negative = draw_negatives(Philox(SEED, METHOD, 1 + m, step, 0), NEGATIVES, positive, max(g.labels) + 1)
    ids = torch.tensor(positive + negative)
    logits = q @ g.prototypes[ids].t() / g.phi[ids]
    return F.cross_entropy(logits, torch.arange(N))


def train(out):
    query, key = Encoder(), Encoder()
    fill_module(query.backbone)
    fill_module(query.fc, "fc.")
    query.double().train()
    key.double().train()
    key.load_state_dict(query.state_dict())
    queue = F.normalize(fill((QUEUE, DIM), "queue").double())
    granularities = [Granularity(m, k) for m, k in enumerate(CLUSTERS)]
    optim = torch.optim.SGD(query.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=WD)
    for i in range(STEPS):
        step = FIRST + i
        (views,) = crops(step, N, ((2, 32),))
        q = query(views[:N])
        with torch.no_grad():
            k = key(views[N:])
        loss = info_nce(q, k, queue)
        for m, g in enumerate(granularities):
            loss = loss + WEIGHT * proto_nce(q, m, g, step) / len(granularities)
        optim.zero_grad()
        loss.backward()
        optim.param_groups[0]["lr"] = LR / 2 * (1 + math.cos(math.pi * i / STEPS))
        optim.step()
        with torch.no_grad():
            for a, b in zip(key.parameters(), query.parameters()):
                a.copy_(M * a + (1 - M) * b)
            queue[i * N % QUEUE : i * N % QUEUE + N] = k
        print("loss", i, f"{loss.item():.9f}", file=out)
    return query, key, queue


def main():
    with open("tests/data/pcl.txt", "w") as out:
        query, key, queue = train(out)
        describe_module(out, query, lambda name: name.removeprefix("backbone."))
        describe_module(out, key, lambda name: "encoder_k." + name)
        describe(out, "queue", queue)


main()

"""Ten SwAV steps by plain PyTorch in double, written to tests/data/swav.txt; run from the project's root.

Multi-crop (2 x 32 + 2 x 20 pixels), 16 images a step, two steps an epoch; resnet18-w16 with the small stem, head
64 -> 32, 30 prototypes; prototypes frozen for two steps, the first step's codes hard; a queue asked to hold 50 rows, so
holding 48, filled from epoch 1 and so used from step 5; LARC, three steps of warm-up, then cosine.
Lines: `loss STEP VALUE`, then for each tensor `NAME NORM` and eight elements evenly spread over it.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from formula import fill_module
from network import Backbone, crops, describe, describe_module

N, K, DIM, HIDDEN, STEPS, STEPS_PER_EPOCH = 16, 30, 32, 64, 10, 2
GROUPS = ((2, 32), (2, 20))  # views, size
TEMPERATURE, EPSILON, ITERATIONS = 0.1, 0.05, 3
FROZEN, HARD, QUEUE, QUEUE_EPOCH = 2, 1, 50 // N * N, 1
START, BASE, FINAL, WARMUP = 0.1, 0.6, 0.006, 3
MOMENTUM, WD, TRUST = 0.9, 1e-4, 1e-3


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone(16)
        self.projection_head = nn.Sequential(nn.Linear(128, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIM))
        self.prototypes = nn.Linear(DIM, K, bias=False)

    def forward(self, groups):
        z = F.normalize(self.projection_head(torch.cat([self.backbone(x) for x in groups])))
        return z, self.prototypes(z)


def sinkhorn(scores):
    q = torch.exp((scores - scores.max()) / EPSILON)
    for _ in range(ITERATIONS):
        q = q / q.sum(0, keepdim=True) / q.shape[1]
        q = q / q.sum(1, keepdim=True) / q.shape[0]
    return q * q.shape[0]


def learning_rate(step):
    if step < WARMUP:
        return START + (BASE - START) * step / (WARMUP - 1)
    return FINAL + 0.5 * (BASE - FINAL) * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


class Queue:
    """One per assigned crop; newest rows first."""

    def __init__(self):
        self.rows = torch.zeros(2, QUEUE, DIM, dtype=torch.float64)
        self.filled = [0, 0]

    def push(self, crop, z):
        self.rows[crop] = torch.cat([z, self.rows[crop, : QUEUE - N].clone()])
        self.filled[crop] = min(self.filled[crop] + N, QUEUE)


def code(model, queue, crop, z, scores, step):
    if queue.filled[crop] == QUEUE:
        scores = torch.cat([queue.rows[crop] @ model.prototypes.weight.t(), scores])
    q = sinkhorn(scores)[-N:]
    if step < HARD:
        q = F.one_hot(q.argmax(1), K).double()
    if step // STEPS_PER_EPOCH >= QUEUE_EPOCH:
        queue.push(crop, z)
    return q


def swav_loss(model, queue, step):
    with torch.no_grad():
        model.prototypes.weight.copy_(F.normalize(model.prototypes.weight))
    z, scores = model(crops(step, N, GROUPS))
    n_views = len(scores) // N
    loss = 0
    for i in (0, 1):
        rows = slice(i * N, (i + 1) * N)
        with torch.no_grad():
            q = code(model, queue, i, z[rows], scores[rows], step)
        for v in set(range(n_views)) - {i}:
            log_p = F.log_softmax(scores[v * N : (v + 1) * N] / TEMPERATURE, 1)
            loss = loss - (q * log_p).sum(1).mean() / (2 * (n_views - 1))
    return loss


def larc(parameters):
    for p in parameters:
        if p.grad is None or p.norm() == 0 or p.grad.norm() == 0:
            continue
        rate = TRUST * p.data.norm() / (p.grad.norm() + WD * p.data.norm() + 1e-8)
        p.grad = rate * (p.grad + WD * p.data)


def train(out):
    model, queue = Model(), Queue()
    fill_module(model.backbone)
    fill_module(model.projection_head, "projection_head.")
    fill_module(model.prototypes, "prototypes.")
    model.double().train()
    optim = torch.optim.SGD(model.parameters(), lr=1.0, momentum=MOMENTUM)
    for step in range(STEPS):
        loss = swav_loss(model, queue, step)
        optim.zero_grad(set_to_none=True)
        loss.backward()
        if step < FROZEN:
            model.prototypes.weight.grad = None
        larc(model.parameters())
        optim.param_groups[0]["lr"] = learning_rate(step)
        optim.step()
        print("loss", step, f"{loss.item():.9f}", file=out)
    return model, queue


def main():
    with open("tests/data/swav.txt", "w") as out:
        model, queue = train(out)
        describe_module(out, model, lambda name: name.removeprefix("backbone."))
        describe(out, "queue", queue.rows)


main()

"""Ten MoCo steps by plain PyTorch in double, written to tests/data/moco.txt and moco_symmetric.txt; run from the project's root.

Two views of 32 pixels, 16 images a step, two steps an epoch; resnet18-w16 with the small stem, batch-norm in four interleaved
groups for query and key, keys shuffled by the numbers of protea_momentum_encoder_keys; a queue of 64 keys that the formula
fills at first, so that it wraps around; SGD, cosine by epochs. One file: head with a hidden layer, one direction; the other: one
linear layer, both directions. The key encoder moves after the update, which is before the next step as in MoCo's code.
Lines: see network.py.
"""
import copy
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from formula import fill, fill_module
from network import Backbone, crops, describe, describe_module
from philox import METHOD, Philox

N, DIM, QUEUE, SPLITS, STEPS, STEPS_PER_EPOCH, SEED = 16, 32, 64, 4, 10, 2, 1
TEMPERATURE, KEEP, LR, MOMENTUM, WD = 0.2, 0.9, 0.01, 0.9, 1e-4


class SplitBatchNorm(nn.BatchNorm2d):
    """Sample n is normalised with those of its group, n mod SPLITS; running statistics are the mean over groups."""

    def forward(self, x):
        n, c, h, w = x.shape
        mean, var = self.running_mean.repeat(SPLITS), self.running_var.repeat(SPLITS)
        y = F.batch_norm(x.reshape(n // SPLITS, c * SPLITS, h, w), mean, var, self.weight.repeat(SPLITS),
                         self.bias.repeat(SPLITS), True, self.momentum, self.eps)
        self.running_mean.copy_(mean.view(SPLITS, c).mean(0))
        self.running_var.copy_(var.view(SPLITS, c).mean(0))
        return y.reshape(n, c, h, w)


def split(module):
    for child in module.modules():
        if isinstance(child, nn.BatchNorm2d):
            child.__class__ = SplitBatchNorm


class Encoder(nn.Module):
    def __init__(self, mlp):
        super().__init__()
        self.backbone = Backbone(16)
        self.fc = nn.Sequential(nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, DIM)) if mlp else nn.Linear(128, DIM)
        split(self.backbone)

    def forward(self, x):
        return F.normalize(self.fc(self.backbone(x)))


@torch.no_grad()
def keys_of(key, x, step, view):
    order = Philox(SEED, METHOD, 0, step, view).permutation(N)
    shuffled = key(x[order])
    keys = torch.empty_like(shuffled)
    keys[order] = shuffled
    return keys


def contrast(query, key, queue, views, step, view):
    q, k = query(views[view]), keys_of(key, views[1 - view], step, view)
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue.t()], 1) / TEMPERATURE
    return F.cross_entropy(logits, torch.zeros(N, dtype=torch.long)), k


def train(out, mlp, directions):
    query = Encoder(mlp)
    fill_module(query.backbone)
    fill_module(query.fc, "fc.")
    query.double().train()
    key = copy.deepcopy(query)
    queue, at = F.normalize(fill((QUEUE, DIM), "queue").double()), 0
    optim = torch.optim.SGD(query.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=WD)
    for step in range(STEPS):
        views = crops(step, N, ((2, 32),))[0].split(N)
        pairs = [contrast(query, key, queue, views, step, view) for view in range(directions)]
        loss, keys = sum(p[0] for p in pairs), torch.cat([p[1] for p in pairs])
        optim.zero_grad()
        loss.backward()
        optim.param_groups[0]["lr"] = LR * 0.5 * (1 + math.cos(math.pi * (step // STEPS_PER_EPOCH) / (STEPS // STEPS_PER_EPOCH)))
        optim.step()
        with torch.no_grad():
            for p, q in zip(key.parameters(), query.parameters()):
                p.mul_(KEEP).add_(q, alpha=1 - KEEP)
        queue[at : at + len(keys)] = keys
        at = (at + len(keys)) % QUEUE
        print("loss", step, f"{loss.item():.9f}", file=out)
    return query, key, queue


def main():
    for name, mlp, directions in (("moco", True, 1), ("moco_symmetric", False, 2)):
        with open(f"tests/data/{name}.txt", "w") as out:
            query, key, queue = train(out, mlp, directions)
            describe_module(out, query, lambda x: x.removeprefix("backbone."))
            describe_module(out, key, lambda x: "encoder_k." + x)
            describe(out, "queue", queue)


main()

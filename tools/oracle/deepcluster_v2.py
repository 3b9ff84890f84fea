"""Ten DeepCluster-v2 steps by plain PyTorch in double, written to tests/data/deepcluster_v2.txt; run from the project's root.

Multi-crop (2 x 32 + 2 x 20 pixels), 16 images a step, five steps an epoch out of 96 images; resnet18-w16 with the small stem,
head 64 -> 32, two heads of 12 and 9 prototypes. It starts with the second epoch: the bank of the first is given by formula, and
k-means starts from prototypes by formula; the third epoch clusters what the second one left and starts from its prototypes.
LARC, three steps of warm-up, then cosine. Lines: as tools/oracle/network.py.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from formula import fill, fill_module
from network import Backbone, crops, describe, describe_module

N, IMAGES, DIM, HIDDEN, STEPS, STEPS_PER_EPOCH = 16, 96, 32, 64, 10, 5
HEADS = (12, 9)
GROUPS = ((2, 32), (2, 20))  # views, size
TEMPERATURE, ITERATIONS = 0.1, 10
START, BASE, FINAL, WARMUP = 0.1, 0.6, 0.006, 3
MOMENTUM, WD, TRUST = 0.9, 1e-4, 1e-3


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone(16)
        self.projection_head = nn.Sequential(nn.Linear(128, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIM))

    def forward(self, groups):
        return F.normalize(self.projection_head(torch.cat([self.backbone(x) for x in groups])))


def indices(step):
    """Which images a step has: as rig_fill_views."""
    first = step % STEPS_PER_EPOCH * N
    return [((first + i) * 7 + step // STEPS_PER_EPOCH * 5) % IMAGES for i in range(N)]


def spherical_kmeans(rows, centroids):
    for _ in range(ITERATIONS):
        assign = (rows @ centroids.t()).argmax(1)
        for k in range(len(centroids)):
            if (assign == k).any():
                centroids[k] = rows[assign == k].mean(0)
        centroids = F.normalize(centroids)
    return centroids, (rows @ centroids.t()).argmax(1)


class Clusters:
    def __init__(self):
        self.bank = torch.stack([F.normalize(rows) for rows in fill((2, STEPS_PER_EPOCH * N, DIM), "memory")]).double()
        self.index = torch.tensor([i for step in range(STEPS_PER_EPOCH) for i in indices(step)])
        self.prototypes = [F.normalize(fill((k, DIM), f"prototypes.prototypes{h}.weight").double()) for h, k in enumerate(HEADS)]
        self.labels = torch.full((len(HEADS), IMAGES), -1)

    def cluster(self):
        self.labels[:] = -1
        for h in range(len(HEADS)):
            self.prototypes[h], assign = spherical_kmeans(self.bank[h % 2], self.prototypes[h].clone())
            self.labels[h][self.index] = assign

    def remember(self, step, z):
        rows = slice(step % STEPS_PER_EPOCH * N, step % STEPS_PER_EPOCH * N + N)
        self.bank[0][rows], self.bank[1][rows] = z[:N], z[N : 2 * N]
        self.index[rows] = torch.tensor(indices(step))


def deepcluster_loss(model, clusters, step):
    z = model(crops(step, N, GROUPS))
    clusters.remember(step, z.detach())
    loss = 0
    for h, prototypes in enumerate(clusters.prototypes):
        labels = clusters.labels[h][indices(step)].repeat(len(z) // N)
        loss = loss + F.cross_entropy(z @ prototypes.t() / TEMPERATURE, labels, ignore_index=-1) / len(HEADS)
    return loss


def learning_rate(step):
    if step < WARMUP:
        return START + (BASE - START) * step / (WARMUP - 1)
    return FINAL + 0.5 * (BASE - FINAL) * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


def larc(parameters):
    for p in parameters:
        if p.norm() == 0 or p.grad.norm() == 0:
            continue
        rate = TRUST * p.data.norm() / (p.grad.norm() + WD * p.data.norm() + 1e-8)
        p.grad = rate * (p.grad + WD * p.data)


def train(out):
    model, clusters = Model(), Clusters()
    fill_module(model.backbone)
    fill_module(model.projection_head, "projection_head.")
    model.double().train()
    optim = torch.optim.SGD(model.parameters(), lr=1.0, momentum=MOMENTUM)
    for i in range(STEPS):
        step = STEPS_PER_EPOCH + i
        if step % STEPS_PER_EPOCH == 0:
            clusters.cluster()
        loss = deepcluster_loss(model, clusters, step)
        optim.zero_grad()
        loss.backward()
        larc(model.parameters())
        optim.param_groups[0]["lr"] = learning_rate(i)
        optim.step()
        print("loss", i, f"{loss.item():.9f}", file=out)
    return model, clusters


def main():
    with open("tests/data/deepcluster_v2.txt", "w") as out:
        model, clusters = train(out)
        describe_module(out, model, lambda name: name.removeprefix("backbone."))
        for h, prototypes in enumerate(clusters.prototypes):
            describe(out, f"prototypes.prototypes{h}.weight", prototypes)
        describe(out, "memory", clusters.bank)
        describe(out, "memory_index", clusters.index)
        describe(out, "clusters", clusters.labels)


main()

#!/usr/bin/python3
"""One PCL training step in PyTorch: the peer that `protea bench pcl-step` is compared with.

ResNet-18 with the 3x3 stem, 256 images in two views of 32 pixels, head 512-512-128, key encoder with momentum, 4096 keys, InfoNCE;
ProtoNCE at three granularities of 5000, 10000 and 20000 given clusters with 4096 negatives drawn; batch-norm in 8 groups is left
out, which makes it faster than what it stands for; SGD with momentum. Views lie ready in memory. Written from the paper
(arXiv:2005.04966) and for PyTorch 1.13.
"""
import copy
import random

import torch
import torch.nn.functional as F

import peer

IMAGES, SIZE, DIM, KEYS, NEGATIVES, CLUSTERS = 256, 32, 128, 4096, 4096, (5000, 10000, 20000)
TEMPERATURE, MOMENTUM_KEY = 0.2, 0.999
LR, MOMENTUM, DECAY = 0.03, 0.9, 1e-4


class Encoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = peer.small_resnet18()
        self.fc = torch.nn.Sequential(torch.nn.Linear(512, 512), torch.nn.ReLU(), torch.nn.Linear(512, DIM))

    def forward(self, x):
        return F.normalize(self.fc(self.backbone(x)), dim=1)


def proto_nce(q, prototypes, phi, clusters):
    positive = clusters.tolist()
    negative = random.sample(sorted(set(range(len(prototypes))) - set(positive)), NEGATIVES)
    ids = torch.tensor(positive + negative)
    return F.cross_entropy((q @ prototypes[ids].t()).float() / phi[ids], torch.arange(IMAGES))


@torch.no_grad()
def follow(key, query):
    for k, q in zip(key.parameters(), query.parameters()):
        k.mul_(MOMENTUM_KEY).add_(q, alpha=1 - MOMENTUM_KEY)


def make_step(args):
    query = Encoder().to(memory_format=peer.layout(args)).train()
    key = copy.deepcopy(query)
    views = [torch.randn(IMAGES, 3, SIZE, SIZE).contiguous(memory_format=peer.layout(args)) for _ in range(2)]
    queue = F.normalize(torch.randn(KEYS, DIM), dim=1)
    prototypes = [F.normalize(torch.randn(k, DIM), dim=1) for k in CLUSTERS]
    clusters = [torch.randint(CLUSTERS[0], (IMAGES,)) for _ in CLUSTERS]
    optimizer = torch.optim.SGD(query.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=DECAY)

    def step():
        follow(key, query)
        with peer.autocast(args):
            q = query(views[0]).float()
            with torch.no_grad():
                k = key(views[1]).float()
        logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue.t()], 1) / TEMPERATURE
        loss = F.cross_entropy(logits, torch.zeros(IMAGES, dtype=torch.long))
        for c, y in zip(prototypes, clusters):
            loss = loss + proto_nce(q, c, torch.full((len(c),), TEMPERATURE), y) / len(CLUSTERS)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
        queue[:IMAGES] = k  # after backward, which wants the queue as it was
        return float(loss)

    return step


if __name__ == "__main__":
    peer.run(__doc__, make_step, steps=3)

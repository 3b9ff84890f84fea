#!/usr/bin/python3
"""One MoCo training step in PyTorch: the peer that `protea bench moco-step` is compared with.

ResNet-18 with the 3x3 stem, 256 images in 2 views of 32 pixels, head 512-512-128, 4096 keys in the queue; one direction, key
encoder and queue moved, SGD with momentum. Views lie ready in memory. Written from the paper (arXiv:1911.05722).
"""
import copy

import torch
import torch.nn.functional as F

import peer

IMAGES, SIZE, DIM, KEYS = 256, 32, 128, 4096
TEMPERATURE, KEEP, LR, MOMENTUM, DECAY = 0.2, 0.999, 0.03, 0.9, 1e-4


def encoder():
    net = peer.small_resnet18()
    net.fc = torch.nn.Sequential(torch.nn.Linear(512, 512), torch.nn.ReLU(), torch.nn.Linear(512, DIM))
    return net


def make_step(args):
    query = encoder().to(memory_format=peer.layout(args)).train()
    key = copy.deepcopy(query)
    views = [torch.randn(IMAGES, 3, SIZE, SIZE).contiguous(memory_format=peer.layout(args)) for _ in range(2)]
    queue = F.normalize(torch.randn(KEYS, DIM))
    target = torch.zeros(IMAGES, dtype=torch.long)
    optimizer = torch.optim.SGD(query.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=DECAY)
    pairs = list(zip(key.parameters(), query.parameters()))

    def step():
        with peer.autocast(args):
            q = query(views[0])
        with torch.no_grad(), peer.autocast(args):
            order = torch.randperm(IMAGES)
            shuffled = key(views[1][order].contiguous(memory_format=peer.layout(args)))
        q, k = F.normalize(q.float()), F.normalize(shuffled.float())[torch.argsort(order)]
        logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue.t()], 1) / TEMPERATURE
        loss = F.cross_entropy(logits, target)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for a, b in pairs:
                a.mul_(KEEP).add_(b, alpha=1 - KEEP)
            queue[:IMAGES] = k
        return float(loss)

    return step


if __name__ == "__main__":
    peer.run(__doc__, make_step, steps=3)

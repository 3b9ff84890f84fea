#!/usr/bin/env python3
"""Prints what tests/unit/test_linear_probe.c expects: the optimum of a decayed linear classifier on tests/data/knn.

The problem is convex, so the optimum does not depend on the start: found here in float64 by L-BFGS, there by many full-batch
steps of SGD. Decay is PyTorch's: wd/2 of the squares of weights and biases."""
import os
import numpy as np
import torch

data = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "data", "knn")
WD = 0.02


def load(name):
    x = torch.tensor(np.load(os.path.join(data, name + ".npy"))).double()
    return torch.nn.functional.normalize(x, dim=1) * 4, torch.tensor(np.load(os.path.join(data, name + "-labels.npy"))).long()


train, train_label = load("train")
test, test_label = load("test")
fc = torch.nn.Linear(train.shape[1], 12).double()
optimizer = torch.optim.LBFGS(fc.parameters(), max_iter=2000, tolerance_grad=1e-12, tolerance_change=1e-15, history_size=50)


def closure():
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(fc(train), train_label)
    (loss + WD / 2 * sum((p ** 2).sum() for p in fc.parameters())).backward()
    return loss + WD / 2 * sum((p ** 2).sum() for p in fc.parameters())


for _ in range(20):
    optimizer.step(closure)
with torch.no_grad():
    logits = fc(test)
    loss = torch.nn.functional.cross_entropy(fc(train), train_label).item()
    order = logits.argsort(1, descending=True)
    top1 = (order[:, 0] == test_label).double().mean().item()
    top5 = (order[:, :5] == test_label[:, None]).any(1).double().mean().item()
print(f"loss {loss:.8f} top1 {top1:.6f} top5 {top5:.6f}")

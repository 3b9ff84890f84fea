#!/usr/bin/env python3
"""Writes tests/data/knn: small features with labels and the weighted kNN scores that torch (cosine) and scikit-learn
(Euclidean distance) compute from them in float64.

Rows of expected.npy: k, temperature, top1, top5; of euclidean.npy: k, top1, top5, with votes of 1 / (distance + 1e-5). The
classifier is that of MoCo's CIFAR-10 notebook and of lightly, written out from its formula; ties cannot occur in this data."""
import os
import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier

out = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "data", "knn")
rng = np.random.default_rng(7)
CLASSES, DIM = 12, 24
centres = rng.normal(size=(CLASSES, DIM))


def draw(n):
    label = rng.integers(0, CLASSES, n)
    scale = np.exp(rng.normal(size=(n, 1)))  # lengths must not matter
    return ((centres[label] + 2.2 * rng.normal(size=(n, DIM))) * scale).astype("<f4"), label.astype("<i4")


def score(train, train_label, test, test_label, k, t):
    a, b = torch.tensor(train).double(), torch.tensor(test).double()
    a, b = torch.nn.functional.normalize(a, dim=1), torch.nn.functional.normalize(b, dim=1)
    sim, index = (b @ a.T).topk(min(k, len(a)), dim=1)
    label = torch.tensor(train_label).long()[index]
    votes = torch.zeros(len(b), CLASSES, dtype=torch.float64).scatter_add_(1, label, (sim / t).exp())
    order = votes.argsort(dim=1, descending=True)
    hit = (order == torch.tensor(test_label).long()[:, None]) & (votes.gather(1, order) > 0)  # no votes: no answer
    return hit[:, 0].double().mean().item(), hit[:, :5].any(1).double().mean().item()


def euclidean_score(train, train_label, test, test_label, k):
    model = KNeighborsClassifier(min(k, len(train)), weights=lambda d: 1 / (d + 1e-5), algorithm="brute")
    share = model.fit(train.astype("f8"), train_label).predict_proba(test.astype("f8"))
    order = np.argsort(-share, axis=1, kind="stable")
    hit = (order == test_label[:, None]) & (np.take_along_axis(share, order, 1) > 0)
    return hit[:, 0].mean(), hit[:, :5].any(1).mean()


train, train_label = draw(350)
test, test_label = draw(250)
expected = [(k, t, *score(train, train_label, test, test_label, k, t)) for k, t in [(200, .1), (20, .07), (1, .1), (1000, .5)]]
euclidean = [(k, *euclidean_score(train, train_label, test, test_label, k)) for k in (200, 20, 1, 1000)]
os.makedirs(out, exist_ok=True)
for name, x in [("train", train), ("train-labels", train_label), ("test", test), ("test-labels", test_label),
                ("expected", np.array(expected, "<f8").astype("<f4")),
                ("euclidean", np.array(euclidean, "<f8").astype("<f4"))]:
    np.save(os.path.join(out, name + ".npy"), x)
print(expected, euclidean)

#!/usr/bin/python3
"""Writes tests/data/eval_protocols.txt: what `protea eval PROTOCOL features` must say of tests/data/knn, by PyTorch and scikit-learn.

Lines: the command's words after `eval`, `features` and the data sets left out, then a bar and KEY VALUE TOLERANCE triples.
kNN: scores in float64 (knn.py). Linear: the three protocols step by step in float64, from the weights and in the orders that
the command draws for its seed; LARC is apex's, written out. The tolerance of what is counted on 250 rows is one row, since the
command works in f32. SVM: LinearSVC called as PCL's script calls it, its scores as svm.py scores them."""
import os

import numpy as np
import torch

import philox
import svm

SEED, CLASSES, ROW = 31, 12, 0.0041
data = os.path.join(svm.data, "knn")


def load(name):
    return (torch.tensor(np.load(os.path.join(data, name + ".npy"))).double(),
            torch.tensor(np.load(os.path.join(data, name + "-labels.npy"))).long())


train, train_label = load("train")
test, test_label = load("test")


def top(scores):
    order = scores.argsort(1, descending=True)
    hit = order == test_label[:, None]
    return hit[:, 0].double().mean().item(), hit[:, :5].any(1).double().mean().item()


def start():
    rng = philox.Philox(SEED, philox.INIT, 0, 0, 0)
    draws = [np.float32(0.01) * np.float32(rng.normal()) for _ in range(CLASSES * train.shape[1])]
    fc = torch.nn.Linear(train.shape[1], CLASSES).double()
    with torch.no_grad():
        fc.weight.copy_(torch.tensor(np.array(draws, "f8").reshape(CLASSES, -1)))
        fc.bias.zero_()
    return fc


def larc(parameters, trust=1e-3, eps=1e-8):
    """apex's LARC, scaling gradients: where a norm is 0 the gradient stays as it is. No decay here."""
    for p in parameters:
        length, gradient = p.norm(), p.grad.norm()
        if length > 0 and gradient > 0:
            p.grad *= trust * length / (gradient + eps)


def linear(epochs, batch, lr, wd, rate, by_larc):
    """rate(epoch): what lr is multiplied by. Returns the last epoch's mean loss and top-1, top-5."""
    fc, order = start(), list(range(len(train)))
    sgd = torch.optim.SGD(fc.parameters(), lr, momentum=0.9, weight_decay=wd)
    for epoch in range(epochs):
        philox.Philox(SEED, philox.SHUFFLE, epoch, 0, 0).shuffle(order)
        for group in sgd.param_groups:
            group["lr"] = lr * rate(epoch)
        losses = 0
        for first in range(0, len(order), batch):
            rows = order[first:first + batch]
            sgd.zero_grad()
            loss = torch.nn.functional.cross_entropy(fc(train[rows]), train_label[rows])
            loss.backward()
            losses += loss.item() * len(rows)
            if by_larc:
                larc(fc.parameters())
            sgd.step()
    with torch.no_grad():
        return losses / len(order), *top(fc(test))


def knn(k, t):
    a, b = torch.nn.functional.normalize(train, dim=1), torch.nn.functional.normalize(test, dim=1)
    similarity, index = (b @ a.T).topk(k, dim=1)
    votes = torch.zeros(len(b), CLASSES, dtype=torch.float64)
    return top(votes.scatter_add_(1, train_label[index], (similarity / t).exp()))


def write(f, words, *triples):
    f.write(words + " | " + "  ".join(f"{key} {value:.10g} {tolerance:g}" for key, value, tolerance in triples) + "\n")


def main():
    cosine = lambda epochs: lambda epoch: 0.5 * (1 + np.cos(np.pi * epoch / epochs))
    step = lambda epoch: 1 if epoch < 6 else 0.1 if epoch < 8 else 0.01  # 60 and 80 of 100, at 10
    with open(os.path.join(svm.data, "eval_protocols.txt"), "w") as f:
        for k, t in [(200, 0.1), (20, 0.07)]:
            one, five = knn(k, t)
            write(f, f"knn --k {k} --temperature {t}", ("top1", one, 1e-9), ("top5", five, 1e-9))
        for words, settings in [("--protocol swav --epochs 10", (10, 256, 0.3, 1e-6, cosine(10), False)),
                                ("--protocol moco --epochs 10 --lr 0.05 --batch-size 64", (10, 64, 0.05, 0, step, False)),
                                ("--protocol simsiam --epochs 10 --batch-size 64 --lr 30", (10, 64, 30, 0, cosine(10), True))]:
            loss, one, five = linear(*settings)
            write(f, "linear " + words, ("loss", loss, 1e-5 * loss), ("top1", one, ROW), ("top5", five, ROW))
        x, y = svm.load("train", 1)[0], svm.members(train_label.numpy(), "single")
        test_x, test_y = svm.load("test", 1)[0], svm.members(test_label.numpy(), "single")
        scores = [svm.train(x, y[:, c], "squared_hinge", 0.5, 2).decision_function(test_x) for c in range(CLASSES)]
        elevens, area = np.mean([svm.voc(scores[c], test_y[:, c]) for c in range(CLASSES)], axis=0)
        one, five = top(torch.tensor(np.array(scores).T))
        write(f, "svm --shots 0 --tol 1e-8", ("map", elevens, 1e-9), ("map_area", area, 1e-9), ("top1", one, 1e-9),
              ("top5", five, 1e-9))


main()

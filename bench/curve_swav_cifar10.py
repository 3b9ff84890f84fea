#!/usr/bin/python3
"""The recipe swav-cifar10-1h in PyTorch, for its first epochs: a curve to hold Protea's against.

    bench/curve_swav_cifar10.py cifar10-train.tar.xz cifar10-test.tar.xz --epochs 3 --seed 1

Two views of 32 pixels, ResNet-18 with 16 channels, head 128-512-128, 300 prototypes, Adam; augmentation by torchvision on PIL.
The schedule is that of the whole run (--of 44 epochs), of which the first --epochs are trained. Prints a line per epoch: mean loss
and weighted kNN (k 200, temperature 0.1) of the pooled features, with running statistics. Written from the paper
(arXiv:2006.09882) and for PyTorch 1.13.
"""
import argparse
import io
import math
import tarfile
import time

import torch
import torch.nn.functional as F
from PIL import Image
from torchvision import transforms
from torchvision.models.resnet import BasicBlock

WIDTH, HIDDEN, DIM, PROTOTYPES = 16, 512, 128, 300
BATCH, LR, DECAY, WARMUP, FROZEN = 256, 0.002, 1e-6, 0.05, 0.02
TEMPERATURE, EPSILON, SWEEPS = 0.1, 0.03, 3
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)

VIEW = transforms.Compose([
    transforms.RandomResizedCrop(32, scale=(0.2, 1)), transforms.RandomHorizontalFlip(),
    transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8), transforms.RandomGrayscale(0.2),
    transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
PLAIN = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])


class Images(torch.utils.data.Dataset):
    """The images of a tar whose folders are classes."""

    def __init__(self, path, views):
        self.views, self.images, names = views, [], []
        with tarfile.open(path) as tar:
            for member in tar:
                if member.isfile():
                    self.images.append(Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB"))
                    names.append(member.name.split("/")[-2])
        classes = sorted(set(names))
        self.labels = torch.tensor([classes.index(n) for n in names])

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return [VIEW(self.images[i]) for _ in range(2)] if self.views else PLAIN(self.images[i])


def backbone():
    layers, width = [torch.nn.Conv2d(3, WIDTH, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(WIDTH), torch.nn.ReLU()], WIDTH
    for stage in range(4):
        out, stride = WIDTH << stage, 2 if stage else 1
        down = None
        if stage:
            down = torch.nn.Sequential(torch.nn.Conv2d(width, out, 1, stride, bias=False), torch.nn.BatchNorm2d(out))
        layers += [BasicBlock(width, out, stride, down), BasicBlock(out, out)]
        width = out
    net = torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    for m in net.modules():
        if isinstance(m, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
    return net.to(memory_format=torch.channels_last)


@torch.no_grad()
def sinkhorn(scores):
    q = torch.exp((scores - scores.max()) / EPSILON)
    for _ in range(SWEEPS):
        q /= q.sum(0, keepdim=True) * PROTOTYPES
        q /= q.sum(1, keepdim=True) * len(q)
    return q * len(q)


def swapped_prediction(scores):
    a, b = scores.float().split(BATCH)
    return -((sinkhorn(a.detach()) * F.log_softmax(b / TEMPERATURE, 1)).sum(1).mean() +
             (sinkhorn(b.detach()) * F.log_softmax(a / TEMPERATURE, 1)).sum(1).mean()) / 2


@torch.no_grad()
def features(net, data, workers):
    net.eval()
    loader = torch.utils.data.DataLoader(data, 500, num_workers=workers)
    with torch.autocast("cpu", torch.bfloat16):
        z = torch.cat([net(x.contiguous(memory_format=torch.channels_last)).float() for x in loader])
    net.train()
    return F.normalize(z)


@torch.no_grad()
def knn(net, train, test, workers):
    z, queries = features(net, train, workers), features(net, test, workers)
    right = 0
    for q, truth in zip(queries.split(500), test.labels.split(500)):
        near, where = (q @ z.T).topk(200)
        votes = torch.zeros(len(q), 10).scatter_add_(1, train.labels[where], (near / 0.1).exp())
        right += int((votes.argmax(1) == truth).sum())
    return right / len(test)


def rate(step, steps):
    warmup = round(WARMUP * steps)
    if step < warmup:
        return LR * step / (warmup - 1)
    return LR * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--of", type=int, default=44)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    views, train, test = Images(args.train, True), Images(args.train, False), Images(args.test, False)
    net = backbone()
    head = torch.nn.Sequential(torch.nn.Linear(8 * WIDTH, HIDDEN), torch.nn.BatchNorm1d(HIDDEN), torch.nn.ReLU(),
                               torch.nn.Linear(HIDDEN, DIM))
    prototypes = torch.nn.Linear(DIM, PROTOTYPES, bias=False)
    parameters = [p for m in (net, head, prototypes) for p in m.parameters()]
    optimizer = torch.optim.Adam(parameters, LR, weight_decay=DECAY)
    loader = torch.utils.data.DataLoader(views, BATCH, shuffle=True, drop_last=True, num_workers=args.workers)
    print(f"untrained: kNN {knn(net, train, test, args.workers):.4f}", flush=True)
    step, steps = 0, args.of * len(loader)
    for epoch in range(args.epochs):
        start, total = time.time(), 0.0
        for crops in loader:
            for group in optimizer.param_groups:
                group["lr"] = rate(step, steps)
            with torch.no_grad():
                prototypes.weight.copy_(F.normalize(prototypes.weight, dim=1))
            with torch.autocast("cpu", torch.bfloat16):
                x = torch.cat(crops).contiguous(memory_format=torch.channels_last)
                scores = prototypes(F.normalize(head(net(x)), dim=1))
            loss = swapped_prediction(scores)
            optimizer.zero_grad()
            loss.backward()
            if step < FROZEN * steps:
                prototypes.weight.grad = None
            optimizer.step()
            total += float(loss)
            step += 1
        print(f"epoch {epoch + 1}: loss {total / len(loader):.4f}  kNN {knn(net, train, test, args.workers):.4f}  "
              f"{time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()

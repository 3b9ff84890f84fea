#!/usr/bin/python3
"""One SwAV training step in PyTorch: the peer that `protea bench swav-step` is compared with.

ResNet-18 with the 3x3 stem, 256 images in 2 crops of 32 and 4 of 20 pixels, head 512-2048-128, 3000 prototypes; loss over all
swapped pairs, Sinkhorn, SGD with momentum inside LARC. Crops lie ready in memory. Written from the paper
(arXiv:2006.09882) and for PyTorch 1.13; prints one line: `seconds_per_step X rss_mib Y` (median, peak).
"""
import argparse
import contextlib
import resource
import statistics
import time

import torch
import torch.nn.functional as F
import torchvision

IMAGES, CROPS = 256, ((32, 2), (20, 4))
HIDDEN, DIM, PROTOTYPES = 2048, 128, 3000
TEMPERATURE, EPSILON, SWEEPS = 0.1, 0.05, 3
LR, MOMENTUM, DECAY, TRUST = 0.6, 0.9, 1e-6, 1e-3


def small_resnet18():
    net = torchvision.models.resnet18()
    net.conv1 = torch.nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    net.maxpool = torch.nn.Identity()
    net.fc = torch.nn.Identity()
    return net


class SwAV(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = small_resnet18()
        self.head = torch.nn.Sequential(torch.nn.Linear(512, HIDDEN), torch.nn.BatchNorm1d(HIDDEN), torch.nn.ReLU(),
                                        torch.nn.Linear(HIDDEN, DIM))
        self.prototypes = torch.nn.Linear(DIM, PROTOTYPES, bias=False)

    def forward(self, crops):
        features = torch.cat([self.backbone(x) for x in crops])  # one pass per resolution
        z = F.normalize(self.head(features), dim=1)
        return self.prototypes(z)


@torch.no_grad()
def sinkhorn(scores):
    q = torch.exp((scores - scores.max()) / EPSILON)
    for _ in range(SWEEPS):
        q /= q.sum(0, keepdim=True) * PROTOTYPES
        q /= q.sum(1, keepdim=True) * len(q)
    return q * len(q)


def swapped_prediction(scores):
    views = scores.float().split(IMAGES)
    log_p = [F.log_softmax(s / TEMPERATURE, dim=1) for s in views]
    loss = 0
    for i in range(2):
        q = sinkhorn(views[i].detach())
        others = [v for v in range(len(views)) if v != i]
        loss -= sum((q * log_p[v]).sum(1).mean() for v in others) / len(others)
    return loss / 2


@torch.no_grad()
def larc(parameters):
    """Turns gradients into what SGD with momentum is to take, decay included."""
    for p in parameters:
        w, g = p.norm(), p.grad.norm()
        if w != 0 and g != 0:
            p.grad.add_(p, alpha=DECAY).mul_(TRUST * w / (g + DECAY * w + 1e-8))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype", choices=("bf16", "f32"), default="f32")
    parser.add_argument("--layout", choices=("nhwc", "nchw"), default="nchw")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's default")
    parser.add_argument("--steps", type=int, default=3, help="timed steps, after one that is not")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)

    torch.manual_seed(0)
    layout = torch.channels_last if args.layout == "nhwc" else torch.contiguous_format
    net = SwAV().to(memory_format=layout).train()
    crops = [torch.randn(n * IMAGES, 3, size, size).contiguous(memory_format=layout) for size, n in CROPS]
    parameters = list(net.parameters())
    optimizer = torch.optim.SGD(parameters, lr=LR, momentum=MOMENTUM)

    def step():
        with torch.no_grad():
            net.prototypes.weight.copy_(F.normalize(net.prototypes.weight, dim=1))
        bf16 = torch.autocast("cpu", torch.bfloat16) if args.dtype == "bf16" else contextlib.nullcontext()
        with bf16:
            scores = net(crops)
        loss = swapped_prediction(scores)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        larc(parameters)
        optimizer.step()
        return float(loss)

    step()
    seconds = []
    for _ in range(args.steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seconds_per_step {statistics.median(seconds):.3f} rss_mib {rss:.0f}")


if __name__ == "__main__":
    main()

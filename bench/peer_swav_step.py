#!/usr/bin/python3
"""One SwAV training step in PyTorch: the peer that `protea bench swav-step` is compared with.

ResNet-18 with the 3x3 stem, 256 images in 2 crops of 32 and 4 of 20 pixels, head 512-2048-128, 3000 prototypes; loss over all
swapped pairs, Sinkhorn, SGD with momentum inside LARC. Crops lie ready in memory. Written from the paper
(arXiv:2006.09882) and for PyTorch 1.13.
"""
import torch
import torch.nn.functional as F

import peer

IMAGES, CROPS = 256, ((32, 2), (20, 4))
HIDDEN, DIM, PROTOTYPES = 2048, 128, 3000
TEMPERATURE, EPSILON, SWEEPS = 0.1, 0.05, 3
LR, MOMENTUM, DECAY, TRUST = 0.6, 0.9, 1e-6, 1e-3


class SwAV(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = peer.small_resnet18()
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


def make_step(args):
    net = SwAV().to(memory_format=peer.layout(args)).train()
    crops = [torch.randn(n * IMAGES, 3, size, size).contiguous(memory_format=peer.layout(args)) for size, n in CROPS]
    parameters = list(net.parameters())
    optimizer = torch.optim.SGD(parameters, lr=LR, momentum=MOMENTUM)

    def step():
        with torch.no_grad():
            net.prototypes.weight.copy_(F.normalize(net.prototypes.weight, dim=1))
        with peer.autocast(args):
            scores = net(crops)
        loss = swapped_prediction(scores)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        larc(parameters)
        optimizer.step()
        return float(loss)

    return step


if __name__ == "__main__":
    peer.run(__doc__, make_step, steps=3)

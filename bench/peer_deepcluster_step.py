#!/usr/bin/python3
"""One DeepCluster-v2 training step in PyTorch: the peer that `protea bench deepcluster-step` is compared with.

ResNet-18 with the 3x3 stem, 256 images in 2 crops of 32 and 4 of 20 pixels, head 512-2048-128, three heads of 3000 fixed
prototypes; cross-entropy of all crops with given clusters, SGD with momentum inside LARC; the embeddings of the first two crops go
into a bank. Crops lie ready in memory. Written from the paper (arXiv:2006.09882) and for PyTorch 1.13.
"""
import torch
import torch.nn.functional as F

import peer

IMAGES, CROPS = 256, ((32, 2), (20, 4))
HIDDEN, DIM, PROTOTYPES, HEADS = 2048, 128, 3000, 3
TEMPERATURE = 0.1
LR, MOMENTUM, DECAY, TRUST = 0.6, 0.9, 1e-6, 1e-3


class DeepCluster(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = peer.small_resnet18()
        self.head = torch.nn.Sequential(torch.nn.Linear(512, HIDDEN), torch.nn.BatchNorm1d(HIDDEN), torch.nn.ReLU(),
                                        torch.nn.Linear(HIDDEN, DIM))

    def forward(self, crops):
        features = torch.cat([self.backbone(x) for x in crops])  # one pass per resolution
        return F.normalize(self.head(features), dim=1)


@torch.no_grad()
def larc(parameters):
    """Turns gradients into what SGD with momentum is to take, decay included."""
    for p in parameters:
        w, g = p.norm(), p.grad.norm()
        if w != 0 and g != 0:
            p.grad.add_(p, alpha=DECAY).mul_(TRUST * w / (g + DECAY * w + 1e-8))


def make_step(args):
    net = DeepCluster().to(memory_format=peer.layout(args)).train()
    crops = [torch.randn(n * IMAGES, 3, size, size).contiguous(memory_format=peer.layout(args)) for size, n in CROPS]
    prototypes = [F.normalize(torch.randn(PROTOTYPES, DIM), dim=1) for _ in range(HEADS)]
    labels = [torch.randint(PROTOTYPES, (IMAGES,)).repeat(sum(n for _, n in CROPS)) for _ in range(HEADS)]
    bank = torch.zeros(2, IMAGES, DIM)
    parameters = list(net.parameters())
    optimizer = torch.optim.SGD(parameters, lr=LR, momentum=MOMENTUM)

    def step():
        with peer.autocast(args):
            z = net(crops)
            scores = [z @ c.t().to(z.dtype) for c in prototypes]
        bank.copy_(z[: 2 * IMAGES].detach().float().view_as(bank))
        loss = sum(F.cross_entropy(s.float() / TEMPERATURE, y, ignore_index=-1) for s, y in zip(scores, labels)) / HEADS
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        larc(parameters)
        optimizer.step()
        return float(loss)

    return step


if __name__ == "__main__":
    peer.run(__doc__, make_step, steps=3)

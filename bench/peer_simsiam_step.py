#!/usr/bin/python3
"""One SimSiam training step in PyTorch: the peer that `protea bench simsiam-step` is compared with.

ResNet-18 with the 3x3 stem, 256 images in 2 views of 32 pixels, projector 512-2048-2048, predictor 2048-512-2048; both directions,
SGD with momentum. Views lie ready in memory. Written from the paper (arXiv:2011.10566).
"""
import torch
import torch.nn.functional as F

import peer

IMAGES, SIZE, DIM, HIDDEN = 256, 32, 2048, 512
LR, MOMENTUM, DECAY = 0.03, 0.9, 5e-4


class SimSiam(torch.nn.Module):
    def __init__(self):
        super().__init__()
        nn = torch.nn
        self.backbone = peer.small_resnet18()
        self.projector = nn.Sequential(nn.Linear(512, DIM, bias=False), nn.BatchNorm1d(DIM), nn.ReLU(), nn.Linear(DIM, DIM),
                                       nn.BatchNorm1d(DIM, affine=False))
        self.predictor = nn.Sequential(nn.Linear(DIM, HIDDEN, bias=False), nn.BatchNorm1d(HIDDEN), nn.ReLU(),
                                       nn.Linear(HIDDEN, DIM))

    def forward(self, x):
        z = self.projector(self.backbone(x))
        return z, self.predictor(z)


def make_step(args):
    net = SimSiam().to(memory_format=peer.layout(args)).train()
    views = [torch.randn(IMAGES, 3, SIZE, SIZE).contiguous(memory_format=peer.layout(args)) for _ in range(2)]
    optimizer = torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=DECAY)

    def step():
        with peer.autocast(args):
            (z0, p0), (z1, p1) = net(views[0]), net(views[1])
        cosines = F.cosine_similarity(p0.float(), z1.detach().float()), F.cosine_similarity(p1.float(), z0.detach().float())
        loss = -0.5 * (cosines[0].mean() + cosines[1].mean())
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
        return float(loss)

    return step


if __name__ == "__main__":
    peer.run(__doc__, make_step, steps=3)

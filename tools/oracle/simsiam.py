"""Ten SimSiam steps by plain PyTorch in double, written to tests/data/simsiam.txt; run from the project's root.

Two views of 32 pixels, 16 images a step, two steps an epoch; resnet18-w16 with the small stem, projector of three layers to 64,
predictor 64-16-64 whose rate stays; the projector's last bias is frozen; SGD, cosine by epochs. Lines: see network.py;
the running mean after the predictor's first layer is 0 but for rounding, because projections have no mean, and left out.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from formula import fill_module
from network import Backbone, crops, describe

N, DIM, HIDDEN, STEPS, STEPS_PER_EPOCH = 16, 64, 16, 10, 2
LR, MOMENTUM, WD = 0.005, 0.9, 1e-4


class SimSiam(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone(16)
        self.projector = nn.Sequential(nn.Linear(128, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(),
                                       nn.Linear(128, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(),
                                       nn.Linear(128, DIM), nn.BatchNorm1d(DIM, affine=False))
        self.predictor = nn.Sequential(nn.Linear(DIM, HIDDEN, bias=False), nn.BatchNorm1d(HIDDEN), nn.ReLU(),
                                       nn.Linear(HIDDEN, DIM))
        self.projector[6].bias.requires_grad_(False)

    def forward(self, views):
        z = [self.projector(self.backbone(x)) for x in views]
        p = [self.predictor(x) for x in z]
        cosines = F.cosine_similarity(p[0], z[1].detach()), F.cosine_similarity(p[1], z[0].detach())
        return -0.5 * (cosines[0].mean() + cosines[1].mean())


def train(out):
    model = SimSiam()
    fill_module(model.backbone)
    fill_module(model.projector, "projector.")
    fill_module(model.predictor, "predictor.")
    model.double().train()
    falling = [p for part in (model.backbone, model.projector) for p in part.parameters() if p.requires_grad]
    optim = torch.optim.SGD([{"params": falling}, {"params": model.predictor.parameters()}], lr=LR, momentum=MOMENTUM,
                            weight_decay=WD)
    for step in range(STEPS):
        loss = model(crops(step, N, ((2, 32),))[0].split(N))
        optim.zero_grad()
        loss.backward()
        optim.param_groups[0]["lr"] = LR * 0.5 * (1 + math.cos(math.pi * (step // STEPS_PER_EPOCH) / (STEPS // STEPS_PER_EPOCH)))
        optim.step()
        print("loss", step, f"{loss.item():.9f}", file=out)
    return model


def main():
    with open("tests/data/simsiam.txt", "w") as out:
        for name, x in train(out).state_dict().items():
            if not name.endswith("num_batches_tracked") and name != "predictor.1.running_mean":
                describe(out, name.removeprefix("backbone."), x)


main()

"""Ten supervised steps by plain PyTorch in double, written to tests/data/supervised.txt; run from the project's root.

16 images of 32 pixels a step, ten classes, image n of class 3 n mod 10; resnet18-w16 with the small stem and one linear layer;
label smoothing 0.1; SGD with momentum and weight decay, two steps of warm-up, then cosine.
Lines: `loss STEP VALUE`, then for each tensor `NAME NORM` and eight elements evenly spread over it.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from formula import fill_module
from network import Backbone, crops, describe_module

N, CLASSES, STEPS, SMOOTHING = 16, 10, 10, 0.1
START, BASE, FINAL, WARMUP = 0.0005, 0.005, 0.0001, 2
MOMENTUM, WD = 0.9, 5e-4


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone(16)
        self.fc = nn.Linear(128, CLASSES)

    def forward(self, x):
        return self.fc(self.backbone(x))


def learning_rate(step):
    if step < WARMUP:
        return START + (BASE - START) * step / (WARMUP - 1)
    return FINAL + 0.5 * (BASE - FINAL) * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


def train(out):
    model, labels = Model(), torch.arange(N) * 3 % CLASSES
    fill_module(model.backbone)
    fill_module(model.fc, "fc.")
    model.double().train()
    optim = torch.optim.SGD(model.parameters(), lr=1.0, momentum=MOMENTUM, weight_decay=WD)
    for step in range(STEPS):
        (x,) = crops(step, N, ((1, 32),))
        loss = F.cross_entropy(model(x), labels, label_smoothing=SMOOTHING)
        optim.zero_grad(set_to_none=True)
        loss.backward()
        optim.param_groups[0]["lr"] = learning_rate(step)
        optim.step()
        print("loss", step, f"{loss.item():.9f}", file=out)
    return model


def main():
    with open("tests/data/supervised.txt", "w") as out:
        describe_module(out, train(out), lambda name: name.removeprefix("backbone."))


main()

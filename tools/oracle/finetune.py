"""Six epochs of fine-tuning by plain PyTorch in double, written to tests/data/finetune.txt; run from the project's root.

16 pictures of 32 pixels, ten classes, picture n of class 3 n mod 10, all in one batch; resnet18-w16 with the small stem and one
linear layer with a rate of its own; SGD with momentum and weight decay, both rates times 0.2 at two milestones.
Lines: `loss EPOCH VALUE`, `right EPOCH COUNT AMONG5` (running statistics, after the epoch's step), then for each tensor
`NAME NORM` and eight elements evenly spread over it.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from formula import fill, fill_module
from network import Backbone, describe_module

N, CLASSES, EPOCHS = 16, 10, 6
LR, LR_HEAD, GAMMA, MILESTONES = 0.01, 0.2, 0.2, [3, 5]
MOMENTUM, WD = 0.9, 1e-3


def pictures():
    """(N,3,32,32): bytes of patches of colour with noise, normalised with mean 0.5 and deviation 0.25."""
    patch = torch.arange(32) * 4 // 32
    patches = fill((N, 4, 4, 3), "patches", 128, 80)[:, patch][:, :, patch]
    pixels = (patches + fill((N, 32, 32, 3), "noise", 0, 40)).to(torch.uint8)
    return ((pixels.double() / 255 - 0.5) / 0.25).permute(0, 3, 1, 2)


def test(out, epoch, trunk, fc, x, labels):
    trunk.eval()
    with torch.no_grad():
        five = fc(trunk(x)).topk(5).indices
    trunk.train()
    hit = five == labels[:, None]
    print("right", epoch, hit[:, 0].sum().item(), hit.sum().item(), file=out)


def main():
    trunk, fc = Backbone(16), nn.Linear(128, CLASSES)
    fill_module(trunk)
    fill_module(fc, "fc.")
    trunk.double().train(), fc.double()
    x, labels = pictures(), torch.arange(N) * 3 % CLASSES
    groups = [{"params": trunk.parameters()}, {"params": fc.parameters(), "lr": LR_HEAD}]
    optim = torch.optim.SGD(groups, lr=LR, momentum=MOMENTUM, weight_decay=WD)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optim, MILESTONES, gamma=GAMMA)
    with open("tests/data/finetune.txt", "w") as out:
        for epoch in range(EPOCHS):
            loss = F.cross_entropy(fc(trunk(x)), labels)
            optim.zero_grad()
            loss.backward()
            optim.step()
            schedule.step()
            print("loss", epoch, f"{loss.item():.9f}", file=out)
            test(out, epoch, trunk, fc, x, labels)
        describe_module(out, trunk)
        describe_module(out, fc, lambda name: "fc." + name)


main()

#!/usr/bin/env python3
"""Writes tests/data/resnet/expected.txt: whole ResNets, forward and backward, as PyTorch computes it in float64 from
weights and inputs by formula.py. One line per tensor: case, name, norm, then index and value of some entries.

Cases: ResNet-18 as small32 and small20 (CIFAR stem, 8 images of 32 and 20 px), large64 (ImageNet stem, 8 of 64 px), and
ResNet-50 as bottleneck32 (CIFAR stem); narrow32 is ResNet-18 at a quarter of the width.

Gradients here are chaotic: where a ReLU's input is within rounding of 0, its mask falls either way. PyTorch's own f32 differs
from its float64 by 5e-5 to 1e-3 in a gradient's norm and up to 1e-2 in L2, its bf16 by 0.1 and 0.5.
loss = sum(features * cotangent) / N. Names: loss; features (batch statistics); images.grad; PARAMETER.grad;
running_mean and running_var buffers after that pass; eval.features (with those running statistics)."""
import os
import sys

import torch
import torchvision

sys.path.insert(0, os.path.dirname(__file__))
import formula

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "data", "resnet")
N, ENTRIES = 8, 6


class Narrow(torchvision.models.ResNet):
    """ResNet-18 from 16 channels on."""

    def __init__(self):
        super().__init__(torchvision.models.resnet.BasicBlock, [2, 2, 2, 2])
        self.bn1 = torch.nn.BatchNorm2d(16)

    def _make_layer(self, block, planes, *args, **kwargs):
        self.inplanes = 16 if planes == 64 else self.inplanes
        return super()._make_layer(block, planes // 4, *args, **kwargs)


def network(arch, small_stem):
    net = Narrow() if arch == "resnet18-w16" else getattr(torchvision.models, arch)()
    net.fc = torch.nn.Identity()
    if small_stem:
        net.conv1 = torch.nn.Conv2d(3, net.bn1.num_features, 3, 1, 1, bias=False)
        net.maxpool = torch.nn.Identity()
    formula.fill_module(net)
    return net.double()


def line(case, name, t):
    flat = t.detach().reshape(-1)
    step = max(1, flat.numel() // ENTRIES)
    entries = [(i, flat[i].item()) for i in range(step // 2, flat.numel(), step)][:ENTRIES]
    return f"{case} {name} {flat.norm().item():.12g} " + " ".join(f"{i} {v:.9g}" for i, v in entries) + "\n"


def run(case, arch, small_stem, size):
    net = network(arch, small_stem)
    images = formula.fill((N, 3, size, size), "images").double().requires_grad_()
    features = net(images)
    cotangent = formula.fill(tuple(features.shape), "cotangent").double()
    loss = (features * cotangent).sum() / N
    loss.backward()
    lines = [line(case, "loss", loss), line(case, "features", features), line(case, "images.grad", images.grad)]
    lines += [line(case, name + ".grad", p.grad) for name, p in net.named_parameters()]
    lines += [line(case, name, b) for name, b in net.named_buffers() if "running" in name]
    net.eval()
    return lines + [line(case, "eval.features", net(images))]


os.makedirs(OUT, exist_ok=True)
with open(os.path.join(OUT, "expected.txt"), "w") as f:
    for case in [("small32", "resnet18", True, 32), ("small20", "resnet18", True, 20), ("large64", "resnet18", False, 64),
                 ("bottleneck32", "resnet50", True, 32), ("narrow32", "resnet18-w16", True, 32)]:
        f.writelines(run(*case))

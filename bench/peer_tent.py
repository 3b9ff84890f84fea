#!/usr/bin/python3
"""Tent in PyTorch: the peer that `protea bench tent` is compared with.

128 images of 32 pixels, ResNet-18 with a 3x3 stem, ten classes; batch statistics, entropy, Adam on batch-norm's parameters.
"""
import torch

import peer


def make_step(args):
    net = peer.small_resnet18()
    net.fc = torch.nn.Linear(512, 10)
    net = net.to(memory_format=peer.layout(args)).train().requires_grad_(False)
    parameters = []
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.requires_grad_(True)
            m.track_running_stats, m.running_mean, m.running_var = False, None, None
            parameters += [m.weight, m.bias]
    optimizer = torch.optim.Adam(parameters, 1e-3)
    x = torch.randn(128, 3, 32, 32).contiguous(memory_format=peer.layout(args))

    def step():
        with peer.autocast(args):
            p = net(x)
        p = p.float()
        loss = -(p.softmax(1) * p.log_softmax(1)).sum(1).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


if __name__ == "__main__":
    peer.run(__doc__, make_step)

#!/usr/bin/python3
"""One ResNet-50 training step in PyTorch: the peer that `protea bench resnet50-step` is compared with.

16 views of 224 pixels, torchvision's network without its classifier, forward and backward from a given gradient of the pooled
features, SGD with momentum.
"""
import torch
import torchvision

import peer


def resnet50():
    net = torchvision.models.resnet50()
    net.fc = torch.nn.Identity()
    return net


if __name__ == "__main__":
    peer.run(__doc__, lambda args: peer.network_step(args, resnet50(), 2048, 16, 224), steps=3)

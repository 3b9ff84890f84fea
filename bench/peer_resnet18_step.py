#!/usr/bin/python3
"""One ResNet-18 training step in PyTorch: the peer that `protea bench resnet18-step` is compared with.

512 views of 32 pixels, 3x3 stem, forward and backward from a given gradient of the pooled features, SGD with momentum.
"""
import peer

if __name__ == "__main__":
    peer.run(__doc__, lambda args: peer.network_step(args, peer.small_resnet18(), 512, 512, 32))

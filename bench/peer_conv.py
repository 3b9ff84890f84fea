#!/usr/bin/python3
"""The convolutions of a ResNet-18 step in PyTorch (oneDNN): the peer that `protea bench conv` is compared with.

512 views of 32 pixels; each layer's forward pass, gradient of the input and gradient of the weights by itself, as
torch.ops.aten computes them from tensors that are there already.
"""
import torch

import peer

VIEWS = 512
LAYERS = [(3, 64, 32, 3, 1), (64, 64, 32, 3, 1), (64, 128, 32, 3, 2), (64, 128, 32, 1, 2), (128, 128, 16, 3, 1),
          (128, 256, 16, 3, 2), (128, 256, 16, 1, 2), (256, 256, 8, 3, 1), (256, 512, 8, 3, 2), (256, 512, 8, 1, 2),
          (512, 512, 4, 3, 1)]


def passes(args, views, layer):
    """One function for each pass; images want no gradient."""
    inputs, outputs, size, kernel, stride = layer
    dtype = torch.bfloat16 if args.dtype == "bf16" else torch.float32
    x = torch.rand(views, inputs, size, size).to(dtype).contiguous(memory_format=peer.layout(args))
    w = torch.rand(outputs, inputs, kernel, kernel).to(dtype).contiguous(memory_format=peer.layout(args))
    out = size // stride
    dy = torch.rand(views, outputs, out, out).to(dtype).contiguous(memory_format=peer.layout(args))
    geometry = [[stride, stride], [kernel // 2, kernel // 2], [1, 1], False, [0, 0], 1]

    def backward(mask):
        return torch.ops.aten.convolution_backward(dy, x, w, None, *geometry, mask)

    yield lambda: torch.ops.aten.convolution(x, w, None, *geometry)
    if inputs != 3:
        yield lambda: backward([True, False, False])
    yield lambda: backward([False, True, False])


def make_steps(args, views, layers):
    for layer in layers:
        yield from passes(args, views, layer)


if __name__ == "__main__":
    peer.run(__doc__, lambda args: make_steps(args, VIEWS, LAYERS))

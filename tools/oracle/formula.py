"""Start weights and inputs by the formula of tests/support/formula.h, to the same bits."""
import math

import numpy as np
import torch


def name_hash(name):
    h = 2166136261
    for byte in name.encode():
        h = ((h ^ byte) * 16777619) & 0xFFFFFFFF
    return h


def fill(shape, name, offset=0.0, scale=1.0):
    """A float32 tensor; element i is offset + scale * hash(name, i), the hash in [-1, 1)."""
    n = int(np.prod(shape))
    h = np.arange(n, dtype=np.uint64) * 0x9E3779B1 + name_hash(name)
    h &= 0xFFFFFFFF
    h = ((h ^ h >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    h = ((h ^ h >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    h ^= h >> 16
    u = (h >> 8).astype(np.float64) / 8388608.0 - 1.0
    return torch.from_numpy((offset + scale * u).astype(np.float32).reshape(shape))


def fill_param(name, p):
    """A parameter by its full name, in place."""
    offset, scale = 0.0, 0.1
    if p.dim() == 4:
        scale = math.sqrt(6.0 / (p.shape[0] * p.shape[2] * p.shape[3]))
    elif p.dim() == 2:
        scale = 1 / math.sqrt(p.shape[1])
    elif name.endswith("weight"):
        offset, scale = 1.0, 0.25
    with torch.no_grad():
        p.copy_(fill(tuple(p.shape), name, offset, scale))


def fill_module(module, prefix=""):
    for name, p in module.named_parameters():
        fill_param(prefix + name, p)

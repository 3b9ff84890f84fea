#!/usr/bin/python3
"""One ResNet-18 training step in PyTorch: the peer that `protea bench resnet18-step` is compared with.

512 views of 32 pixels, 3x3 stem, forward and backward from a given gradient of the pooled features, SGD with momentum.
Prints one line: `seconds_per_step X rss_mib Y` (median, peak).
"""
import argparse
import contextlib
import resource
import statistics
import time

import torch
import torchvision

VIEWS, SIZE = 512, 32


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype", choices=("bf16", "f32"), default="f32")
    parser.add_argument("--layout", choices=("nhwc", "nchw"), default="nchw")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's default")
    parser.add_argument("--steps", type=int, default=5, help="timed steps, after one that is not")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)

    torch.manual_seed(0)
    layout = torch.channels_last if args.layout == "nhwc" else torch.contiguous_format
    net = torchvision.models.resnet18()
    net.conv1 = torch.nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    net.maxpool = torch.nn.Identity()
    net.fc = torch.nn.Identity()
    net = net.to(memory_format=layout).train()
    x = torch.randn(VIEWS, 3, SIZE, SIZE).contiguous(memory_format=layout)
    gradient = torch.randn(VIEWS, 512) / VIEWS
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        bf16 = torch.autocast("cpu", torch.bfloat16) if args.dtype == "bf16" else contextlib.nullcontext()
        with bf16:
            y = net(x)
        optimizer.zero_grad(set_to_none=False)
        y.backward(gradient.to(y.dtype))
        optimizer.step()

    step()
    seconds = []
    for _ in range(args.steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seconds_per_step {statistics.median(seconds):.3f} rss_mib {rss:.0f}")


if __name__ == "__main__":
    main()

"""What every peer shares: its options, its clock, and the line it prints: `seconds_per_step X rss_mib Y` (median, peak).

A peer is one PyTorch program bench/peer_NAME.py; `protea bench NAME --peer` runs it in turns with Protea.
"""
import argparse
import contextlib
import resource
import statistics
import time

import torch
import torchvision


def layout(args):
    return torch.channels_last if args.layout == "nhwc" else torch.contiguous_format


def autocast(args):
    return torch.autocast("cpu", torch.bfloat16) if args.dtype == "bf16" else contextlib.nullcontext()


def small_resnet18():
    """torchvision's ResNet-18 with a 3x3 stem, no max-pooling and no classifier."""
    net = torchvision.models.resnet18()
    net.conv1 = torch.nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    net.maxpool = torch.nn.Identity()
    net.fc = torch.nn.Identity()
    return net


def network_step(args, net, dim, views, size):
    """Forward and backward from a given gradient of the pooled features, SGD with momentum."""
    net = net.to(memory_format=layout(args)).train()
    x = torch.randn(views, 3, size, size).contiguous(memory_format=layout(args))
    gradient = torch.randn(views, dim) / views
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        with autocast(args):
            y = net(x)
        optimizer.zero_grad(set_to_none=False)
        y.backward(gradient.to(y.dtype))
        optimizer.step()

    return step


def seconds_of(step, n, clock):
    """Median of n, after one that does not count."""
    step()
    seconds = []
    for _ in range(n):
        start = clock()
        step()
        seconds.append(clock() - start)
    return statistics.median(seconds)


def run(doc, make_step, steps=5, clock=time.perf_counter):
    """make_step(args) gives the function to be timed, or one for each row of a table; doc: the program's own; clock: time.thread_time
    for what runs on one thread, as its bench has it."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--dtype", choices=("bf16", "f32"), default="f32")
    parser.add_argument("--layout", choices=("nhwc", "nchw"), default="nchw")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's default")
    parser.add_argument("--steps", type=int, default=steps, help="timed steps, after one that is not")
    parser.add_argument("--files", help="a folder that Protea wrote the work into")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    made = make_step(args)
    for step in [made] if callable(made) else made:
        seconds = seconds_of(step, args.steps, clock)
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"seconds_per_step {seconds:.7f} rss_mib {rss:.0f}", flush=True)

#!/usr/bin/python3
"""Features of JPEG files by PyTorch: the peer that `protea bench embed` is compared with.

torchvision's ResNet-50 at its best for inference: batch-norm folded into the convolutions (torch.fx), bf16 (or f32), channels
last, eager or traced and frozen, and in batches of 16 or 32: the fastest of these on a first turn counts. Files are decoded
and resized by Pillow, or decoded by torchvision.io (libjpeg-turbo) and resized by torch: the faster; on as many threads as the
network has. From files to .npy. What was chosen is said on standard error.
"""
import argparse
import concurrent.futures
import pathlib
import resource
import statistics
import sys
import time

import numpy as np
import PIL.Image
import torch
import torchvision
from torch.fx.experimental.optimization import fuse

SIZE = 224
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def by_pillow(path):
    image = PIL.Image.open(path).convert("RGB")
    short = min(image.size)
    image = image.resize((image.width * SIZE // short, image.height * SIZE // short), PIL.Image.BILINEAR)
    left, top = (image.width - SIZE) // 2, (image.height - SIZE) // 2
    return torch.from_numpy(np.array(image.crop((left, top, left + SIZE, top + SIZE))))


def by_torchvision(path):
    image = torchvision.io.read_image(str(path), torchvision.io.ImageReadMode.RGB)
    image = torchvision.transforms.functional.resize(image, SIZE, antialias=True)
    return torchvision.transforms.functional.center_crop(image, SIZE).permute(1, 2, 0)


def network(args, traced, batch):
    net = torchvision.models.resnet50()
    net.fc = torch.nn.Identity()
    net = fuse(net.eval()).to(dtype(args)).to(memory_format=torch.channels_last)
    if traced:
        example = torch.zeros(batch, 3, SIZE, SIZE, dtype=dtype(args)).to(memory_format=torch.channels_last)
        net = torch.jit.freeze(torch.jit.trace(net, example))
    return net


def dtype(args):
    return torch.bfloat16 if args.dtype == "bf16" else torch.float32


def embed(args, files, net, read, batch, pool):
    features = []
    for first in range(0, len(files), batch):
        views = torch.stack(list(pool.map(read, files[first:first + batch])))
        x = ((views.float() / 255 - MEAN) / STD).to(dtype(args)).permute(0, 3, 1, 2)  # channels last already
        features.append(net(x).float())
    np.save(pathlib.Path(args.files) / "peer.npy", torch.cat(features).numpy())


def timed(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def choose(args, files, pool):
    """The fastest way to read, then the fastest network, each after a warm-up."""
    reads = {}
    for read in (by_pillow, by_torchvision):
        list(pool.map(read, files[:16]))
        reads[timed(lambda: list(pool.map(read, files)))] = read
    nets = {}
    for traced in (False, True):
        for batch in (16, 32):
            net = network(args, traced, batch)
            x = torch.zeros(batch, 3, SIZE, SIZE, dtype=dtype(args)).to(memory_format=torch.channels_last)
            for _ in range(3):
                net(x)
            nets[min(timed(net, x) for _ in range(2)) / batch] = (net, batch, traced)
    read, (net, batch, traced) = reads[min(reads)], nets[min(nets)]
    print(f"peer: {read.__name__}, batches of {batch}, {'frozen' if traced else 'eager'}", file=sys.stderr)
    return net, read, batch


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype", choices=("bf16", "f32"), default="f32")
    parser.add_argument("--layout")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--files", required=True, help="the folder of files")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    files = sorted(pathlib.Path(args.files).glob("*.jpg"))
    with torch.no_grad(), concurrent.futures.ThreadPoolExecutor(args.threads or None) as pool:
        net, read, batch = choose(args, files, pool)
        times = [timed(embed, args, files, net, read, batch, pool) for _ in range(args.steps)]
    (pathlib.Path(args.files) / "peer.npy").unlink()
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seconds_per_step {statistics.median(times):.5f} rss_mib {rss:.0f}")


if __name__ == "__main__":
    main()

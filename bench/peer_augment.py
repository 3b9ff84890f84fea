#!/usr/bin/python3
"""SwAV's augmentation by torchvision on PIL images: the peer that `protea bench augment` is compared with.

The same JPEG files, read into memory first; decoded once for all views of a picture; one thread.
"""
import io
import pathlib
import random
import time

import PIL.Image
import PIL.ImageFilter
import torch
from torchvision import transforms

import peer


class Blur:
    """Pillow's Gaussian blur with a random radius, as in SwAV's code."""

    def __call__(self, image):
        return image.filter(PIL.ImageFilter.GaussianBlur(random.uniform(0.1, 2.0)))


def augmentation(size, scale):
    jitter = transforms.ColorJitter(0.8, 0.8, 0.8, 0.2)
    return transforms.Compose([
        transforms.RandomResizedCrop(size, scale=scale), transforms.RandomHorizontalFlip(),
        transforms.RandomApply([jitter], 0.8), transforms.RandomGrayscale(0.2), transforms.RandomApply([Blur()], 0.5),
        transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.228, 0.224, 0.225])])


def maker(files, views):
    def step():
        for data in files:
            image = PIL.Image.open(io.BytesIO(data)).convert("RGB")
            for view in views:
                view(image)

    return step


def make_steps(args):
    torch.set_num_threads(1)
    read = {stem: [path.read_bytes() for path in sorted(pathlib.Path(args.files).glob(f"{stem}-*.jpg"))]
            for stem in ("small", "large")}
    small, large = augmentation(32, (0.2, 1.0)), augmentation(224, (0.14, 1.0))
    for stem, views in [("small", [small]), ("small", [small] * 2), ("large", [large]), ("large", [large] * 2),
                        ("large", [large] * 2 + [augmentation(96, (0.05, 0.14))] * 6)]:
        yield maker(read[stem], views)


if __name__ == "__main__":
    peer.run(__doc__, make_steps, clock=time.thread_time)

#!/usr/bin/python3
"""JPEG files to RGB by Pillow: the peer that `protea bench decode` is compared with.

The same files, read into memory first, one thread.
"""
import io
import pathlib
import time

import PIL.Image

import peer


def decoder(files):
    def step():
        for data in files:
            PIL.Image.open(io.BytesIO(data)).convert("RGB")

    return step


def make_steps(args):
    for stem in ("small", "large"):
        yield decoder([path.read_bytes() for path in sorted(pathlib.Path(args.files).glob(f"{stem}-*.jpg"))])


if __name__ == "__main__":
    peer.run(__doc__, make_steps, clock=time.thread_time)

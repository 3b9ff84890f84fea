#!/usr/bin/env python3
"""Writes tests/data/image.ref: what Pillow and torchvision make of a small picture, and small files of every kind with
their decoded pixels. Records of (name: 32 bytes, length: u32 little-endian, bytes); the picture comes from a formula that
the test knows too.   Usage: tools/oracle/image.py [OUT]   (Debian: python3-pil, python3-torchvision, python3-numpy)"""
import io
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageFilter, ImageOps
import torchvision.transforms.functional as F
from torchvision.transforms import CenterCrop, Resize

OUT = sys.argv[1] if len(sys.argv) > 1 else "tests/data/image.ref"
records = []


def put(name, data):
    if isinstance(data, Image.Image):
        data = np.asarray(data.convert("RGB")).tobytes()
    records.append((name, bytes(data)))


def picture(w, h):
    """Smooth and rough parts, all values: the same formula as in tests/unit/test_image.c."""
    y, x, c = np.meshgrid(np.arange(h), np.arange(w), np.arange(3), indexing="ij")
    v = np.where((x // 4 + y // 4) % 2 == 0, x * 9 + y * 5 + c * 60, x * x * 31 + y * y * 17 + c * 97 + x * y * 3)
    return Image.fromarray((v % 256).astype(np.uint8))


small, wide = picture(23, 17), picture(97, 64)
for name, image, size in [("up", small, (32, 32)), ("down", small, (8, 8)), ("mixed", small, (11, 29)),
                          ("far", wide, (5, 6)), ("wide", wide, (97, 20))]:
    for title, kind in [("resize", Image.BILINEAR), ("box", Image.BOX), ("bicubic", Image.BICUBIC)]:
        put(f"{title} {name}", image.resize(size, kind))
put("resize box", small.resize((16, 16), Image.BILINEAR, box=(3.5, 2.25, 20, 15.5)))
put("bicubic box", small.resize((9, 30), Image.BICUBIC, box=(3.5, 2.25, 20, 15.5)))
put("crop", F.resized_crop(wide, 7, 11, 30, 41, (20, 20)))
put("crop tiny", F.resized_crop(wide, 60, 90, 3, 2, (8, 8)))
put("center", CenterCrop(12)(Resize(12)(small)))
put("center tall", CenterCrop(20)(Resize(20)(picture(30, 77))))
put("flip", ImageOps.mirror(small))
for f in (0, 0.3, 1.7):
    put(f"brightness {f}", F.adjust_brightness(small, f))
    put(f"contrast {f}", F.adjust_contrast(small, f))
    put(f"saturation {f}", F.adjust_saturation(small, f))
for f in (-0.5, -0.2, 0, 0.13, 0.5):
    put(f"hue {f}", F.adjust_hue(wide, f))
put("gray", small.convert("L").convert("RGB"))
put("solarize", ImageOps.solarize(small, 128))
for sigma in (0.1, 0.5, 1, 1.5, 2, 6):
    put(f"blur {sigma}", small.filter(ImageFilter.GaussianBlur(sigma)))
put("blur thin", picture(1, 9).filter(ImageFilter.GaussianBlur(2)))


def file(name, image, fmt, **options):
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    data = buffer.getvalue()
    put("file " + name, data)
    put("pixels " + name, Image.open(io.BytesIO(data)))


def png(name, bits, colour, rows, pixels):
    """A PNG that Pillow cannot write."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    h, w = pixels.shape[:2]
    head = struct.pack(">IIBBBBB", w, h, bits, colour, 0, 0, 0)
    body = b"".join(b"\0" + row.tobytes() for row in rows)
    put("file " + name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b""))
    put("pixels " + name, pixels.astype(np.uint8).tobytes())


file("rgb.jpg", small, "JPEG", quality=90)
file("progressive.jpg", wide, "JPEG", quality=80, progressive=True)
file("gray.jpg", small.convert("L"), "JPEG")
file("cmyk.jpg", small.convert("CMYK"), "JPEG", quality=90)
file("rgb.png", small, "PNG")
file("palette.png", small.quantize(16), "PNG")
file("gray.png", small.convert("L"), "PNG")
file("bilevel.png", small.convert("1"), "PNG")
alpha = small.convert("RGBA")
alpha.putalpha(small.convert("L"))
put("file rgba.png", (lambda b: (alpha.save(b, "PNG"), b.getvalue())[1])(io.BytesIO()))
put("pixels rgba.png", small)
gray_alpha = Image.merge("LA", (small.convert("L"), small.convert("L")))
put("file gray_alpha.png", (lambda b: (gray_alpha.save(b, "PNG"), b.getvalue())[1])(io.BytesIO()))
put("pixels gray_alpha.png", small.convert("L"))
rgb = np.asarray(small).astype(np.uint32)
noisy = np.minimum(rgb * 257 + 100, 65535)  # rounds to the same 8 bits: 257 apart
png("rgb16.png", 16, 2, noisy.astype(">u2"), rgb)
luma = np.asarray(small.convert("L")).astype(np.uint32)
png("gray16.png", 16, 0, (luma * 257 - 100 * (luma > 0)).astype(">u2"), np.repeat(luma[..., None], 3, 2))
file("one.png", picture(1, 1), "PNG")
file("line.jpg", picture(1, 500), "JPEG")

with open(OUT, "wb") as f:
    for name, data in records:
        f.write(name.encode().ljust(32, b"\0") + struct.pack("<I", len(data)) + data)
print(len(records), "records")

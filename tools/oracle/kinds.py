#!/usr/bin/env python3
"""Writes tests/data/kinds.ref: small files of the kinds that people have, and what Pillow makes of them, as RGB: `pixels NAME`, and
`turned NAME` where an EXIF orientation says so. Alpha is dropped; 16 bits become 8 by scaling, where Pillow cuts. Records as in
image.py.   Usage: tools/oracle/kinds.py [OUT]   (Debian: python3-pil, python3-numpy)"""
import io
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps

OUT = sys.argv[1] if len(sys.argv) > 1 else "tests/data/kinds.ref"
records = []


def put(name, data):
    if isinstance(data, Image.Image):
        data = np.asarray(data.convert("RGB")).tobytes()
    assert len(name) < 32
    records.append((name, bytes(data)))


def picture(w, h):
    y, x, c = np.meshgrid(np.arange(h), np.arange(w), np.arange(3), indexing="ij")
    return Image.fromarray(((x * 11 + y * 7 + c * 60 + (x // 3 + y // 3) % 2 * 90) % 256).astype(np.uint8))


def add(name, data, pixels=None):
    """pixels: where Pillow's are not ours."""
    put("file " + name, data)
    image = Image.open(io.BytesIO(data))
    put("pixels " + name, image if pixels is None else pixels)
    if image.getexif().get(0x0112, 1) > 1:
        put("turned " + name, ImageOps.exif_transpose(image))


def saved(image, fmt, **options):
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(bits, colour, body, w, h, interlaced=False, extra=b""):
    head = struct.pack(">IIBBBBB", w, h, bits, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def rows(array):
    return b"".join(b"\0" + row.tobytes() for row in array)


def adam7(array):
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    return b"".join(rows(array[y::dy, x::dx]) for x, y, dx, dy in passes if array[y::dy, x::dx].size)


def packed(values, bits):
    """Rows of small numbers, several a byte."""
    per = 8 // bits
    values = np.pad(values, ((0, 0), (0, -values.shape[1] % per))).reshape(values.shape[0], -1, per)
    shifts = np.arange(per)[::-1] * bits
    return (values << shifts).sum(2).astype(np.uint8)


base = picture(19, 13)
rgb = np.asarray(base)
gray = np.asarray(base.convert("L"))

# JPEG: subsamplings, Adobe's colour spaces (the last byte of its marker names the transform), progressive in every way
for name, options in [("444.jpg", dict(subsampling=0)), ("422.jpg", dict(subsampling=1)), ("420.jpg", dict(subsampling=2)),
                      ("progressive.jpg", dict(progressive=True)), ("restarts.jpg", dict(restart_marker_blocks=1)),
                      ("optimised.jpg", dict(optimize=True, quality=50))]:
    add(name, saved(base, "JPEG", **options))
add("gray_progressive.jpg", saved(base.convert("L"), "JPEG", progressive=True))
add("gray.jpg", saved(base.convert("L"), "JPEG"))
cmyk = saved(base.convert("CMYK"), "JPEG", quality=95)
add("cmyk.jpg", cmyk)
at = cmyk.index(b"Adobe") + 11
add("ycck.jpg", cmyk[:at] + b"\2" + cmyk[at + 1:])
adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"
plain = saved(base, "JPEG", subsampling=0)
add("adobe_rgb.jpg", plain[:2] + adobe + plain[20:])  # without JFIF's marker, which would say YCbCr

# PNG: depths, palettes, transparency, interlacing
for bits in (1, 2, 4):
    few = gray >> (8 - bits)
    full = few * (255 // ((1 << bits) - 1))
    add(f"gray{bits}.png", png(bits, 0, rows(packed(few, bits)), 19, 13), Image.fromarray(full.astype(np.uint8)))
    colours = bytes(range(7, 7 + 3 * (1 << bits)))
    table = chunk(b"PLTE", colours)
    body = rows(packed(few, bits))
    looked_up = np.frombuffer(colours, np.uint8).reshape(-1, 3)[few]
    add(f"palette{bits}.png", png(bits, 3, body, 19, 13, extra=table), Image.fromarray(looked_up))
    add(f"trns{bits}.png", png(bits, 3, body, 19, 13, extra=table + chunk(b"tRNS", b"\0\x80")), Image.fromarray(looked_up))
add("colour_key.png", png(8, 2, rows(rgb), 19, 13, extra=chunk(b"tRNS", struct.pack(">HHH", *map(int, rgb[2, 3])))), base)
add("gray8.png", saved(base.convert("L"), "PNG"))
add("rgb8.png", saved(base, "PNG"))
add("palette8.png", saved(base.quantize(200), "PNG"))
add("gray16.png", png(16, 0, rows((gray.astype(np.uint16) * 257).astype(">u2")), 19, 13), base.convert("L"))
add("la16.png", png(16, 4, rows(np.stack([gray.astype(np.uint16) * 257] * 2, 2).astype(">u2")), 19, 13), base.convert("L"))
add("interlaced.png", png(8, 2, adam7(rgb), 19, 13, True))
add("interlaced_gray.png", png(8, 0, adam7(gray), 19, 13, True))
wide16 = rgb.astype(np.uint32) * 257
add("interlaced16.png", png(16, 2, adam7(wide16.astype(">u2")), 19, 13, True), base)
add("interlaced_palette.png", png(8, 3, adam7(gray >> 4), 19, 13, True, chunk(b"PLTE", bytes(range(48)))))
rgba16 = np.concatenate([wide16, wide16[..., :1]], 2).astype(">u2")
add("rgba16.png", png(16, 6, rows(rgba16), 19, 13), base)
alpha = base.copy()
alpha.putalpha(base.convert("L"))
add("rgba.png", saved(alpha, "PNG"))
add("la.png", saved(alpha.convert("LA"), "PNG"))

# WebP, whose lossy pictures are libwebp's in Pillow too
add("lossless.webp", saved(base, "WEBP", lossless=True))
add("lossy.webp", saved(base, "WEBP", quality=80))
add("alpha.webp", saved(alpha, "WEBP", lossless=True, exact=True), base)

# extremes
add("one.jpg", saved(picture(1, 1), "JPEG"))
add("one.png", saved(picture(1, 1), "PNG"))
add("one.webp", saved(picture(1, 1), "WEBP", lossless=True))
add("tall.png", saved(picture(1, 5000), "PNG"))
add("tall.webp", saved(picture(1, 5000), "WEBP", lossless=True))
add("wide.jpg", saved(picture(5000, 1), "JPEG"))

# EXIF
for turn in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = turn
    add(f"exif{turn}.jpg", saved(base, "JPEG", exif=exif))
exif = Image.Exif()
exif[0x010f] = "maker"
exif[0x0112] = 6
add("exif6.png", saved(base, "PNG", exif=exif))
add("exif6.webp", saved(base, "WEBP", lossless=True, exif=exif.tobytes()))
big = b"Exif\0\0MM\0*\0\0\0\x08\0\1" + struct.pack(">HHIHH", 0x0112, 3, 1, 8, 0) + b"\0\0\0\0"
add("exif8_big_endian.jpg", saved(base, "JPEG", exif=big))

with open(OUT, "wb") as f:
    for name, data in records:
        f.write(name.encode().ljust(32, b"\0") + struct.pack("<I", len(data)) + data)
print(len(records), "records")

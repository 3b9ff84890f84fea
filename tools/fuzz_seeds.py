#!/usr/bin/env python3
"""Writes tests/fuzz/seeds/TARGET/*: small inputs from which the fuzz targets start, one of each kind that a parser tells apart.
What fuzzing found lies beside them as found-*, and is left alone.
Usage: tools/fuzz_seeds.py [OUT]   (Debian: python3-numpy; pictures come from tests/data/kinds.ref)"""
import bz2
import gzip
import io
import json
import lzma
import os
import struct
import sys
import tarfile
import zlib

import numpy as np

OUT = sys.argv[1] if len(sys.argv) > 1 else "tests/fuzz/seeds"


def put(target, name, data):
    folder = os.path.join(OUT, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def records(path):
    data, at = open(path, "rb").read(), 0
    while at < len(data):
        name, size = data[at:at + 32].rstrip(b"\0").decode(), struct.unpack_from("<I", data, at + 32)[0]
        yield name, data[at + 36:at + 36 + size]
        at += 36 + size


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


# ---- pictures

pictures = {name[5:]: data for name, data in records("tests/data/kinds.ref") if name.startswith("file ")}
for name in ["420.jpg", "progressive.jpg", "restarts.jpg", "cmyk.jpg", "ycck.jpg", "adobe_rgb.jpg", "gray_progressive.jpg", "one.jpg",
             "exif6.jpg", "exif8_big_endian.jpg"]:
    put("jpeg", name[:-4], pictures[name])
for name in ["gray1.png", "palette2.png", "trns4.png", "colour_key.png", "interlaced.png", "interlaced16.png", "rgba16.png", "la.png",
             "tall.png", "exif6.png"]:
    put("png", name[:-4], pictures[name])
head = pictures["rgba16.png"][:33]
bomb = zlib.compress(bytes(1 << 20), 9)
end = pictures["rgba16.png"][33:]
put("png", "profile", head + chunk(b"iCCP", b"icc\0\0" + bomb) + end)
put("png", "text", head + chunk(b"zTXt", b"Title\0\0" + bomb) + chunk(b"iTXt", b"a\0\1\0en\0a\0" + bomb) + end)
put("png", "many_chunks", head + 300 * chunk(b"tEXt", b"a\0b") + end)
put("png", "larger_than_said", head[:16] + struct.pack(">II", 60000, 60000) + head[24:] + end)
for name in ["lossless.webp", "lossy.webp", "alpha.webp", "one.webp", "exif6.webp"]:
    put("webp", name[:-5], pictures[name])
put("webp", "extended", b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\xff\xff\xff\xff\xff\xff")

# ---- archives

dot = pictures["one.webp"]


def archive(format, members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as tar:
        for name, data, more in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in more.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(data))
    data = buffer.getvalue()
    return data[:len(data.rstrip(b"\0")) // 512 * 512 + 1536]  # two empty blocks are enough


classes = [(f"{c}/{i}.webp", dot, {}) for c in ("cat", "dog") for i in range(2)]
links = [("a.webp", b"", dict(type=tarfile.SYMTYPE, linkname="/etc/passwd")),
         ("b.webp", b"", dict(type=tarfile.LNKTYPE, linkname="a.webp")), ("c.webp", b"", dict(type=tarfile.FIFOTYPE)),
         ("d.webp", b"", dict(type=tarfile.CHRTYPE, devmajor=1, devminor=5)), ("folder", b"", dict(type=tarfile.DIRTYPE))]
names = [("../../up.webp", dot, {}), ("/top.webp", dot, {}), ("./.hidden.webp", dot, {}), ("line\nfeed\x1b[31m.webp", dot, {}),
         ("x" * 200 + "/" + "y" * 90 + ".webp", dot, {})]
ustar = archive(tarfile.USTAR_FORMAT, classes)
put("tar", "ustar", ustar)
put("tar", "links", archive(tarfile.USTAR_FORMAT, links + classes[:1]))
put("tar", "gnu", archive(tarfile.GNU_FORMAT, names + [("n" * 150 + ".webp", b"", dict(type=tarfile.SYMTYPE, linkname="m" * 200))]))
put("tar", "pax", archive(tarfile.PAX_FORMAT, names + [("p.webp", dot, dict(pax_headers={"path": "é" * 120, "comment": "x"}))]))
put("tar", "same_names", archive(tarfile.USTAR_FORMAT, 2 * classes[:2]))
put("tar", "cut", ustar[:1000])
put("tar", "nothing_after", ustar[:-1024])
big = bytearray(ustar)
big[124:136] = b"\x80" + bytes(3) + struct.pack(">Q", len(dot))
put("tar", "base256", bytes(big))
big[124:136] = b"\xff" * 12
put("tar", "negative", bytes(big))

put("packed", "gz", gzip.compress(ustar, mtime=0))
put("packed", "xz", lzma.compress(ustar))
put("packed", "cut_gz", gzip.compress(ustar, mtime=0)[:-40])
put("packed", "bomb_gz", gzip.compress(bytes(2 << 20), mtime=0))
put("packed", "bomb_xz", lzma.compress(bytes(2 << 20)))
put("packed", "twice", gzip.compress(gzip.compress(ustar, mtime=0), mtime=0))
put("packed", "bzip2", bz2.compress(ustar))
# one raw block of "zstd", one run of 16 MiB, as RFC 8878 writes frames
put("packed", "zst", b"\x28\xb5\x2f\xfd\x20\x04\x21\0\0zstd")
put("packed", "bomb_zst", b"\x28\xb5\x2f\xfd\0\x70" + 20 * struct.pack("<I", 131072 << 3 | 1 << 1)[:3].ljust(4, b"\0")
    + struct.pack("<I", 131072 << 3 | 1 << 1 | 1)[:3] + b"\0")

# ---- arrays

def npy(header, body=b"", version=1):
    size = struct.pack("<H" if version == 1 else "<I", len(header) + 1)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + b"\n" + body


def saved(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


put("npy", "images", saved(np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)))
put("npy", "labels_u8", saved(np.array([0, 2, 1], np.uint8)))
put("npy", "labels_i64", saved(np.array([0, 1, 300])))
put("npy", "labels_negative", saved(np.array([0, -1, 1], np.int32)))
put("npy", "floats", saved(np.array([[1, np.nan], [np.inf, 2]], np.float32)))
put("npy", "fortran", saved(np.asfortranarray(np.zeros((2, 3), np.float32))))
put("npy", "object", npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"cos\nsystem\n"))
put("npy", "scalar", saved(np.array(7, np.int32)))
put("npy", "version2", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1, 3), }", b"abc", 2))
put("npy", "overflow", npy("{'descr': '<i8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 2, 3), }"))
put("npy", "empty", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 1, 1, 3), }"))
put("npy", "many_dims", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (" + 40 * "1, " + "), }", b"a"))
put("npy", "classes", "ant\r\nbee\ncat\n")
put("npy", "classes_hostile", "../up\n\x1b[31m\n.\n")


def idx(kind, dims, body):
    return bytes([0, 0, kind, len(dims)]) + b"".join(struct.pack(">I", d) for d in dims) + body


put("idx", "gray", idx(8, (2, 3, 2), bytes(range(12))))
put("idx", "colour", idx(8, (2, 1, 2, 3), bytes(range(12))))
put("idx", "labels", idx(8, (3,), b"\0\1\377"))
put("idx", "floats", idx(13, (1, 1, 1), bytes(4)))
put("idx", "overflow", idx(8, (0xffffffff, 0xffffffff, 0xffffffff), b"a"))
put("idx", "none", idx(8, (0, 1, 1), b""))
put("idx", "cut", idx(8, (2, 3, 2), bytes(11)))

record = bytes(range(256)) * 12
put("cifar", "ten", b"\3" + record + b"\0" + record)
put("cifar", "hundred", b"\x13\x63" + record)
put("cifar", "label", b"\x0a" + record)
put("cifar", "cut", b"\3" + record[:-1])

# ---- lists

put("list", "table", "path,label\r\nreplay.c,ant\r\n\"with, comma\",\"two\nlines\"\nlast,\n")
put("list", "lines", "/dev/null\n\n  \n../../up\n/etc/passwd\r\nx y\n")
put("list", "quotes", "\"a\"\"b\",\"\"\n\"never closed")
put("list", "columns", ",".join(["/"] * 70) + "\n")
put("list", "nul", b"/\0a\n")

# ---- weights


def safetensors(tensors, metadata=None):
    """tensors: (name, type, shape, bytes); one after another."""
    header, body = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, kind, shape, data in tensors:
        header[name] = dict(dtype=kind, shape=shape, data_offsets=[len(body), len(body) + len(data)])
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


f32 = np.array([1, -2.5], np.float32).tobytes()
good = [("layer1.0.conv1.weight", "F32", [1, 2], f32), ("bn1.num_batches_tracked", "I64", [], struct.pack("<q", 3)),
        ("queue", "U8", [3], b"abc"), ("empty", "I32", [0, 7], b"")]
put("checkpoint", "weights", safetensors(good))
put("checkpoint", "metadata", safetensors(good[:1], {"protea.classes": json.dumps(["ant", "bee\n"]), "protea.epoch": "7"}))
put("checkpoint", "wrong_sum", safetensors(good[:1], {"protea.xxh3": "0" * 16, "xxh3.layer1.0.conv1.weight": "0" * 16}))
put("checkpoint", "not_finite", safetensors([("w", "F32", [1], struct.pack("<f", float("nan")))]))
put("checkpoint", "unaligned", safetensors([("b", "U8", [1], b"a"), ("w", "F32", [2], f32)]))
put("checkpoint", "half", safetensors([("w", "F16", [1], b"ab")]))
put("checkpoint", "hole", safetensors(good[:1]) + b"more")
put("checkpoint", "overflow", safetensors([("w", "F32", [1 << 32, 1 << 32], f32)]))
put("checkpoint", "deep", struct.pack("<Q", 4000) + b"[" * 4000)
put("checkpoint", "long", b"\xff" * 7 + b"\x7f{}")

# ---- recipes

put("recipe", "plain", "description: |\n  Text\n  of lines\nepochs: 3   # why\nlr: 0.6\nnmb_crops: [2, 6]\nwarmup: 10%\nverbose: true\n")
put("recipe", "block", "verb: train\narguments:\n  - a\n  - !!binary \"/+8K\"\nnmb-crops:\n  - 2\n  - 6\nname: \"a \\x1b \\\"b\\\"\"\n")
put("recipe", "twice", "epochs: 1\nn_epochs: 2\n")
put("recipe", "anchors", "lr: &a 1\nname: *a\n")
put("recipe", "deep", "lr: " + "[" * 500)
put("recipe", "nested", "arch: {a: {b: [1, 2]}}\n")
put("recipe", "numbers", "lr: 1e999\nepochs: 99999999999999999999\n")
put("recipe", "documents", "---\nlr: 1\n---\nlr: 2\n")
put("recipe", "not_utf8", b"name: \xff\xfe\n")
put("recipe", "choice", "arch: resnet18\nname: " + "n" * 2000 + "\n")

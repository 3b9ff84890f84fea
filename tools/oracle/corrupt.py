#!/usr/bin/python3
"""Writes tests/data/corrupt.ref: what every corruption gives according to OpenCV, scikit-image, SciPy, Pillow and ImageMagick,
each called as the definition of the corruption says, with the random numbers of Protea's generator fed in.

Records: a title of 32 bytes, a length (u32le), that many bytes: 1024 values of the result, value k from place
k * 2654435761 mod (side * side * 3). Frost is left out: its textures are Protea's own.

Needs Debian's python3-numpy, -scipy, -pil, -opencv, -skimage, -wand."""
import ctypes
import io
import os
import struct

import cv2
import numpy as np
import wand.api
import wand.image
from PIL import Image
from scipy import ndimage, stats
from skimage import color, filters

MASK = 0xFFFFFFFF
TEST_USE = 8  # PROTEA_RNG_TEST
SEED = 11
SIDES = {0: 32, 1: 96}
SAMPLES = 1024


class Rng:
    """Philox4x32-10 as src/base/rng.c and rng_fill.c draw from it."""

    def __init__(self, seed, a):
        self.key = (seed & MASK, (seed >> 32) ^ (TEST_USE << 24) ^ a)
        self.at, self.block = 0, []

    def philox(self, counters):
        c = [counters.astype(np.uint64)] + [np.zeros_like(counters, dtype=np.uint64)] * 3
        k0, k1 = self.key
        for _ in range(10):
            p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
            c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & np.uint64(MASK),
                 (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & np.uint64(MASK)]
            k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
        return np.stack(c)

    def u32(self):
        if not self.block:
            self.block = [int(v) for v in self.philox(np.array([self.at]))[:, 0]]
            self.at += 1
        return self.block.pop()

    def between(self, low, high):
        top, rest = self.u32() >> 5, self.u32() >> 6
        return low + (high - low) * ((top << 26 | rest) * 2.0 ** -53)

    def blocks(self, n):
        """(blocks, 4, 16) words."""
        self.block = []
        out = [self.philox(np.arange(self.at + 16 * i, self.at + 16 * i + 16)) for i in range((n + 63) // 64)]
        self.at += 16 * len(out)
        return np.array(out)

    def words(self, n):
        return self.blocks(n).reshape(-1)[:n]

    def uniform(self, n):
        return (self.words(n) >> np.uint64(8)) * 2.0 ** -24

    def normal(self, n):
        w = self.blocks(n)
        u = ((w[:, 0::2] >> np.uint64(8)) + 0.5) * 2.0 ** -24
        turn = (w[:, 1::2] >> np.uint64(8)) * 2.0 ** -24
        r = np.sqrt(-2 * np.log(u))
        z = np.stack([r * np.cos(2 * np.pi * turn), r * np.sin(2 * np.pi * turn)], axis=2)
        return z.reshape(-1)[:n]


def picture(side):
    """Smooth, textured and flat patches."""
    y, x, c = np.meshgrid(np.arange(side), np.arange(side), np.arange(3), indexing="ij")
    smooth = x * 5 + y * 3 + c * 40
    rough = x * x * 31 + y * y * 17 + c * 97 + x * y * 3
    flat = 60 + 70 * c + 9 * ((x // 8) % 3)
    kind = (x // 8 + y // 8) % 3
    return (np.where(kind == 0, smooth, np.where(kind == 1, rough, flat)) % 256).astype(np.uint8)


def cut(x):
    return np.uint8(np.clip(x, 0, 1) * 255)


def blur(x, sigma, **more):
    return filters.gaussian(x, sigma=sigma, channel_axis=2 if x.ndim == 3 else None, **more)


# ---- noise

def gaussian_noise(px, rng, scale, level):
    sigma = [[.04, .06, .08, .09, .10], [.08, .12, .18, .26, .38]][scale][level]
    return cut(px / 255. + sigma * rng.normal(px.size).reshape(px.shape))


def speckle_noise(px, rng, scale, level):
    sigma = [[.06, .1, .12, .16, .2], [.15, .2, .35, .45, .6]][scale][level]
    x = px / 255.
    return cut(x + x * sigma * rng.normal(px.size).reshape(px.shape))


def shot_noise(px, rng, scale, level):
    c = [[500, 250, 100, 75, 50], [60, 25, 12, 5, 3]][scale][level]
    u = (rng.words(px.size) + 0.5) * 2.0 ** -32
    return cut(stats.poisson.ppf(u.reshape(px.shape), px / 255. * c) / c)


def impulse_noise(px, rng, scale, level):
    amount = [[.01, .02, .03, .05, .07], [.03, .06, .09, .17, .27]][scale][level]
    w = rng.words(px.size).reshape(px.shape)
    hit = int(amount * 2 ** 32)
    return np.where(w < hit, np.where(w >= hit // 2, 255, 0), px).astype(np.uint8)


# ---- blur

def gaussian_blur(px, rng, scale, level):
    return cut(blur(px / 255., [[.4, .6, .7, .8, 1], [1, 2, 3, 4, 6]][scale][level]))


def defocus_blur(px, rng, scale, level):
    radius, sigma = [[(.3, .4), (.4, .5), (.5, .6), (1, .2), (1.5, .1)],
                     [(3, .1), (4, .5), (6, .5), (8, .5), (10, .5)]][scale][level]
    half, size = (8, 3) if radius <= 8 else (radius, 5)
    grid = np.arange(-half, half + 1)
    disk = (grid[None] ** 2 + grid[:, None] ** 2 <= radius ** 2).astype(np.float32)
    disk = cv2.GaussianBlur(disk / disk.sum(), (size, size), sigmaX=sigma)
    return cut(np.dstack([cv2.filter2D(px[..., k] / 255., -1, disk) for k in range(3)]))


def glass_blur(px, rng, scale, level):
    sigma, delta, rounds = [[(.05, 1, 1), (.25, 1, 1), (.4, 1, 1), (.25, 1, 2), (.4, 1, 2)],
                            [(.7, 1, 2), (.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)]][scale][level]
    x = cut(blur(px / 255., sigma))
    h, w = x.shape[:2]
    for _ in range(rounds):
        for y in range(h - delta, delta, -1):
            words = rng.words(w)
            for k in range(w - delta, delta, -1):
                dx = ((int(words[k]) >> 16) * 2 * delta >> 16) - delta
                dy = ((int(words[k]) & 0xFFFF) * 2 * delta >> 16) - delta
                a, b = x[y + dy, k + dx], x[y, k]
                x[y, k], x[y + dy, k + dx] = a, b  # views: b is a by now
    return cut(blur(x / 255., sigma))


wand.api.library.MagickMotionBlurImage.argtypes = [ctypes.c_void_p] + [ctypes.c_double] * 3


def magick_motion(px, radius, sigma, angle):
    png = io.BytesIO()
    Image.fromarray(px).save(png, "PNG")
    with wand.image.Image(blob=png.getvalue()) as image:
        wand.api.library.MagickMotionBlurImage(image.wand, radius, sigma, angle)
        return np.array(Image.open(io.BytesIO(image.make_blob())).convert("L" if px.ndim == 2 else "RGB"))


def motion_blur(px, rng, scale, level):
    radius, sigma = [[(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)],
                     [(10, 3), (15, 5), (15, 8), (15, 12), (20, 15)]][scale][level]
    return magick_motion(px, radius, sigma, rng.between(-45, 45))


def enlarge(x, factor):
    n = x.shape[0]
    crop = int(np.ceil(n / factor))
    top = (n - crop) // 2
    big = ndimage.zoom(x[top:top + crop, top:top + crop], (factor, factor) + (1,) * (x.ndim - 2), order=1)
    trim = (big.shape[0] - n) // 2
    return big[trim:trim + n, trim:trim + n]


def zoom_blur(px, rng, scale, level):
    stop, step = [[(1.06, .01), (1.11, .01), (1.16, .01), (1.21, .01), (1.26, .01)],
                  [(1.11, .01), (1.16, .01), (1.21, .02), (1.26, .02), (1.31, .03)]][scale][level]
    x = (px / 255.).astype(np.float32)
    factors = np.arange(1, stop, step)
    total = np.zeros_like(x)
    for factor in factors:
        total += enlarge(x, factor)
    return cut((x + total) / (len(factors) + 1))


# ---- weather

def snow(px, rng, scale, level):
    mean, sigma, zoom, threshold, radius, smooth, mix = [
        [(.1, .2, 1, .6, 8, 3, .95), (.1, .2, 1, .5, 10, 4, .9), (.15, .3, 1.75, .55, 10, 4, .9),
         (.25, .3, 2.25, .6, 12, 6, .85), (.3, .3, 1.25, .65, 14, 12, .8)],
        [(.1, .3, 3, .5, 10, 4, .8), (.2, .3, 2, .5, 12, 4, .7), (.55, .3, 4, .9, 12, 8, .7),
         (.55, .3, 4.5, .85, 12, 8, .65), (.55, .3, 2.5, .85, 12, 12, .55)]][scale][level]
    h, w = px.shape[:2]
    flakes = enlarge(mean + sigma * rng.normal(h * w).reshape(h, w), zoom)
    flakes[flakes < threshold] = 0
    flakes = magick_motion(cut(flakes), radius, smooth, rng.between(-135, -45)) / 255.
    x = px.astype(np.float32) / 255.
    gray = cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)[..., None]
    x = mix * x + (1 - mix) * np.maximum(x, gray * 1.5 + .5)
    return cut(x + flakes[..., None] + np.rot90(flakes, 2)[..., None])


def plasma(side, decay, rng):
    """Diamond-square on a torus, by shifts of sparse grids."""
    v = np.zeros((side, side))
    step, wibble = side, 100.

    def noisy(total):
        u = rng.uniform(total.size).reshape(total.shape)
        return total / 4 + wibble * (-wibble + 2 * wibble * u)

    while step >= 2:
        half = step // 2
        corner = v[::step, ::step]
        v[half::step, half::step] = noisy(corner + np.roll(corner, -1, 0) + np.roll(corner, -1, 1)
                                          + np.roll(corner, (-1, -1), (0, 1)))
        middle = v[half::step, half::step]
        v[::step, half::step] = noisy(middle + np.roll(middle, 1, 0) + corner + np.roll(corner, -1, 1))
        v[half::step, ::step] = noisy(middle + np.roll(middle, 1, 1) + corner + np.roll(corner, -1, 0))
        step, wibble = half, wibble / decay
    v -= v.min()
    return v / v.max()


def fog(px, rng, scale, level):
    amount, decay = [[(.2, 3), (.5, 3), (.75, 2.5), (1, 2), (1.5, 1.75)],
                     [(1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)]][scale][level]
    n = px.shape[0]
    x = px / 255.
    most = x.max()
    x = x + amount * plasma(1 << (n - 1).bit_length(), decay, rng)[:n, :n, None]
    return cut(x * most / (most + amount))


# ---- digital

def brightness(px, rng, scale, level):
    x = color.rgb2hsv(px / 255.)
    x[..., 2] = np.clip(x[..., 2] + [[.05, .1, .15, .2, .3], [.1, .2, .3, .4, .5]][scale][level], 0, 1)
    return cut(color.hsv2rgb(x))


def saturate(px, rng, scale, level):
    times, plus = [[(.3, 0), (.1, 0), (1.5, 0), (2, .1), (2.5, .2)], [(.3, 0), (.1, 0), (2, 0), (5, .1), (20, .2)]][scale][level]
    x = color.rgb2hsv(px / 255.)
    x[..., 1] = np.clip(x[..., 1] * times + plus, 0, 1)
    return cut(color.hsv2rgb(x))


def contrast(px, rng, scale, level):
    x = px / 255.
    mean = x.mean(axis=(0, 1), keepdims=True)
    return cut((x - mean) * [[.75, .5, .4, .3, .15], [.4, .3, .2, .1, .05]][scale][level] + mean)


def pixelate(px, rng, scale, level):
    n = px.shape[0]
    small = int(n * [[.95, .9, .85, .75, .65], [.6, .5, .4, .3, .25]][scale][level])
    return np.array(Image.fromarray(px).resize((small, small), Image.BOX).resize((n, n), Image.BOX))


def jpeg_compression(px, rng, scale, level):
    file = io.BytesIO()
    Image.fromarray(px).save(file, "JPEG", quality=[[80, 65, 58, 50, 40], [25, 18, 15, 10, 7]][scale][level])
    return np.array(Image.open(file))


def elastic_transform(px, rng, scale, level):
    n = px.shape[0]
    unit = n if scale == 0 else n * 244 / 224
    reach, smooth, jitter = [[(0, 0, .08), (.05, .2, .07), (.08, .06, .06), (.1, .04, .05), (.1, .03, .03)],
                             [(2, .7, .1), (2, .08, .2), (.05, .01, .02), (.07, .01, .02), (.12, .01, .02)]][scale][level]
    reach, smooth, jitter = reach * unit, smooth * unit, jitter * unit
    middle, arm = n // 2, n // 3
    corners = np.float32([[middle + arm, middle + arm], [middle + arm, middle - arm], [middle - arm, middle - arm]])
    moved = corners + np.array([[rng.between(-jitter, jitter) for _ in range(2)] for _ in range(3)]).astype(np.float32)
    x = cv2.warpAffine(px.astype(np.float32) / 255., cv2.getAffineTransform(corners, moved), (n, n),
                       borderMode=cv2.BORDER_REFLECT_101)
    shift = [(blur(2 * rng.uniform(n * n).reshape(n, n) - 1, smooth, mode="reflect", truncate=3) * reach).astype(np.float32)
             for _ in range(2)]
    row, column = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    place = np.stack([row + shift[1], column + shift[0]])
    return cut(np.dstack([ndimage.map_coordinates(x[..., k], place, order=1, mode="reflect") for k in range(3)]))


def spatter(px, rng, scale, level):
    mean, sigma, smooth, threshold, amount, mud = [
        [(.62, .1, .7, .7, .5, 0), (.65, .1, .8, .7, .5, 0), (.65, .3, 1, .69, .5, 0), (.65, .1, .7, .69, .6, 1),
         (.65, .1, .5, .68, .6, 1)],
        [(.65, .3, 4, .69, .6, 0), (.65, .3, 3, .68, .6, 0), (.65, .3, 2, .68, .5, 0), (.65, .3, 1, .65, 1.5, 1),
         (.67, .4, 1, .65, 1.5, 1)]][scale][level]
    h, w = px.shape[:2]
    x = px.astype(np.float32) / 255.
    drops = blur(mean + sigma * rng.normal(h * w).reshape(h, w), smooth)
    drops[drops < threshold] = 0
    if mud:
        m = blur((drops > threshold).astype(np.float32), amount)
        m[m < .8] = 0
        return cut(x * (1 - m[..., None]) + np.array([63, 42, 20]) / 255. * m[..., None])
    drops = (drops * 255).astype(np.uint8)
    shade = cv2.distanceTransform(255 - cv2.Canny(drops, 50, 150), cv2.DIST_L2, 5)
    shade = cv2.equalizeHist(cv2.blur(np.minimum(shade, 20), (3, 3)).astype(np.uint8))
    shade = cv2.blur(cv2.filter2D(shade, cv2.CV_8U, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])), (3, 3))
    m = drops * shade.astype(np.float32)
    m = m / max(m.max(), 1) * amount
    return cut(x + m[..., None] * np.float32([175 / 255, 238 / 255, 238 / 255]))


NAMES = ["gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "snow", "frost",
         "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression", "speckle_noise", "gaussian_blur",
         "spatter", "saturate"]


def main():
    with open(os.path.join(os.path.dirname(__file__), "../../tests/data/corrupt.ref"), "wb") as out:
        for number, name in enumerate(NAMES):
            for scale, side in SIDES.items():
                for level in range(5 if name != "frost" else 0):
                    rng = Rng(SEED, number * 8 + level + 1)
                    result = globals()[name](picture(side), rng, scale, level)
                    assert result.shape == (side, side, 3) and result.dtype == np.uint8
                    places = np.arange(SAMPLES, dtype=np.uint64) * np.uint64(2654435761) % np.uint64(result.size)
                    body = result.reshape(-1)[places].tobytes()
                    out.write(f"{name} {level + 1} {side}".encode().ljust(32, b"\0") + struct.pack("<I", len(body)) + body)


main()

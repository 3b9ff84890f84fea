/* Blocks of pixels with their channels apart: bytes three apart keep processors from working on several at once. Included only by
 * simd_*.c. */
#ifndef PROTEA_IMAGE_SIMD_PLANES_H
#define PROTEA_IMAGE_SIMD_PLANES_H

#include "image/simd_bytes.h"

enum { PLANE = 64 }; /* pixels of a block */

typedef struct planes {
    uint8_t r[PLANE], g[PLANE], b[PLANE];
} planes;

#define SPLIT(a, b, c, first)                                                                                              \
    __builtin_shufflevector(__builtin_shufflevector(a, b, (first), (first) + 3, (first) + 6, (first) + 9, (first) + 12,    \
                                                    (first) + 15, (first) + 18, (first) + 21, (first) + 24, (first) + 27,  \
                                                    (first) < 2 ? (first) + 30 : -1, -1, -1, -1, -1, -1),                  \
                            c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, (first) < 2 ? 10 : 16, (first) < 2 ? (first) + 17 : 19,       \
                            (first) < 2 ? (first) + 20 : 22, (first) < 2 ? (first) + 23 : 25,                              \
                            (first) < 2 ? (first) + 26 : 28, (first) < 2 ? (first) + 29 : 31)

/* 16 pixels. */
SIMD_INLINE void split_16(planes *p, int at, const uint8_t *px)
{
    v16 a, b, c;
    memcpy(&a, px, sizeof a);
    memcpy(&b, px + 16, sizeof b);
    memcpy(&c, px + 32, sizeof c);
    v16 red = SPLIT(a, b, c, 0), green = SPLIT(a, b, c, 1), blue = SPLIT(a, b, c, 2);
    memcpy(p->r + at, &red, sizeof red);
    memcpy(p->g + at, &green, sizeof green);
    memcpy(p->b + at, &blue, sizeof blue);
}

SIMD_INLINE void join_16(uint8_t *px, const planes *p, int at)
{
    v16 r, g, b;
    memcpy(&r, p->r + at, sizeof r);
    memcpy(&g, p->g + at, sizeof g);
    memcpy(&b, p->b + at, sizeof b);
    v16 rg0 = __builtin_shufflevector(r, g, 0, 16, -1, 1, 17, -1, 2, 18, -1, 3, 19, -1, 4, 20, -1, 5);
    v16 rg1 = __builtin_shufflevector(r, g, 21, -1, 6, 22, -1, 7, 23, -1, 8, 24, -1, 9, 25, -1, 10, 26);
    v16 rg2 = __builtin_shufflevector(r, g, -1, 11, 27, -1, 12, 28, -1, 13, 29, -1, 14, 30, -1, 15, 31, -1);
    v16 out0 = __builtin_shufflevector(rg0, b, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15);
    v16 out1 = __builtin_shufflevector(rg1, b, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15);
    v16 out2 = __builtin_shufflevector(rg2, b, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31);
    memcpy(px, &out0, sizeof out0);
    memcpy(px + 16, &out1, sizeof out1);
    memcpy(px + 32, &out2, sizeof out2);
}

SIMD_INLINE void split(planes *p, const uint8_t *px)
{
    for (int i = 0; i < PLANE; i += 16)
        split_16(p, i, px + 3 * i);
}

SIMD_INLINE void join(uint8_t *px, const planes *p)
{
    for (int i = 0; i < PLANE; i += 16)
        join_16(px + 3 * i, p, i);
}

/* The first n < PLANE pixels, zeros after them. */
SIMD_INLINE void split_some(planes *p, const uint8_t *px, size_t n)
{
    uint8_t some[3 * PLANE] = { 0 };
    memcpy(some, px, 3 * n);
    split(p, some);
}

SIMD_INLINE void join_some(uint8_t *px, const planes *p, size_t n)
{
    uint8_t some[3 * PLANE];
    join(some, p);
    memcpy(px, some, 3 * n);
}

/* Calls body with one block after the other and puts back what it leaves there. */
SIMD_INLINE void each_block(uint8_t *px, size_t n, void (*body)(planes *p, const void *with), const void *with)
{
    planes p;
    for (; n >= PLANE; n -= PLANE, px += 3 * PLANE) {
        split(&p, px);
        body(&p, with);
        join(px, &p);
    }
    if (n > 0) {
        split_some(&p, px, n);
        body(&p, with);
        join_some(px, &p, n);
    }
}

#endif

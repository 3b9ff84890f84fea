/* Correlation of 8-bit pictures with a handful of taps, and ImageMagick's motion blur, which is one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/corrupt_parts.h"

typedef struct padded {
    uint8_t *px;
    int margin, channels;
    size_t stride; /* bytes from row to row */
} padded;

static void pad(padded *p, const uint8_t *px, int w, int h, protea_border border)
{
    size_t point = (size_t)p->channels, row = (size_t)w * point;
    for (int y = -p->margin; y < h + p->margin; y++) {
        uint8_t *out = p->px + p->stride * (size_t)(y + p->margin);
        const uint8_t *in = px + row * (size_t)protea_border_at(y, h, border);
        memcpy(out + point * (size_t)p->margin, in, row);
        for (int x = 1; x <= p->margin; x++) {
            memcpy(out + point * (size_t)(p->margin - x), in + point * (size_t)protea_border_at(-x, w, border), point);
            memcpy(out + point * (size_t)(p->margin + w - 1 + x), in + point * (size_t)protea_border_at(w - 1 + x, w, border),
                   point);
        }
    }
}

/* Taps of equal weight are added up as whole numbers and weighted once: most of a disk's are equal. */
enum { GROUP_MAX = 65535 / 255 };

static void add_whole(uint16_t *restrict sum, const uint8_t *restrict in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] = (uint16_t)(sum[i] + in[i]);
}

static void add_weighted(double *restrict sum, const uint16_t *restrict in, double weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * in[i];
}

static int by_weight(const void *a, const void *b)
{
    const protea_tap *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? -1 : 1;
    return x->dy != y->dy ? x->dy - y->dy : x->dx - y->dx;
}

static int margin_of(const protea_tap *taps, int n)
{
    int margin = 0;
    for (int i = 0; i < n; i++) {
        int x = taps[i].dx < 0 ? -taps[i].dx : taps[i].dx, y = taps[i].dy < 0 ? -taps[i].dy : taps[i].dy;
        margin = x > margin ? x : margin;
        margin = y > margin ? y : margin;
    }
    return margin;
}

/* What a row is made from. */
typedef struct row_sums {
    double *sum;     /* (n) */
    uint16_t *whole; /* (n) */
    size_t n;        /* w * channels */
} row_sums;

/* taps: sorted by weight. */
static void correlate_row(row_sums *r, const padded *p, int y, const protea_tap *taps, int n_taps)
{
    for (int k = 0; k < n_taps;) {
        int first = k;
        memset(r->whole, 0, r->n * sizeof *r->whole);
        for (; k < n_taps && k - first < GROUP_MAX && taps[k].weight == taps[first].weight; k++) {
            const uint8_t *from = p->px + p->stride * (size_t)(y + p->margin + taps[k].dy);
            add_whole(r->whole, from + (size_t)(p->margin + taps[k].dx) * (size_t)p->channels, r->n);
        }
        add_weighted(r->sum, r->whole, taps[first].weight, r->n);
    }
}

static void correlate_rows(uint8_t *px, int h, row_sums *r, const padded *p, const protea_tap *taps, int n_taps, double bias)
{
    for (int y = 0; y < h; y++) {
        for (size_t i = 0; i < r->n; i++)
            r->sum[i] = bias;
        correlate_row(r, p, y, taps, n_taps);
        for (size_t i = 0; i < r->n; i++)
            px[r->n * (size_t)y + i] = protea_cut(r->sum[i]);
    }
}

protea_status protea_correlate(uint8_t *px, int w, int h, int channels, protea_tap *taps, int n_taps, protea_border border,
                               double bias)
{
    padded p = { .margin = margin_of(taps, n_taps), .channels = channels };
    row_sums r = { .n = (size_t)w * (size_t)channels };
    p.stride = ((size_t)w + 2 * (size_t)p.margin) * (size_t)channels;
    size_t padded_bytes = p.stride * ((size_t)h + 2 * (size_t)p.margin);
    PROTEA_TRY(protea_new(&r.sum, r.n * (sizeof *r.sum + sizeof *r.whole) + padded_bytes, 1, "correlating"));
    r.whole = (uint16_t *)(r.sum + r.n);
    p.px = (uint8_t *)(r.whole + r.n);
    pad(&p, px, w, h, border);
    qsort(taps, (size_t)n_taps, sizeof *taps, by_weight);
    correlate_rows(px, h, &r, &p, taps, n_taps, bias);
    protea_free(r.sum);
    return PROTEA_OK;
}

/* MagickCore's effect.c: 2 ceil(radius) + 1 taps exp(-i^2 / 2 sigma^2), i from 0 (one-sided), places rounded half down, edge
 * pixels repeated. ImageMagick 6.9 rounds the sum to its 16 bits (257 to a level) and cuts that to 8 when it writes PNG. */
protea_status protea_motion(uint8_t *px, int w, int h, int channels, double radius, double sigma, double degrees)
{
    enum { TAPS_MAX = 64 };
    protea_tap taps[TAPS_MAX];
    int n = 2 * (int)ceil(radius) + 1;
    double angle = degrees * 3.14159265358979323846 / 180, sum = 0;
    if (n > TAPS_MAX)
        return protea_fail(PROTEA_ERR_INTERNAL, "motion blur: radius %g found, at most %d wanted", radius, (TAPS_MAX - 1) / 2);
    for (int i = 0; i < n; i++) {
        taps[i] = (protea_tap){ .dx = (int)ceil(i * cos(angle) - 0.5), .dy = (int)ceil(i * sin(angle) - 0.5),
                                .weight = exp(-(double)i * i / (2 * sigma * sigma)) };
        sum += taps[i].weight;
    }
    for (int i = 0; i < n; i++)
        taps[i].weight /= sum;
    return protea_correlate(px, w, h, channels, taps, n, PROTEA_BORDER_NEAREST, 0.5 / 257);
}

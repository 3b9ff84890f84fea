/* Correlation of 8-bit pictures with a handful of taps, and ImageMagick's motion blur, which is one. */
#include <math.h>
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

static void add_row(double *restrict sum, const uint8_t *restrict in, double weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * in[i];
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

/* sum: (w * channels) scratch. */
static void correlate_rows(uint8_t *px, int h, size_t row, const padded *p, const protea_tap *taps, int n_taps, double bias,
                           double *sum)
{
    for (int y = 0; y < h; y++) {
        for (size_t i = 0; i < row; i++)
            sum[i] = bias;
        for (int k = 0; k < n_taps; k++) {
            const uint8_t *from = p->px + p->stride * (size_t)(y + p->margin + taps[k].dy);
            add_row(sum, from + (size_t)(p->margin + taps[k].dx) * (size_t)p->channels, taps[k].weight, row);
        }
        for (size_t i = 0; i < row; i++)
            px[row * (size_t)y + i] = protea_cut(sum[i]);
    }
}

protea_status protea_correlate(uint8_t *px, int w, int h, int channels, const protea_tap *taps, int n_taps, protea_border border,
                               double bias)
{
    padded p = { .margin = margin_of(taps, n_taps), .channels = channels };
    size_t row = (size_t)w * (size_t)channels;
    double *sum;
    p.stride = ((size_t)w + 2 * (size_t)p.margin) * (size_t)channels;
    PROTEA_TRY(protea_new(&sum, row * sizeof *sum + p.stride * ((size_t)h + 2 * (size_t)p.margin), 1, "correlating"));
    p.px = (uint8_t *)(sum + row);
    pad(&p, px, w, h, border);
    correlate_rows(px, h, row, &p, taps, n_taps, bias, sum);
    protea_free(sum);
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

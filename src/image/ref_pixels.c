/* The plain kernels over pixels, value by value as Pillow 9 computes them: what the fast ones are tested against. */
#include "image/pixels.h"

/* ---- resizing */

static uint8_t rounded(int32_t sum)
{
    int32_t v = (sum + (1 << (PROTEA_WEIGHT_BITS - 1))) >> PROTEA_WEIGHT_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static size_t across_scratch(int n_in, int n_out)
{
    (void)n_in, (void)n_out;
    return 0;
}

static void across(uint8_t *out, size_t out_stride, const uint8_t *in, size_t in_stride, int rows, const protea_taps *t,
                   void *scratch)
{
    (void)scratch;
    for (int y = 0; y < rows; y++, out += out_stride, in += in_stride)
        for (int i = 0; i < 3 * t->n_out; i++) {
            int32_t sum = 0;
            for (int k = 0; k < t->n[i / 3]; k++)
                sum += in[3 * (t->first[i / 3] + k) + i % 3] * t->weight[(size_t)(i / 3) * (size_t)t->width + (size_t)k];
            out[i] = rounded(sum);
        }
}

static void down(uint8_t *out, const uint8_t *in, size_t stride, const int32_t *weight, int n_taps, int n)
{
    for (int i = 0; i < n; i++) {
        int32_t sum = 0;
        for (int k = 0; k < n_taps; k++)
            sum += in[(size_t)k * stride + (size_t)i] * weight[k];
        out[i] = rounded(sum);
    }
}

extern const protea_resize_ops protea_resize_ref;
const protea_resize_ops protea_resize_ref = { across_scratch, across, down };

/* ---- blur */

protea_box_fn protea_box_ref;
void protea_box_ref(uint8_t *out, const uint8_t *in, ptrdiff_t step, int n, const protea_box *b)
{
    for (int i = 0; i < n; i++) {
        uint32_t sum = 0, ends = (uint32_t)(in[i - (b->radius + 1) * step] + in[i + (b->radius + 1) * step]);
        for (int k = -b->radius; k <= b->radius; k++)
            sum += in[i + k * step];
        out[i] = (uint8_t)((sum * b->inner + ends * b->outer + (1u << 23)) >> 24);
    }
}

/* ---- colours */

/* Pillow's "L": ITU-R 601 luma in fixed point. */
static uint8_t luma(const uint8_t *p)
{
    return (uint8_t)((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 0x8000u) >> 16);
}

static uint8_t blended(uint8_t from, uint8_t to, float factor)
{
    float v = (float)from + factor * (float)(to - from);
    return (uint8_t)(v <= 0 ? 0 : v >= 255 ? 255 : v);
}

static void blend(uint8_t *px, size_t n, uint8_t from, float factor)
{
    for (size_t i = 0; i < 3 * n; i++)
        px[i] = blended(from, px[i], factor);
}

static uint64_t luma_sum(const uint8_t *px, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += luma(px + 3 * i);
    return sum;
}

static void saturate(uint8_t *px, size_t n, float factor)
{
    for (size_t i = 0; i < n; i++, px += 3) {
        uint8_t from = luma(px);
        for (int c = 0; c < 3; c++)
            px[c] = blended(from, px[c], factor);
    }
}

static void gray(uint8_t *px, size_t n)
{
    for (size_t i = 0; i < n; i++, px += 3)
        px[0] = px[1] = px[2] = luma(px);
}

/* Hue, saturation and value in 0..255, float and double just where Pillow has them. */
static void to_hsv(uint8_t *p)
{
    int max = p[0], min = p[0];
    for (int c = 1; c < 3; c++) {
        max = p[c] > max ? p[c] : max;
        min = p[c] < min ? p[c] : min;
    }
    float range = (float)(max - min), h = 0, s = 0;
    if (max > min) {
        float rc = (float)(max - p[0]) / range, gc = (float)(max - p[1]) / range, bc = (float)(max - p[2]) / range;
        h = p[0] == max ? bc - gc : p[1] == max ? (float)(2.0 + (double)rc - (double)bc) : (float)(4.0 + (double)gc - (double)rc);
        double turn = (double)h / 6.0 + 1.0;
        h = (float)(turn >= 1 ? turn - 1 : turn);
        s = range / (float)max;
    }
    p[0] = (uint8_t)((double)h * 255.0);
    p[1] = (uint8_t)((double)s * 255.0);
    p[2] = (uint8_t)max;
}

static void to_rgb(uint8_t *p)
{
    float sector = (float)p[0] * 6 / 255.0f, s = (float)p[1] / 255.0f, v = p[2];
    int k = (int)sector;
    float f = sector - (float)k;
    uint8_t low = (uint8_t)(v * (1.0f - s) + 0.5f), falling = (uint8_t)(v * (1.0f - s * f) + 0.5f);
    uint8_t rising = (uint8_t)(v * (1.0f - s * (1.0f - f)) + 0.5f), high = p[2];
    const uint8_t rgb[6][3] = { { high, rising, low }, { falling, high, low }, { low, high, rising },
                                { low, falling, high }, { rising, low, high }, { high, low, falling } };
    for (int c = 0; c < 3; c++)
        p[c] = rgb[k % 6][c];
}

static void hue(uint8_t *px, size_t n, uint8_t turn)
{
    for (size_t i = 0; i < n; i++, px += 3) {
        to_hsv(px);
        px[0] = (uint8_t)(px[0] + turn);
        to_rgb(px);
    }
}

static void normalise(float *x, const uint8_t *px, size_t n, const float scale[3], const float shift[3])
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++)
            x[c * n + i] = (float)px[3 * i + c] * scale[c] + shift[c];
}

extern const protea_colour_ops protea_colour_ref;
const protea_colour_ops protea_colour_ref = { blend, luma_sum, saturate, gray, hue, normalise };

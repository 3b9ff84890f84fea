/* Pictures as numbers: conversion, Gaussian filter, enlargement. Orders of operations are those of SciPy, because results are
 * cut to 8 bits and flat areas often lie within a rounding error of a whole number. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/corrupt_parts.h"

protea_status protea_field_new(protea_field *field, int w, int h, int channels)
{
    *field = (protea_field){ .w = w, .h = h, .channels = channels };
    return protea_new(&field->v, (size_t)w * (size_t)h * (size_t)channels, sizeof *field->v, "a corruption");
}

protea_status protea_field_of(protea_field *field, const protea_image *image)
{
    PROTEA_TRY(protea_field_new(field, image->w, image->h, 3));
    for (size_t i = 0, n = protea_values(image); i < n; i++)
        field->v[i] = image->px[i] / 255.;
    return PROTEA_OK;
}

void protea_field_normal(protea_field *field, double mean, double sigma, protea_rng *rng)
{
    enum { BLOCK = 4 * PROTEA_RNG_CHUNK };
    float z[BLOCK];
    size_t n = (size_t)field->w * (size_t)field->h * (size_t)field->channels;
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t part = n - i < BLOCK ? n - i : BLOCK;
        protea_rng_fill_normal(rng, z, (int64_t)part);
        for (size_t k = 0; k < part; k++)
            field->v[i + k] = mean + sigma * (double)z[k];
    }
}

void protea_field_store(protea_image *image, const protea_field *field)
{
    for (size_t i = 0, n = protea_values(image); i < n; i++)
        image->px[i] = protea_cut(protea_unit(field->v[i]) * 255);
}

int protea_border_beyond(int i, int n, protea_border border)
{
    if (border == PROTEA_BORDER_NEAREST)
        return i < 0 ? 0 : i >= n ? n - 1 : i;
    int period = border == PROTEA_BORDER_REFLECT ? 2 * n : 2 * n - 2;
    i %= period > 0 ? period : 1;
    i += i < 0 ? period : 0;
    return i < n ? i : border == PROTEA_BORDER_REFLECT ? period - 1 - i : period - i;
}

/* ---- Gaussian filter */

typedef struct gaussian {
    int radius;
    double *weight; /* (radius + 1) from the middle out */
} gaussian;

static void gaussian_fill(gaussian *g, double sigma)
{
    double sum = 0, sharpness = -0.5 / (sigma * sigma);
    for (int i = 0; i <= g->radius; i++)
        g->weight[i] = exp(sharpness * (i * i));
    for (int i = -g->radius; i <= g->radius; i++)
        sum += g->weight[abs(i)];
    for (int i = 0; i <= g->radius; i++)
        g->weight[i] /= sum;
}

/* A reflected line of n repeats itself after 2 n, so what taps further out than n see is what nearer ones see: their weights
 * are added to those. (Elastic displacements at ImageNet's scale are smoothed by more than the picture's side.) */
static void gaussian_fold(gaussian *g, int n)
{
    for (int i = n + 1; i <= g->radius; i++) {
        int place = i % (2 * n), at = place <= n ? place : 2 * n - place;
        g->weight[at] += at == 0 ? 2 * g->weight[i] : g->weight[i];
    }
    g->radius = g->radius < n ? g->radius : n;
}

/* out[i] of n values; taps are step values apart. The middle first, then pairs from outside in. */
static void gaussian_line(double *restrict out, const double *restrict in, ptrdiff_t step, int n, const gaussian *g)
{
    for (int i = 0; i < n; i++)
        out[i] = in[i] * g->weight[0];
    for (int k = g->radius; k > 0; k--) {
        double weight = g->weight[k];
        const double *before = in - k * step, *after = in + k * step;
        for (int i = 0; i < n; i++)
            out[i] += (before[i] + after[i]) * weight;
    }
}

/* padded: room for h + 2 radius rows. */
static void gaussian_down(protea_field *f, const gaussian *g, double *padded, protea_border border)
{
    size_t stride = (size_t)f->w * (size_t)f->channels;
    double *middle = padded + (size_t)g->radius * stride;
    for (int y = -g->radius; y < f->h + g->radius; y++)
        memcpy(middle + (ptrdiff_t)stride * y, f->v + stride * (size_t)protea_border_at(y, f->h, border), stride * sizeof *f->v);
    for (int y = 0; y < f->h; y++)
        gaussian_line(f->v + stride * (size_t)y, middle + stride * (size_t)y, (ptrdiff_t)stride, (int)stride, g);
}

/* padded: room for w + 2 radius points. */
static void gaussian_across(protea_field *f, const gaussian *g, double *padded, protea_border border)
{
    size_t point = (size_t)f->channels, stride = (size_t)f->w * point;
    double *middle = padded + (size_t)g->radius * point;
    for (int y = 0; y < f->h; y++) {
        double *row = f->v + stride * (size_t)y;
        for (int x = -g->radius; x < f->w + g->radius; x++)
            memcpy(middle + (ptrdiff_t)point * x, row + point * (size_t)protea_border_at(x, f->w, border), point * sizeof *row);
        gaussian_line(row, middle, (ptrdiff_t)point, (int)stride, g);
    }
}

static void gaussian_make(gaussian *g, double sigma, int radius, int n, protea_border border)
{
    g->radius = radius;
    gaussian_fill(g, sigma);
    if (border == PROTEA_BORDER_REFLECT)
        gaussian_fold(g, n);
}

protea_status protea_field_gaussian(protea_field *field, double sigma, double truncate, protea_border border)
{
    int radius = (int)(truncate * sigma + 0.5);
    size_t margins = 2 * (size_t)radius, w = (size_t)field->w, h = (size_t)field->h;
    size_t line = (w + margins) * (size_t)field->channels, rows = (h + margins) * w * (size_t)field->channels;
    gaussian g;
    if (!(sigma > 0))
        return PROTEA_OK;
    PROTEA_TRY(protea_new(&g.weight, (size_t)radius + 1 + (line > rows ? line : rows), sizeof *g.weight, "blurring"));
    double *padded = g.weight + radius + 1;
    gaussian_make(&g, sigma, radius, field->h, border);
    gaussian_down(field, &g, padded, border);
    gaussian_make(&g, sigma, radius, field->w, border);
    gaussian_across(field, &g, padded, border);
    protea_free(g.weight);
    return PROTEA_OK;
}

/* ---- enlargement */

/* One direction: result i lies between inputs at[i] and at[i] + 1, `part` of the way; beyond: outside of the input. */
typedef struct zoom_line {
    int *at;
    double *part;
} zoom_line;

/* The crop of ceil(n / factor) in the middle becomes round(crop * factor) points from end to end, of which the middle n are
 * kept. When rounding puts the last point a hair beyond the end, SciPy gives 0 there (mode 'constant'): part is then -1. */
static void zoom_line_fill(zoom_line *z, int n, double factor)
{
    int crop = (int)ceil(n / factor), first = (n - crop) / 2, all = (int)rint(crop * factor), trim = (all - n) / 2;
    double step = all > 1 ? (double)(crop - 1) / (all - 1) : 0;
    for (int i = 0; i < n; i++) {
        double place = (trim + i) * step;
        int whole = (int)place;
        z->at[i] = first + whole;
        z->part[i] = place > crop - 1 ? -1 : place - whole;
    }
}

/* Between two rows, then between points of the row. row: room for one. */
static void zoom_rows(protea_field *out, const protea_field *in, const zoom_line *across, const zoom_line *down, double *row)
{
    size_t channels = (size_t)in->channels, stride = (size_t)in->w * channels;
    for (int y = 0; y < in->h; y++) {
        double part = down->part[y];
        const double *upper = in->v + stride * (size_t)down->at[y], *lower = part > 0 ? upper + stride : upper;
        double *target = out->v + stride * (size_t)y;
        for (size_t i = 0; i < stride; i++)
            row[i] = part < 0 ? 0 : (1 - part) * upper[i] + part * lower[i];
        for (int x = 0; x < in->w; x++) {
            double share = across->part[x];
            const double *left = row + channels * (size_t)across->at[x], *right = share > 0 ? left + channels : left;
            for (size_t k = 0; k < channels; k++)
                *target++ = share < 0 ? 0 : (1 - share) * left[k] + share * right[k];
        }
    }
}

protea_status protea_field_zoom(protea_field *out, const protea_field *in, double factor)
{
    size_t w = (size_t)in->w, h = (size_t)in->h;
    double *block;
    PROTEA_TRY(protea_new(&block, w * (size_t)in->channels + 2 * (w + h), sizeof *block, "enlarging"));
    zoom_line across = { .part = block + w * (size_t)in->channels }, down = { .part = across.part + w };
    across.at = (int *)(void *)(down.part + h);
    down.at = across.at + w;
    zoom_line_fill(&across, in->w, factor);
    zoom_line_fill(&down, in->h, factor);
    zoom_rows(out, in, &across, &down, block);
    protea_free(block);
    return PROTEA_OK;
}

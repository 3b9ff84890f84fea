/* Bursts of classes: the correlated stream, defined in stream.h. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "eval/stream.h"

enum { SMALLEST_CHUNK = 10, MOST_DRAWS = 100 }; /* redrawn until every chunk holds ten; we give up in the end */

typedef struct dealing {
    const protea_stream_images *images;
    double delta;
    protea_rng rng;
    int chunks;          /* as many as classes */
    int64_t *of_class;   /* (n) images, grouped by class, shuffled inside */
    int64_t *begin;      /* (C+1) where each class begins in it */
    int64_t *dealt;      /* (chunks,C) how many of a class a chunk gets */
    int64_t *size;       /* (chunks) */
    double *share;       /* (chunks) scratch of one draw */
    int64_t *turn;       /* (C) an order of classes */
} dealing;

/* share: Dirichlet(delta) over the chunks that are not full. */
static void draw_shares(dealing *d)
{
    int64_t full = d->images->n / d->chunks;
    double most = -(double)INFINITY, sum = 0;
    for (int k = 0; k < d->chunks; k++) {
        d->share[k] = d->size[k] >= full ? -(double)INFINITY : protea_rng_log_gamma(&d->rng, d->delta);
        most = fmax(most, d->share[k]);
    }
    for (int k = 0; k < d->chunks; k++)
        sum += d->share[k] = isfinite(most) ? exp(d->share[k] - most) : 1;
    for (int k = 0; k < d->chunks; k++)
        d->share[k] /= sum;
}

/* Cuts a class at the rounded running sums of the shares: nothing is lost. */
static void deal_class(dealing *d, int c)
{
    int64_t n = d->begin[c + 1] - d->begin[c], before = 0;
    double sum = 0;
    draw_shares(d);
    for (int k = 0; k < d->chunks; k++) {
        sum += d->share[k];
        int64_t until = k == d->chunks - 1 ? n : (int64_t)floor(fmin(sum, 1) * (double)n);
        d->dealt[(int64_t)k * d->chunks + c] = until - before;
        d->size[k] += until - before;
        before = until;
    }
}

static bool deal_all(dealing *d)
{
    int64_t wanted = d->images->n / (2 * (int64_t)d->chunks);
    memset(d->size, 0, (size_t)d->chunks * sizeof *d->size);
    for (int c = 0; c < d->chunks; c++)
        deal_class(d, c);
    for (int k = 0; k < d->chunks; k++)
        if (d->size[k] < (wanted < SMALLEST_CHUNK ? wanted : SMALLEST_CHUNK))
            return false;
    return true;
}

/* Images by class; those without a label go with class 0. */
static void group(dealing *d)
{
    const protea_stream_images *im = d->images;
    int64_t n = 0;
    for (int c = 0; c < d->chunks; c++) {
        d->begin[c] = n;
        for (int64_t i = 0; i < im->n; i++)
            if (im->label[i] == c || (c == 0 && im->label[i] < 0))
                d->of_class[n++] = i;
        protea_rng_shuffle(&d->rng, d->of_class + d->begin[c], n - d->begin[c]);
    }
    d->begin[d->chunks] = n;
}

/* begin becomes where each class's next image lies. */
static void emit(dealing *d, int64_t *order)
{
    for (int k = 0; k < d->chunks; k++) {
        protea_rng_shuffle(&d->rng, d->turn, d->chunks);
        for (int t = 0; t < d->chunks; t++) {
            int64_t c = d->turn[t];
            int64_t n = d->dealt[k * d->chunks + c];
            memcpy(order, d->of_class + d->begin[c], (size_t)n * sizeof *order);
            d->begin[c] += n;
            order += n;
        }
    }
}

static protea_status dealing_new(dealing *d)
{
    size_t c = (size_t)d->chunks;
    PROTEA_TRY(protea_new(&d->of_class, (size_t)d->images->n, sizeof *d->of_class, "the stream"));
    PROTEA_TRY(protea_new(&d->begin, c + 1, sizeof *d->begin, "the stream"));
    PROTEA_TRY(protea_new(&d->dealt, c * c, sizeof *d->dealt, "the stream"));
    PROTEA_TRY(protea_new(&d->size, c, sizeof *d->size, "the stream"));
    PROTEA_TRY(protea_new(&d->share, c, sizeof *d->share, "the stream"));
    PROTEA_TRY(protea_new(&d->turn, c, sizeof *d->turn, "the stream"));
    for (int i = 0; i < d->chunks; i++)
        d->turn[i] = i;
    return PROTEA_OK;
}

static void dealing_free(dealing *d)
{
    protea_free(d->of_class);
    protea_free(d->begin);
    protea_free(d->dealt);
    protea_free(d->size);
    protea_free(d->share);
    protea_free(d->turn);
}

static void deal_and_emit(dealing *d, int64_t *order)
{
    group(d);
    if (d->delta > 0) {
        for (int draw = 0; draw < MOST_DRAWS && !deal_all(d); draw++)
            ;
        emit(d, order);
    } else {
        memcpy(order, d->of_class, (size_t)d->images->n * sizeof *order);
    }
}

protea_status protea_stream_correlated(int64_t *order, const protea_stream_images *images, double delta, uint64_t seed,
                                       uint32_t k)
{
    dealing d = { .images = images, .delta = delta, .chunks = images->n_classes,
                  .rng = protea_rng_make(seed, PROTEA_RNG_STREAM, k, 0, 1) };
    if (images->n_classes < 1)
        return protea_fail(PROTEA_ERR_INPUT, "--stream correlated: wanted images with classes, found none");
    protea_status status = dealing_new(&d);
    if (status == PROTEA_OK)
        deal_and_emit(&d, order);
    dealing_free(&d);
    return status;
}

#include "data/sampler.h"

#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

/* ---- making it */

static protea_status check(const protea_sampler *s)
{
    int domains = s->how.n_domains;
    if (s->part % domains != 0)
        return protea_fail(PROTEA_ERR_USAGE, "--batch-size: %lld images a step on each rank, a multiple of the %d domains wanted",
                           (long long)s->part, domains);
    if (s->n < s->part * s->ranks && !s->how.replacement)
        return protea_fail(PROTEA_ERR_INPUT, "the data set has %lld images, one step takes %lld; try --batch-size %lld",
                           (long long)s->n, (long long)(s->part * s->ranks), (long long)s->n);
    return PROTEA_OK;
}

static int64_t domain_begin(const protea_sampler *s, int d)
{
    return s->how.first != NULL ? s->how.first[d] : d * s->n;
}

static int64_t domain_size(const protea_sampler *s, int d)
{
    return domain_begin(s, d + 1) - domain_begin(s, d);
}

static int64_t largest_domain(const protea_sampler *s)
{
    int64_t largest = 0;
    for (int d = 0; d < s->how.n_domains; d++)
        largest = domain_size(s, d) > largest ? domain_size(s, d) : largest;
    return largest;
}

protea_status protea_sampler_init(protea_sampler *s, const protea_sampling *how, int64_t n_images, int64_t part, int64_t ranks,
                                  uint64_t seed)
{
    *s = (protea_sampler){ .how = *how, .seed = seed, .n = n_images, .ranks = ranks, .part = part };
    if (how->n_domains == 0)
        s->how.n_domains = 1;
    PROTEA_TRY(check(s));
    s->share = part / s->how.n_domains;
    s->steps = how->steps > 0 ? how->steps : n_images / (part * ranks);
    size_t places = (size_t)(s->steps * ranks * part);
    PROTEA_TRY(protea_new(&s->order, places, sizeof *s->order, "the order of the images"));
    PROTEA_TRY(protea_new(&s->turn, places, sizeof *s->turn, "the order of the images"));
    PROTEA_TRY(protea_new(&s->walk, (size_t)largest_domain(s), sizeof *s->walk, "the order of the images"));
    return protea_new(&s->seen, (size_t)n_images, sizeof *s->seen, "the order of the images");
}

void protea_sampler_release(protea_sampler *s)
{
    protea_free(s->order);
    protea_free(s->turn);
    protea_free(s->walk);
    protea_free(s->seen);
    *s = (protea_sampler){ 0 };
}

/* ---- an epoch */

static protea_rng rng_of(const protea_sampler *s, int64_t epoch, int d, int64_t pass)
{
    return protea_rng_make(s->seed, PROTEA_RNG_SHUFFLE, (uint32_t)epoch, (uint64_t)d << 32 | (uint64_t)pass, 0);
}

/* A pass over domain d in a fresh order. */
static void shuffle(protea_sampler *s, int64_t epoch, int d, int64_t pass)
{
    int64_t size = domain_size(s, d);
    protea_rng rng = rng_of(s, epoch, d, pass);
    for (int64_t i = 0; i < size; i++)
        s->walk[i] = domain_begin(s, d) + i;
    protea_rng_shuffle(&rng, s->walk, size);
}

/* Places of domain d are filled in order: part after part of a batch, batch after batch. */
static void fill_domain(protea_sampler *s, int64_t epoch, int d)
{
    int64_t size = domain_size(s, d), parts = s->steps * s->ranks;
    protea_rng draws = rng_of(s, epoch, d, 0);
    for (int64_t k = 0; k < parts * s->share; k++) {
        int64_t place = k / s->share * s->part + d * s->share + k % s->share;
        if (!s->how.replacement && k % size == 0)
            shuffle(s, epoch, d, k / size);
        int64_t image = s->how.replacement ? domain_begin(s, d) + (int64_t)protea_rng_below(&draws, (uint64_t)size)
                                           : s->walk[k % size];
        s->order[place] = image;
        s->turn[place] = s->seen[image]++;
    }
}

void protea_sampler_epoch(protea_sampler *s, int64_t epoch)
{
    memset(s->seen, 0, (size_t)s->n * sizeof *s->seen);
    for (int d = 0; d < s->how.n_domains; d++)
        fill_domain(s, epoch, d);
}

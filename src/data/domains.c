#include "data/domains.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

/* ---- classes */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The union of the domains' classes. */
static protea_status collect_classes(protea_domains *d)
{
    for (int i = 0; i < d->n; i++)
        for (int c = 0; c < protea_source_n_classes(d->part[i]); c++)
            if (protea_class_names_find(&d->classes, protea_source_class(d->part[i], c)) < 0)
                PROTEA_TRY(protea_class_names_add(&d->classes, protea_source_class(d->part[i], c)));
    qsort(d->classes.name, (size_t)d->classes.n, sizeof *d->classes.name, by_name);
    return PROTEA_OK;
}

/* ---- the split */

typedef struct split {
    protea_domains *d;
    double holdout;
    uint64_t seed;
    protea_pick *train, *held_out; /* (images) of all domains, of this domain */
    int64_t n_train, n_held_out;
    int64_t *order;                /* (images of the largest domain): of one class */
} split;

static int64_t share_of(int64_t n, double holdout)
{
    int64_t share = (int64_t)floor(holdout * (double)n + 0.5);
    if (holdout <= 0 || n < 2)
        return 0;
    return share < 1 ? 1 : share > n - 1 ? n - 1 : share;
}

/* Marks in held (n of the domain) those images of class c that are held out. */
static void draw_class(split *s, int domain, int c, bool *held)
{
    const protea_source *part = s->d->part[domain];
    int64_t n = 0, images = protea_source_count(part);
    protea_rng rng = protea_rng_make(s->seed, PROTEA_RNG_SPLIT, (uint32_t)domain, (uint64_t)c, 0);
    for (int64_t i = 0; i < images; i++)
        if (protea_source_label(part, i) == c)
            s->order[n++] = i;
    protea_rng_shuffle(&rng, s->order, n);
    for (int64_t i = 0; i < share_of(n, s->holdout); i++)
        held[s->order[i]] = true;
}

/* class: number of each of the domain's classes among all. */
static void pick_images(split *s, int domain, const bool *held, const int32_t *class)
{
    const protea_source *part = s->d->part[domain];
    s->d->first[domain] = s->n_train;
    s->n_held_out = 0;
    for (int64_t i = 0; i < protea_source_count(part); i++) {
        protea_pick pick = { .set = domain, .image = i, .label = class[protea_source_label(part, i)] };
        if (held[i])
            s->held_out[s->n_held_out++] = pick;
        else
            s->train[s->n_train++] = pick;
    }
    s->d->first[domain + 1] = s->n_train;
}

static protea_status divide(split *s, int domain, bool *held, int32_t *class)
{
    const protea_source *part = s->d->part[domain];
    for (int c = 0; c < protea_source_n_classes(part); c++) {
        class[c] = protea_class_names_find(&s->d->classes, protea_source_class(part, c));
        draw_class(s, domain, c, held);
    }
    pick_images(s, domain, held, class);
    if (s->n_held_out == 0)
        return PROTEA_OK;
    return protea_source_gather(&s->d->held_out[domain], s->d->part, s->d->n, s->held_out, s->n_held_out, &s->d->classes);
}

static protea_status split_domain(split *s, int domain)
{
    const protea_source *part = s->d->part[domain];
    bool *held = NULL;
    int32_t *class = NULL;
    protea_status status = protea_new(&held, (size_t)protea_source_count(part), sizeof *held, "a split");
    if (status == PROTEA_OK)
        status = protea_new(&class, (size_t)protea_source_n_classes(part), sizeof *class, "classes");
    if (status == PROTEA_OK)
        status = divide(s, domain, held, class);
    protea_free(held);
    protea_free(class);
    return status;
}

static protea_status split_all(split *s)
{
    size_t images = 0;
    for (int i = 0; i < s->d->n; i++)
        images += (size_t)protea_source_count(s->d->part[i]);
    PROTEA_TRY(protea_new(&s->train, images, sizeof *s->train, "a split"));
    PROTEA_TRY(protea_new(&s->held_out, images, sizeof *s->held_out, "a split"));
    PROTEA_TRY(protea_new(&s->order, images, sizeof *s->order, "a split"));
    for (int i = 0; i < s->d->n; i++)
        PROTEA_TRY(split_domain(s, i));
    return protea_source_gather(&s->d->train, s->d->part, s->d->n, s->train, s->n_train, &s->d->classes);
}

/* ---- opening */

static protea_status open_part(protea_domains *d, const char *spec, const protea_source_opts *opts)
{
    PROTEA_TRY(protea_source_open(&d->part[d->n], spec, opts));
    if (protea_source_n_classes(d->part[d->n++]) > 0)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INPUT, "%s: its images have no classes; wanted a folder (or tar) of class folders", spec);
}

protea_status protea_domains_open(protea_domains *d, const char *const *spec, int n, const protea_source_opts *opts)
{
    *d = (protea_domains){ 0 };
    if (n > PROTEA_MAX_DOMAINS)
        return protea_fail(PROTEA_ERR_USAGE, "DATA: %d domains found, %d wanted at most", n, PROTEA_MAX_DOMAINS);
    for (int i = 0; i < n; i++)
        PROTEA_TRY(open_part(d, spec[i], opts));
    return collect_classes(d);
}

protea_status protea_domains_split(protea_domains *d, double holdout, uint64_t seed)
{
    split s = { .d = d, .holdout = holdout, .seed = seed };
    protea_status status = split_all(&s);
    protea_free(s.train);
    protea_free(s.held_out);
    protea_free(s.order);
    return status;
}

void protea_domains_close(protea_domains *d)
{
    protea_source_close(d->train);
    for (int i = 0; i < d->n; i++)
        protea_source_close(d->held_out[i]);
    for (int i = 0; i < d->n; i++)
        protea_source_close(d->part[i]);
    protea_class_names_release(&d->classes);
    *d = (protea_domains){ 0 };
}

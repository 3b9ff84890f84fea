/* Beginning and end of a search for neighbours. */
#include "cluster/row_search.h"

#include <math.h>

#include "base/parallel.h"

enum { QUERY_BYTES = 128 << 20 };

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Lengths to scales. Euclidean: a power of two, which changes no digit. */
static void to_scales(double *x, int64_t n, protea_row_metric metric, double longest)
{
    double same = longest > 0 ? ldexp(1, -(int)ceil(log2(longest))) : 1;
    for (int64_t i = 0; i < n; i++)
        x[i] = metric == PROTEA_EUCLIDEAN ? same : x[i] > 0 ? 1 / x[i] : 0;
}

static protea_status find_scales(protea_row_search *s)
{
    double longest = 0;
    PROTEA_TRY(protea_row_lengths(s->gallery_scale, &longest, &s->gallery, s->d));
    PROTEA_TRY(protea_row_lengths(s->query_scale, &longest, &s->query, s->d));
    to_scales(s->gallery_scale, s->gallery.n, s->metric, longest);
    to_scales(s->query_scale, s->query.n, s->metric, longest);
    for (int64_t i = 0; i < s->gallery.n; i++)
        s->zero_rows = s->zero_rows || !(s->gallery_scale[i] > 0);
    return PROTEA_OK;
}

static protea_status new_rows(protea_row_search *s)
{
    PROTEA_TRY(protea_new(&s->gallery_scale, (size_t)s->gallery.n, sizeof(double), "kNN lengths"));
    PROTEA_TRY(protea_new(&s->query_scale, (size_t)s->query.n, sizeof(double), "kNN lengths"));
    return protea_new(&s->centre, (size_t)s->d, sizeof(float), "kNN rows");
}

/* As many queries as fit into so many bytes. */
static void choose_block(protea_row_search *s, size_t bytes)
{
    size_t d = (size_t)s->d, k = (size_t)s->k, room = (size_t)s->room;
    size_t each = d * sizeof(float) + sizeof *s->wanted + room * (sizeof(float) + sizeof(int32_t)) + k * sizeof(protea_neighbour);
    int64_t block = (int64_t)((bytes > 0 ? bytes : QUERY_BYTES) / each);
    s->block = smaller(block < 1 ? 1 : block, s->query.n);
}

static protea_status new_queries(protea_row_search *s)
{
    size_t n = (size_t)s->block;
    PROTEA_TRY(protea_new(&s->number, n, sizeof *s->number, "kNN queries"));
    PROTEA_TRY(protea_new(&s->limit, n, sizeof(float), "kNN queries"));
    PROTEA_TRY(protea_new(&s->wanted, n, sizeof *s->wanted, "kNN queries"));
    PROTEA_TRY(protea_new(&s->scratch, (size_t)protea_threads() * 2 * (size_t)s->room, sizeof(uint64_t), "kNN candidates"));
    return protea_new(&s->n_best, n, sizeof *s->n_best, "kNN neighbours");
}

/* What is large, on huge pages: many lists grow at once. */
static protea_status new_lists(protea_row_search *s)
{
    protea_backend *be = s->cx->be;
    const protea_nearest_dims dims = { smaller(PROTEA_SLAB, s->gallery.n), s->d, s->dtype };
    size_t n = (size_t)s->block, d = (size_t)s->d, lists = n * (size_t)s->room;
    struct { void *out; size_t bytes; } part[] = {
        { &s->pack, s->gallery.n > 0 ? be->k.nearest_bytes(be, &dims) : 0 }, { &s->slab, (size_t)dims.k * d * sizeof(float) },
        { &s->queries, n * d * sizeof(float) }, { &s->value, lists * sizeof(float) }, { &s->row, lists * sizeof(int32_t) },
        { &s->best, n * (size_t)s->k * sizeof *s->best },
    };
    enum { PARTS = sizeof part / sizeof *part, LINE = 64 };
    size_t bytes = LINE;
    for (int i = 0; i < PARTS; i++)
        bytes += (part[i].bytes + LINE - 1) / LINE * LINE;
    PROTEA_TRY(protea_arena_new(&s->memory, bytes, "kNN queries and candidates"));
    for (int i = 0; i < PARTS; i++)
        PROTEA_TRY(protea_arena_alloc(s->memory, part[i].out, part[i].bytes));
    return PROTEA_OK;
}

static protea_status open_search(protea_row_search *s, size_t query_bytes)
{
    PROTEA_TRY(new_rows(s));
    PROTEA_TRY(find_scales(s));
    protea_row_centre(s->centre, &s->gallery, s->gallery_scale, s->d);
    choose_block(s, query_bytes);
    PROTEA_TRY(new_queries(s));
    return new_lists(s);
}

protea_status protea_row_search_new(protea_row_search **out, protea_ctx *cx, const protea_some_rows *gallery,
                                    const protea_some_rows *query, int64_t d, const protea_row_search_opts *opts)
{
    protea_row_search *s;
    *out = NULL;
    if (opts->k < 1)
        return protea_fail(PROTEA_ERR_USAGE, "kNN: k %lld found, at least 1 wanted", (long long)opts->k);
    if (gallery->n > INT32_MAX)
        return protea_fail(PROTEA_ERR_INPUT, "kNN: %lld rows of %s features found, at most %d wanted", (long long)gallery->n,
                           gallery->name, INT32_MAX);
    PROTEA_TRY(protea_new(&s, 1, sizeof *s, "a search for neighbours"));
    s->cx = cx;
    s->gallery = *gallery;
    s->query = *query;
    s->metric = opts->metric;
    s->self = opts->self;
    s->d = d;
    s->k = smaller(opts->k, gallery->n);
    s->room = 4 * s->k + 64;
    s->dtype = cx->be->bf16_pays ? PROTEA_BF16 : PROTEA_F32;
    protea_status status = open_search(s, opts->query_bytes);
    if (status == PROTEA_OK)
        *out = s;
    else
        protea_row_search_free(s);
    return status;
}

void protea_row_search_free(protea_row_search *s)
{
    if (s == NULL)
        return;
    protea_free(s->gallery_scale);
    protea_free(s->query_scale);
    protea_free(s->centre);
    protea_arena_free(s->memory);
    protea_free(s->number);
    protea_free(s->limit);
    protea_free(s->wanted);
    protea_free(s->scratch);
    protea_free(s->n_best);
    protea_free(s);
}

/* `protea bench sinkhorn`: codes of 4,096 samples for 3,000 prototypes, as in a SwAV step of its authors' large batches. */
#include "api/bench.h"
#include "cluster/sinkhorn.h"

enum { SAMPLES = 4096, PROTOTYPES = 3000, ITERATIONS = 3 };
static const double EPSILON = 0.05;

typedef struct sinkhorn_bench {
    protea_ctx *cx;
    protea_arena *memory;        /* owned; of both: in a step, too, they are on huge pages */
    protea_tensor scores, codes;
} sinkhorn_bench;

static protea_status assign(protea_ctx *cx, void *self)
{
    sinkhorn_bench *s = self;
    return protea_sinkhorn(cx, &s->codes, &s->scores, EPSILON, ITERATIONS);
}

static protea_status run(void *self)
{
    return assign(((sinkhorn_bench *)self)->cx, self);
}

/* Scores as cosines of unit vectors in 128 dimensions are: normal, of deviation 1/sqrt(128). */
static protea_status open_scores(sinkhorn_bench *s)
{
    const protea_tensor shape = { .dtype = PROTEA_F32, .n_dims = 2, .dim = { SAMPLES, PROTOTYPES } };
    protea_rng rng = protea_rng_make(s->cx->seed, PROTEA_RNG_TEST, 0, 0, 0);
    s->scores = s->codes = shape;
    PROTEA_TRY(protea_arena_new(&s->memory, 2 * protea_bytes(&shape), "scores and codes"));
    PROTEA_TRY(protea_arena_alloc(s->memory, &s->scores.data, protea_bytes(&shape)));
    PROTEA_TRY(protea_arena_alloc(s->memory, &s->codes.data, protea_bytes(&shape)));
    for (int64_t i = 0; i < protea_count(&s->scores); i++)
        protea_f32(&s->scores)[i] = 0.0884f * protea_rng_normal(&rng);
    return PROTEA_OK;
}

static protea_status step(protea_bench_result *out, const protea_bench *b)
{
    sinkhorn_bench s = { .cx = &b->session->cx };
    protea_status status = open_scores(&s);
    if (status == PROTEA_OK)
        status = protea_bench_plan(out, b, assign, &s);
    out->count = SAMPLES;
    out->unit = "samples";
    if (status == PROTEA_OK)
        status = protea_bench_time(&out->seconds, b, run, &s);
    protea_arena_free(s.memory);
    return status;
}

const protea_bench_ops protea_bench_sinkhorn = {
    .name = "sinkhorn",
    .summary = "Sinkhorn-Knopp, 4,096 samples and 3,000 prototypes, 3 iterations",
    .has_peer = true,
    .step = step,
};

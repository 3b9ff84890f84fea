/* The map starts as the principal axes show it, very small, and goes downhill with momentum and a gain for each coordinate. */
#include "eval/tsne.h"

#include <math.h>

#include "base/parallel.h"
#include "eval/principal_axes.h"
#include "eval/tsne_forces.h"

enum { CHUNK = 1024, MEASURE_EVERY = 50, FEW = 4096 }; /* points that are moved together; iterations between measurements */
static const double START_SPREAD = 1e-4, JITTER = 1e-6;           /* standard deviations */
static const double EARLY_MOMENTUM = 0.5, LATE_MOMENTUM = 0.8;
static const double SMALLEST = 1e-8, LOST = 1e9; /* a map is some hundreds wide */
static const float GAIN_UP = 0.2f, GAIN_DOWN = 0.8f, LEAST_GAIN = 0.01f;

protea_tsne_opts protea_tsne_defaults(void)
{
    return (protea_tsne_opts){ .perplexity = 30, .iterations = 750, .early_iterations = 250, .early_exaggeration = 12,
                               .theta = 0.5 };
}

/* Of a coordinate of some points: itself, and its size. */
typedef struct sums { double at, size; } sums;

typedef struct tsne {
    protea_ctx *cx;
    const protea_tsne_opts *o;
    int64_t n;
    protea_tsne_pairs pairs;
    protea_tsne_forces forces;
    float *at[2];           /* (n) x and y of the points; owned, as all of these */
    float *speed[2], *gain[2]; /* (n) */
    sums *part;             /* (chunks,2) */
    double perplexity, kl;
    double reach;           /* how far points are from the centre, on average */
} tsne;

/* ---- what is asked for */

static protea_status check(const protea_tsne_opts *o, int64_t n, const char *name)
{
    if (!(o->perplexity >= 1) || isinf(o->perplexity))
        return protea_fail(PROTEA_ERR_USAGE, "t-SNE: perplexity %g found, at least 1 wanted", o->perplexity);
    if (o->iterations < 1 || o->early_iterations < 0)
        return protea_fail(PROTEA_ERR_USAGE, "t-SNE: %lld iterations, %lld of them early, found; at least 1 and 0 wanted",
                           (long long)o->iterations, (long long)o->early_iterations);
    if (!(o->early_exaggeration >= 1) || isinf(o->early_exaggeration))
        return protea_fail(PROTEA_ERR_USAGE, "t-SNE: early exaggeration %g found, at least 1 wanted", o->early_exaggeration);
    if (!(o->learning_rate >= 0) || isinf(o->learning_rate))
        return protea_fail(PROTEA_ERR_USAGE, "t-SNE: learning rate %g found, 0 or more wanted", o->learning_rate);
    if (!(o->theta >= 0 && o->theta <= 1))
        return protea_fail(PROTEA_ERR_USAGE, "t-SNE: theta %g found, 0 to 1 wanted", o->theta);
    if (n > INT32_MAX)
        return protea_fail(PROTEA_ERR_INPUT, "%s: %lld rows found, at most %lld wanted", name, (long long)n, (long long)INT32_MAX);
    return PROTEA_OK;
}

static protea_status tsne_new(tsne *t)
{
    const size_t n = (size_t)t->n;
    for (int axis = 0; axis < 2; axis++) {
        PROTEA_TRY(protea_new(&t->at[axis], n, sizeof *t->at[axis], "a map"));
        PROTEA_TRY(protea_new(&t->speed[axis], n, sizeof *t->speed[axis], "a map"));
        PROTEA_TRY(protea_new(&t->gain[axis], n, sizeof *t->gain[axis], "a map"));
    }
    PROTEA_TRY(protea_new(&t->part, n / CHUNK + 1, 2 * sizeof *t->part, "a map"));
    return protea_tsne_forces_new(&t->forces, t->n);
}

static void tsne_release(tsne *t)
{
    protea_tsne_pairs_release(&t->pairs);
    protea_tsne_forces_release(&t->forces);
    for (int axis = 0; axis < 2; axis++) {
        protea_free(t->at[axis]);
        protea_free(t->speed[axis]);
        protea_free(t->gain[axis]);
    }
    protea_free(t->part);
}

static int tell(const tsne *t, const char *stage, int64_t done, int64_t total)
{
    const protea_tsne_progress progress = { stage, done, total, t->kl };
    return t->o->each != NULL ? t->o->each(t->o->cookie, &progress) : 0;
}

static int tell_rows(void *self, int64_t done, int64_t total)
{
    return tell(self, "neighbours", done, total);
}

/* ---- the start */

/* xy (n,2): on the principal axes. The first of them gets a spread that is small beside 1, so that at first all points attract and
 * repel one another alike. */
static void start_from(tsne *t, const float *xy)
{
    double square = 0;
    for (int64_t i = 0; i < t->n; i++)
        square += (double)xy[2 * i] * (double)xy[2 * i];
    const double spread = sqrt(square / (double)t->n), scale = spread > 0 ? START_SPREAD / spread : 0;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < t->n; i++) {
        protea_rng rng = protea_rng_make(t->o->seed, PROTEA_RNG_MAP, 0, (uint64_t)i, 0);
        for (int axis = 0; axis < 2; axis++) {
            t->at[axis][i] = (float)(scale * (double)xy[2 * i + axis] + JITTER * (double)protea_rng_normal(&rng));
            t->gain[axis][i] = 1;
        }
    }
}

/* ---- a step */

typedef struct stride {
    double exaggeration;
    float momentum, rate;
} stride;

static stride stride_of(const tsne *t, int64_t iteration)
{
    bool early = iteration < t->o->early_iterations;
    double exaggeration = early ? t->o->early_exaggeration : 1;
    double rate = t->o->learning_rate > 0 ? t->o->learning_rate : (double)t->n / exaggeration;
    return (stride){ exaggeration, (float)(early ? EARLY_MOMENTUM : LATE_MOMENTUM), (float)rate };
}

/* The gain grows while a coordinate goes on downhill, and falls when it has gone too far (Jacobs 1988). The gradient is without
 * its factor 4, as in the published programs: learning rates are theirs. */
static sums move_chunk(const tsne *t, int axis, int64_t from, int64_t end, stride s)
{
    float *at = t->at[axis], *speed = t->speed[axis], *gain = t->gain[axis];
    const float pull = (float)s.exaggeration, push = (float)(1 / t->forces.z);
    sums sum = { 0, 0 };
    for (int64_t i = from; i < end; i++) {
        float slope = pull * t->forces.pull[2 * i + axis] - push * t->forces.push[2 * i + axis];
        gain[i] = (slope > 0) != (speed[i] > 0) ? gain[i] + GAIN_UP : gain[i] * GAIN_DOWN;
        gain[i] = gain[i] > LEAST_GAIN ? gain[i] : LEAST_GAIN;
        speed[i] = s.momentum * speed[i] - s.rate * gain[i] * slope;
        at[i] += speed[i];
        sum.at += (double)at[i];
        sum.size += fabs((double)at[i]);
    }
    return sum;
}

static int64_t end_of(const tsne *t, int64_t chunk)
{
    return (chunk + 1) * CHUNK < t->n ? (chunk + 1) * CHUNK : t->n;
}

/* Far below 1 all q are 1 and forces grow with the map: its size means nothing, and where few rows are all neighbours of one
 * another the exaggeration shrinks it without end. It is blown up again before numbers are lost. */
static float growth(const tsne *t)
{
    return t->reach > 0 && t->reach < SMALLEST ? (float)(START_SPREAD / t->reach) : 1;
}

/* The map stays about its centre. */
static void centre_chunk(const tsne *t, int axis, int64_t from, int64_t end, float mean)
{
    const float grow = growth(t);
    for (int64_t i = from; i < end; i++) {
        t->at[axis][i] = (t->at[axis][i] - mean) * grow;
        t->speed[axis][i] *= grow;
    }
}

static void move(tsne *t, stride s)
{
    const int64_t chunks = (t->n + CHUNK - 1) / CHUNK;
    double mean[2] = { 0, 0 };
#pragma omp parallel for schedule(static)
    for (int64_t c = 0; c < chunks; c++)
        for (int axis = 0; axis < 2; axis++)
            t->part[2 * c + axis] = move_chunk(t, axis, c * CHUNK, end_of(t, c), s);
    t->reach = 0;
    for (int64_t c = 0; c < 2 * chunks; c++) {
        mean[c % 2] += t->part[c].at / (double)t->n;
        t->reach += t->part[c].size / (double)t->n;
    }
#pragma omp parallel for schedule(static)
    for (int64_t c = 0; c < chunks; c++)
        for (int axis = 0; axis < 2; axis++)
            centre_chunk(t, axis, c * CHUNK, end_of(t, c), (float)mean[axis]);
}

static protea_status look(tsne *t)
{
    if (!(t->reach < LOST))
        return protea_fail(PROTEA_ERR_DIVERGED, "t-SNE: the map went beyond all bounds; a smaller learning rate than %g wanted",
                           t->o->learning_rate);
    protea_tsne_forces_at(t->cx, &t->forces, &t->pairs, t->at[0], t->at[1], t->o->theta);
    return PROTEA_OK;
}

static void measure(tsne *t)
{
    t->kl = protea_tsne_divergence(&t->pairs, t->at[0], t->at[1], t->forces.z);
}

static protea_status descend(tsne *t)
{
    for (int64_t i = 0; i < t->o->iterations; i++) {
        PROTEA_TRY(look(t));
        if (i % MEASURE_EVERY == 0 && i > 0)
            measure(t);
        move(t, stride_of(t, i));
        if (tell(t, "t-SNE", i + 1, t->o->iterations) != 0)
            return protea_fail(PROTEA_STOPPED, "t-SNE: stopped in iteration %lld", (long long)i);
    }
    PROTEA_TRY(look(t));
    measure(t);
    return PROTEA_OK;
}

/* Of few rows an iteration takes less time than threads need to meet on a busy machine. */
static protea_status descend_together(tsne *t)
{
    const int threads = protea_threads();
    if (t->n < FEW)
        protea_set_threads(1);
    protea_status status = descend(t);
    protea_set_threads(threads);
    return status;
}

/* ---- the whole */

static protea_status fit(tsne *t, protea_tsne_out *out, const float *z, int64_t dim, const char *name)
{
    PROTEA_TRY(protea_tsne_pairs_find(t->cx, &t->pairs, z, t->n, dim, t->perplexity, name, tell_rows, t));
    PROTEA_TRY(tsne_new(t));
    PROTEA_TRY(protea_principal_axes(out->xy, NULL, z, t->n, dim));
    start_from(t, out->xy);
    PROTEA_TRY(descend_together(t));
    for (int64_t i = 0; i < 2 * t->n; i++)
        out->xy[i] = t->at[i % 2][i / 2];
    out->kl = t->kl;
    return PROTEA_OK;
}

protea_status protea_tsne_fit(protea_ctx *cx, protea_tsne_out *out, const float *z, int64_t n, int64_t dim,
                              const protea_tsne_opts *opts)
{
    const char *name = opts->name != NULL ? opts->name : "t-SNE";
    const double most = fmax(1, (double)(n - 1) / 3);
    tsne t = { .cx = cx, .o = opts, .n = n, .perplexity = fmin(opts->perplexity, most) };
    PROTEA_TRY(check(opts, n, name));
    out->kl = 0;
    out->perplexity = t.perplexity;
    for (int64_t i = 0; i < 2 * n; i++)
        out->xy[i] = 0;
    protea_status status = n > 1 ? fit(&t, out, z, dim, name) : PROTEA_OK;
    tsne_release(&t);
    return status;
}

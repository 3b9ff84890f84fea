/* Proves: each row's perplexity is the one asked for; p is symmetric with the sum 1; gradient and divergence without boxes are the
 * plain reference's in double, whose gradient finite differences confirm; boxes come close to that; the tree holds each point once;
 * a whole run goes downhill, keeps known clusters apart and neighbours better than the principal axes do, and is the same bits for
 * any number of threads; rows that are all alike, few rows, bad rows, bad options, stops and failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "cluster/nearest_rows.h"
#include "eval/principal_axes.h"
#include "eval/tsne.h"
#include "eval/tsne_forces.h"
#include "support/test_context.h"

static protea_ctx cx;

static int open_context(void **state)
{
    (void)state;
    return protea_backend_cpu_open(&cx.be, test_isa()) == PROTEA_OK ? 0 : -1;
}

static int close_context(void **state)
{
    (void)state;
    protea_backend_close(cx.be);
    return 0;
}

/* Rows of length 1 around `clusters` random directions, in turn: row i is in cluster i % clusters. */
static float *draw_clusters(int64_t n, int64_t d, int64_t clusters, float noise)
{
    float *z = calloc((size_t)(n * d), sizeof *z);
    for (int64_t i = 0; i < n; i++) {
        protea_rng centre = protea_rng_make(8, PROTEA_RNG_TEST, 1, (uint64_t)(i % clusters), 0);
        protea_rng own = protea_rng_make(8, PROTEA_RNG_TEST, 2, (uint64_t)i, 0);
        double square = 0;
        for (int64_t j = 0; j < d; j++) {
            z[i * d + j] = protea_rng_normal(&centre) + noise * protea_rng_normal(&own);
            square += (double)z[i * d + j] * (double)z[i * d + j];
        }
        for (int64_t j = 0; j < d; j++)
            z[i * d + j] /= (float)sqrt(square);
    }
    return z;
}

/* ---- weights of neighbours */

static double perplexity_of(const double *p, int64_t k)
{
    double entropy = 0;
    for (int64_t j = 0; j < k; j++)
        entropy -= p[j] > 0 ? p[j] * log(p[j]) : 0;
    return exp(entropy);
}

static void perplexity_is_as_asked(void **state)
{
    (void)state;
    enum { K = 90 };
    const double scales[] = { 1e-9, 1, 1e6 }, wanted[] = { 2, 5, 30, 60 };
    for (int s = 0; s < 3; s++)
        for (int w = 0; w < 4; w++) {
            double square[K], p[K], sum = 0;
            protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, (uint64_t)s, 0);
            for (int j = 0; j < K; j++) {
                double normal = (double)protea_rng_normal(&rng);
                square[j] = scales[s] * (3 + normal * normal);
            }
            double reported = protea_tsne_weights(p, square, K, wanted[w]);
            for (int j = 0; j < K; j++)
                sum += p[j];
            assert_true(fabs(sum - 1) < 1e-12);
            assert_true(fabs(perplexity_of(p, K) / wanted[w] - 1) < 2e-5);
            assert_true(fabs(reported / wanted[w] - 1) < 2e-5);
        }
}

/* Where that cannot be: all as far; or more copies than the perplexity, which then share the weight. */
static void ties_share(void **state)
{
    (void)state;
    double same[9], copies[9] = { 0, 0, 0, 0, 0, 1, 2, 3, 4 }, p[9];
    for (int j = 0; j < 9; j++)
        same[j] = 0.7;
    protea_tsne_weights(p, same, 9, 3);
    for (int j = 0; j < 9; j++)
        assert_true(fabs(p[j] - 1.0 / 9) < 1e-12);
    protea_tsne_weights(p, copies, 9, 3);
    for (int j = 0; j < 9; j++)
        assert_true(fabs(p[j] - (j < 5 ? 0.2 : 0)) < 1e-3);
}

/* p (n,n) of the pairs. */
static double *dense(const protea_tsne_pairs *pairs)
{
    double *p = calloc((size_t)(pairs->n * pairs->n), sizeof *p);
    for (int64_t i = 0; i < pairs->n; i++)
        for (int64_t e = pairs->first[i]; e < pairs->first[i + 1]; e++)
            p[i * pairs->n + pairs->to[e]] += (double)pairs->p[e];
    return p;
}

/* Against all distances, in double: p(j|i) of each row by the same search, then both ways. */
static void pairs_are_those_of_all_distances(void **state)
{
    (void)state;
    enum { N = 150, D = 7, K = 30 };
    float *z = draw_clusters(N, D, 5, 0.8f);
    protea_tsne_pairs pairs;
    assert_ok(protea_tsne_pairs_find(&cx, &pairs, z, N, D, 10, "test", NULL, NULL));
    double *p = dense(&pairs), *wanted = calloc(N * N, sizeof *wanted), sum = 0;
    for (int i = 0; i < N; i++) {
        double square[K], weight[K];
        int64_t near[K], self = i;
        assert_ok(protea_nearest_rows(&cx, near, NULL, z, N, z + i * D, &self, 1, D, K));
        for (int j = 0; j < K; j++) {
            square[j] = 0;
            for (int c = 0; c < D; c++)
                square[j] += pow((double)z[i * D + c] - (double)z[near[j] * D + c], 2);
        }
        protea_tsne_weights(weight, square, K, 10);
        for (int j = 0; j < K; j++) {
            wanted[i * N + near[j]] += weight[j] / (2 * N);
            wanted[near[j] * N + i] += weight[j] / (2 * N);
        }
    }
    for (int i = 0; i < N * N; i++) {
        assert_true(fabs(p[i] - wanted[i]) < 1e-4 / N);
        assert_true(p[i] == p[i % N * N + i / N]);
        sum += p[i];
    }
    assert_true(fabs(sum - 1) < 1e-6);
    free(z);
    free(p);
    free(wanted);
    protea_tsne_pairs_release(&pairs);
}

/* ---- forces */

/* A map that is as wide as finished ones are: clusters and lone points. */
static void draw_map(float *x, float *y, int64_t n)
{
    protea_rng rng = protea_rng_make(4, PROTEA_RNG_TEST, 0, 0, 0);
    for (int64_t i = 0; i < n; i++) {
        x[i] = (float)(i % 7 * 9) + 2 * protea_rng_normal(&rng);
        y[i] = (float)(i % 5 * 7) + 2 * protea_rng_normal(&rng);
    }
}

typedef struct scene {
    int64_t n;
    float *x, *y;
    protea_tsne_pairs pairs;
    protea_tsne_forces forces;
    double *gradient;   /* (n,2) by the forces */
} scene;

static void scene_new(scene *s, int64_t n)
{
    float *z = draw_clusters(n, 6, 7, 0.5f);
    *s = (scene){ .n = n, .x = calloc((size_t)n, sizeof *s->x), .y = calloc((size_t)n, sizeof *s->y),
                  .gradient = calloc((size_t)n, 2 * sizeof *s->gradient) };
    draw_map(s->x, s->y, n);
    assert_ok(protea_tsne_pairs_find(&cx, &s->pairs, z, n, 6, 10, "test", NULL, NULL));
    assert_ok(protea_tsne_forces_new(&s->forces, n));
    free(z);
}

static void scene_free(scene *s)
{
    free(s->x);
    free(s->y);
    free(s->gradient);
    protea_tsne_pairs_release(&s->pairs);
    protea_tsne_forces_release(&s->forces);
}

static void scene_look(scene *s, double theta)
{
    protea_tsne_forces_at(&cx, &s->forces, &s->pairs, s->x, s->y, theta);
    for (int64_t i = 0; i < 2 * s->n; i++)
        s->gradient[i] = 4 * ((double)s->forces.pull[i] - (double)s->forces.push[i] / s->forces.z);
}

static double *places(const scene *s)
{
    double *y = calloc((size_t)s->n, 2 * sizeof *y);
    for (int64_t i = 0; i < s->n; i++) {
        y[2 * i] = (double)s->x[i];
        y[2 * i + 1] = (double)s->y[i];
    }
    return y;
}

static double length_of(const double *v, int64_t n)
{
    double square = 0;
    for (int64_t i = 0; i < n; i++)
        square += v[i] * v[i];
    return sqrt(square);
}

static double off_by(const double *a, const double *b, int64_t n)
{
    double square = 0;
    for (int64_t i = 0; i < n; i++)
        square += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(square);
}

static void reference_is_the_derivative(void **state)
{
    (void)state;
    enum { N = 40 };
    scene s;
    scene_new(&s, N);
    double *p = dense(&s.pairs), *y = places(&s), gradient[2 * N], other[2 * N];
    protea_tsne_reference(gradient, p, y, N);
    for (int i = 0; i < 2 * N; i++) {
        const double at = y[i], h = 1e-4;
        y[i] = at + h;
        double above = protea_tsne_reference(other, p, y, N);
        y[i] = at - h;
        double below = protea_tsne_reference(other, p, y, N);
        y[i] = at;
        assert_true(fabs((above - below) / (2 * h) - gradient[i]) < 1e-8);
    }
    assert_true(length_of(gradient, 2 * N) > 1e-3);
    free(p);
    free(y);
    scene_free(&s);
}

/* Theta 0: no box counts as one point. Sizes that fill leaves and boxes, and that do not. */
static void exact_forces_are_the_references(void **state)
{
    (void)state;
    const int64_t sizes[] = { 3, 16, 17, 64, 65, 300 };
    for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++) {
        scene s;
        const int64_t n = sizes[c];
        scene_new(&s, n);
        double *p = dense(&s.pairs), *y = places(&s), *wanted = calloc((size_t)n, 2 * sizeof *wanted);
        double kl = protea_tsne_reference(wanted, p, y, n);
        scene_look(&s, 0);
        assert_true(off_by(s.gradient, wanted, 2 * n) < 1e-5 * length_of(wanted, 2 * n));
        assert_true(fabs(protea_tsne_divergence(&s.pairs, s.x, s.y, s.forces.z) - kl) < 1e-5 * fmax(kl, 1));
        free(p);
        free(y);
        free(wanted);
        scene_free(&s);
    }
}

/* Boxes as points: closer with a smaller theta, and close at all. */
static void boxes_come_close(void **state)
{
    (void)state;
    enum { N = 2000 };
    double exact[2 * N], push[3], z[3], off[3];
    const double theta[] = { 0, 0.2, 0.5 };
    scene s;
    scene_new(&s, N);
    for (int t = 0; t < 3; t++) {
        double pushed[2 * N];
        scene_look(&s, theta[t]);
        for (int i = 0; i < 2 * N; i++)
            pushed[i] = (double)s.forces.push[i];
        if (t == 0)
            memcpy(exact, pushed, sizeof exact);
        push[t] = length_of(exact, 2 * N);
        off[t] = off_by(pushed, exact, 2 * N) / push[t];
        z[t] = s.forces.z;
    }
    assert_true(off[1] > 0 && off[1] < off[2] && off[1] < 3e-3 && off[2] < 2e-2);
    assert_true(fabs(z[1] / z[0] - 1) < 1e-3 && fabs(z[2] / z[0] - 1) < 5e-3);
    scene_free(&s);
}

/* Every point stands once along the curve, inside all the boxes above it. */
static void tree_holds_each_point_once(void **state)
{
    (void)state;
    const int64_t sizes[] = { 1, 16, 17, 1000, 4097 };
    for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++) {
        const int64_t n = sizes[c];
        float *x = calloc((size_t)n, sizeof *x), *y = calloc((size_t)n, sizeof *y);
        int *seen = calloc((size_t)n, sizeof *seen);
        protea_box_tree t = { 0 };
        draw_map(x, y, n);
        assert_ok(protea_box_tree_new(&t, n));
        protea_box_tree_build(&t, x, y, 0.5);
        for (int64_t place = 0; place < n; place++) {
            int64_t i = t.order[place], box = place / PROTEA_MAP_GROUP;
            assert_int_equal(seen[i]++, 0);
            for (int level = 0; level < t.n_levels; level++, box /= PROTEA_BOX_CHILDREN) {
                const protea_box *b = &t.box[t.level[level] + box];
                assert_true(b->low[0] <= x[i] && x[i] <= b->high[0] && b->low[1] <= y[i] && y[i] <= b->high[1]);
            }
        }
        assert_true(t.box[t.level[t.n_levels] - 1].mass == (float)n);
        protea_box_tree_release(&t);
        free(x);
        free(y);
        free(seen);
    }
}

/* Along Hilbert's curve the next point of a full grid is a neighbour of the last: no jumps. */
static void curve_has_no_jumps(void **state)
{
    (void)state;
    enum { SIDE = 64, N = SIDE * SIDE };
    static float x[N], y[N];
    protea_box_tree t = { 0 };
    for (int i = 0; i < N; i++) { /* the middles of cells, but for the corners that span the frame */
        int shuffled = i * 1237 % N;
        x[i] = (float)(shuffled % SIDE) * (SIDE / (SIDE - 1.0f + 1e-3f));
        y[i] = (float)(shuffled / SIDE) * (SIDE / (SIDE - 1.0f + 1e-3f));
    }
    assert_ok(protea_box_tree_new(&t, N));
    protea_box_tree_build(&t, x, y, 0.5);
    for (int place = 1; place < N; place++) {
        int a = t.order[place - 1], b = t.order[place];
        assert_true(fabsf(x[a] - x[b]) + fabsf(y[a] - y[b]) < 1.5f);
    }
    protea_box_tree_release(&t);
}

/* ---- whole runs */

/* Share of each row's k nearest that are among its k nearest in the map. */
static double kept(const float *z, int64_t n, int64_t d, const float *xy, int64_t k)
{
    int64_t *self = calloc((size_t)n, sizeof *self), common = 0;
    protea_neighbour *near[2];
    for (int64_t i = 0; i < n; i++)
        self[i] = i;
    for (int m = 0; m < 2; m++) {
        const protea_some_rows rows = { m ? xy : z, NULL, n, "test" };
        const protea_row_search_opts opts = { .metric = PROTEA_EUCLIDEAN, .k = k, .self = self };
        protea_row_search *search;
        protea_neighbour_block b;
        near[m] = calloc((size_t)(n * k), sizeof *near[m]);
        assert_ok(protea_row_search_new(&search, &cx, &rows, &rows, m ? 2 : d, &opts));
        for (protea_row_search_next(search, &b); b.count > 0; protea_row_search_next(search, &b))
            memcpy(near[m] + b.first * k, b.best, (size_t)(b.count * k) * sizeof *b.best);
        protea_row_search_free(search);
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t a = 0; a < k; a++)
            for (int64_t b = 0; b < k; b++)
                common += near[0][i * k + a].i == near[1][i * k + b].i;
    free(self);
    free(near[0]);
    free(near[1]);
    return (double)common / (double)(n * k);
}

/* Share of the points whose nearest in the map is of their own cluster. */
static double pure(const float *xy, int64_t n, int64_t clusters)
{
    int64_t same = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t best = -1;
        float least = INFINITY;
        for (int64_t j = 0; j < n; j++) {
            float dx = xy[2 * i] - xy[2 * j], dy = xy[2 * i + 1] - xy[2 * j + 1], square = dx * dx + dy * dy;
            if (j != i && square < least) {
                least = square;
                best = j;
            }
        }
        same += best % clusters == i % clusters;
    }
    return (double)same / (double)n;
}

static void clusters_stay_apart(void **state)
{
    (void)state;
    enum { N = 1500, D = 30, CLUSTERS = 12 };
    float *z = draw_clusters(N, D, CLUSTERS, 0.5f), *xy = calloc(N, 2 * sizeof *xy), *axes = calloc(N, 2 * sizeof *axes);
    protea_tsne_opts opts = protea_tsne_defaults();
    protea_tsne_out out = { .xy = xy };
    assert_ok(protea_tsne_fit(&cx, &out, z, N, D, &opts));
    assert_ok(protea_principal_axes(axes, NULL, z, N, D));
    assert_true(out.perplexity == 30);
    assert_true(pure(xy, N, CLUSTERS) > 0.999);
    assert_true(kept(z, N, D, xy, 10) > 2.5 * kept(z, N, D, axes, 10));
    for (int axis = 0; axis < 2; axis++) {
        double sum = 0;
        for (int i = 0; i < N; i++)
            sum += (double)xy[2 * i + axis];
        assert_true(fabs(sum / N) < 1e-4);
    }
    opts.theta = 0;
    protea_tsne_out exact = { .xy = axes };
    assert_ok(protea_tsne_fit(&cx, &exact, z, N, D, &opts));
    assert_true(fabs(exact.kl - out.kl) < 0.02 * exact.kl);
    free(z);
    free(xy);
    free(axes);
}

typedef struct diary {
    double first, last;     /* KL, of those measured after the exaggeration */
    int64_t stop_at, iterations, rows;
} diary;

static int note(void *cookie, const protea_tsne_progress *progress)
{
    diary *d = cookie;
    if (strcmp(progress->stage, "neighbours") == 0) {
        d->rows = progress->done;
        return 0;
    }
    assert_string_equal(progress->stage, "t-SNE");
    d->iterations = progress->done;
    if (progress->done > 250 && d->first == 0)
        d->first = progress->kl;
    d->last = progress->kl;
    return d->stop_at > 0 && progress->done >= d->stop_at;
}

static void a_run_goes_downhill_and_stops(void **state)
{
    (void)state;
    enum { N = 400, D = 8 };
    float *z = draw_clusters(N, D, 4, 0.7f), *xy = calloc(N, 2 * sizeof *xy);
    diary d = { 0 };
    protea_tsne_opts opts = protea_tsne_defaults();
    protea_tsne_out out = { .xy = xy };
    opts.each = note;
    opts.cookie = &d;
    assert_ok(protea_tsne_fit(&cx, &out, z, N, D, &opts));
    assert_int_equal(d.rows, N);
    assert_int_equal(d.iterations, 750);
    assert_true(d.first > 0 && d.last < d.first && out.kl <= d.last && out.kl > 0);
    d = (diary){ .stop_at = 7 };
    assert_int_equal(protea_tsne_fit(&cx, &out, z, N, D, &opts), PROTEA_STOPPED);
    assert_int_equal(d.iterations, 7);
    free(z);
    free(xy);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    enum { N = 4321, D = 10 }; /* so many that threads are used */
    float *z = draw_clusters(N, D, 6, 0.7f), *xy[3];
    int threads = protea_threads();
    double kl[3];
    protea_tsne_opts opts = protea_tsne_defaults();
    opts.iterations = 60;
    opts.early_iterations = 30;
    for (int i = 0; i < 3; i++) {
        xy[i] = calloc(N, 2 * sizeof *xy[i]);
        protea_tsne_out out = { .xy = xy[i] };
        protea_set_threads(i + 1);
        assert_ok(protea_tsne_fit(&cx, &out, z, N, D, &opts));
        kl[i] = out.kl;
    }
    protea_set_threads(threads);
    for (int i = 1; i < 3; i++) {
        assert_memory_equal(xy[0], xy[i], N * 2 * sizeof *xy[i]);
        assert_true(kl[0] == kl[i]);
    }
    for (int i = 0; i < 3; i++)
        free(xy[i]);
    free(z);
}

/* ---- what is odd */

static void check_finite(const float *xy, int64_t n)
{
    for (int64_t i = 0; i < 2 * n; i++)
        assert_true(isfinite(xy[i]));
}

static void few_rows(void **state)
{
    (void)state;
    for (int64_t n = 0; n <= 20; n++) {
        float *z = draw_clusters(n, 3, 3, 0.3f), *xy = calloc((size_t)n + 1, 2 * sizeof *xy);
        protea_tsne_opts opts = protea_tsne_defaults();
        protea_tsne_out out = { .xy = xy };
        assert_ok(protea_tsne_fit(&cx, &out, z, n, 3, &opts));
        check_finite(xy, n);
        assert_true(out.perplexity == (n < 4 ? 1 : (double)(n - 1) / 3));
        if (n == 1)
            assert_true(xy[0] == 0 && xy[1] == 0);
        for (int64_t i = 1; i < n; i++) { /* rows that differ do not lie on one another; any two places are as good for two */
            float off = fabsf(xy[2 * i] - xy[0]) + fabsf(xy[2 * i + 1] - xy[1]);
            assert_true(off > (n == 2 ? 1e-9f : 1e-2f) && off < 1e4f);
        }
        free(z);
        free(xy);
    }
}

/* All the same; and each of 20 rows 15 times: copies lie closer together than others. */
static void copies(void **state)
{
    (void)state;
    enum { N = 300, D = 5, DISTINCT = 20 };
    float *z = draw_clusters(N, D, DISTINCT, 0), *same = draw_clusters(N, D, 1, 0), *xy = calloc(N, 2 * sizeof *xy);
    protea_tsne_opts opts = protea_tsne_defaults();
    protea_tsne_out out = { .xy = xy };
    assert_ok(protea_tsne_fit(&cx, &out, same, N, D, &opts));
    check_finite(xy, N);
    opts.perplexity = 5;
    assert_ok(protea_tsne_fit(&cx, &out, z, N, D, &opts));
    check_finite(xy, N);
    assert_true(pure(xy, N, DISTINCT) > 0.99);
    free(z);
    free(same);
    free(xy);
}

static void directions_are_compared(void **state)
{
    (void)state;
    enum { N = 60, D = 4 };
    float *z = draw_clusters(N, D, 3, 0.3f), *longer = calloc(N * D, sizeof *longer), xy[2][2 * N];
    protea_tsne_opts opts = protea_tsne_defaults();
    for (int i = 0; i < N * D; i++)
        longer[i] = z[i] * (float)(1 << (i / D % 20)); /* powers of two: the same digits */
    for (int j = 0; j < D; j++)
        z[7 * D + j] = longer[7 * D + j] = 0;
    for (int m = 0; m < 2; m++) {
        protea_tsne_out out = { .xy = xy[m] };
        assert_ok(protea_tsne(&out, m ? longer : z, N, D, &opts, 1, NULL));
    }
    check_finite(xy[0], N);
    assert_memory_equal(xy[0], xy[1], sizeof xy[0]);
    free(z);
    free(longer);
}

static void expect_usage(protea_tsne_opts opts, const char *word)
{
    const float x[4] = { 1, 0, 0, 1 };
    float xy[4];
    protea_tsne_out out = { .xy = xy };
    assert_int_equal(protea_tsne(&out, x, 2, 2, &opts, 1, NULL), PROTEA_ERR_USAGE);
    assert_non_null(strstr(protea_last_error(), word));
}

static void what_cannot_be(void **state)
{
    (void)state;
    protea_tsne_opts opts = protea_tsne_defaults();
#define EXPECT(field, value, word) \
    do { protea_tsne_opts bad = opts; bad.field = value; expect_usage(bad, word); } while (0)
    EXPECT(perplexity, 0.5, "perplexity 0.5");
    EXPECT(perplexity, NAN, "perplexity");
    EXPECT(iterations, 0, "iterations");
    EXPECT(early_iterations, -1, "iterations");
    EXPECT(early_exaggeration, 0.5, "exaggeration 0.5");
    EXPECT(learning_rate, -1, "learning rate -1");
    EXPECT(theta, 1.5, "theta 1.5");
    EXPECT(theta, NAN, "theta");
    float x[6] = { 1, 0, 0, 1, 1, INFINITY }, xy[6];
    protea_tsne_out out = { .xy = xy };
    opts.name = "rows.npy";
    assert_int_equal(protea_tsne(&out, x, 3, 2, &opts, 1, NULL), PROTEA_ERR_INPUT);
    assert_string_equal(protea_last_error(), "rows.npy: row 2 holds a value that is not finite");
    x[2] = NAN;
    assert_int_equal(protea_tsne(&out, x, 3, 2, &opts, 1, NULL), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "row 1"));
    assert_int_equal(protea_tsne_fit(&cx, &out, x, 3, 2, &opts), PROTEA_ERR_INPUT);
}

static void a_rate_that_is_too_large(void **state)
{
    (void)state;
    enum { N = 100, D = 4 };
    float *z = draw_clusters(N, D, 3, 0.3f), xy[2 * N];
    protea_tsne_opts opts = protea_tsne_defaults();
    protea_tsne_out out = { .xy = xy };
    opts.learning_rate = 1e30;
    assert_int_equal(protea_tsne_fit(&cx, &out, z, N, D, &opts), PROTEA_ERR_DIVERGED);
    assert_non_null(strstr(protea_last_error(), "1e+30"));
    free(z);
}

static void failing_allocations(void **state)
{
    (void)state;
    enum { N = 50, D = 4 };
    float *z = draw_clusters(N, D, 3, 0.3f), xy[2 * N];
    protea_tsne_opts opts = protea_tsne_defaults();
    protea_tsne_out out = { .xy = xy };
    protea_status status = PROTEA_ERR_MEMORY;
    long n = 0;
    opts.iterations = 1;
    while (status == PROTEA_ERR_MEMORY) {
        protea_alloc_fail_after(++n, 0);
        status = protea_tsne_fit(&cx, &out, z, N, D, &opts);
        protea_alloc_fail_after(0, 0);
    }
    assert_ok(status);
    assert_true(n > 30);
    free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perplexity_is_as_asked), cmocka_unit_test(ties_share),
        cmocka_unit_test(pairs_are_those_of_all_distances), cmocka_unit_test(reference_is_the_derivative),
        cmocka_unit_test(exact_forces_are_the_references), cmocka_unit_test(boxes_come_close),
        cmocka_unit_test(tree_holds_each_point_once), cmocka_unit_test(curve_has_no_jumps),
        cmocka_unit_test(clusters_stay_apart), cmocka_unit_test(a_run_goes_downhill_and_stops),
        cmocka_unit_test(threads_change_no_bit), cmocka_unit_test(few_rows), cmocka_unit_test(copies),
        cmocka_unit_test(directions_are_compared), cmocka_unit_test(what_cannot_be),
        cmocka_unit_test(a_rate_that_is_too_large), cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}

/* k-means finds clusters, never gets worse, gives the same bits for any number of threads, and treats what is degenerate
 * (few rows, equal rows, empty clusters, no numbers) as its header says. */
#include "support/test_context.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/kmeans.h"
#include "cluster/kmeans_points.h"
#include "support/formula.h"

enum { N = 600, D = 19, BLOBS = 12 };

/* Rows around BLOBS centres: row i belongs to blob i % BLOBS. */
static float *blobs(float spread)
{
    float *x = malloc(sizeof(float) * N * D), centre[BLOBS * D];
    formula_fill(centre, BLOBS * D, "centres", 0, 3);
    formula_fill(x, N * D, "rows", 0, (double)spread);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++)
            x[i * D + j] += centre[i % BLOBS * D + j];
    return x;
}

/* A fit with room for everything. */
typedef struct fit {
    protea_ctx cx;
    protea_kmeans_opts o;
    protea_kmeans_out out;
} fit;

static fit fit_new(int64_t k)
{
    fit f = { .cx = test_context_open(64), .o = protea_kmeans_defaults() };
    f.o.k = k;
    f.o.min_points_per_centroid = 0;
    f.o.max_points_per_centroid = 0;
    f.out = (protea_kmeans_out){ .centroids = calloc((size_t)(k * D), sizeof(float)), .assign = calloc(N, sizeof(int32_t)),
                                 .distances = calloc(N, sizeof(float)),
                                 .record = calloc(200, sizeof(protea_kmeans_iteration)) };
    return f;
}

static void fit_free(fit *f)
{
    free(f->out.centroids);
    free(f->out.assign);
    free(f->out.distances);
    free(f->out.record);
    test_context_close(&f->cx);
}

static double squared(const float *a, const float *b)
{
    double sum = 0;
    for (int j = 0; j < D; j++)
        sum += ((double)a[j] - (double)b[j]) * ((double)a[j] - (double)b[j]);
    return sum;
}

/* What comes out belongs together: nearest centroids, distances to them, their sum. */
static void check_out(const fit *f, const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double own = squared(x + i * D, f->out.centroids + f->out.assign[i] * D);
        for (int64_t j = 0; j < f->o.k; j++)
            assert_true(own <= squared(x + i * D, f->out.centroids + j * D) + 1e-4);
        assert_true(fabs((double)f->out.distances[i] - own) <= 1e-5 * own);
        sum += own;
    }
    assert_true(fabs(f->out.objective - sum) <= 1e-5 * sum);
}

static void finds_blobs(void **state)
{
    (void)state;
    float *x = blobs(0.3f);
    fit f = fit_new(BLOBS);
    f.o.init = PROTEA_KMEANS_PLUS_PLUS;
    for (f.o.bf16 = 0; f.o.bf16 <= 1; f.o.bf16++) {
        assert_ok(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o));
        check_out(&f, x, N);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < BLOBS; j++)
                assert_int_equal(f.out.assign[i] == f.out.assign[j], i % BLOBS == j);
        assert_true(f.out.n_record < f.o.niter); /* and then nothing moves any more */
    }
    fit_free(&f);
    free(x);
}

static void objective_never_rises(void **state)
{
    (void)state;
    float *x = blobs(4);
    for (int64_t k = 1; k <= 64; k *= 4) {
        fit f = fit_new(k);
        f.o.empty = PROTEA_KMEANS_KEEP;
        assert_ok(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o));
        check_out(&f, x, N);
        for (int64_t i = 1; i < f.out.n_record; i++)
            assert_true(f.out.record[i].objective <= f.out.record[i - 1].objective * (1 + 1e-9));
        assert_true(f.out.objective <= f.out.record[f.out.n_record - 1].objective * (1 + 1e-6));
        fit_free(&f);
    }
    free(x);
}

static void more_clusters_fit_better(void **state)
{
    (void)state;
    float *x = blobs(4);
    double before = INFINITY;
    for (int64_t k = 1; k <= 32; k *= 2) {
        fit f = fit_new(k);
        assert_ok(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o));
        assert_true(f.out.objective < before);
        before = f.out.objective;
        fit_free(&f);
    }
    free(x);
}

static void one_cluster_is_the_mean(void **state)
{
    (void)state;
    float *x = blobs(4);
    fit f = fit_new(1);
    assert_ok(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o));
    for (int j = 0; j < D; j++) {
        double mean = 0;
        for (int i = 0; i < N; i++)
            mean += (double)x[i * D + j] / N;
        assert_float_equal(f.out.centroids[j], mean, 1e-6);
    }
    fit_free(&f);
    free(x);
}

/* From given centroids, rows in another order: the same clusters. */
static void order_does_not_matter(void **state)
{
    (void)state;
    float *x = blobs(2), *y = malloc(sizeof(float) * N * D);
    fit a = fit_new(16), b = fit_new(16);
    float start[16 * D];
    memcpy(start, x, sizeof start);
    a.o.centroids = b.o.centroids = start;
    for (int i = 0; i < N; i++) /* 7 and 600 have no common factor */
        memcpy(y + i * D, x + i * 7 % N * D, D * sizeof *y);
    assert_ok(protea_kmeans_fit(&a.cx, &a.out, x, N, D, &a.o));
    assert_ok(protea_kmeans_fit(&b.cx, &b.out, y, N, D, &b.o));
    for (int i = 0; i < N; i++)
        assert_int_equal(b.out.assign[i], a.out.assign[i * 7 % N]);
    assert_true(fabs(a.out.objective - b.out.objective) <= 1e-6 * a.out.objective);
    fit_free(&a);
    fit_free(&b);
    free(x);
    free(y);
}

/* A weight of 3 is the row three times, a weight of 0 is no row. */
static void weights_are_repetitions(void **state)
{
    (void)state;
    enum { HALF = N / 2 };
    float *x = blobs(2), *y = malloc(sizeof(float) * 3 * HALF * D), weights[HALF], start[8 * D];
    int64_t n = 0;
    fit a = fit_new(8), b = fit_new(8);
    memcpy(start, x, sizeof start);
    for (int i = 0; i < HALF; i++) {
        weights[i] = (float)(i % 3 == 0 ? 3 : i % 3 - 1);
        for (int r = 0; r < (int)weights[i]; r++)
            memcpy(y + n++ * D, x + i * D, D * sizeof *y);
    }
    a.o.centroids = b.o.centroids = start;
    a.o.weights = weights;
    a.o.empty = b.o.empty = PROTEA_KMEANS_KEEP; /* a split counts rows, not weights */
    assert_true(n <= N);
    assert_ok(protea_kmeans_fit(&a.cx, &a.out, x, HALF, D, &a.o));
    assert_ok(protea_kmeans_fit(&b.cx, &b.out, y, n, D, &b.o));
    assert_true(fabs(a.out.objective - b.out.objective) <= 1e-6 * b.out.objective);
    for (int i = 0; i < 8 * D; i++)
        assert_float_equal(a.out.centroids[i], b.out.centroids[i], 1e-5);
    fit_free(&a);
    fit_free(&b);
    free(x);
    free(y);
}

static void equal_bits_for_any_thread_count(void **state)
{
    (void)state;
    float *x = blobs(3);
    float first[40 * D], first_distances[N];
    int before = protea_threads();
    for (int way = 0; way < 4; way++)
        for (int threads = 1; threads <= 3; threads++) {
            fit f = fit_new(40);
            f.o.bf16 = way & 1;
            f.o.init = way & 2 ? PROTEA_KMEANS_PLUS_PLUS : PROTEA_KMEANS_RANDOM;
            f.o.nredo = 2;
            f.o.max_points_per_centroid = 10;
            protea_set_threads(threads);
            assert_ok(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o));
            if (threads == 1) {
                memcpy(first, f.out.centroids, sizeof first);
                memcpy(first_distances, f.out.distances, sizeof first_distances);
            }
            assert_memory_equal(first, f.out.centroids, sizeof first);
            assert_memory_equal(first_distances, f.out.distances, sizeof first_distances);
            fit_free(&f);
        }
    protea_set_threads(before);
    free(x);
}

/* A run is its iterations, each from where the one before ended: what is remembered between them, to look at fewer rows and
 * centroids, changes no bit. */
static void nothing_is_lost_between_iterations(void **state)
{
    (void)state;
    float *x = blobs(3), start[60 * D];
    for (int bf16 = 0; bf16 <= 1; bf16++) {
        fit whole = fit_new(60), step = fit_new(60);
        whole.o.bf16 = step.o.bf16 = bf16;
        whole.o.empty = step.o.empty = PROTEA_KMEANS_KEEP; /* a split is drawn by the iteration's number */
        memcpy(start, x, sizeof start);
        whole.o.centroids = step.o.centroids = start;
        assert_ok(protea_kmeans_fit(&whole.cx, &whole.out, x, N, D, &whole.o));
        step.o.niter = 1;
        for (int64_t i = 0; i < whole.out.n_record; i++) {
            assert_ok(protea_kmeans_fit(&step.cx, &step.out, x, N, D, &step.o));
            assert_true(step.out.record[0].objective == whole.out.record[i].objective);
            memcpy(start, step.out.centroids, sizeof start);
        }
        assert_true(whole.out.n_record > 5 && whole.out.record[5].moved < 20); /* few enough to look at few */
        assert_memory_equal(step.out.centroids, whole.out.centroids, sizeof start);
        fit_free(&whole);
        fit_free(&step);
    }
    free(x);
}

/* As many clusters as rows: every row is its own centroid. */
static void a_cluster_for_every_row(void **state)
{
    (void)state;
    float *x = blobs(2);
    for (int init = 0; init < 2; init++) {
        fit f = fit_new(50);
        f.o.init = init;
        assert_ok(protea_kmeans_fit(&f.cx, &f.out, x, 50, D, &f.o));
        assert_float_equal(f.out.objective, 0, 0);
        fit_free(&f);
    }
    free(x);
}

/* Rows that are all the same, or three different ones in ten clusters: an objective of 0 is found and kept. */
static void equal_rows(void **state)
{
    (void)state;
    float *x = blobs(2);
    for (int distinct = 1; distinct <= 3; distinct += 2)
        for (int way = 0; way < 4; way++) {
            fit f = fit_new(10);
            f.o.init = way & 1 ? PROTEA_KMEANS_PLUS_PLUS : PROTEA_KMEANS_RANDOM;
            f.o.empty = way & 2 ? PROTEA_KMEANS_KEEP : PROTEA_KMEANS_SPLIT;
            for (int i = distinct; i < N; i++)
                memcpy(x + i * D, x + i % distinct * D, D * sizeof *x);
            assert_ok(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o));
            if (distinct == 1 || f.o.init == PROTEA_KMEANS_PLUS_PLUS || f.o.empty == PROTEA_KMEANS_SPLIT)
                assert_float_equal(f.out.objective, 0, 1e-9);
            fit_free(&f);
        }
    free(x);
}

/* One good start and fifteen far away, where no row is: kept they stay there, split they are used. */
static void empty_clusters(void **state)
{
    (void)state;
    float *x = blobs(2), start[16 * D];
    double objective[2];
    for (int i = 0; i < 16 * D; i++)
        start[i] = i < D ? x[i] : 1000;
    for (int empty = 0; empty < 2; empty++) {
        fit f = fit_new(16);
        int64_t count[16] = { 0 }, used = 0;
        f.o.centroids = start;
        f.o.empty = empty;
        assert_ok(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o));
        check_out(&f, x, N);
        objective[empty] = f.out.objective;
        for (int i = 0; i < N; i++)
            used += count[f.out.assign[i]]++ == 0;
        assert_int_equal(used, empty == PROTEA_KMEANS_SPLIT ? 16 : 1);
        assert_int_equal(f.out.record[0].splits, empty == PROTEA_KMEANS_SPLIT ? 15 : 0);
        assert_float_equal(f.out.record[0].imbalance, 16, 1e-12);
        fit_free(&f);
    }
    assert_true(objective[PROTEA_KMEANS_SPLIT] < objective[PROTEA_KMEANS_KEEP] / 2);
    free(x);
}

static void spherical_centroids_have_length_one(void **state)
{
    (void)state;
    float *x = blobs(2), origin[D] = { 0 };
    fit f = fit_new(16);
    for (int i = 0; i < N; i++) {
        float length = (float)sqrt(squared(x + i * D, origin));
        for (int j = 0; j < D; j++)
            x[i * D + j] /= length;
    }
    f.o.spherical = 1;
    assert_ok(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o));
    check_out(&f, x, N);
    for (int j = 0; j < 16; j++)
        assert_float_equal(squared(f.out.centroids + j * D, origin), 1, 1e-6);
    fit_free(&f);
    free(x);
}

/* Training on 5 rows a cluster: the record is of these, the result of all. More redos are never worse. */
static void part_of_the_rows_and_redos(void **state)
{
    (void)state;
    float *x = blobs(3);
    fit f = fit_new(20);
    f.o.max_points_per_centroid = 5;
    assert_ok(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o));
    check_out(&f, x, N);
    assert_int_equal(f.out.record[0].moved, 100);
    assert_true(f.out.record[f.out.n_record - 1].objective < f.out.objective / 5);
    f.o.max_points_per_centroid = 0;
    protea_kmeans_out bare = { .centroids = f.out.centroids, .record = f.out.record }; /* objective: the last iteration's */
    double least = INFINITY;
    f.o.nredo = 5;
    assert_ok(protea_kmeans_fit(&f.cx, &bare, x, N, D, &f.o));
    assert_int_equal(bare.record[bare.n_record - 1].redo, 4);
    for (int64_t i = 0; i < bare.n_record; i++)
        if (i + 1 == bare.n_record || bare.record[i + 1].redo != bare.record[i].redo)
            least = fmin(least, bare.record[i].objective);
    assert_true(bare.objective == least);
    fit_free(&f);
    free(x);
}

/* Far from 0 the squared lengths are a million times the squared distances; the clusters are found all the same. */
static void far_from_zero(void **state)
{
    (void)state;
    float *x = blobs(0.5f);
    fit f = fit_new(BLOBS);
    float start[BLOBS * D];
    for (int i = 0; i < N * D; i++)
        x[i] += 3000;
    memcpy(start, x, sizeof start);
    f.o.centroids = start;
    for (f.o.bf16 = 0; f.o.bf16 <= 1; f.o.bf16++) {
        assert_ok(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o));
        for (int i = BLOBS; i < N; i++)
            assert_int_equal(f.out.assign[i], f.out.assign[i % BLOBS]);
    }
    fit_free(&f);
    free(x);
}

/* Clusters of many segments, and rows in chunks as of a file larger than memory: the means and the objective of one pass. */
static void segments_and_chunks(void **state)
{
    (void)state;
    enum { ROWS = 30000, K = 3, WIDTH = 5 };
    protea_ctx cx = test_context_open(64);
    float *x = malloc(sizeof(float) * ROWS * WIDTH), centroids[2][K * WIDTH];
    int32_t *assign = malloc(sizeof(int32_t) * ROWS);
    double objective[2], sum[K * WIDTH] = { 0 }, count[K] = { 0 };
    const protea_points p = { .x = x, .n = ROWS, .d = WIDTH };
    formula_fill(x, ROWS * WIDTH, "rows", 1, 1);
    for (int i = 0; i < ROWS; i++) {
        assign[i] = i % 10 == 0 ? 2 : i % 300 == 1;
        count[assign[i]]++;
        for (int j = 0; j < WIDTH; j++)
            sum[assign[i] * WIDTH + j] += (double)x[i * WIDTH + j];
    }
    for (int way = 0; way < 2; way++) {
        protea_clusters c;
        memset(centroids[way], 0, sizeof centroids[way]);
        assert_ok(protea_clusters_new(&c, &p, K));
        c.chunk = way ? 7001 : c.chunk;
        objective[way] = protea_clusters_update(&cx, &c, &p, assign, centroids[way], false);
        for (int j = 0; j < K * WIDTH; j++)
            assert_true(fabs((double)centroids[way][j] - sum[j] / count[j / WIDTH]) < 1e-6);
        protea_clusters_release(&c);
    }
    assert_true(fabs(objective[0] - objective[1]) < 1e-6 * objective[0]);
    free(x);
    free(assign);
    test_context_close(&cx);
}

/* Whatever allocation fails, the fit says so and leaves nothing behind (the sanitizer's build sees that). */
static void memory_can_be_short(void **state)
{
    (void)state;
    float *x = blobs(1);
    fit f = fit_new(5);
    f.o.init = PROTEA_KMEANS_PLUS_PLUS;
    f.o.max_points_per_centroid = 50;
    protea_status status = PROTEA_ERR_MEMORY;
    int failures = 0;
    while (status == PROTEA_ERR_MEMORY) {
        protea_alloc_fail_after(failures + 1, 0);
        status = protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o);
        protea_alloc_fail_after(0, 0);
        failures += status == PROTEA_ERR_MEMORY;
    }
    assert_int_equal(status, PROTEA_OK);
    assert_true(failures > 15);
    fit_free(&f);
    free(x);
}

static int stop_at_third(void *cookie, const protea_kmeans_iteration *now)
{
    (void)cookie;
    return now->iteration == 2;
}

static void refusals(void **state)
{
    (void)state;
    float *x = blobs(1);
    fit f = fit_new(20);
    float weights[N] = { [7] = -1 };
    assert_int_equal(protea_kmeans_fit(&f.cx, &f.out, x, 19, D, &f.o), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "19 rows of 19 columns for 20 clusters"));
    f.o.each = stop_at_third;
    assert_int_equal(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o), PROTEA_STOPPED);
    assert_int_equal(f.out.n_record, 3);
    f.o.weights = weights;
    assert_int_equal(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "the weight of row 7 is -1"));
    f.o.weights = NULL;
    for (int i = 0; i < 3; i++) {
        x[123 * D + 4] = i == 0 ? NAN : i == 1 ? -INFINITY : 1e20f;
        assert_int_equal(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o), PROTEA_ERR_INPUT);
        assert_non_null(strstr(protea_last_error(), "row 123, column 4 holds"));
    }
    f.o.k = 0;
    assert_int_equal(protea_kmeans_fit(&f.cx, &f.out, x, N, D, &f.o), PROTEA_ERR_USAGE);
    fit_free(&f);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_blobs),
        cmocka_unit_test(objective_never_rises),
        cmocka_unit_test(more_clusters_fit_better),
        cmocka_unit_test(one_cluster_is_the_mean),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(weights_are_repetitions),
        cmocka_unit_test(equal_bits_for_any_thread_count),
        cmocka_unit_test(nothing_is_lost_between_iterations),
        cmocka_unit_test(a_cluster_for_every_row),
        cmocka_unit_test(equal_rows),
        cmocka_unit_test(empty_clusters),
        cmocka_unit_test(spherical_centroids_have_length_one),
        cmocka_unit_test(part_of_the_rows_and_redos),
        cmocka_unit_test(far_from_zero),
        cmocka_unit_test(segments_and_chunks),
        cmocka_unit_test(memory_can_be_short),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

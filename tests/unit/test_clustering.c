/* Proves: images go to the nearest centroid and what is said of them is right; balanced codes use every cluster; doubles merge;
 * outliers, near-duplicates, names and the silhouette are those of the definitions; the axes are those that hold the variance. */
#include "support/test_context.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/cluster_checks.h"
#include "eval/cluster_choice.h"
#include "eval/cluster_names.h"
#include "eval/principal_axes.h"

static protea_ctx cx;

/* Unit vectors in the plane, by their angles in degrees. */
static void draw(float *z, const double *degrees, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        z[2 * i] = (float)cos(degrees[i] * M_PI / 180);
        z[2 * i + 1] = (float)sin(degrees[i] * M_PI / 180);
    }
}

static void nearest_with_margin(void **state)
{
    (void)state;
    const double images[] = { 0, 10, 80, 200 }, centroids[] = { 0, 90, 300 };
    float z[8];
    protea_clustering c;
    draw(z, images, 4);
    assert_ok(protea_clustering_new(&c, z, 4, 2, 3));
    draw(c.centroids, centroids, 3);
    assert_ok(protea_clustering_assign(&cx, &c));
    const int32_t want[] = { 0, 0, 1, 2 }; /* 200 degrees is 100 from 300 and 110 from 90 */
    assert_memory_equal(c.cluster, want, sizeof want);
    assert_int_equal(c.size[0], 2);
    assert_int_equal(c.used, 3);
    /* image 1 is 10, 80 and 70 degrees from the three */
    double cosine[] = { cos(10 * M_PI / 180), cos(80 * M_PI / 180), cos(70 * M_PI / 180) }, sum = 0;
    for (int j = 0; j < 3; j++)
        sum += exp(cosine[j] / 0.1);
    assert_true(fabs((double)c.similarity[1] - cosine[0]) < 1e-5);
    assert_true(fabs((double)c.margin[1] - (cosine[0] - cosine[2])) < 1e-5);
    assert_true(fabs((double)c.confidence[1] - exp(cosine[0] / 0.1) / sum) < 1e-5);
    protea_clustering_release(&c);
}

/* Nine of ten images lean to one centroid; codes give each its share. */
static void balanced(void **state)
{
    (void)state;
    enum { N = 40 };
    double degrees[N], centroids[] = { 0, 90 };
    float z[2 * N];
    protea_clustering c;
    for (int i = 0; i < N; i++)
        degrees[i] = i; /* all nearer to 0 than to 90 */
    draw(z, degrees, N);
    assert_ok(protea_clustering_new(&c, z, N, 2, 2));
    draw(c.centroids, centroids, 2);
    assert_ok(protea_clustering_assign(&cx, &c));
    assert_int_equal(c.size[0], N);
    assert_int_equal(c.used, 1);
    assert_ok(protea_clustering_balance(&cx, &c, 0.05, 20));
    assert_in_range(c.size[0], N / 2 - 2, N / 2 + 2);
    assert_int_equal(c.cluster[0], 0);
    assert_int_equal(c.cluster[N - 1], 1);
    assert_true(c.margin[N - 1] < 0); /* the nearest centroid is another */
    protea_clustering_release(&c);
}

static void doubles_merge(void **state)
{
    (void)state;
    const double centroids[] = { 0, 100, 4, 8, 200 }; /* 0 and 8 are joined by 4 */
    float z[2] = { 1, 0 };
    int64_t merged;
    protea_clustering c;
    assert_ok(protea_clustering_new(&c, z, 1, 2, 5));
    draw(c.centroids, centroids, 5);
    assert_ok(protea_clustering_merge(&c, cos(5 * M_PI / 180), &merged));
    assert_int_equal(merged, 2);
    assert_int_equal(c.k, 3);
    const double want[] = { 4, 100, 200 };
    float expected[6];
    draw(expected, want, 3);
    for (int i = 0; i < 6; i++)
        assert_true(fabsf(c.centroids[i] - expected[i]) < 1e-5F);
    protea_clustering_release(&c);
}

static void far_and_twice(void **state)
{
    (void)state;
    enum { N = 12 };
    double degrees[N] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 60, 60.1 }, centroid[] = { 0 };
    float z[2 * N];
    uint8_t outlier[N] = { 0 };
    int64_t count, n_pairs;
    protea_near_pair *pair;
    protea_clustering c;
    draw(z, degrees, N);
    assert_ok(protea_clustering_new(&c, z, N, 2, 1));
    draw(c.centroids, centroid, 1);
    assert_ok(protea_clustering_assign(&cx, &c));
    assert_ok(protea_cluster_outliers(outlier, &count, &c));
    assert_int_equal(count, 2);
    assert_true(outlier[10] && outlier[11] && !outlier[9]);
    assert_ok(protea_near_duplicates(&cx, &pair, &n_pairs, z, N, 2, cos(0.5 * M_PI / 180)));
    assert_int_equal(n_pairs, 1);
    assert_int_equal(pair[0].a, 10);
    assert_int_equal(pair[0].b, 11);
    protea_free(pair);
    protea_clustering_release(&c);
}

static void names_of_classes(void **state)
{
    (void)state;
    const int32_t cluster[] = { 0, 0, 0, 1, 1, 2, 2, 3 }, label[] = { 1, 1, 0, 1, 1, 0, 1, -1 };
    protea_class_names classes = { 0 }, names = { 0 };
    assert_ok(protea_class_names_add(&classes, "cat"));
    assert_ok(protea_class_names_add(&classes, "dog"));
    assert_ok(protea_cluster_names(&names, cluster, label, 8, 5, &classes));
    const char *const want[] = { "dog 1", "dog 2", "cluster 2", "cluster 3", "cluster 4" };
    for (int j = 0; j < 5; j++)
        assert_string_equal(names.name[j], want[j]);
    protea_class_names_release(&names);
    protea_class_names_release(&classes);
}

/* Worked out by hand with cosine distances: two pairs and one alone. */
static void silhouette(void **state)
{
    (void)state;
    const double degrees[] = { 0, 60, 180, 240, 120 };
    const int32_t cluster[] = { 0, 0, 1, 1, 2 };
    float z[10];
    double got, want = 0;
    protea_silhouette s;
    draw(z, degrees, 5);
    assert_ok(protea_silhouette_new(&cx, &s, z, 5, 2));
    assert_ok(protea_silhouette_of(&got, &s, cluster, 3));
    want += (1.5 - 0.5) / 1.5 * 2;   /* 0: 0.5 to 60, 1.5 to 120, 1.75 to the other pair; 240 alike */
    want += 0;                       /* 60 and 180: 0.5 within, 0.5 to 120 */
    assert_true(fabs(got - want / 5) < 1e-5);
    protea_silhouette_release(&s);
}

/* Three groups far apart: the ladder's best is 3, and k-means finds them. */
static void ladder_finds_three(void **state)
{
    (void)state;
    enum { N = 60 };
    double degrees[N], best = -2;
    float z[2 * N];
    int64_t k[PROTEA_LADDER_MAX], chosen = 0;
    protea_silhouette s;
    for (int i = 0; i < N; i++)
        degrees[i] = i % 3 * 120 + i / 3;
    draw(z, degrees, N);
    assert_ok(protea_silhouette_new(&cx, &s, z, N, 2));
    int n = protea_cluster_ladder(k, N);
    assert_true(n > 3 && k[0] == 2 && k[n - 1] <= N / 5);
    assert_int_equal(protea_cluster_ladder(k, 9), 0);
    n = protea_cluster_ladder(k, N);
    for (int i = 0; i < n; i++) {
        protea_clustering c;
        double value;
        assert_ok(protea_clustering_new(&c, z, N, 2, k[i]));
        assert_ok(protea_clustering_fit(&cx, &c, 50, 3, 1));
        assert_ok(protea_silhouette_of(&value, &s, c.cluster, c.k));
        chosen = value > best ? k[i] : chosen;
        best = fmax(best, value);
        protea_clustering_release(&c);
    }
    assert_int_equal(chosen, 3);
    assert_true(best > 0.9);
    protea_silhouette_release(&s);
}

static void axes(void **state)
{
    (void)state;
    enum { N = 3000, D = 5 };
    static float z[N * D], xy[2 * N];
    double share[2], along = 0, across = 0;
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    for (int i = 0; i < N; i++) {
        float a = 10 * protea_rng_normal(&rng), b = 3 * protea_rng_normal(&rng);
        const float row[D] = { 7 + 0.6F * a, 0.8F * a, b - 2, 0, 0.1F * protea_rng_normal(&rng) };
        memcpy(z + i * D, row, sizeof row);
    }
    assert_ok(protea_principal_axes(xy, share, z, N, D));
    assert_true(share[0] > 0.9 && share[1] > 0.06 && share[0] + share[1] > 0.999 && share[0] + share[1] < 1 + 1e-9);
    for (int i = 0; i < N; i++) {
        along += (double)xy[2 * i] * (0.6 * (double)z[i * D] + 0.8 * (double)z[i * D + 1]);
        across += (double)xy[2 * i] * (double)xy[2 * i + 1];
    }
    assert_true(fabs(along) / N > 90);          /* variance 100 along the first */
    assert_true(fabs(across) / N < 1e-2);       /* uncorrelated */
}

static int open_context(void **state)
{
    (void)state;
    cx = test_context_open(1 << 16);
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    test_context_close(&cx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_with_margin), cmocka_unit_test(balanced), cmocka_unit_test(doubles_merge),
        cmocka_unit_test(far_and_twice), cmocka_unit_test(names_of_classes), cmocka_unit_test(silhouette),
        cmocka_unit_test(ladder_finds_three), cmocka_unit_test(axes),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}

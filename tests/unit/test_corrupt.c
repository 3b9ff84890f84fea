/* Proves: every corruption keeps the picture's size, depends on its generator alone, changes more with severity where its
 * constants grow; names, ids and severities that are not there are refused; the bulk random numbers are Philox's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/corrupt.h"

static protea_image picture(int w, int h)
{
    protea_image image = { 0 };
    assert_int_equal(protea_image_reserve(&image, w, h), PROTEA_OK);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++) {
                double v = 128 + 60 * sin(0.35 * x + c) + 50 * cos(0.23 * y * (c + 1)) + ((x / 5 + y / 3) % 2 ? 15 : -15);
                image.px[(y * w + x) * 3 + c] = (uint8_t)v;
            }
    return image;
}

static protea_image corrupted(int w, int h, int id, int severity, int64_t index)
{
    protea_image image = picture(w, h);
    protea_rng rng = protea_corrupt_rng(7, id, severity, index);
    assert_int_equal(protea_corrupt(&image, id, severity, &rng), PROTEA_OK);
    assert_int_equal(image.w, w);
    assert_int_equal(image.h, h);
    return image;
}

static void names_are_found(void **state)
{
    (void)state;
    for (int id = 0; id < PROTEA_CORRUPTIONS; id++)
        assert_int_equal(protea_corruption_find(protea_corruption_name(id)), id);
    assert_int_equal(protea_corruption_find("gaussian-noise"), 0);
    assert_int_equal(protea_corruption_find("jpeg_compression"), PROTEA_CORRUPTIONS_STANDARD - 1);
    assert_int_equal(protea_corruption_find("gaussian"), -1);
    assert_int_equal(protea_corruption_find("gaussian_noise_"), -1);
    assert_int_equal(protea_corruption_find(""), -1);
    assert_null(protea_corruption_name(-1));
    assert_null(protea_corruption_name(PROTEA_CORRUPTIONS));
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    protea_image image = picture(8, 8), tiny = picture(3, 40);
    protea_rng rng = protea_corrupt_rng(1, 0, 1, 0);
    assert_int_equal(protea_corrupt(&image, -1, 1, &rng), PROTEA_ERR_USAGE);
    assert_int_equal(protea_corrupt(&image, PROTEA_CORRUPTIONS, 1, &rng), PROTEA_ERR_USAGE);
    assert_int_equal(protea_corrupt(&image, 0, 0, &rng), PROTEA_ERR_USAGE);
    assert_int_equal(protea_corrupt(&image, 0, 6, &rng), PROTEA_ERR_USAGE);
    assert_int_equal(protea_corrupt(&tiny, 0, 1, &rng), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "3 x 40"));
    protea_image_release(&image);
    protea_image_release(&tiny);
}

/* Sizes at both scales, odd and not square. */
static const int sizes[][2] = { { 32, 32 }, { 4, 4 }, { 64, 17 }, { 65, 40 }, { 33, 90 }, { 224, 224 } };
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static void equal_generators_give_equal_pictures(void **state)
{
    (void)state;
    for (int id = 0; id < PROTEA_CORRUPTIONS; id++)
        for (int s = 0; s < N_SIZES; s++)
            for (int severity = 1; severity <= PROTEA_SEVERITIES; severity += 2) {
                int w = sizes[s][0], h = sizes[s][1];
                protea_image a = corrupted(w, h, id, severity, 3), b = corrupted(w, h, id, severity, 3);
                assert_memory_equal(a.px, b.px, (size_t)w * (size_t)h * 3);
                protea_image_release(&a);
                protea_image_release(&b);
            }
}

static bool draws_numbers(const char *name)
{
    static const char *const drawn[] = { "gaussian_noise", "shot_noise", "impulse_noise", "glass_blur", "motion_blur", "snow",
                                         "frost", "fog", "elastic_transform", "speckle_noise", "spatter" };
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++)
        if (strcmp(drawn[i], name) == 0)
            return true;
    return false;
}

/* Another picture of the set meets other numbers; where nothing is drawn, nothing changes. */
static void the_index_matters_where_something_is_drawn(void **state)
{
    (void)state;
    for (int id = 0; id < PROTEA_CORRUPTIONS; id++) {
        protea_image a = corrupted(32, 32, id, 5, 3), b = corrupted(32, 32, id, 5, 4);
        bool equal = memcmp(a.px, b.px, 32 * 32 * 3) == 0;
        if (equal == draws_numbers(protea_corruption_name(id)))
            fail_msg("%s", protea_corruption_name(id));
        protea_image_release(&a);
        protea_image_release(&b);
    }
}

static double distance(const protea_image *a, const protea_image *b)
{
    double sum = 0;
    for (int i = 0; i < a->w * a->h * 3; i++)
        sum += fabs((double)a->px[i] - b->px[i]);
    return sum / (a->w * a->h * 3);
}

/* Mean over several pictures of a set. */
static double distance_to_clean(int side, int id, int severity)
{
    enum { PICTURES = 8 };
    double sum = 0;
    protea_image clean = picture(side, side);
    for (int i = 0; i < PICTURES; i++) {
        protea_image image = corrupted(side, side, id, severity, i);
        sum += distance(&clean, &image) / PICTURES;
        protea_image_release(&image);
    }
    protea_image_release(&clean);
    return sum;
}

static void the_worst_severity_is_further_off_than_the_least(void **state)
{
    (void)state;
    for (int id = 0; id < PROTEA_CORRUPTIONS; id++)
        for (int side = 32; side <= 96; side += 64) {
            double near = distance_to_clean(side, id, 1), far = distance_to_clean(side, id, 5);
            const char *name = protea_corruption_name(id);
            bool other = strcmp(name, "elastic_transform") == 0 || strcmp(name, "frost") == 0; /* more of another kind */
            if (far <= 0.5 || (far <= near && !other))
                fail_msg("%s at %d: %g and %g", protea_corruption_name(id), side, near, far);
        }
}

/* Fog takes memory for 4096 x 4096 points at most; beyond, it comes again. */
static void fog_over_a_panorama_repeats(void **state)
{
    (void)state;
    enum { W = 4400, H = 4, PERIOD = 4096 };
    protea_image image = { 0 };
    int differing = 0;
    assert_int_equal(protea_image_reserve(&image, W, H), PROTEA_OK);
    memset(image.px, 100, (size_t)W * H * 3);
    protea_rng rng = protea_rng_make(7, PROTEA_RNG_TEST, 0, 0, 0);
    assert_int_equal(protea_corrupt(&image, protea_corruption_find("fog"), 3, &rng), PROTEA_OK);
    for (int i = 0; i < 3 * (W - PERIOD); i++)
        assert_int_equal(image.px[i], image.px[i + 3 * PERIOD]);
    for (int i = 3; i < 3 * W; i++)
        differing += image.px[i] != image.px[i - 3];
    assert_true(differing > 100);
    protea_image_release(&image);
}

/* c0 x + c1 texture, the same texture for any picture; bright, varied and bluish. */
static void frost_is_laid_over_the_picture(void **state)
{
    (void)state;
    const struct { int side, severity; double keep, add; } cases[] = {
        { 32, 1, 1, .2 }, { 32, 3, .9, .4 }, { 32, 5, .75, .45 }, { 80, 2, .8, .6 }, { 80, 5, .6, .75 } };
    int id = protea_corruption_find("frost");
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        int side = cases[k].side, n = side * side * 3;
        double sum = 0, square = 0, red = 0, blue = 0;
        protea_image on = corrupted(side, side, id, cases[k].severity, 2), clean = picture(side, side), black = picture(side, side);
        protea_rng rng = protea_corrupt_rng(7, id, cases[k].severity, 2);
        memset(black.px, 0, (size_t)n);
        assert_int_equal(protea_corrupt(&black, id, cases[k].severity, &rng), PROTEA_OK);
        for (int i = 0; i < n; i++) {
            double want = fmin(cases[k].keep * clean.px[i] + black.px[i], 255), texture = black.px[i] / cases[k].add;
            assert_true(on.px[i] >= floor(want) && on.px[i] <= want + 1);
            sum += texture / n;
            square += texture * texture / n;
            *(i % 3 == 0 ? &red : &blue) += i % 3 != 1 ? texture : 0;
        }
        assert_true(sum > 70 && sum < 200);
        assert_true(sqrt(square - sum * sum) > 15);
        assert_true(blue > red);
        protea_image_release(&on);
        protea_image_release(&clean);
        protea_image_release(&black);
    }
}

/* ---- the random numbers in bulk */

static void bulk_words_are_philoxs(void **state)
{
    (void)state;
    uint32_t word[PROTEA_RNG_CHUNK + 5], out[4];
    protea_rng rng = protea_rng_make(5, PROTEA_RNG_TEST, 1, 2, 3), other = rng;
    protea_rng_fill_u32(&rng, word, PROTEA_RNG_CHUNK + 5);
    for (uint32_t i = 0; i < PROTEA_RNG_CHUNK + 5; i++) {
        uint32_t block = i / PROTEA_RNG_CHUNK, lane = i % 16;
        other.counter[0] = 16 * block + lane;
        protea_philox(out, other.counter, other.key);
        assert_int_equal(word[i], out[i % PROTEA_RNG_CHUNK / 16]);
    }
}

static void bulk_normals_are_normal(void **state)
{
    (void)state;
    enum { N = 1 << 18 };
    float *z = malloc(N * sizeof *z);
    double mean = 0, square = 0, fourth = 0, product = 0, beyond = 0;
    protea_rng rng = protea_rng_make(5, PROTEA_RNG_TEST, 0, 0, 0);
    assert_non_null(z);
    protea_rng_fill_normal(&rng, z, N);
    for (int i = 0; i < N; i++) {
        double v = z[i];
        mean += v / N;
        square += v * v / N;
        fourth += v * v * v * v / N;
        product += v * (double)z[(i + 16) % N] / N; /* a pair's cosine and sine lie 16 apart */
        beyond += fabs(v) > 3;
    }
    assert_true(fabs(mean) < 5 / sqrt(N));                     /* five standard errors each */
    assert_true(fabs(square - 1) < 5 * sqrt(2. / N));
    assert_true(fabs(fourth - 3) < 5 * sqrt(96. / N));
    assert_true(fabs(product) < 5 / sqrt(N));
    assert_true(fabs(beyond / N - 0.0026998) < 5 * sqrt(0.0027 / N));
    free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(what_is_not_there_is_refused),
        cmocka_unit_test(equal_generators_give_equal_pictures),
        cmocka_unit_test(the_index_matters_where_something_is_drawn),
        cmocka_unit_test(the_worst_severity_is_further_off_than_the_least),
        cmocka_unit_test(fog_over_a_panorama_repeats),
        cmocka_unit_test(frost_is_laid_over_the_picture),
        cmocka_unit_test(bulk_words_are_philoxs),
        cmocka_unit_test(bulk_normals_are_normal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

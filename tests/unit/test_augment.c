/* Proves: crops have torchvision's distribution of area and ratio, shifts theirs, each random step happens as often as asked,
 * colours change in every order, views follow their key alone, the plain view is exact, also as one to train on, and options that
 * cannot be are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <protea/options.h>

#include "base/alloc.h"
#include "data/augment.h"

static const float zero[3] = { 0, 0, 0 }, one[3] = { 1, 1, 1 };

/* Two resolutions and nothing but crops. */
static protea_augment_opts crops_only(void)
{
    return (protea_augment_opts){ .size_crops = { 2, { 16, 8 } },      .nmb_crops = { 2, { 2, 3 } },
                                  .min_scale_crops = { 2, { .3, .05 } }, .max_scale_crops = { 2, { 1, .3 } },
                                  .min_ratio = 0.75,                   .max_ratio = 4.0 / 3 };
}

static protea_image ramp(int w, int h)
{
    protea_image image = { 0 };
    assert_int_equal(protea_image_reserve(&image, w, h), PROTEA_OK);
    for (int i = 0; i < w * h; i++) {
        image.px[3 * i] = (uint8_t)(i % w);      /* red tells the column */
        image.px[3 * i + 1] = (uint8_t)(i / w);  /* green the row */
        image.px[3 * i + 2] = (uint8_t)(i * 101); /* blue is rough */
    }
    return image;
}

static void views_are_numbered_by_group(void **state)
{
    (void)state;
    protea_augment_opts o = crops_only();
    const int group[5] = { 0, 0, 1, 1, 1 };
    for (int v = 0; v < 5; v++)
        assert_int_equal(protea_augment_group(&o, v), group[v]);
}

static void neighbours_of_one_size_are_one_group(void **state)
{
    (void)state;
    protea_augment_opts o = { .size_crops = { 5, { 16, 16, 8, 16, 16 } }, .nmb_crops = { 5, { 1, 1, 4, 2, 3 } } };
    protea_batch b = protea_augment_batch(&o, 10);
    const int views[3] = { 2, 4, 5 }, size[3] = { 16, 8, 16 };
    assert_int_equal(b.n_images, 10);
    assert_int_equal(b.n_views, 11);
    assert_int_equal(b.n_groups, 3);
    for (int g = 0; g < 3; g++) {
        assert_int_equal(b.group[g].n_views, views[g]);
        assert_int_equal(b.group[g].size, size[g]);
        assert_int_equal(b.group[g].x.dim[0], 10 * views[g]);
        assert_int_equal(b.group[g].x.dim[3], size[g]);
    }
}

/* On a ramp a crop's width is what red spans: area and ratio can be read off the view. */
static void crops_are_torchvisions(void **state)
{
    (void)state;
    protea_augment_opts o = crops_only();
    protea_augment_buffer b = { 0 };
    protea_image image = ramp(200, 200);
    static float x[3 * 16 * 16];
    double area = 0, log_ratio = 0, log_ratio2 = 0, left = 0;
    enum { DRAWS = 4000 };
    o.max_scale_crops.v[0] = 0.5;
    for (int i = 0; i < DRAWS; i++) {
        protea_rng rng = protea_rng_make(1, PROTEA_RNG_VIEW, 0, (uint64_t)i, 0);
        assert_int_equal(protea_augment_view(x, &image, &o, 0, rng, zero, one, &b), PROTEA_OK);
        double w = (x[15] - x[0]) * 255 * 16 / 15, h = (x[256 + 15 * 16] - x[256]) * 255 * 16 / 15;
        area += w * h / 40000;
        log_ratio += log(w / h);
        log_ratio2 += log(w / h) * log(w / h);
        left += (x[0] * 255 - w / 32 + 0.5) / (200 - w);
    }
    double spread = log(4.0 / 3);
    assert_true(fabs(area / DRAWS - 0.4) < 0.01);
    assert_true(fabs(log_ratio / DRAWS) < 0.012);
    assert_true(fabs(log_ratio2 / DRAWS - spread * spread / 3) < 0.004);
    assert_true(fabs(left / DRAWS - 0.5) < 0.02);
    protea_augment_buffer_release(&b);
    protea_image_release(&image);
}

/* On a ramp a shift can be read off any pixel: every one of the 5 x 5 happens as often as any other, and the rest is black. */
static void a_shifted_view_is_the_whole_picture(void **state)
{
    (void)state;
    enum { SIZE = 16, MOST = 2, WIDE = 2 * MOST + 1, DRAWS = 5000 };
    protea_augment_opts o = crops_only();
    protea_augment_buffer b = { 0 };
    protea_image image = ramp(SIZE, SIZE);
    float x[3 * SIZE * SIZE];
    int times[WIDE * WIDE] = { 0 };
    o.pad = 0.125;
    for (int i = 0; i < DRAWS; i++) {
        protea_rng rng = protea_rng_make(1, PROTEA_RNG_VIEW, 0, (uint64_t)i, 0);
        assert_int_equal(protea_augment_view(x, &image, &o, 0, rng, zero, one, &b), PROTEA_OK);
        int right = 8 - (int)lround(255 * (double)x[8 * SIZE + 8]);
        int down = 8 - (int)lround(255 * (double)x[SIZE * SIZE + 8 * SIZE + 8]);
        times[(down + MOST) * WIDE + right + MOST]++;
        for (int p = 0; p < SIZE * SIZE; p++) {
            int column = p % SIZE - right, row = p / SIZE - down;
            bool inside = column >= 0 && column < SIZE && row >= 0 && row < SIZE;
            assert_int_equal(lround(255 * (double)x[2 * SIZE * SIZE + p]), inside ? image.px[3 * (row * SIZE + column) + 2] : 0);
        }
    }
    for (int t = 0; t < WIDE * WIDE; t++)
        assert_true(abs(times[t] - DRAWS / (WIDE * WIDE)) < 5 * 14);
    protea_augment_buffer_release(&b);
    protea_image_release(&image);
}

static void small_crops_come_from_their_own_range(void **state)
{
    (void)state;
    protea_augment_opts o = crops_only();
    protea_augment_buffer b = { 0 };
    protea_image image = ramp(200, 200);
    static float x[3 * 8 * 8];
    for (int i = 0; i < 500; i++) {
        protea_rng rng = protea_rng_make(1, PROTEA_RNG_VIEW, 0, (uint64_t)i, 2);
        assert_int_equal(protea_augment_view(x, &image, &o, 2, rng, zero, one, &b), PROTEA_OK);
        double w = (x[7] - x[0]) * 255 * 8 / 7, h = (x[64 + 56] - x[64]) * 255 * 8 / 7;
        assert_true(w * h / 40000 < 0.32 && w * h / 40000 > 0.04);
    }
    protea_augment_buffer_release(&b);
    protea_image_release(&image);
}

/* No ratio fits: the largest centred crop within the ratios is taken. */
static void long_pictures_fall_back_to_the_centre(void **state)
{
    (void)state;
    protea_augment_opts o = crops_only();
    protea_augment_buffer b = { 0 };
    protea_image image = ramp(250, 12);
    static float x[3 * 16 * 16];
    o.min_scale_crops.v[0] = o.max_scale_crops.v[0] = 1;
    assert_int_equal(protea_augment_view(x, &image, &o, 0, protea_rng_make(1, PROTEA_RNG_VIEW, 0, 0, 0), zero, one, &b), PROTEA_OK);
    assert_true(fabs((x[0] + x[15]) * 255 / 2 - 124.5) < 1); /* 16 columns, 117..132 */
    assert_true(fabs((x[15] - x[0]) * 255 - 15) < 1.5);
    protea_image thin = ramp(1, 5000), dot = ramp(1, 1);
    for (int i = 0; i < 50; i++) {
        protea_rng rng = protea_rng_make(1, PROTEA_RNG_VIEW, 0, (uint64_t)i, 0);
        assert_int_equal(protea_augment_view(x, &thin, &o, 0, rng, zero, one, &b), PROTEA_OK);
        assert_int_equal(protea_augment_view(x, &dot, &o, 0, rng, zero, one, &b), PROTEA_OK);
    }
    protea_augment_buffer_release(&b);
    protea_image_release(&image);
    protea_image_release(&thin);
    protea_image_release(&dot);
}

typedef bool (*happened)(const float *x);

static bool is_flipped(const float *x)
{
    return x[0] > x[15];
}

static bool is_gray(const float *x)
{
    for (int i = 0; i < 256; i++)
        if (x[i] != x[256 + i] || x[i] != x[512 + i])
            return false;
    return true;
}

static bool is_solarized(const float *x)
{
    for (int i = 0; i < 768; i++)
        if (x[i] >= 128 / 255.0f)
            return false;
    return true;
}

static bool is_blurred(const float *x)  /* in blue */
{
    float sum = 0;
    for (int i = 0; i < 255; i++)
        sum += fabsf(x[512 + i + 1] - x[512 + i]);
    return sum < 40;
}

static bool is_jittered(const float *x) /* red and green no longer differ along one axis only */
{
    const float half = 0.5f / 255;
    return fabsf(x[0] - x[15 * 16]) > half || fabsf(x[256] - x[256 + 15]) > half || fabsf(x[15] - x[0] - 15 / 255.0f) > half;
}

static double how_often(const protea_augment_opts *o, happened test)
{
    protea_augment_buffer b = { 0 };
    protea_image image = ramp(16, 16);
    static float x[3 * 16 * 16];
    int count = 0;
    for (int i = 0; i < 2000; i++) {
        protea_rng rng = protea_rng_make(9, PROTEA_RNG_VIEW, 1, (uint64_t)i, 0);
        assert_int_equal(protea_augment_view(x, &image, o, 0, rng, zero, one, &b), PROTEA_OK);
        count += test(x);
    }
    protea_augment_buffer_release(&b);
    protea_image_release(&image);
    return count / 2000.0;
}

static void steps_happen_as_often_as_asked(void **state)
{
    (void)state;
    protea_augment_opts plain = crops_only();
    plain.min_scale_crops.v[0] = plain.max_scale_crops.v[0] = 1;
    plain.min_ratio = plain.max_ratio = 1; /* the crop is the picture */
    struct { happened test; double p; double *field; protea_augment_opts o; } cases[5];
    for (int i = 0; i < 5; i++)
        cases[i].o = plain;
    cases[0].test = is_flipped, cases[0].p = 0.5, cases[0].field = &cases[0].o.flip_p;
    cases[1].test = is_gray, cases[1].p = 0.2, cases[1].field = &cases[1].o.gray_p;
    cases[2].test = is_solarized, cases[2].p = 0.3, cases[2].field = &cases[2].o.solarize_p;
    cases[3].test = is_blurred, cases[3].p = 0.4, cases[3].field = &cases[3].o.blur_p;
    cases[4].test = is_jittered, cases[4].p = 0.8, cases[4].field = &cases[4].o.jitter_p;
    cases[3].o.blur_min = cases[3].o.blur_max = 2;
    cases[4].o.brightness = cases[4].o.contrast = cases[4].o.saturation = 0.8;
    cases[4].o.hue = 0.2;
    for (int i = 0; i < 5; i++) {
        assert_true(how_often(&cases[i].o, cases[i].test) == 0);
        *cases[i].field = cases[i].p;
        double rate = how_often(&cases[i].o, cases[i].test);
        if (fabs(rate - cases[i].p) > 0.04)
            fail_msg("step %d: happened with %g, wanted %g", i, rate, cases[i].p);
    }
}

/* ---- the order of the colours */

/* Order number n of 24. */
static void order_of(int order[4], int n)
{
    int left[4] = { 0, 1, 2, 3 };
    for (int i = 0; i < 4; i++) {
        int at = n % (4 - i);
        n /= 4 - i;
        order[i] = left[at];
        for (int k = at; k < 3; k++)
            left[k] = left[k + 1];
    }
}

/* Whether x is the picture with these steps taken in this order. factor: of brightness, contrast, saturation, hue. */
static bool is_made_by(const float *x, const protea_image *image, const int order[4], const float factor[4])
{
    static void (*const steps[4])(protea_image *, float) = { protea_image_brightness, protea_image_contrast,
                                                             protea_image_saturation, protea_image_hue };
    protea_image copy = { 0 };
    bool same = true;
    assert_int_equal(protea_image_reserve(&copy, image->w, image->h), PROTEA_OK);
    memcpy(copy.px, image->px, 3 * 256);
    for (int i = 0; i < 4; i++)
        steps[order[i]](&copy, factor[order[i]]);
    for (int i = 0; i < 3 * 256; i++)
        same = same && lround(255 * (double)x[i % 3 * 256 + i / 3]) == copy.px[i];
    protea_image_release(&copy);
    return same;
}

/* The factors that a view draws after all else, when its crop is the whole picture. */
static void factors_of(float factor[4], protea_rng rng)
{
    for (int i = 0; i < 2; i++) /* area and ratio */
        protea_rng_uniform_double(&rng);
    for (int i = 0; i < 2; i++) /* row and column */
        protea_rng_below(&rng, 1);
    for (int i = 0; i < 2; i++) /* whether to flip, whether to change colours */
        protea_rng_uniform(&rng);
    for (uint64_t n = 4; n > 1; n--) /* the order */
        protea_rng_below(&rng, n);
    for (int i = 0; i < 3; i++) {
        double low = 1 - 0.8, high = 1 + 0.8;
        factor[i] = (float)(low + (high - low) * protea_rng_uniform(&rng));
    }
    factor[3] = (float)(0.2 * (2 * protea_rng_uniform_double(&rng) - 1));
}

/* Every view is its steps in one of the 24 orders, and every order comes up. */
static void colours_change_in_every_order(void **state)
{
    (void)state;
    enum { DRAWS = 720, ORDERS = 24 };
    protea_augment_opts o = crops_only();
    protea_augment_buffer b = { 0 };
    protea_image image = ramp(16, 16);
    static float x[3 * 256];
    int times[ORDERS] = { 0 };
    o.min_scale_crops.v[0] = o.max_scale_crops.v[0] = 1;
    o.min_ratio = o.max_ratio = 1;
    o.jitter_p = 1;
    o.brightness = o.contrast = o.saturation = 0.8;
    o.hue = 0.2;
    for (int i = 0; i < DRAWS; i++) {
        protea_rng rng = protea_rng_make(9, PROTEA_RNG_VIEW, 1, (uint64_t)i, 0);
        int order[4], n_found = 0, found = 0;
        float factor[4];
        assert_int_equal(protea_augment_view(x, &image, &o, 0, rng, zero, one, &b), PROTEA_OK);
        factors_of(factor, rng);
        for (int n = 0; n < ORDERS; n++) {
            order_of(order, n);
            bool made = is_made_by(x, &image, order, factor);
            n_found += made;
            found = made ? n : found;
        }
        assert_true(n_found > 0);
        times[found] += n_found == 1; /* of a nearly black picture the order cannot be told */
    }
    for (int n = 0; n < ORDERS; n++)
        assert_true(times[n] > 2);
    protea_augment_buffer_release(&b);
    protea_image_release(&image);
}

static void a_view_follows_its_key(void **state)
{
    (void)state;
    protea_augment_opts o = crops_only();
    protea_augment_buffer b = { 0 };
    protea_image image = ramp(40, 30);
    static float x[768], y[768], z[768];
    o.flip_p = o.jitter_p = o.gray_p = o.blur_p = o.solarize_p = 0.5;
    o.brightness = o.contrast = o.saturation = 0.8;
    o.hue = 0.2;
    o.blur_max = 2;
    int equal = 0;
    for (uint64_t i = 0; i < 50; i++) {
        protea_rng rng = protea_rng_make(9, PROTEA_RNG_VIEW, 1, i, 0), other = protea_rng_make(9, PROTEA_RNG_VIEW, 2, i, 0);
        assert_int_equal(protea_augment_view(x, &image, &o, 0, rng, zero, one, &b), PROTEA_OK);
        assert_int_equal(protea_augment_view(z, &image, &o, 0, other, zero, one, &b), PROTEA_OK);
        assert_int_equal(protea_augment_view(y, &image, &o, 0, rng, zero, one, &b), PROTEA_OK);
        assert_memory_equal(x, y, sizeof x);
        equal += memcmp(x, z, sizeof x) == 0;
    }
    assert_int_equal(equal, 0);
    protea_augment_buffer_release(&b);
    protea_image_release(&image);
}

/* Every kind of view is made again while no memory is to be had. */
static void nothing_is_allocated_once_warm(void **state)
{
    (void)state;
    protea_augment_opts o = crops_only();
    protea_augment_buffer b = { 0 };
    protea_image large = ramp(200, 150), image = { 0 };
    protea_limits limits = protea_limits_default();
    uint8_t *bytes;
    size_t len;
    static float x[768];
    o.flip_p = o.jitter_p = o.gray_p = o.blur_p = o.solarize_p = 0.5;
    o.brightness = o.contrast = o.saturation = 0.8;
    o.hue = 0.2;
    o.blur_max = 2;
    assert_int_equal(protea_image_encode_jpeg(&bytes, &len, &large, 90), PROTEA_OK);
    assert_int_equal(protea_image_decode(&image, bytes, len, "ramp", &limits), PROTEA_OK);
    o.min_scale_crops.v[0] = 1; /* the largest crop takes most room */
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(protea_augment_view(x, &image, &o, 0, protea_rng_make(9, PROTEA_RNG_VIEW, 1, i, 0), zero, one, &b),
                         PROTEA_OK);
    o.min_scale_crops.v[0] = 0.05;
    protea_alloc_fail_after(1, 1);
    protea_status status = protea_image_decode(&image, bytes, len, "ramp", &limits);
    for (uint64_t i = 0; i < 100 && status == PROTEA_OK; i++)
        status = protea_augment_view(x, &image, &o, (int)(i % 5), protea_rng_make(9, PROTEA_RNG_VIEW, 2, i, 0), zero, one, &b);
    protea_alloc_fail_after(0, 0);
    assert_int_equal(status, PROTEA_OK);
    protea_free(bytes);
    protea_augment_buffer_release(&b);
    protea_image_release(&image);
    protea_image_release(&large);
}

static void the_plain_view_is_normalised(void **state)
{
    (void)state;
    const float mean[3] = { 0.1f, 0.2f, 0.3f }, std[3] = { 0.5f, 0.25f, 0.125f };
    protea_augment_buffer b = { 0 };
    protea_image image = ramp(16, 16);
    static float x[768];
    assert_int_equal(protea_plain_view(x, &image, 16, mean, std, &b), PROTEA_OK);
    for (int i = 0; i < 256; i++)
        for (int c = 0; c < 3; c++)
            assert_true(fabs(x[c * 256 + i] - (image.px[3 * i + c] / 255.0 - mean[c]) / std[c]) < 1e-5);
    protea_augment_buffer_release(&b);
    protea_image_release(&image);
}

/* Of pictures that are no squares too. */
static void a_single_plain_view_is_the_plain_view(void **state)
{
    (void)state;
    protea_augment_buffer b = { 0 };
    protea_image image = ramp(40, 23);
    static float x[768], y[768];
    const protea_augment_opts plain = protea_augment_single(PROTEA_VIEW_PLAIN, 16);
    assert_int_equal(protea_augment_check(&plain), PROTEA_OK);
    const protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    assert_int_equal(protea_augment_view(x, &image, &plain, 0, rng, zero, one, &b), PROTEA_OK);
    assert_int_equal(protea_plain_view(y, &image, 16, zero, one, &b), PROTEA_OK);
    assert_memory_equal(x, y, sizeof x);
    for (int kind = PROTEA_VIEW_CROP; kind <= PROTEA_VIEW_SHIFT; kind++) {
        const protea_augment_opts o = protea_augment_single((protea_single_view)kind, 16);
        int differ = 0;
        assert_int_equal(protea_augment_check(&o), PROTEA_OK);
        assert_int_equal(protea_augment_batch(&o, 3).n_views, 1);
        for (uint32_t v = 0; v < 20; v++) {
            assert_int_equal(protea_augment_view(x, &image, &o, 0, protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, v), zero, one, &b),
                             PROTEA_OK);
            differ += memcmp(x, y, sizeof x) != 0;
        }
        assert_true(differ > 15);
    }
    protea_augment_buffer_release(&b);
    protea_image_release(&image);
}

static void the_table_gives_the_papers_defaults(void **state)
{
    (void)state;
    protea_augment_opts o = { 0 };
    protea_options *options = protea_options_new();
    assert_int_equal(protea_options_add(options, "augmentation", protea_augment_table, &o), PROTEA_OK);
    assert_int_equal(protea_augment_check(&o), PROTEA_OK);
    assert_int_equal(o.size_crops.n, 2);
    assert_true(o.nmb_crops.v[1] == 6 && o.min_scale_crops.v[0] == 0.14 && o.hue == 0.2 && o.blur_max == 2);
    assert_true(fabs(o.max_ratio - 4.0 / 3) < 1e-15);
    protea_options_free(options);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    protea_augment_opts o = crops_only();
    o.nmb_crops.n = 1;
    assert_int_equal(protea_augment_check(&o), PROTEA_ERR_USAGE);
    assert_non_null(strstr(protea_last_error(), "2, 1, 2, 2"));
    o = crops_only();
    o.min_scale_crops.v[1] = 0.4;
    assert_int_equal(protea_augment_check(&o), PROTEA_ERR_USAGE);
    o = crops_only();
    o.size_crops.v[0] = 16.5;
    assert_int_equal(protea_augment_check(&o), PROTEA_ERR_USAGE);
    o = crops_only();
    o.min_ratio = 2;
    assert_int_equal(protea_augment_check(&o), PROTEA_ERR_USAGE);
    o = crops_only();
    o.blur_min = 1;
    assert_int_equal(protea_augment_check(&o), PROTEA_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_numbered_by_group), cmocka_unit_test(neighbours_of_one_size_are_one_group),
        cmocka_unit_test(crops_are_torchvisions), cmocka_unit_test(a_shifted_view_is_the_whole_picture),
        cmocka_unit_test(small_crops_come_from_their_own_range), cmocka_unit_test(long_pictures_fall_back_to_the_centre),
        cmocka_unit_test(steps_happen_as_often_as_asked), cmocka_unit_test(colours_change_in_every_order),
        cmocka_unit_test(a_view_follows_its_key), cmocka_unit_test(nothing_is_allocated_once_warm),
        cmocka_unit_test(the_plain_view_is_normalised), cmocka_unit_test(the_table_gives_the_papers_defaults),
        cmocka_unit_test(a_single_plain_view_is_the_plain_view), cmocka_unit_test(wrong_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

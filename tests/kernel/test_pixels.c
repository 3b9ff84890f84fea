/* Proves: the kernels over pixels of every instruction set give the plain ones' bytes: for all widths around their blocks, for
 * every colour there is (hue), for every value and factor (blends), and write nothing beyond their place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "image/taps.h"

static const protea_pixel_ops *plain, *fast;

enum { GUARD = 0xa5, ROOM = 1 << 16 };

static void random_bytes(uint8_t *px, size_t n, uint64_t key)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, key, 0);
    for (size_t i = 0; i < n; i++)
        px[i] = (uint8_t)protea_rng_u32(&rng);
}

/* A block of just n bytes, so that a sanitizer sees what lies beyond. */
static uint8_t *random_block(size_t n, uint64_t key)
{
    uint8_t *px = malloc(n > 0 ? n : 1);
    assert_non_null(px);
    random_bytes(px, n, key);
    return px;
}

/* ---- resizing */

static void make_taps(protea_taps *t, const protea_span *s, protea_filter filter)
{
    double weight[1024];
    t->width = protea_taps_width(s, filter);
    t->n_out = s->n;
    t->first = calloc((size_t)s->n, sizeof *t->first);
    t->n = calloc((size_t)s->n, sizeof *t->n);
    t->weight = calloc((size_t)s->n * (size_t)t->width, sizeof *t->weight);
    assert_true(t->width <= 1024 && t->first != NULL && t->n != NULL && t->weight != NULL);
    protea_taps_fill(t, s, filter, weight);
}

static void free_taps(protea_taps *t)
{
    free(t->first);
    free(t->n);
    free(t->weight);
}

static void compare_across(int n_in, int n_out, int rows, bool mirrored, protea_filter filter)
{
    protea_taps t;
    make_taps(&t, &(protea_span){ .n_in = n_in, .in1 = n_in, .n_all = n_out, .n = n_out, .mirrored = mirrored }, filter);
    size_t in_stride = 3 * (size_t)n_in, out_stride = 3 * (size_t)n_out, bytes = (size_t)rows * out_stride;
    uint8_t *in = random_block((size_t)rows * in_stride, (uint64_t)n_in);
    uint8_t *want = random_block(bytes, 1), *got = random_block(bytes, 1);
    void *scratch = malloc(fast->resize->across_scratch(n_in, n_out) + 1);
    plain->resize->across(want, out_stride, in, in_stride, rows, &t, NULL);
    fast->resize->across(got, out_stride, in, in_stride, rows, &t, scratch);
    if (memcmp(want, got, bytes) != 0)
        fail_msg("across from %d to %d pixels, %d rows, mirrored %d, filter %d", n_in, n_out, rows, mirrored, (int)filter);
    free(in), free(want), free(got), free(scratch);
    free_taps(&t);
}

static void sums_across_are_equal(void **state)
{
    (void)state;
    const int widths[] = { 1, 2, 5, 15, 16, 17, 32, 33, 100 }, rows[] = { 1, 15, 16, 17, 40 };
    for (size_t i = 0; i < 9; i++)
        for (size_t o = 0; o < 9; o++)
            for (int f = 0; f < 3; f++)
                compare_across(widths[i], widths[o], rows[(i + o) % 5], (i ^ o) & 1, (protea_filter)f);
    compare_across(900, 7, 3, false, PROTEA_FILTER_BICUBIC);
}

static void sums_down_are_equal(void **state)
{
    (void)state;
    for (int n = 1; n <= 200; n++) {
        protea_taps t;
        make_taps(&t, &(protea_span){ .n_in = 20, .in1 = 20, .n_all = 13, .n = 13 }, (protea_filter)(n % 3));
        uint8_t *in = random_block(20 * (size_t)n, (uint64_t)n);
        uint8_t *want = random_block((size_t)n, 1), *got = random_block((size_t)n, 1);
        for (int y = 0; y < 13; y++) {
            plain->resize->down(want, in + t.first[y] * n, (size_t)n, t.weight + y * t.width, t.n[y], n);
            fast->resize->down(got, in + t.first[y] * n, (size_t)n, t.weight + y * t.width, t.n[y], n);
            assert_memory_equal(want, got, (size_t)n);
        }
        free(in), free(want), free(got);
        free_taps(&t);
    }
}

/* ---- blur */

static void means_are_equal(void **state)
{
    (void)state;
    const struct { int radius; uint32_t inner; } boxes[] = { { 0, 1 << 24 }, { 0, 0xe00001 }, { 1, 0x4fffff }, { 2, 0x333333 },
                                                             { 63, 0x020000 }, { 64, 0x01f000 } };
    for (size_t k = 0; k < 6; k++)
        for (int n = 1; n < 300; n += 7) {
            protea_box b = { boxes[k].radius, boxes[k].inner, 0 };
            b.outer = ((1u << 24) - (uint32_t)(2 * b.radius + 1) * b.inner) / 2;
            int step = n % 2 ? 3 : 50, margin = step * (b.radius + 1);
            uint8_t *in = random_block((size_t)(n + 2 * margin), (uint64_t)n), want[300], got[301];
            memset(got, GUARD, sizeof got);
            plain->box(want, in + margin, step, n, &b);
            fast->box(got, in + margin, step, n, &b);
            assert_memory_equal(want, got, (size_t)n);
            assert_int_equal(got[n], GUARD);
            free(in);
        }
}

/* ---- colours */

typedef void (*recolour)(const protea_pixel_ops *ops, uint8_t *px, size_t n, float with);

static void blend(const protea_pixel_ops *ops, uint8_t *px, size_t n, float with)
{
    ops->colour->blend(px, n, (uint8_t)(n * 37), with);
}

static void saturate(const protea_pixel_ops *ops, uint8_t *px, size_t n, float with)
{
    ops->colour->saturate(px, n, with);
}

static void gray(const protea_pixel_ops *ops, uint8_t *px, size_t n, float with)
{
    (void)with;
    ops->colour->gray(px, n);
}

static void hue(const protea_pixel_ops *ops, uint8_t *px, size_t n, float with)
{
    ops->colour->hue(px, n, (uint8_t)(with * 100));
}

static void recolours_are_equal(void **state)
{
    (void)state;
    const recolour all[] = { blend, saturate, gray, hue };
    for (size_t k = 0; k < 4; k++)
        for (size_t n = 1; n < 200; n++) {
            float with = (float)(n % 50) / 20;
            uint8_t *want = random_block(3 * n, n), *got = random_block(3 * n, n);
            all[k](plain, want, n, with);
            all[k](fast, got, n, with);
            if (memcmp(want, got, 3 * n) != 0)
                fail_msg("operation %zu on %zu pixels, factor %g", k, n, (double)with);
            free(want), free(got);
        }
}

static void every_blend_is_equal(void **state)
{
    (void)state;
    uint8_t want[768], got[768];
    for (int from = 0; from < 256; from += 5)
        for (int f = 0; f < 120; f++) {
            float factor = (float)f * (f % 7 == 0 ? 0.1f : 0.0173f);
            for (int v = 0; v < 768; v++)
                want[v] = got[v] = (uint8_t)v;
            plain->colour->blend(want, 256, (uint8_t)from, factor);
            fast->colour->blend(got, 256, (uint8_t)from, factor);
            assert_memory_equal(want, got, sizeof want);
        }
}

/* All 2^24 colours, each at one of the turns. */
static void every_hue_is_equal(void **state)
{
    (void)state;
    uint8_t *want = malloc(3 * ROOM), *got = malloc(3 * ROOM);
    for (int r = 0; r < 256; r++) {
        for (int i = 0; i < ROOM; i++) {
            const uint8_t colour[3] = { (uint8_t)r, (uint8_t)(i >> 8), (uint8_t)i };
            memcpy(want + 3 * i, colour, 3);
        }
        memcpy(got, want, 3 * ROOM);
        plain->colour->hue(want, ROOM, (uint8_t)(r * 37));
        fast->colour->hue(got, ROOM, (uint8_t)(r * 37));
        assert_memory_equal(want, got, 3 * ROOM);
    }
    free(want), free(got);
}

static void sums_of_luma_are_equal(void **state)
{
    (void)state;
    for (size_t n = 0; n < 200; n++) {
        uint8_t *px = random_block(3 * n, n);
        assert_int_equal(plain->colour->luma_sum(px, n), fast->colour->luma_sum(px, n));
        free(px);
    }
    size_t many = 10 << 20; /* several times as many as are summed before the sum is put away */
    uint8_t *white = malloc(3 * many);
    memset(white, 255, 3 * many);
    assert_int_equal(fast->colour->luma_sum(white, many), 255 * many);
    free(white);
}

static void normalised_values_are_equal(void **state)
{
    (void)state;
    const float scale[3] = { 0.017f, 0.0174f, 0.0175f }, shift[3] = { -2.1f, -2.0f, -1.8f };
    for (size_t n = 1; n < 200; n++) {
        uint8_t *px = random_block(3 * n, n);
        float *want = calloc(3 * n, sizeof *want), *got = calloc(3 * n, sizeof *got);
        plain->colour->normalise(want, px, n, scale, shift);
        fast->colour->normalise(got, px, n, scale, shift);
        assert_memory_equal(want, got, 3 * n * sizeof *want);
        free(px), free(want), free(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_across_are_equal), cmocka_unit_test(sums_down_are_equal),
        cmocka_unit_test(means_are_equal), cmocka_unit_test(recolours_are_equal),
        cmocka_unit_test(every_blend_is_equal), cmocka_unit_test(every_hue_is_equal),
        cmocka_unit_test(sums_of_luma_are_equal), cmocka_unit_test(normalised_values_are_equal),
    };
    int failed = 0;
    plain = protea_pixels_up_to(PROTEA_ISA_REF);
    for (protea_isa isa = PROTEA_ISA_SSE2; isa <= PROTEA_ISA_AVX512; isa++) {
        const protea_pixel_ops *ops = protea_pixels_up_to(isa);
        if (ops == fast)
            continue; /* this machine has no more */
        fast = ops;
        printf("instruction set %d of enum protea_isa:\n", (int)isa);
        failed |= cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed != 0;
}

/* Proves: resizing, colours and blur give Pillow's bytes (tests/data/image.ref, by tools/oracle/image.py); every kind of
 * JPEG and PNG decodes to Pillow's pixels; damaged, mistyped and oversized files are refused in one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "image/blur.h"
#include "image/image.h"
#include "support/records.h"

static int load_reference(void **state)
{
    (void)state;
    return records_load(TEST_DATA "/image.ref");
}

static protea_image picture(int w, int h)
{
    protea_image image = { 0 };
    assert_int_equal(protea_image_reserve(&image, w, h), PROTEA_OK);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++) {
                bool smooth = (x / 4 + y / 4) % 2 == 0;
                int v = smooth ? x * 9 + y * 5 + c * 60 : x * x * 31 + y * y * 17 + c * 97 + x * y * 3;
                image.px[(y * w + x) * 3 + c] = (uint8_t)(v % 256);
            }
    return image;
}

static void resizing_is_pillows(void **state)
{
    (void)state;
    const struct { const char *name; int from_w, from_h, w, h; } cases[] = {
        { "up", 23, 17, 32, 32 }, { "down", 23, 17, 8, 8 },   { "mixed", 23, 17, 11, 29 },
        { "far", 97, 64, 5, 6 },  { "wide", 97, 64, 97, 20 },
    };
    static const char *const filters[] = { [PROTEA_FILTER_BOX] = "box", [PROTEA_FILTER_BILINEAR] = "resize",
                                           [PROTEA_FILTER_BICUBIC] = "bicubic" };
    protea_image out = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (protea_filter f = PROTEA_FILTER_BOX; f <= PROTEA_FILTER_BICUBIC; f++) {
            char name[32];
            protea_image from = picture(cases[i].from_w, cases[i].from_h);
            const protea_rect all = { 0, 0, from.w, from.h };
            snprintf(name, sizeof name, "%s %s", filters[f], cases[i].name);
            assert_int_equal(protea_image_resize(&out, &from, &all, cases[i].w, cases[i].h, f), PROTEA_OK);
            assert_near(&out, name, 0);
            protea_image_release(&from);
        }
    const protea_rect part = { 3.5, 2.25, 20, 15.5 };
    protea_image small = picture(23, 17), wide = picture(97, 64), tall = picture(30, 77);
    assert_int_equal(protea_image_resize(&out, &small, &part, 16, 16, PROTEA_FILTER_BILINEAR), PROTEA_OK);
    assert_near(&out, "resize box", 0);
    assert_int_equal(protea_image_resize(&out, &small, &part, 9, 30, PROTEA_FILTER_BICUBIC), PROTEA_OK);
    assert_near(&out, "bicubic box", 0);
    assert_int_equal(protea_image_crop(&out, &wide, &(protea_crop){ 11, 7, 41, 30 }, 20, 20, false), PROTEA_OK);
    assert_near(&out, "crop", 0);
    assert_int_equal(protea_image_crop(&out, &wide, &(protea_crop){ 90, 60, 2, 3 }, 8, 8, false), PROTEA_OK);
    assert_near(&out, "crop tiny", 0);
    assert_int_equal(protea_image_crop(&out, &wide, &(protea_crop){ 11, 7, 41, 30 }, 20, 20, true), PROTEA_OK);
    protea_image_flip(&out);
    assert_near(&out, "crop", 0);
    assert_int_equal(protea_image_center(&out, &small, 12), PROTEA_OK);
    assert_near(&out, "center", 0);
    assert_int_equal(protea_image_center(&out, &tall, 20), PROTEA_OK);
    assert_non_null(out.scratch);
    protea_image_settle(&out);
    assert_null(out.scratch);
    assert_near(&out, "center tall", 0);
    protea_image_release(&small);
    protea_image_release(&wide);
    protea_image_release(&tall);
    protea_image_release(&out);
}

static void a_square_of_the_size_is_copied(void **state)
{
    (void)state;
    protea_image from = picture(16, 16), out = { 0 };
    assert_int_equal(protea_image_center(&out, &from, 16), PROTEA_OK);
    assert_memory_equal(out.px, from.px, 16 * 16 * 3);
    assert_int_equal(protea_image_crop(&out, &from, &(protea_crop){ 0, 0, 16, 16 }, 16, 16, false), PROTEA_OK);
    assert_memory_equal(out.px, from.px, 16 * 16 * 3);
    protea_image_release(&from);
    protea_image_release(&out);
}

static void thin_pictures_survive(void **state)
{
    (void)state;
    protea_image out = { 0 };
    const int sides[][2] = { { 1, 1 }, { 1, 5000 }, { 5000, 1 }, { 2, 3 } };
    for (size_t i = 0; i < 4; i++) {
        protea_image from = picture(sides[i][0], sides[i][1]);
        assert_int_equal(protea_image_center(&out, &from, 32), PROTEA_OK);
        assert_int_equal(out.w * out.h, 32 * 32);
        assert_int_equal(protea_image_blur(&from, 2), PROTEA_OK);
        protea_image_flip(&from);
        protea_image_contrast(&from, 0.5f);
        protea_image_release(&from);
    }
    protea_image_release(&out);
}

static void wrong_boxes_are_refused(void **state)
{
    (void)state;
    protea_image from = picture(8, 8), out = { 0 };
    assert_int_equal(protea_image_crop(&out, &from, &(protea_crop){ 4, 0, 5, 8 }, 4, 4, false), PROTEA_ERR_INTERNAL);
    const protea_rect wrong[] = { { 0, 0, 8.5, 8 }, { NAN, 0, 8, 8 } };
    for (int i = 0; i < 2; i++)
        assert_int_equal(protea_image_resize(&out, &from, &wrong[i], 4, 4, PROTEA_FILTER_BILINEAR), PROTEA_ERR_INTERNAL);
    protea_image_release(&from);
    protea_image_release(&out);
}

typedef void (*with_factor)(protea_image *image, float factor);

static void check_factor(with_factor f, float factor, const char *name)
{
    protea_image image = strncmp(name, "hue", 3) == 0 ? picture(97, 64) : picture(23, 17);
    f(&image, factor);
    assert_near(&image, name, 0);
    protea_image_release(&image);
}

static void colours_are_pillows(void **state)
{
    (void)state;
    check_factor(protea_image_brightness, 0, "brightness 0");
    check_factor(protea_image_brightness, 0.3f, "brightness 0.3");
    check_factor(protea_image_brightness, 1.7f, "brightness 1.7");
    check_factor(protea_image_contrast, 0, "contrast 0");
    check_factor(protea_image_contrast, 0.3f, "contrast 0.3");
    check_factor(protea_image_contrast, 1.7f, "contrast 1.7");
    check_factor(protea_image_saturation, 0, "saturation 0");
    check_factor(protea_image_saturation, 0.3f, "saturation 0.3");
    check_factor(protea_image_saturation, 1.7f, "saturation 1.7");
    check_factor(protea_image_hue, -0.5f, "hue -0.5");
    check_factor(protea_image_hue, -0.2f, "hue -0.2");
    check_factor(protea_image_hue, 0, "hue 0");
    check_factor(protea_image_hue, 0.13f, "hue 0.13");
    check_factor(protea_image_hue, 0.5f, "hue 0.5");
    protea_image image = picture(23, 17);
    protea_image_flip(&image);
    assert_near(&image, "flip", 0);
    protea_image_flip(&image);
    protea_image_solarize(&image);
    assert_near(&image, "solarize", 0);
    protea_image_release(&image);
    image = picture(23, 17);
    protea_image_gray(&image);
    assert_near(&image, "gray", 0);
    protea_image_release(&image);
}

static void blur_is_pillows(void **state)
{
    (void)state;
    const struct { float sigma; const char *name; } cases[] = { { 0.1f, "blur 0.1" }, { 0.5f, "blur 0.5" }, { 1, "blur 1" },
                                                                { 1.5f, "blur 1.5" }, { 2, "blur 2" },     { 6, "blur 6" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        protea_image image = picture(23, 17);
        assert_int_equal(protea_image_blur(&image, cases[i].sigma), PROTEA_OK);
        assert_near(&image, cases[i].name, 0);
        protea_image_release(&image);
    }
    protea_image thin = picture(1, 9);
    assert_int_equal(protea_image_blur(&thin, 2), PROTEA_OK);
    assert_near(&thin, "blur thin", 0);
    protea_image_release(&thin);
}

/* Of the formula of Gwosdek et al. 2011, in double. */
static void blur_radii_are_golden(void **state)
{
    (void)state;
    const double golden[][2] = { { .1, .001672 }, { .2, .006757 }, { .5, .045455 }, { 1, .25 }, { 1.5, 1.038462 }, { 2, 1.375 } };
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
        assert_true(fabs(protea_blur_radius(golden[i][0]) - golden[i][1]) < 1e-6);
}

static protea_status decode(protea_image *out, protea_cursor file)
{
    protea_limits limits = protea_limits_default();
    uint8_t *exact; /* a buffer of just this size, so that a sanitizer sees a read beyond it */
    assert_int_equal(protea_new(&exact, file.left, 1, "test"), PROTEA_OK);
    memcpy(exact, file.at, file.left);
    protea_status status = protea_image_decode(out, exact, file.left, "file", &limits);
    protea_free(exact);
    return status;
}

static const char *const files[] = {
    "rgb.jpg",  "progressive.jpg", "gray.jpg",  "cmyk.jpg",   "rgb.png",        "palette.png", "gray.png",
    "bilevel.png", "rgba.png",     "rgb16.png", "gray16.png", "gray_alpha.png", "one.png",     "line.jpg",
};

static void every_kind_decodes_to_pillows_pixels(void **state)
{
    (void)state;
    protea_image out = { 0 };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[64];
        snprintf(name, sizeof name, "file %s", files[i]);
        if (decode(&out, find(name)) != PROTEA_OK)
            fail_msg("%s: %s", name, protea_last_error());
        snprintf(name, sizeof name, "pixels %s", files[i]);
        assert_near(&out, name, 0);
    }
    protea_image_release(&out);
}

/* Every file cut at many places: an error, never a picture with holes. Only the end marker itself may be missing. */
static void cut_files_are_refused(void **state)
{
    (void)state;
    protea_image out = { 0 };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[64];
        snprintf(name, sizeof name, "file %s", files[i]);
        protea_cursor file = find(name);
        bool jpeg = strstr(name, ".jpg") != NULL;
        for (size_t k = 0; k < 40; k++) {
            size_t left = (file.left - (jpeg ? 3 : 13)) * k / 40; /* 12 bytes of IEND, 2 of EOI */
            if (decode(&out, (protea_cursor){ file.at, left }) != PROTEA_ERR_INPUT)
                fail_msg("%s cut at %zu was taken", name, left);
        }
    }
    protea_image_release(&out);
}

/* Random damage may or may not show, but must never be anything but OK or an input error. */
static void damaged_files_do_no_harm(void **state)
{
    (void)state;
    protea_image out = { 0 };
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    static uint8_t copy[1 << 16];
    for (int round = 0; round < 2000; round++) {
        char name[64];
        snprintf(name, sizeof name, "file %s", files[round % 14]);
        protea_cursor file = find(name);
        memcpy(copy, file.at, file.left);
        for (int k = 0; k < 3; k++)
            copy[protea_rng_below(&rng, file.left)] = (uint8_t)protea_rng_u32(&rng);
        protea_limits limits = protea_limits_default();
        limits.max_pixels = 1 << 20;
        protea_status status = protea_image_decode(&out, copy, file.left, "file", &limits);
        assert_true(status == PROTEA_OK || status == PROTEA_ERR_INPUT);
    }
    protea_image_release(&out);
}

static void assert_refused(const char *bytes, size_t len, const char *words)
{
    protea_image out = { 0 };
    assert_int_equal(decode(&out, (protea_cursor){ (const uint8_t *)bytes, len }), PROTEA_ERR_INPUT);
    if (strstr(protea_last_error(), words) == NULL)
        fail_msg("message '%s' lacks '%s'", protea_last_error(), words);
    protea_image_release(&out);
}

static void what_is_no_picture_is_named(void **state)
{
    (void)state;
    assert_refused("", 0, "is empty");
    assert_refused("<!DOCTYPE html><html></html>", 28, "is HTML");
    assert_refused("GIF89a..........", 16, "is GIF");
    assert_refused("RIFF....WEBPVP8 ", 16, "WebP is damaged");
    assert_refused("hello, world", 12, "begins with bytes 68 65");
    assert_refused("\xff\xd8\xff", 3, "JPEG is damaged or cut off");
    /* A PNG header that wants 2^31 - 1 pixels each way. */
    assert_refused("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\0\0\0\xd1\xb9\x1e\x6b", 33, "PNG");
}

static void limits_hold(void **state)
{
    (void)state;
    protea_image out = { 0 };
    protea_limits limits = protea_limits_default();
    protea_cursor file = find("file progressive.jpg");
    limits.max_pixels = 97 * 64 - 1;
    assert_int_equal(protea_image_decode(&out, file.at, file.left, "file", &limits), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "97 x 64"));
    limits = protea_limits_default();
    limits.max_scans = 3;
    assert_int_equal(protea_image_decode(&out, file.at, file.left, "file", &limits), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "3 scans"));
    limits = protea_limits_default();
    limits.max_file_bytes = 100;
    assert_int_equal(protea_image_decode(&out, file.at, file.left, "file", &limits), PROTEA_ERR_INPUT);
    protea_image_release(&out);
}

static void bytes_after_the_end_are_tolerated(void **state)
{
    (void)state;
    protea_image out = { 0 };
    static uint8_t longer[1 << 15];
    for (int i = 0; i < 5; i += 4) { /* rgb.jpg, rgb.png */
        char name[64];
        snprintf(name, sizeof name, "file %s", files[i]);
        protea_cursor file = find(name);
        memcpy(longer, file.at, file.left);
        memset(longer + file.left, 'x', 500);
        assert_int_equal(decode(&out, (protea_cursor){ longer, file.left + 500 }), PROTEA_OK);
    }
    protea_image_release(&out);
}

static void written_pictures_read_back(void **state)
{
    (void)state;
    protea_image from = picture(23, 17), out = { 0 };
    uint8_t *bytes;
    size_t len;
    assert_int_equal(protea_image_encode_png(&bytes, &len, &from), PROTEA_OK);
    assert_int_equal(decode(&out, (protea_cursor){ bytes, len }), PROTEA_OK);
    assert_memory_equal(out.px, from.px, 23 * 17 * 3);
    protea_free(bytes);
    for (int i = 0; i < 23 * 17 * 3; i++)
        from.px[i] = (uint8_t)(i / 8);
    assert_int_equal(protea_image_encode_jpeg(&bytes, &len, &from, 95), PROTEA_OK);
    assert_int_equal(decode(&out, (protea_cursor){ bytes, len }), PROTEA_OK);
    assert_int_equal(out.w * 100 + out.h, 2317);
    protea_free(bytes);
    protea_image_release(&from);
    protea_image_release(&out);
}

/* Whichever allocation fails, the answer is a memory error and nothing leaks (the sanitizers look). */
static void short_memory_is_an_error(void **state)
{
    (void)state;
    const char *const names[] = { "file cmyk.jpg", "file rgb16.png", "file rgb.png" };
    for (size_t i = 0; i < 3; i++) {
        protea_cursor file = find(names[i]);
        protea_limits limits = protea_limits_default();
        protea_status status = PROTEA_ERR_MEMORY;
        for (long n = 1; n < 20 && status != PROTEA_OK; n++) {
            protea_image out = { 0 };
            protea_alloc_fail_after(n, 0);
            status = protea_image_decode(&out, file.at, file.left, "file", &limits);
            protea_alloc_fail_after(0, 0);
            assert_true(status == PROTEA_OK || status == PROTEA_ERR_MEMORY);
            protea_image_release(&out);
        }
        assert_int_equal(status, PROTEA_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resizing_is_pillows), cmocka_unit_test(a_square_of_the_size_is_copied),
        cmocka_unit_test(thin_pictures_survive), cmocka_unit_test(wrong_boxes_are_refused),
        cmocka_unit_test(colours_are_pillows), cmocka_unit_test(blur_is_pillows), cmocka_unit_test(blur_radii_are_golden),
        cmocka_unit_test(every_kind_decodes_to_pillows_pixels), cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(damaged_files_do_no_harm), cmocka_unit_test(what_is_no_picture_is_named),
        cmocka_unit_test(limits_hold), cmocka_unit_test(bytes_after_the_end_are_tolerated),
        cmocka_unit_test(written_pictures_read_back), cmocka_unit_test(short_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, load_reference, NULL);
}

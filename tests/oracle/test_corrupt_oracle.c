/* Proves: with the same random numbers, every corruption but frost gives what OpenCV, scikit-image, SciPy, Pillow and ImageMagick
 * give for its definition (tests/data/corrupt.ref, by tools/oracle/corrupt.py), at both scales and all severities: all sampled
 * values are equal, but for two in 1024 that may be off by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "image/corrupt.h"

static uint8_t reference[1 << 18];
static size_t reference_len;

static int load_reference(void **state)
{
    (void)state;
    FILE *f = fopen(TEST_DATA "/corrupt.ref", "rb");
    if (f == NULL)
        return -1;
    reference_len = fread(reference, 1, sizeof reference, f);
    fclose(f);
    return reference_len > 0 && reference_len < sizeof reference ? 0 : -1;
}

/* The oracle's picture: smooth, textured and flat patches. */
static protea_image picture(int side)
{
    protea_image image = { 0 };
    assert_int_equal(protea_image_reserve(&image, side, side), PROTEA_OK);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            for (int c = 0; c < 3; c++) {
                int kind = (x / 8 + y / 8) % 3;
                int smooth = x * 5 + y * 3 + c * 40, rough = x * x * 31 + y * y * 17 + c * 97 + x * y * 3;
                int flat = 60 + 70 * c + 9 * (x / 8 % 3);
                image.px[(y * side + x) * 3 + c] = (uint8_t)((kind == 0 ? smooth : kind == 1 ? rough : flat) % 256);
            }
    return image;
}

/* Of 1024 values of a record so many may be off by one: where a sum lies on a whole number before it is cut, the order of
 * OpenCV's additions (a Fourier transform) or the last bits of our f32 normal numbers decide. */
enum { MAY_DIFFER = 2 };

/* title: "NAME SEVERITY SIDE". */
static int compare(const char *title, const uint8_t *want, uint32_t n)
{
    char name[32];
    int severity, side, differing = 0, most = 0;
    assert_int_equal(sscanf(title, "%31s %d %d", name, &severity, &side), 3);
    int id = protea_corruption_find(name);
    protea_image image = picture(side);
    protea_rng rng = protea_rng_make(11, PROTEA_RNG_TEST, (uint32_t)(id * 8 + severity), 0, 0);
    assert_int_equal(protea_corrupt(&image, id, severity, &rng), PROTEA_OK);
    for (uint32_t k = 0; k < n; k++) {
        int off = abs(image.px[k * UINT64_C(2654435761) % ((uint64_t)side * (uint64_t)side * 3)] - want[k]);
        differing += off > 0;
        most = off > most ? off : most;
    }
    protea_image_release(&image);
    if (differing <= MAY_DIFFER && most <= 1)
        return 0;
    print_error("%s: %d of %u values differ, by at most %d\n", title, differing, n, most);
    return 1;
}

static void results_are_the_oracles(void **state)
{
    (void)state;
    protea_cursor all = { reference, reference_len };
    const uint8_t *title, *body;
    uint32_t len;
    int records = 0, wrong = 0;
    while (protea_bytes_take(&all, 32, &title) && protea_bytes_u32le(&all, &len) && protea_bytes_take(&all, len, &body)) {
        wrong += compare((const char *)title, body, len);
        records++;
    }
    assert_int_equal(records, (PROTEA_CORRUPTIONS - 1) * PROTEA_SEVERITIES * 2);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(results_are_the_oracles) };
    return cmocka_run_group_tests(tests, load_reference, NULL);
}

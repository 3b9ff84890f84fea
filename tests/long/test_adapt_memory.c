/* Proves: memory stays flat while a classifier adapts to a stream of a million images, with a support bank, an optimiser and a
 * guard at work, asked for predictions image by image. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <protea/adapt.h>

#include "support/test_context.h"
#include "support/temp_folder.h"
#include "support/tiny_classifier.h"

enum { SIDE = 8, CLASSES = 6, PORTION = 100, SETTLED = 20000, IMAGES = 1000000, SLACK_MIB = 4 };

static double resident_mib(void)
{
    long pages = 0, shared;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &shared, &pages), 2);
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static void memory_stays_flat(void **state)
{
    static uint8_t pixels[PORTION][SIDE * SIDE * 3];
    protea_frame frames[PORTION];
    protea_prediction p[PORTION];
    protea_adaptation_status s;
    protea_adaptation *a;
    double settled = 0;
    (void)state;
    tiny_classifier_write("model.safetensors", CLASSES, SIDE);
    assert_ok(protea_adaptation_new(&a, "tsd"));
    assert_ok(protea_options_set(protea_adaptation_options(a), "batch_size", "500", PROTEA_FROM_FLAG));
    assert_ok(protea_options_set(protea_adaptation_options(a), "guard", "true", PROTEA_FROM_FLAG));
    assert_ok(protea_adaptation_open(a, "model.safetensors", NULL));
    for (int64_t n = 0; n < IMAGES; n += PORTION) {
        protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, (uint64_t)n, 0);
        for (size_t i = 0; i < sizeof pixels; i++)
            pixels[i / sizeof pixels[0]][i % sizeof pixels[0]] = (uint8_t)protea_rng_u32(&rng);
        for (int i = 0; i < PORTION; i++)
            frames[i] = (protea_frame){ .rgb = pixels[i], .width = SIDE, .height = SIDE };
        assert_ok(protea_adaptation_adapt(a, frames, PORTION, n % (10 * PORTION) == 0 ? p : NULL));
        if (n == SETTLED)
            settled = resident_mib();
    }
    protea_adaptation_ask(a, &s);
    assert_int_equal(s.images, IMAGES);
    printf("%.1f MiB after %d images, %.1f MiB after %d; bank of %lld rows, %.2f MiB\n", settled, SETTLED, resident_mib(), IMAGES,
           (long long)s.bank_rows, (double)s.bank_bytes / 1048576);
    assert_true(resident_mib() < settled + SLACK_MIB);
    protea_adaptation_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(memory_stays_flat) };
    return cmocka_run_group_tests(tests, temp_folder_enter, temp_folder_leave);
}

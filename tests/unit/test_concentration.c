/* Concentration gives the published formula's numbers, and a number where a cluster gives it nothing to go by. */
#include "support/test_context.h"

#include "cluster/concentration.h"

/* Distances from their centroids of five clusters' rows; the golden numbers were computed in f64 from the formula. */
static void golden_numbers(void **state)
{
    (void)state;
    static const float root[11] = { .3f, .5f, .4f, .2f, .25f, .3f, .2f, .25f, .6f, .7f, .9f };
    static const int32_t assign[11] = { 0, 0, 0, 1, 1, 1, 1, 1, 2, 4, 4 };
    static const double wanted[5] = { .126036, .093390, .260191, .260191, .260191 };
    float distances[11];
    double phi[5];
    for (int i = 0; i < 11; i++)
        distances[i] = root[i] * root[i];
    assert_ok(protea_concentration(phi, assign, distances, 11, 5, 0.2));
    for (int j = 0; j < 5; j++)
        assert_float_equal(phi[j], wanted[j], 6e-7);

    /* With their own mean as the temperature: what is scaled, clipped to .115554 and .321944 (the second was .088625). */
    static const double clipped[5] = { .155948, .115554, .321944, .321944, .321944 };
    double mean = 0;
    for (int j = 0; j < 5; j++)
        mean += clipped[j] / 5;
    assert_ok(protea_concentration(phi, assign, distances, 11, 5, mean));
    for (int j = 0; j < 5; j++)
        assert_float_equal(phi[j], clipped[j], 2e-6); /* six decimals of each and of the mean */
}

static void nothing_to_go_by(void **state)
{
    (void)state;
    static const int32_t assign[4] = { 0, 1, 1, 2 };
    static const float distances[4] = { 0 };
    double phi[4];
    assert_ok(protea_concentration(phi, assign, distances, 4, 4, 0.1));
    for (int j = 0; j < 4; j++)
        assert_float_equal(phi[j], 0.1, 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(golden_numbers), cmocka_unit_test(nothing_to_go_by) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Proves: average precision by hand, by each of its three definitions; ties come in together; no order of equal scores matters. */
#include "support/test_context.h"

#include <math.h>

#include "eval/average_precision.h"

/* hits: '1' or '0' from the best score down; a '=' after one says that the next has the same score. */
static void check(const char *hits, double elevens, double area, double steps)
{
    enum { MOST = 64 };
    protea_ranked item[MOST];
    double ap[PROTEA_AP_KINDS];
    int64_t n = 0;
    double score = 100;
    for (; *hits != 0; hits++) {
        item[n++] = (protea_ranked){ score, *hits == '1' };
        if (hits[1] == '=')
            hits++;
        else
            score -= 1.5;
    }
    protea_average_precision(ap, item, n);
    assert_float_equal(ap[PROTEA_AP_ELEVEN], elevens, 1e-15);
    assert_float_equal(ap[PROTEA_AP_AREA], area, 1e-15);
    assert_float_equal(ap[PROTEA_AP_STEPS], steps, 1e-15);
}

static void by_hand(void **state)
{
    (void)state;
    check("1", 1, 1, 1);
    check("1100", 1, 1, 1);
    check("01", 1.0 / 2, 1.0 / 2, 1.0 / 2);
    /* recall 1/2 at precision 1, 1 at 2/3: six of the eleven recalls are up to 1/2 */
    check("1010", (6 + 5 * 2.0 / 3) / 11, (1 + 2.0 / 3) / 2, (1 + 2.0 / 3) / 2);
    /* precision rises from 1/2 to 2/3: made falling, it is 2/3 throughout */
    check("011", 2.0 / 3, 2.0 / 3, (1.0 / 2 + 2.0 / 3) / 2);
    /* ten of the class, so that each of the eleven recalls is reached exactly, and none may be missed by rounding; precisions
     * 1, 2/3, 3/4, 4/6, 5/8, 6/9, 7/10, 8/12, 9/14, 10/15, made falling 1, 3/4 twice, 7/10 four times, 2/3 three times */
    check("101101011101011", (1 + 1 + 2 * 0.75 + 4 * 0.7 + 3 * 2.0 / 3) / 11, (1 + 2 * 0.75 + 4 * 0.7 + 3 * 2.0 / 3) / 10,
          (1 + 3 * 2.0 / 3 + 0.75 + 5.0 / 8 + 0.7 + 2.0 / 3 + 9.0 / 14 + 2.0 / 3) / 10);
}

static void ties_come_in_together(void **state)
{
    (void)state;
    check("1=0=0=0", 1.0 / 4, 1.0 / 4, 1.0 / 4);
    check("0=0=0=1", 1.0 / 4, 1.0 / 4, 1.0 / 4);
    check("1" "1=0" "0", (6 + 5 * 2.0 / 3) / 11, (1 + 2.0 / 3) / 2, (1 + 2.0 / 3) / 2);
    check("1" "0=1" "0", (6 + 5 * 2.0 / 3) / 11, (1 + 2.0 / 3) / 2, (1 + 2.0 / 3) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand), cmocka_unit_test(ties_come_in_together) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

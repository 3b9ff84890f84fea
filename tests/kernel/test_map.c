/* On every instruction set, points of a map repel and attract each other as the reference says, at numbers of points around the
 * chunks of the sums; what stands for no point does nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "backend/cpu/cpu.h"
#include "kernel/per_isa.h"
#include "kernel/tensors.h"

enum { GROUP = PROTEA_MAP_GROUP };

static void near_to(double a, double b, double size)
{
    assert_true(fabs(a - b) <= 2e-6 * size);
}

static void check_repel(int64_t n, float spread)
{
    float *x = random_values(n + GROUP, 1, spread), *y = random_values(n + GROUP, 2, spread);
    float *mass = random_values(n + GROUP, 3, 1);
    protea_map_sums wanted = { 0 }, found = { 0 };
    double force = 0, q = 0;
    for (int64_t j = 0; j < n; j++)
        mass[j] = j % 5 == 0 ? 0 : fabsf(mass[j]) * 9;
    const protea_map_points from = { x, y, mass };
    reference->k.repel(reference, &wanted, x + n, y + n, &from, n);
    fast->k.repel(fast, &found, x + n, y + n, &from, n);
    for (int i = 0; i < GROUP; i++) {
        force = fmax(force, fmax(fabs(wanted.x[i]), fabs(wanted.y[i])));
        q = fmax(q, wanted.q[i]);
    }
    for (int i = 0; i < GROUP; i++) {
        near_to(found.x[i], wanted.x[i], force);
        near_to(found.y[i], wanted.y[i], force);
        near_to(found.q[i], wanted.q[i], q);
    }
    assert_true(n < 2 || q > 0);
    free(x);
    free(y);
    free(mass);
}

static void points_repel(void **state)
{
    (void)state;
    const int64_t sizes[] = { 0, 1, 2, 255, 256, 257, 1040 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_repel(sizes[i], 1e-3f);
        check_repel(sizes[i], 30);
    }
}

/* Sums go on from what they are. */
static void sums_go_on(void **state)
{
    (void)state;
    const float x[GROUP + 1] = { 0 }, y[GROUP + 1] = { 0 }, mass[1] = { 3 };
    const protea_map_points from = { x + GROUP, y + GROUP, mass };
    protea_map_sums sums = { .x = { 5 }, .q = { 7 } };
    fast->k.repel(fast, &sums, x, y, &from, 1);
    assert_true(sums.x[0] == 5 && sums.q[0] == 10 && sums.q[1] == 3);
}

static void points_attract(void **state)
{
    (void)state;
    enum { POINTS = 300 };
    for (int64_t n = 0; n <= 5 * GROUP; n += GROUP) {
        float *x = random_values(POINTS, 4, 5), *y = random_values(POINTS, 5, 5), *p = random_values(n + 1, 6, 1);
        int32_t *to = room((size_t)(n + 1) * sizeof *to);
        float wanted[2], found[2], at[2] = { 0.5f, -1 };
        for (int64_t j = 0; j < n; j++) {
            to[j] = (int32_t)((j * 71) % POINTS);
            p[j] = j % 7 == 0 ? 0 : fabsf(p[j]);
        }
        reference->k.attract(reference, wanted, at, to, p, n, x, y);
        fast->k.attract(fast, found, at, to, p, n, x, y);
        for (int axis = 0; axis < 2; axis++)
            near_to((double)found[axis], (double)wanted[axis], (double)n);
        assert_true((n == 0) == (wanted[0] == 0));
        free(x);
        free(y);
        free(p);
        free(to);
    }
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_repel), cmocka_unit_test(sums_go_on), cmocka_unit_test(points_attract),
    };
    return cmocka_run_group_tests(tests, open_backends, close_backends);
}

int main(void)
{
    return run_per_isa(group);
}

/* The learning rate of every step is the reference's table: golden values, both ends, the odd lengths. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "optim/optim.h"

/* Ten steps an epoch, five epochs, one of warm-up. */
static const protea_schedule SWAV = { .start = .3, .base = 4.8, .final = .0048, .warmup_steps = 10, .total_steps = 50 };

static void golden_table(void **state)
{
    (void)state;
    static const struct { int64_t step; double lr; } golden[] = {
        { 0, .3 }, { 1, .8 }, { 8, 4.3 }, { 9, 4.8 }, { 10, 4.8 }, { 11, 4.792609 }, { 29, 2.590514 }, { 30, 2.4024 },
        { 49, .012191 },
    };
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++)
        assert_float_equal(protea_schedule_lr(&SWAV, golden[i].step), golden[i].lr, 6e-7);
}

static void odd_lengths(void **state)
{
    (void)state;
    protea_schedule s = SWAV;
    s.warmup_steps = 0;
    assert_float_equal(protea_schedule_lr(&s, 0), 4.8, 1e-12);
    s.warmup_steps = 1;
    assert_float_equal(protea_schedule_lr(&s, 0), .3, 1e-12);
    assert_float_equal(protea_schedule_lr(&s, 1), 4.8, 1e-12);
    s.warmup_steps = s.total_steps = 10;
    assert_float_equal(protea_schedule_lr(&s, 9), 4.8, 1e-12);
    assert_float_equal(protea_schedule_lr(&s, 10), .0048, 1e-12); /* never past the end of the table */
    assert_float_equal(protea_schedule_lr(&s, 1000), .0048, 1e-12);
}

static void falls_after_warmup(void **state)
{
    (void)state;
    for (int64_t step = 11; step < 60; step++)
        assert_true(protea_schedule_lr(&SWAV, step) <= protea_schedule_lr(&SWAV, step - 1));
}

/* MoCo's and SimSiam's: lr (1 + cos(pi epoch / epochs)) / 2, one rate for an epoch. */
static void cosine_by_epochs(void **state)
{
    (void)state;
    protea_schedule s = { .base = .06, .total_steps = 40, .shape = PROTEA_LR_COSINE_EPOCH, .steps_per_epoch = 10 };
    const double wanted[] = { .06, .0512132, .03, .0087868 };
    for (int64_t step = 0; step < 40; step++)
        assert_float_equal(protea_schedule_lr(&s, step), wanted[step / 10], 1e-7);
    s.warmup_steps = 15; /* ends within an epoch */
    s.start = .01;
    assert_float_equal(protea_schedule_lr(&s, 14), .06, 1e-12);
    assert_float_equal(protea_schedule_lr(&s, 15), .06, 1e-12);
    assert_true(protea_schedule_lr(&s, 20) < .06);
}

static void lower_at_milestones(void **state)
{
    (void)state;
    protea_schedule s = { .base = .03, .total_steps = 400, .shape = PROTEA_LR_STEPS, .steps_per_epoch = 2,
                          .milestones = { 2, { 120, 160 } } };
    assert_float_equal(protea_schedule_lr(&s, 239), .03, 1e-12);
    assert_float_equal(protea_schedule_lr(&s, 240), .003, 1e-12);
    assert_float_equal(protea_schedule_lr(&s, 319), .003, 1e-12);
    assert_float_equal(protea_schedule_lr(&s, 320), .0003, 1e-12);
    s.gamma = .2; /* SwAV's fine-tuning */
    assert_float_equal(protea_schedule_lr(&s, 239), .03, 1e-12);
    assert_float_equal(protea_schedule_lr(&s, 240), .006, 1e-12);
    assert_float_equal(protea_schedule_lr(&s, 320), .0012, 1e-12);
    s.shape = PROTEA_LR_CONSTANT;
    assert_float_equal(protea_schedule_lr(&s, 399), .03, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(golden_table), cmocka_unit_test(odd_lengths),
                                        cmocka_unit_test(falls_after_warmup), cmocka_unit_test(cosine_by_epochs),
                                        cmocka_unit_test(lower_at_milestones) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Proves: tensors refuse shapes that cannot be; operations refuse shapes that do not fit, with both in the message; planning
 * touches nothing and counts exactly; the tape gives back what was pushed and refuses anything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "nn/module.h"
#include "support/engine.h"
#include "tensor/ops.h"

static void impossible_shapes_are_refused(void **state)
{
    (void)state;
    protea_tensor t;
    const int64_t huge[4] = { INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX };
    assert_int_equal(protea_tensor_new(&t, 4, huge, "a test"), PROTEA_ERR_MEMORY);
    assert_int_equal(protea_tensor_new(&t, 2, (const int64_t[]){ 3, 0 }, "a test"), PROTEA_ERR_INTERNAL);
    assert_int_equal(protea_tensor_new(&t, 2, (const int64_t[]){ -1, 4 }, "a test"), PROTEA_ERR_INTERNAL);
    assert_int_equal(protea_tensor_new(&t, 5, huge, "a test"), PROTEA_ERR_INTERNAL);
    protea_tensor_release(&t);
}

static void row_ranges_are_views(void **state)
{
    (void)state;
    protea_tensor t;
    must(protea_tensor_new(&t, 2, (const int64_t[]){ 5, 3 }, "a test"));
    for (int i = 0; i < 15; i++)
        protea_f32(&t)[i] = (float)i;
    protea_tensor rows = protea_row_range(&t, 2, 2);
    assert_true(rows.dim[0] == 2 && rows.dim[1] == 3 && protea_f32(&rows)[0] == 6 && protea_count(&rows) == 6);
    protea_tensor_release(&t);
}

/* ---- operations */

static protea_status mismatches(protea_ctx *cx, void *self)
{
    (void)self;
    protea_tensor a, b, c, x, y, w;
    must(protea_tensor_rows(cx, &a, PROTEA_KEPT, 4, 6));
    must(protea_tensor_rows(cx, &b, PROTEA_KEPT, 5, 7));
    must(protea_tensor_rows(cx, &c, PROTEA_KEPT, 4, 7));
    assert_int_equal(protea_gemm(cx, &c, &a, &b, false, false, 1, 0), PROTEA_ERR_INTERNAL);
    assert_non_null(strstr(protea_last_error(), "(5,7)"));
    assert_non_null(strstr(protea_last_error(), "(6,0)"));
    assert_int_equal(protea_add(cx, &a, &a, &c), PROTEA_ERR_INTERNAL);
    assert_int_equal(protea_l2norm(cx, &a, &b, &a), PROTEA_ERR_INTERNAL);
    must(protea_tensor_native(cx, &x, PROTEA_KEPT, PROTEA_F32, 2, 16, 8, 8));
    must(protea_tensor_native(cx, &y, PROTEA_KEPT, PROTEA_F32, 2, 16, 8, 8));
    must(protea_tensor_plain(cx, &w, PROTEA_KEPT, PROTEA_F32, 4, (const int64_t[]){ 16, 16, 3, 3 }));
    assert_int_equal(protea_conv(cx, &y, &x, &w, (protea_conv_geometry){ 3, 2, 1 }), PROTEA_ERR_INTERNAL);
    assert_non_null(strstr(protea_last_error(), "4x4 fits"));
    assert_int_equal(protea_conv(cx, &y, &x, &w, (protea_conv_geometry){ 5, 1, 2 }), PROTEA_ERR_INTERNAL);
    assert_int_equal(protea_conv(cx, &y, &a, &w, (protea_conv_geometry){ 3, 1, 1 }), PROTEA_ERR_INTERNAL);
    assert_int_equal(protea_mean_pool(cx, &a, &x), PROTEA_ERR_INTERNAL);
    must(protea_conv(cx, &y, &x, &w, (protea_conv_geometry){ 3, 1, 1 }));
    return PROTEA_OK;
}

static void operations_refuse_what_does_not_fit(void **state)
{
    (void)state;
    protea_ctx cx;
    engine_open(&cx, PROTEA_ISA_BEST, PROTEA_F32);
    must(protea_plan_arenas(&cx, mismatches, NULL, NULL, NULL)); /* on paper: nothing is touched */
    assert_false(cx.planning);
    engine_close(&cx);
}

/* ---- planning */

static protea_status fails_midway(protea_ctx *cx, void *self)
{
    protea_tensor t;
    assert_true(cx->planning);
    PROTEA_TRY(protea_tensor_rows(cx, &t, PROTEA_SCRATCH, 1000000000, 1000));
    return protea_fail(PROTEA_ERR_USAGE, "%s", (const char *)self);
}

static protea_status takes_rows(protea_ctx *cx, void *self)
{
    protea_tensor t;
    (void)self;
    for (int i = 1; i <= 3; i++) {
        size_t mark = protea_arena_mark(cx->scratch);
        PROTEA_TRY(protea_tensor_rows(cx, &t, PROTEA_KEPT, 16, 1));
        PROTEA_TRY(protea_tensor_rows(cx, &t, PROTEA_SCRATCH, 16, i));
        PROTEA_TRY(protea_fill(cx, &t, 1));
        protea_arena_release(cx->scratch, mark);
    }
    return PROTEA_OK;
}

static void planning_counts_and_leaves_no_trace(void **state)
{
    (void)state;
    char words[] = "not today";
    protea_ctx cx;
    size_t kept, scratch;
    engine_open(&cx, PROTEA_ISA_BEST, PROTEA_F32);
    must(protea_plan_arenas(&cx, takes_rows, NULL, &kept, &scratch));
    assert_int_equal(kept, 3 * 64);
    assert_int_equal(scratch, 3 * 64);
    protea_arena *before = cx.kept;
    assert_int_equal(protea_plan_arenas(&cx, fails_midway, words, NULL, NULL), PROTEA_ERR_USAGE);
    assert_string_equal(protea_last_error(), words);
    assert_ptr_equal(cx.kept, before);
    assert_false(cx.planning);
    must(takes_rows(&cx, NULL));
    engine_close(&cx);
}

/* ---- tape */

static void tape_is_a_stack(void **state)
{
    (void)state;
    protea_tape *tape;
    char text[6] = "hello", back[6];
    int number = 7;
    must(protea_tape_new(&tape));
    assert_int_equal(protea_tape_pop(tape, &number, sizeof number), PROTEA_ERR_INTERNAL);
    must(protea_tape_push(tape, text, sizeof text));
    must(protea_tape_push(tape, &number, sizeof number));
    number = 0;
    assert_int_equal(protea_tape_pop(tape, back, sizeof back), PROTEA_ERR_INTERNAL);
    must(protea_tape_pop(tape, &number, sizeof number));
    must(protea_tape_pop(tape, back, sizeof back));
    assert_int_equal(number, 7);
    assert_string_equal(back, "hello");
    assert_true(protea_tape_is_empty(tape));
    must(protea_tape_push(tape, text, sizeof text));
    protea_tape_clear(tape);
    assert_true(protea_tape_is_empty(tape));
    protea_tape_free(tape);
}

/* ---- names and logs */

static void long_names_are_refused(void **state)
{
    (void)state;
    char name[256], wide[300];
    memset(wide, 'x', sizeof wide);
    wide[299] = 0;
    must(protea_join_name(name, "", "weight"));
    assert_string_equal(name, "weight");
    must(protea_join_name(name, "layer1.0", "weight"));
    assert_string_equal(name, "layer1.0.weight");
    assert_int_equal(protea_join_name(name, wide, "weight"), PROTEA_ERR_INTERNAL);
}

static void keep_line(void *cookie, protea_log_level level, const char *line)
{
    (void)level;
    snprintf(cookie, 64, "%s", line);
}

static void logs_are_one_escaped_line(void **state)
{
    (void)state;
    char line[64] = "";
    protea_ctx cx = { .log = keep_line, .log_cookie = line }, silent = { 0 };
    protea_log(&cx, PROTEA_LOG_WARN, "%s at %d", "a\nb", 3);
    assert_string_equal(line, "a\\nb at 3");
    protea_log(&silent, PROTEA_LOG_INFO, "nobody listens");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(impossible_shapes_are_refused), cmocka_unit_test(row_ranges_are_views),
                                        cmocka_unit_test(operations_refuse_what_does_not_fit),
                                        cmocka_unit_test(planning_counts_and_leaves_no_trace), cmocka_unit_test(tape_is_a_stack),
                                        cmocka_unit_test(long_names_are_refused), cmocka_unit_test(logs_are_one_escaped_line) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

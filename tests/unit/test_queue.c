/* The queue is newest first, used only when full, rounded down to whole batches, and comes back from a checkpoint. */
#include "support/test_context.h"

#include <string.h>

#include "cluster/queue.h"

static void length_is_whole_batches(void **state)
{
    (void)state;
    assert_int_equal(protea_queue_rows(3840, 256, 1), 3840);
    assert_int_equal(protea_queue_rows(3840, 256, 4), 960);
    assert_int_equal(protea_queue_rows(1000, 256, 1), 768);
    assert_int_equal(protea_queue_rows(255, 256, 1), 0);
    assert_int_equal(protea_queue_rows(0, 256, 2), 0);
}

/* Rows of step t hold t + 1. */
static void push_step(protea_ctx *cx, protea_queue *queue, int64_t crop, float value)
{
    float rows[4] = { value, value, value, value };
    protea_tensor z = test_rows(rows, 2, 2);
    assert_ok(protea_queue_push(cx, queue, crop, &z));
}

static void newest_first_and_full(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 12);
    protea_queue queue = { 0 };
    assert_false(protea_queue_exists(&queue));
    assert_false(protea_queue_is_full(&cx, &queue, 0));
    assert_ok(protea_queue_new(&queue, 2, 6, 2));
    const int filling[] = { 0, 0, 0, 1, 1 };
    for (int t = 0; t < 5; t++) {
        assert_int_equal(protea_queue_is_full(&cx, &queue, 1), filling[t]);
        push_step(&cx, &queue, 1, (float)(t + 1));
        assert_false(protea_queue_is_full(&cx, &queue, 0)); /* crops are apart */
    }
    const float wanted[12] = { 5, 5, 5, 5, 4, 4, 4, 4, 3, 3, 3, 3 };
    protea_tensor rows = protea_queue_crop(&queue, 1);
    assert_memory_equal(rows.data, wanted, sizeof wanted);
    cx.planning = true; /* on paper it is full, and nothing is written */
    assert_true(protea_queue_is_full(&cx, &queue, 0));
    push_step(&cx, &queue, 1, 9);
    assert_memory_equal(rows.data, wanted, sizeof wanted);
    protea_queue_release(&queue);
    test_context_close(&cx);
}

static void zero_rows_count_as_rows(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 12);
    protea_queue queue = { 0 };
    assert_ok(protea_queue_new(&queue, 1, 4, 2));
    push_step(&cx, &queue, 0, 0);
    push_step(&cx, &queue, 0, 0);
    assert_true(protea_queue_is_full(&cx, &queue, 0));
    float many[10] = { 0 };
    protea_tensor too_many = test_rows(many, 5, 2);
    assert_int_equal(protea_queue_push(&cx, &queue, 0, &too_many), PROTEA_ERR_INTERNAL);
    protea_queue_release(&queue);
    test_context_close(&cx);
}

/* Copies what is visited out of one queue and into another. */
typedef struct saved { float data[32]; size_t at; bool loading; } saved;
static protea_status copy_buffer(void *self, const char *name, protea_tensor *t)
{
    saved *s = self;
    assert_non_null(strstr(name, "queue"));
    memcpy(s->loading ? t->data : &s->data[s->at], s->loading ? (void *)&s->data[s->at] : t->data, protea_bytes(t));
    s->at += (size_t)protea_count(t);
    return PROTEA_OK;
}

static void comes_back_from_a_checkpoint(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 12);
    protea_queue queue = { 0 }, other = { 0 };
    saved save = { .loading = false };
    protea_visitor visitor = { .buffer = copy_buffer, .self = &save };
    assert_ok(protea_queue_new(&queue, 2, 4, 2));
    assert_ok(protea_queue_new(&other, 2, 4, 2));
    push_step(&cx, &queue, 0, 1);
    push_step(&cx, &queue, 0, 2);
    push_step(&cx, &queue, 1, 3);
    assert_ok(protea_queue_visit(&queue, &visitor));
    save.loading = true;
    save.at = 0;
    assert_ok(protea_queue_visit(&other, &visitor));
    assert_true(protea_queue_is_full(&cx, &other, 0));
    assert_false(protea_queue_is_full(&cx, &other, 1));
    assert_memory_equal(other.rows.data, queue.rows.data, protea_bytes(&queue.rows));
    protea_queue_release(&queue);
    protea_queue_release(&other);
    test_context_close(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(length_is_whole_batches), cmocka_unit_test(newest_first_and_full),
                                        cmocka_unit_test(zero_rows_count_as_rows),
                                        cmocka_unit_test(comes_back_from_a_checkpoint) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The key encoder is a copy that moves by the momentum and keeps its own running statistics; its names, and what is refused.
 * The ring of keys: what it starts with, which rows are replaced, and lengths that cannot work. */
#include "support/test_context.h"

#include <math.h>
#include <stdlib.h>

#include "cluster/key_ring.h"
#include "method/momentum_encoder.h"
#include "nn/layers.h"
#include "support/formula.h"
#include "support/tiny_backbone.h"

static protea_status another_tiny(void *self, protea_module **out, protea_rng *rng)
{
    (void)self;
    return tiny_backbone_new(out, rng);
}

static const protea_progress PLAN = { .new_backbone = another_tiny };

typedef struct pair {
    protea_module *backbone, *head;
    protea_momentum_encoder key;
} pair;

static protea_status pair_open(pair *p, int64_t key_dim)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    protea_module *key_head;
    assert_ok(tiny_backbone_new(&p->backbone, &rng));
    assert_ok(protea_mlp_head_new(&p->head, TINY_FEATURES, 6, 4, &rng));
    assert_ok(protea_mlp_head_new(&key_head, TINY_FEATURES, 6, key_dim, &rng));
    return protea_momentum_encoder_init(&p->key, &PLAN, p->backbone, p->head, key_head, &rng);
}

static void pair_close(pair *p)
{
    protea_module_free(p->backbone);
    protea_module_free(p->head);
    protea_momentum_encoder_release(&p->key);
}

static void starts_equal_and_moves_by_the_momentum(void **state)
{
    (void)state;
    pair p;
    assert_ok(pair_open(&p, 4));
    assert_int_equal(p.key.n, 8); /* linear 2, head 2 + 2 + 2 */
    for (int64_t i = 0; i < p.key.n; i++)
        assert_memory_equal(p.key.from[i]->data, p.key.to[i]->data, protea_bytes(p.key.to[i]));
    float before = protea_f32(p.key.to[0])[3];
    protea_visitor formula = { .param = formula_visit };
    assert_ok(protea_visit(p.backbone, "", &formula));
    float query = protea_f32(p.key.from[0])[3];
    protea_momentum_encoder_update(&p.key, .75);
    assert_true(query != before);
    assert_true(fabs(protea_f32(p.key.to[0])[3] - (.75 * before + .25 * query)) < 1e-7);
    pair_close(&p);
}

static void different_shapes_are_refused(void **state)
{
    (void)state;
    pair p;
    assert_int_equal(pair_open(&p, 5), PROTEA_ERR_INTERNAL);
    pair_close(&p);
}

/* ---- names */

typedef struct names {
    int params, buffers, statistics;
} names;

static protea_status see_param(void *self, const char *name, protea_param *p)
{
    (void)name, (void)p;
    ((names *)self)->params++;
    return PROTEA_OK;
}

static protea_status see_buffer(void *self, const char *name, protea_tensor *t)
{
    names *n = self;
    (void)t;
    n->buffers++;
    n->statistics += strcmp(name, "encoder_k.fc.1.running_mean") == 0 || strcmp(name, "encoder_k.backbone.linear.weight") == 0;
    return PROTEA_OK;
}

static void is_saved_and_never_optimised(void **state)
{
    (void)state;
    pair p;
    names n = { 0 };
    protea_visitor both = { see_param, see_buffer, &n }, optimiser = { .param = see_param, .self = &n };
    assert_ok(pair_open(&p, 4));
    assert_ok(protea_momentum_encoder_visit(&p.key, &both));
    assert_ok(protea_momentum_encoder_visit(&p.key, &optimiser));
    assert_true(n.params == 0 && n.buffers == 8 + 3 && n.statistics == 2);
    pair_close(&p);
}

static protea_status find_running_mean(void *self, const char *name, protea_tensor *t)
{
    if (strcmp(name, "1.running_mean") == 0 || strcmp(name, "encoder_k.fc.1.running_mean") == 0)
        *(protea_tensor *)self = *t;
    return PROTEA_OK;
}

/* Running statistics move with the batches that an encoder sees, and by nothing else. */
static void statistics_are_its_own(void **state)
{
    (void)state;
    pair p;
    protea_ctx cx = test_context_open(1 << 16);
    static float images[4 * 3 * 4 * 4];
    protea_tensor x = { .data = images, .dtype = PROTEA_F32, .n_dims = 4, .dim = { 4, 3, 4, 4 } }, y;
    protea_pass pass = { .batch_stats = true, .update_stats = true };
    formula_fill(images, 4 * 3 * 4 * 4, "images", 0, 1);
    assert_ok(pair_open(&p, 4));
    protea_visitor formula = { .param = formula_visit };
    assert_ok(protea_visit(p.head, "", &formula));
    assert_ok(protea_forward(&cx, p.key.encoder, &pass, &x, &y));
    assert_int_equal(y.dim[1], 4);
    double square = 0;
    for (int j = 0; j < 4; j++)
        square += (double)protea_f32(&y)[j] * protea_f32(&y)[j];
    assert_true(fabs(square - 1) < 1e-6);
    protea_tensor of_query, of_key;
    assert_ok(protea_visit(p.head, "", &(protea_visitor){ .buffer = find_running_mean, .self = &of_query }));
    assert_ok(protea_momentum_encoder_visit(&p.key, &(protea_visitor){ .buffer = find_running_mean, .self = &of_key }));
    float seen = protea_f32(&of_key)[0];
    protea_momentum_encoder_update(&p.key, .5);
    assert_true(seen != 0 && protea_f32(&of_key)[0] == seen && protea_f32(&of_query)[0] == 0);
    pair_close(&p);
    test_context_close(&cx);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    long n = 1;
    for (; n < 200; n++) {
        protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
        pair p = { 0 };
        protea_module *key_head;
        assert_ok(tiny_backbone_new(&p.backbone, &rng));
        assert_ok(protea_mlp_head_new(&p.head, TINY_FEATURES, 0, 4, &rng));
        assert_ok(protea_mlp_head_new(&key_head, TINY_FEATURES, 0, 4, &rng));
        protea_alloc_fail_after(n, 0);
        protea_status status = protea_momentum_encoder_init(&p.key, &PLAN, p.backbone, p.head, key_head, &rng);
        protea_alloc_fail_after(0, 0);
        pair_close(&p);
        if (status == PROTEA_OK)
            break;
        assert_int_equal(status, PROTEA_ERR_MEMORY);
    }
    assert_true(n > 4 && n < 200);
}

/* ---- the ring */

static void ring_replaces_the_oldest(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 12);
    protea_key_ring ring = { 0 };
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    float rows[4];
    protea_tensor keys = test_rows(rows, 2, 2);
    assert_ok(protea_key_ring_new(&ring, "moco_k", 6, 2, 2, &rng));
    for (int64_t i = 0; i < 6; i++)
        assert_true(fabs(hypot(protea_f32(&ring.keys)[2 * i], protea_f32(&ring.keys)[2 * i + 1]) - 1) < 1e-6);
    for (int step = 0; step < 4; step++) {
        for (int i = 0; i < 4; i++)
            rows[i] = (float)(10 * step + i);
        assert_ok(protea_key_ring_push(&cx, &ring, &keys));
    }
    const float wanted[12] = { 30, 31, 32, 33, 10, 11, 12, 13, 20, 21, 22, 23 };
    assert_memory_equal(ring.keys.data, wanted, sizeof wanted);
    assert_true(protea_f32(&ring.next)[0] == 2);
    protea_tensor many = test_rows(rows, 4, 1), uneven = test_rows(rows, 4, 2);
    assert_int_equal(protea_key_ring_push(&cx, &ring, &many), PROTEA_ERR_INTERNAL);
    assert_int_equal(protea_key_ring_push(&cx, &ring, &uneven), PROTEA_ERR_INTERNAL);
    protea_key_ring_release(&ring);
    test_context_close(&cx);
}

static void ring_lengths_that_cannot_work_are_refused(void **state)
{
    (void)state;
    protea_key_ring ring = { 0 };
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    assert_int_equal(protea_key_ring_new(&ring, "moco_k", 65536, 2, 1000, &rng), PROTEA_ERR_USAGE);
    assert_non_null(strstr(protea_last_error(), "moco_k: 65536 found"));
    assert_non_null(strstr(protea_last_error(), "65000"));
    assert_int_equal(protea_key_ring_new(&ring, "moco_k", 3, 2, 8, &rng), PROTEA_ERR_USAGE);
    assert_non_null(strstr(protea_last_error(), "wanted: 8"));
    protea_key_ring_release(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_equal_and_moves_by_the_momentum), cmocka_unit_test(different_shapes_are_refused),
        cmocka_unit_test(is_saved_and_never_optimised), cmocka_unit_test(statistics_are_its_own),
        cmocka_unit_test(every_allocation_may_fail), cmocka_unit_test(ring_replaces_the_oldest),
        cmocka_unit_test(ring_lengths_that_cannot_work_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

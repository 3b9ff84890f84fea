/* What every adapter owes its caller: prediction changes nothing, reset gives the first bits back, save + load + continue is
 * continue, input that is not finite changes nothing, nor does a batch that nothing is learnt from, and any size works. */
#include "support/adapt_rig.h"

#include <math.h>

static const char *const NONE[] = { NULL };

/* ---- a saved state: every tensor by name */

typedef struct saved {
    float *data;
    size_t n;
    size_t next;
} saved;

static protea_status save_tensor(void *self, const char *name, protea_tensor *t)
{
    saved *s = self;
    (void)name;
    size_t n = (size_t)protea_count(t);
    s->data = realloc(s->data, (s->n + n) * sizeof *s->data);
    memcpy(s->data + s->n, t->data, n * sizeof *s->data);
    s->n += n;
    return PROTEA_OK;
}

static protea_status save_param(void *self, const char *name, protea_param *p)
{
    return save_tensor(self, name, &p->w);
}

static protea_status load_tensor(void *self, const char *name, protea_tensor *t)
{
    saved *s = self;
    (void)name;
    memcpy(t->data, s->data + s->next, protea_bytes(t));
    s->next += (size_t)protea_count(t);
    return PROTEA_OK;
}

static protea_status load_param(void *self, const char *name, protea_param *p)
{
    return load_tensor(self, name, &p->w);
}

static void source_batches(adapt_rig *r)
{
    for (int i = 0; i < 2; i++) {
        adapt_rig_images(r, 16, 100 + i);
        assert_ok(protea_adapter_source(r->adapter, &r->cx, &r->x));
    }
}

static void open_warm(adapt_rig *r, const protea_adapter_ops *ops)
{
    assert_ok(adapt_rig_open(r, ops->name, NONE));
    source_batches(r);
}

/* ---- one adapter at a time */

static void check_predict(const protea_adapter_ops *ops)
{
    adapt_rig r;
    float first[ADAPT_CLASSES];
    open_warm(&r, ops);
    adapt_rig_batch(&r, 16, 0);
    uint64_t before = adapt_rig_hash(&r);
    adapt_rig_images(&r, 8, 1);
    assert_ok(protea_adapter_predict(r.adapter, &r.cx, &r.x, &r.logits));
    memcpy(first, r.logits.data, sizeof first);
    if (adapt_rig_hash(&r) != before)
        fail_msg("%s: predict changed the state", ops->name);
    r.x.dim[0] = 1;
    assert_ok(protea_adapter_predict(r.adapter, &r.cx, &r.x, &r.logits));
    for (int c = 0; c < ADAPT_CLASSES && strcmp(ops->name, "bn-alpha") != 0; c++)
        if (!(fabsf(first[c] - protea_f32(&r.logits)[c]) < 2e-4f))
            fail_msg("%s: an image's prediction depends on its neighbours", ops->name);
    adapt_rig_close(&r);
}

static void check_reset(const protea_adapter_ops *ops)
{
    adapt_rig r;
    open_warm(&r, ops);
    uint64_t start = adapt_rig_hash(&r);
    for (int i = 0; i < 3; i++)
        adapt_rig_batch(&r, 16, i);
    uint64_t later = adapt_rig_hash(&r);
    assert_ok(protea_adapter_reset(r.adapter, &r.cx));
    if (adapt_rig_hash(&r) != start)
        fail_msg("%s: reset does not restore the start", ops->name);
    for (int i = 0; i < 3; i++)
        adapt_rig_batch(&r, 16, i);
    if (adapt_rig_hash(&r) != later)
        fail_msg("%s: after a reset the stream goes another way", ops->name);
    adapt_rig_close(&r);
}

static void check_continue(const protea_adapter_ops *ops)
{
    adapt_rig r, other;
    saved s = { 0 };
    open_warm(&r, ops);
    adapt_rig_batch(&r, 16, 0);
    adapt_rig_batch(&r, 16, 1);
    assert_ok(protea_adapter_visit(r.adapter, &(protea_visitor){ save_param, save_tensor, &s }));
    assert_ok(adapt_rig_open(&other, ops->name, NONE));
    assert_ok(protea_adapter_visit(other.adapter, &(protea_visitor){ load_param, load_tensor, &s }));
    assert_int_equal(s.next, s.n);
    assert_ok(protea_adapter_loaded(other.adapter));
    for (int i = 2; i < 5; i++) {
        adapt_rig_batch(&r, 12, i);
        adapt_rig_batch(&other, 12, i);
        if (memcmp(r.logits.data, other.logits.data, protea_bytes(&r.logits)) != 0)
            fail_msg("%s: batch %d after loading differs", ops->name, i);
    }
    if (adapt_rig_hash(&r) != adapt_rig_hash(&other))
        fail_msg("%s: save, load and continue is not continue", ops->name);
    free(s.data);
    adapt_rig_close(&r);
    adapt_rig_close(&other);
}

static void check_not_finite(const protea_adapter_ops *ops)
{
    static const float BAD[] = { NAN, INFINITY };
    adapt_rig r;
    open_warm(&r, ops);
    adapt_rig_batch(&r, 16, 0);
    uint64_t before = adapt_rig_hash(&r);
    for (int i = 0; i < 2; i++) {
        adapt_rig_images(&r, 16, 1);
        protea_f32(&r.x)[5 * 3 * ADAPT_SIDE * ADAPT_SIDE + 7] = BAD[i];
        assert_int_equal(protea_adapter_adapt(r.adapter, &r.cx, &r.x, &r.logits, &r.out), PROTEA_ERR_INPUT);
        assert_non_null(strstr(protea_last_error(), "image 5"));
        assert_int_equal(protea_adapter_predict(r.adapter, &r.cx, &r.x, &r.logits), PROTEA_ERR_INPUT);
    }
    adapt_rig_images(&r, 16, 1);
    for (int i = 0; i < 3 * ADAPT_SIDE * ADAPT_SIDE; i++)
        protea_f32(&r.x)[i] = 3e38f; /* finite, but no network can take it */
    assert_ok(protea_adapter_adapt(r.adapter, &r.cx, &r.x, &r.logits, &r.out));
    assert_false(r.out.updated);
    if (adapt_rig_hash(&r) != before)
        fail_msg("%s: a batch that is not finite changed the state", ops->name);
    adapt_rig_close(&r);
}

static void check_sizes(const protea_adapter_ops *ops)
{
    static const int64_t SIZES[] = { 1, 3, 16, 2 };
    adapt_rig r;
    open_warm(&r, ops);
    for (int i = 0; i < 4; i++) {
        adapt_rig_batch(&r, SIZES[i], i);
        assert_int_equal(r.logits.dim[0], SIZES[i]);
        assert_int_equal(r.logits.dim[1], ADAPT_CLASSES);
        for (int64_t j = 0; j < protea_count(&r.logits); j++)
            assert_true(isfinite(protea_f32(&r.logits)[j]));
        assert_true(r.out.entropy >= 0 && r.out.entropy <= log(ADAPT_CLASSES) + 1e-6);
    }
    adapt_rig_close(&r);
}

static protea_status scale_head(void *self, const char *name, protea_param *p)
{
    for (int64_t i = 0; i < protea_count(&p->w) && strncmp(name, "fc.", 3) == 0; i++)
        protea_f32(&p->w)[i] *= *(const float *)self;
    return PROTEA_OK;
}

/* The last layer times factor, then a batch; returns whether a weight moved. */
static bool batch_moves(adapt_rig *r, float factor, int batch)
{
    uint64_t before = 0, after = 0;
    assert_ok(protea_adapter_visit_model(r->adapter, &(protea_visitor){ .param = scale_head, .self = &factor }));
    assert_ok(protea_adapter_visit_model(r->adapter, &(protea_visitor){ .param = adapt_rig_hash_param, .self = &before }));
    adapt_rig_batch(r, 12, batch);
    assert_ok(protea_adapter_visit_model(r->adapter, &(protea_visitor){ .param = adapt_rig_hash_param, .self = &after }));
    return before != after;
}

/* Where nothing is learnt from a batch, no weight moves, whatever momentum has gathered: a last layer of zeros is sure of
 * nothing. */
static void check_empty(const char *adapter, const char *const *settings)
{
    adapt_rig r;
    assert_ok(adapt_rig_open(&r, adapter, settings));
    if (!batch_moves(&r, 1, 0) || !r.out.updated || r.out.kept == 0)
        fail_msg("%s: nothing is learnt from a batch of sure predictions", adapter);
    if (batch_moves(&r, 0, 1) || r.out.updated || r.out.kept != 0)
        fail_msg("%s: %d rows kept of a batch that nothing is sure in, and the weights moved", adapter, (int)r.out.kept);
    adapt_rig_close(&r);
}

static void empty_masks_move_nothing(void **state)
{
    (void)state;
    check_empty("pl", (const char *[]){ "beta", "0.5", NULL });
    check_empty("plc", (const char *[]){ "beta", "0.5", NULL });
    check_empty("eata", (const char *[]){ "e_margin", "0.9", NULL });
    check_empty("sar", (const char *[]){ "margin", "0.9", "reset_constant", "0", NULL });
}

/* With reset_every 2 the third batch finds the classifier as it came; with episodic every batch does. */
static void resets_when_told(void **state)
{
    static const char *const EVERY[] = { "reset_every", "2", NULL }, *const EPISODIC[] = { "episodic", "true", NULL };
    adapt_rig r;
    float first[ADAPT_CLASSES * 16];
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_ok(adapt_rig_open(&r, "tent", i == 0 ? EVERY : EPISODIC));
        adapt_rig_batch(&r, 16, 0);
        memcpy(first, r.logits.data, sizeof first);
        assert_true(r.out.was_reset == (i == 1));
        adapt_rig_batch(&r, 16, 1);
        adapt_rig_batch(&r, 16, 0);
        assert_true(r.out.was_reset);
        assert_memory_equal(first, r.logits.data, sizeof first);
        adapt_rig_close(&r);
    }
}

static void each(void (*check)(const protea_adapter_ops *ops))
{
    for (const protea_adapter_ops *const *ops = protea_adapters(); *ops != NULL; ops++)
        check(*ops);
}

static void predict_changes_nothing(void **state)
{
    (void)state;
    each(check_predict);
}

static void reset_restores_bits(void **state)
{
    (void)state;
    each(check_reset);
}

static void save_load_continue(void **state)
{
    (void)state;
    each(check_continue);
}

static void what_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    each(check_not_finite);
}

static void any_batch_size(void **state)
{
    (void)state;
    each(check_sizes);
}

static void a_wrong_name_is_told_the_nearest(void **state)
{
    const protea_adapter_ops *ops;
    (void)state;
    assert_int_equal(protea_adapter_find(&ops, "sourc"), PROTEA_ERR_USAGE);
    assert_non_null(strstr(protea_last_error(), "source"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predict_changes_nothing), cmocka_unit_test(reset_restores_bits),
        cmocka_unit_test(save_load_continue), cmocka_unit_test(what_is_not_finite_changes_nothing),
        cmocka_unit_test(any_batch_size), cmocka_unit_test(empty_masks_move_nothing),
        cmocka_unit_test(resets_when_told), cmocka_unit_test(a_wrong_name_is_told_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

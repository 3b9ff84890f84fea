/* Proves: residual blocks differentiate rightly, by finite differences (whole networks: tests/oracle/test_resnet.c); a pass
 * without a tape gives the same features and keeps nothing else, one with a tape keeps of activations only what convolutions gave,
 * and all others are worked out again to the bit; bf16 follows f32; sizes, names and refusals are as documented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "isa.h"
#include "nn/residual_block.h"
#include "nn/resnet_arch.h"
#include "support/gradcheck.h"

static protea_rng rng(void)
{
    return protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
}

/* ---- a block as a module */

typedef struct block_module {
    protea_module module;
    protea_block block;
} block_module;

typedef struct output {
    protea_tensor y;
    protea_redo redo;
} output;

static protea_status block_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x,
                                   protea_tensor *y)
{
    protea_block *b = &((block_module *)m)->block;
    protea_redo redo = protea_redo_kept(x);
    PROTEA_TRY(protea_block_shape(cx, b, y, x));
    PROTEA_TRY(protea_tensor_like(cx, y, PROTEA_KEPT, y));
    PROTEA_TRY(protea_block_forward(cx, b, pass, y, x, &redo));
    return pass->tape ? protea_tape_push(pass->tape, &(output){ *y, redo }, sizeof(output)) : PROTEA_OK;
}

/* What was worked out again is what forward gave; then the latter is as if it had not been kept. */
static protea_status check_again(protea_ctx *cx, const output *o, protea_tensor *again, void *memory)
{
    PROTEA_TRY(protea_redo_run(cx, &o->redo, again, memory));
    if (cx->planning)
        return PROTEA_OK;
    assert_ptr_not_equal(again->data, o->y.data);
    assert_memory_equal(again->data, o->y.data, protea_bytes(again));
    memset(o->y.data, 0xff, protea_bytes(&o->y));
    return PROTEA_OK;
}

static protea_status block_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy, protea_tensor *dx)
{
    protea_block *b = &((block_module *)m)->block;
    protea_block_descent at = { .dy = *dy };
    size_t most = 16 * protea_bytes(dy); /* strides here are at most 2 and channels at most quartered */
    void *memory;
    output o;
    PROTEA_TRY(protea_tape_pop(tape, &o, sizeof o));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &memory, most));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &at.room[0], most));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &at.room[1], most));
    PROTEA_TRY(check_again(cx, &o, &at.y, at.room[0]));
    PROTEA_TRY(protea_block_backward(cx, b, tape, &at, memory));
    *dx = at.dy;
    return PROTEA_OK;
}

static protea_status block_visit(protea_module *m, const char *prefix, const protea_visitor *v)
{
    return protea_block_visit(&((block_module *)m)->block, prefix, v);
}

static void block_free(protea_module *m)
{
    protea_block_release(&((block_module *)m)->block);
    protea_free(m);
}

static const protea_module_ops block_ops = { "block", block_forward, block_backward, block_visit, block_free };

static void check_block(const char *name, bool bottleneck, int64_t in, int64_t planes, int64_t stride, protea_pass pass)
{
    protea_rng r = rng();
    block_module *m;
    must(protea_new(&m, 1, sizeof *m, "a test"));
    m->module.ops = &block_ops;
    must(protea_block_init(&m->block, bottleneck, in, planes, stride, &r));
    m->module.out_dim = m->block.out;
    gradcheck g = { .name = name, .module = &m->module, .dim = { 4, in, 7, 7 }, .native = true, .pass = pass };
    gradcheck_run(g, PROTEA_ISA_REF);
    gradcheck_run(g, test_isa());
    protea_module_free(g.module);
}

static void blocks(void **state)
{
    (void)state;
    const protea_pass batch = { .batch_stats = true }, running = { 0 };
    check_block("basic", false, 16, 16, 1, batch);
    check_block("basic, stride 2", false, 16, 32, 2, batch);
    check_block("basic, running statistics", false, 16, 16, 1, running);
    check_block("basic, groups", false, 16, 16, 1, (protea_pass){ .batch_stats = true, .bn_groups = 2 });
    check_block("bottleneck", true, 64, 16, 1, batch);
    check_block("bottleneck, wider", true, 16, 16, 1, batch);
    check_block("bottleneck, stride 2", true, 32, 16, 2, batch);
}

/* ---- whole networks */

static protea_module *network(const char *name, bool small_stem)
{
    protea_rng r = rng();
    protea_module *net;
    protea_resnet_opts opts = { .small_stem = small_stem };
    snprintf(opts.arch, sizeof opts.arch, "%s", name);
    must(protea_resnet_new(&net, &opts, &r));
    return net;
}

/* ---- with and without a tape; bf16 */

typedef struct both {
    protea_module *net;
    protea_tape *tape;
    int64_t size;
    float with[4 * 128], without[4 * 128];
    size_t kept_with, kept_without;
} both;

static protea_status forward_twice(protea_ctx *cx, void *self)
{
    both *b = self;
    protea_tensor images, y;
    protea_pass pass = { .batch_stats = true };
    PROTEA_TRY(protea_tensor_plain(cx, &images, PROTEA_KEPT, PROTEA_F32, 4, (const int64_t[]){ 4, 3, b->size, b->size }));
    if (!cx->planning)
        formula_fill(protea_f32(&images), protea_count(&images), "images", 0, 1);
    size_t before = protea_arena_mark(cx->kept);
    PROTEA_TRY(protea_forward(cx, b->net, &pass, &images, &y));
    b->kept_without = protea_arena_mark(cx->kept) - before;
    if (!cx->planning)
        memcpy(b->without, y.data, sizeof b->without);
    pass.tape = b->tape;
    before = protea_arena_mark(cx->kept);
    PROTEA_TRY(protea_forward(cx, b->net, &pass, &images, &y));
    b->kept_with = protea_arena_mark(cx->kept) - before;
    if (!cx->planning)
        memcpy(b->with, y.data, sizeof b->with);
    protea_tape_clear(b->tape);
    return PROTEA_OK;
}

static both run_both(protea_dtype compute, bool small_stem, int64_t size)
{
    protea_ctx cx;
    both b = { .net = network("resnet18-w16", small_stem), .size = size };
    engine_open(&cx, test_isa(), compute);
    must(protea_tape_new(&b.tape));
    must(protea_visit(b.net, "", &(protea_visitor){ .param = formula_visit }));
    engine_run(&cx, forward_twice, &b);
    protea_tape_free(b.tape);
    protea_module_free(b.net);
    engine_close(&cx);
    return b;
}

static void no_tape_keeps_only_features(void **state)
{
    (void)state;
    for (int small_stem = 0; small_stem < 2; small_stem++) {
        both b = run_both(PROTEA_F32, small_stem, small_stem ? 16 : 40);
        assert_memory_equal(b.with, b.without, sizeof b.with);
        assert_int_equal(b.kept_without, sizeof b.without);
    }
}

/* 4 images of 16 pixels through 16 to 128 channels: the images, the outputs of stem, 4, 5, 5 and 5 convolutions, four numbers for
 * each of their channels, the features. */
static void a_tape_keeps_convolutions(void **state)
{
    (void)state;
    both b = run_both(PROTEA_F32, true, 16);
    size_t images = 3 * 256, outputs = (1 + 4) * 16 * 256 + 5 * (32 * 64 + 64 * 16 + 128 * 4);
    size_t channels = (1 + 4) * 16 + 5 * (32 + 64 + 128);
    assert_int_equal(b.kept_with, (4 * (images + outputs) + 4 * channels) * sizeof(float) + sizeof b.with);
}

static void bf16_follows_f32(void **state)
{
    (void)state;
    if (!test_has_bf16())
        skip();
    both exact = run_both(PROTEA_F32, true, 16), rounded = run_both(PROTEA_BF16, true, 16);
    double square = 0, error = 0;
    for (int i = 0; i < 4 * 128; i++) {
        square += exact.with[i] * exact.with[i];
        error += (exact.with[i] - rounded.with[i]) * (exact.with[i] - rounded.with[i]);
    }
    assert_true(error <= 0.03 * 0.03 * square); /* 8 bits of mantissa over 20 layers */
    assert_true(error > 0);
    assert_memory_equal(rounded.with, rounded.without, sizeof rounded.with);
}

/* ---- sizes and names */

static void check_count(const char *name, bool small_stem, int64_t want, int64_t want_dim)
{
    protea_module *net;
    protea_resnet_opts opts = { .small_stem = small_stem };
    int64_t count;
    snprintf(opts.arch, sizeof opts.arch, "%s", name);
    must(protea_resnet_new(&net, &opts, NULL)); /* its weights are not drawn, nor its memory touched */
    must(protea_param_count(net, &count));
    assert_int_equal(count, want);
    assert_int_equal(net->out_dim, want_dim);
    protea_module_free(net);
}

/* Parameter counts of torchvision's networks, without fc; of the others by the formula that gives those. */
static void parameter_counts(void **state)
{
    (void)state;
    check_count("resnet18", false, 11176512, 512);
    check_count("resnet18", true, 11168832, 512);
    check_count("resnet34", false, 21284672, 512);
    check_count("resnet34", true, 21276992, 512);
    check_count("resnet50", false, 23508032, 2048);
    check_count("resnet50", true, 23500352, 2048);
    check_count("resnet101", false, 42500160, 2048);
    check_count("resnet50w2", false, 93907072, 4096);
    check_count("resnet18-w16", true, 700176, 128);
    check_count("resnet18-w32", true, 2795040, 256);
}

/* The two that are too large to be made here: ResNet-50 four and five times as wide. */
static void widest_archs(void **state)
{
    (void)state;
    const protea_resnet_arch *plain, *wide;
    must(protea_resnet_find(&plain, "resnet50"));
    for (int times = 4; times <= 5; times++) {
        must(protea_resnet_find(&wide, times == 4 ? "resnet50w4" : "resnet50w5"));
        assert_int_equal(wide->width, times * plain->width);
        assert_int_equal(wide->bottleneck, plain->bottleneck);
        assert_memory_equal(wide->blocks, plain->blocks, sizeof wide->blocks);
    }
}

typedef struct names {
    int n_params, n_buffers;
    bool first, deep, down, buffer;
} names;

static protea_status note_param(void *self, const char *name, protea_param *p)
{
    names *n = self;
    assert_int_equal(p->no_decay, p->w.n_dims == 1);
    n->n_params++;
    n->first |= strcmp(name, "backbone.conv1.weight") == 0;
    n->deep |= strcmp(name, "backbone.layer4.1.bn2.bias") == 0;
    n->down |= strcmp(name, "backbone.layer2.0.downsample.0.weight") == 0;
    return PROTEA_OK;
}

static protea_status note_buffer(void *self, const char *name, protea_tensor *t)
{
    (void)t;
    names *n = self;
    n->n_buffers++;
    n->buffer |= strcmp(name, "backbone.layer3.0.downsample.1.num_batches_tracked") == 0;
    return PROTEA_OK;
}

static void torchvision_names(void **state)
{
    (void)state;
    names n = { 0 };
    protea_module *net = network("resnet18-w16", true);
    must(protea_visit(net, "backbone", &(protea_visitor){ note_param, note_buffer, &n }));
    assert_int_equal(n.n_params, 60);
    assert_int_equal(n.n_buffers, 60);
    assert_true(n.first && n.deep && n.down && n.buffer);
    protea_module_free(net);
}

static void unknown_arch_is_refused(void **state)
{
    (void)state;
    protea_rng r = rng();
    protea_module *net = (protea_module *)&r;
    assert_int_equal(protea_resnet_new(&net, &(protea_resnet_opts){ .arch = "resnet81" }, &r), PROTEA_ERR_USAGE);
    assert_null(net);
    assert_non_null(strstr(protea_last_error(), "resnet18"));
}

/* Every allocation of construction fails once: an error, and (under a sanitizer) no leak. */
static void construction_survives_short_memory(void **state)
{
    (void)state;
    protea_status status = PROTEA_ERR_MEMORY;
    long nth = 1;
    for (; status != PROTEA_OK; nth += 7) {
        protea_rng r = rng();
        protea_module *net;
        protea_alloc_fail_after(nth, 1);
        status = protea_resnet_new(&net, &(protea_resnet_opts){ .arch = "resnet18-w16" }, &r);
        protea_alloc_fail_after(0, 0);
        assert_true(status == PROTEA_OK || (status == PROTEA_ERR_MEMORY && net == NULL));
        protea_module_free(net);
    }
    assert_true(nth > 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks), cmocka_unit_test(no_tape_keeps_only_features), cmocka_unit_test(a_tape_keeps_convolutions),
        cmocka_unit_test(bf16_follows_f32), cmocka_unit_test(parameter_counts), cmocka_unit_test(widest_archs),
        cmocka_unit_test(torchvision_names), cmocka_unit_test(unknown_arch_is_refused),
        cmocka_unit_test(construction_survives_short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

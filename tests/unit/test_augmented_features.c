/* Proves: features of plain single views are the plain features, to the bit; those of crops differ from them, from epoch to epoch
 * and from seed to seed, and are the same again for the same; small squares are magnified then; a bad image gives zeros. */
#include "support/test_context.h"

#include "eval/features.h"
#include "nn/layers.h"
#include "support/small_sets.h"

enum { N = 20, DIM = 128, SIDE = 16 };

typedef struct rig {
    protea_ctx cx;
    protea_model model;
    protea_source *set;
} rig;

static rig open_rig(const char *spec)
{
    const protea_resnet_opts resnet = { .arch = "resnet18-w16", .small_stem = true };
    rig r = { .cx = test_context_open(64), .set = open_set(spec),
              .model = { .small_stem = true, .image_size = SIDE, .mean = { .5f, .5f, .5f }, .std = { .25f, .25f, .25f } } };
    protea_rng rng = protea_rng_make(7, PROTEA_RNG_INIT, 0, 0, 0);
    assert_ok(protea_resnet_new(&r.model.backbone, &resnet, &rng));
    r.model.dim = r.model.backbone->out_dim;
    assert_int_equal(r.model.dim, DIM);
    assert_true(protea_source_count(r.set) <= N);
    return r;
}

static void close_rig(rig *r)
{
    protea_module_free(r->model.backbone);
    protea_source_close(r->set);
    test_context_close(&r->cx);
}

static void plain(rig *r, float *z)
{
    assert_ok(protea_model_features(&r->cx, &r->model, PROTEA_BACKBONE_FEATURES, r->set, z, NULL, NULL));
}

static void augmented(rig *r, protea_single_view view, int64_t epoch, float *z)
{
    const protea_augment_opts augment = protea_augment_single(view, SIDE);
    assert_ok(protea_model_augmented_features(&r->cx, &r->model, PROTEA_BACKBONE_FEATURES, r->set, &augment, epoch, z, NULL, NULL));
}

static int rows_that_differ(const float *a, const float *b)
{
    int n = 0;
    for (int i = 0; i < N; i++)
        n += memcmp(a + i * DIM, b + i * DIM, DIM * sizeof *a) != 0;
    return n;
}

static void plain_single_views(void **state)
{
    (void)state;
    static float a[N * DIM], b[N * DIM];
    rig r = open_rig("synth:shapes,n=20,size=24");
    plain(&r, a);
    augmented(&r, PROTEA_VIEW_PLAIN, 3, b);
    assert_memory_equal(a, b, sizeof a);
    close_rig(&r);
}

static void crops_are_fresh(void **state)
{
    (void)state;
    static float a[N * DIM], first[N * DIM], again[N * DIM], next[N * DIM], other[N * DIM];
    rig r = open_rig("synth:shapes,n=20,size=24");
    plain(&r, a);
    augmented(&r, PROTEA_VIEW_CROP, 0, first);
    augmented(&r, PROTEA_VIEW_CROP, 0, again);
    augmented(&r, PROTEA_VIEW_CROP, 1, next);
    r.cx.seed++;
    augmented(&r, PROTEA_VIEW_CROP, 0, other);
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(rows_that_differ(first, a), N);
    assert_int_equal(rows_that_differ(first, next), N);
    assert_int_equal(rows_that_differ(first, other), N);
    close_rig(&r);
}

/* Views are the model's image size wide, which a square of 8 pixels is magnified to; the plain pass takes it as it is. */
static void small_squares_and_bad_images(void **state)
{
    (void)state;
    static float a[N * DIM], b[N * DIM];
    const float zeros[DIM] = { 0 };
    write_png("set/a/0.png", 1);
    write_png("set/b/0.png", 2);
    write_file("set/b/1.png", "x", 1);
    rig r = open_rig("set");
    augmented(&r, PROTEA_VIEW_SHIFT, 0, b);
    assert_memory_equal(b + 2 * DIM, zeros, sizeof zeros);
    assert_memory_not_equal(b, zeros, sizeof zeros);
    assert_true(protea_source_is_bad(r.set, 2));
    close_rig(&r);
    r = open_rig("synth:shapes,n=20,size=8");
    plain(&r, a);
    augmented(&r, PROTEA_VIEW_PLAIN, 0, b);
    assert_int_equal(rows_that_differ(a, b), N);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(plain_single_views), cmocka_unit_test(crops_are_fresh),
                                        cmocka_unit_test(small_squares_and_bad_images) };
    return cmocka_run_group_tests(tests, temp_folder_enter, temp_folder_leave);
}

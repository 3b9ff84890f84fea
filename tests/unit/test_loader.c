/* Proves: batches are the same bytes for 0, 1 and 4 workers and after any start; an epoch is a permutation without its tail;
 * ranks share an epoch; bad images are replaced by the next good one, counted, and too many of them stop the run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/alloc.h"
#include "data/loader.h"

static const protea_augment_opts augment = {
    .size_crops = { 3, { 16, 8, 8 } }, .nmb_crops = { 3, { 2, 2, 1 } }, .min_scale_crops = { 3, { .3, .05, .3 } },
    .max_scale_crops = { 3, { 1, .3, .9 } }, .min_ratio = 0.75, .max_ratio = 4.0 / 3, .flip_p = 0.5, .jitter_p = 0.8,
    .brightness = 0.8, .contrast = 0.8, .saturation = 0.8, .hue = 0.2, .gray_p = 0.2, .blur_p = 0.5, .blur_min = 0.1, .blur_max = 2,
};

static protea_loader_opts options(int64_t batch, int workers)
{
    return (protea_loader_opts){ .batch_size = batch, .workers = workers, .seed = 7, .std = { 1, 1, 1 }, .max_bad = -1,
                                 .n_ranks = 1 };
}

static protea_source *open_set(const char *spec)
{
    protea_source_opts opts = protea_source_opts_default();
    protea_source *s;
    if (protea_source_open(&s, spec, &opts) != PROTEA_OK)
        fail_msg("%s", protea_last_error());
    return s;
}

static protea_loader *open_loader(protea_source *s, const protea_loader_opts *opts)
{
    protea_loader *l;
    if (protea_loader_new(&l, s, &augment, opts) != PROTEA_OK)
        fail_msg("%s", protea_last_error());
    return l;
}

static const protea_batch *next(protea_loader *l)
{
    const protea_batch *b;
    if (protea_loader_next(l, &b) != PROTEA_OK)
        fail_msg("%s", protea_last_error());
    return b;
}

static uint64_t hash_batch(const protea_batch *b)
{
    uint64_t h = XXH64(b->index, (size_t)b->n_images * sizeof *b->index, 0);
    h = XXH64(b->label, (size_t)b->n_images * sizeof *b->label, h);
    for (int g = 0; g < b->n_groups; g++) {
        const protea_tensor *x = &b->group[g].x;
        h = XXH64(x->data, (size_t)(x->dim[0] * x->dim[1] * x->dim[2] * x->dim[3]) * sizeof(float), h);
    }
    return h;
}

/* Hashes of steps first.. of an epoch; returns how many. */
static int run_epoch(protea_loader *l, int64_t epoch, int64_t first, uint64_t *hash)
{
    int n = 0;
    assert_int_equal(protea_loader_start(l, epoch, first), PROTEA_OK);
    for (const protea_batch *b = next(l); b != NULL; b = next(l))
        hash[n++] = hash_batch(b);
    return n;
}

static void workers_do_not_matter(void **state)
{
    (void)state;
    const int workers[] = { 0, 1, 4 };
    uint64_t want[2][16], got[16];
    for (int k = 0; k < 3; k++) {
        protea_source *s = open_set("synth:shapes,n=150");
        protea_loader_opts opts = options(16, workers[k]);
        protea_loader *l = open_loader(s, &opts);
        assert_int_equal(protea_loader_steps(l), 9);
        for (int epoch = 0; epoch < 2; epoch++) {
            assert_int_equal(run_epoch(l, epoch, 0, k == 0 ? want[epoch] : got), 9);
            if (k > 0)
                assert_memory_equal(got, want[epoch], 9 * sizeof *got);
        }
        assert_int_equal(run_epoch(l, 0, 4, got), 5); /* resumed in the middle of an earlier epoch */
        assert_memory_equal(got, want[0] + 4, 5 * sizeof *got);
        assert_int_equal(protea_loader_start(l, 1, 0), PROTEA_OK); /* left in the middle */
        assert_true(hash_batch(next(l)) == want[1][0]);
        assert_int_equal(run_epoch(l, 0, 8, got), 1);
        assert_true(got[0] == want[0][8]);
        assert_int_equal(run_epoch(l, 0, 9, got), 0);
        protea_loader_free(l);
        protea_source_close(s);
    }
    assert_true(want[0][0] != want[1][0]);
}

static void an_epoch_is_a_permutation(void **state)
{
    (void)state;
    protea_source *s = open_set("synth:shapes,n=103");
    protea_loader_opts opts = options(10, 0);
    protea_loader *l = open_loader(s, &opts);
    int moved = 0;
    for (int64_t epoch = 0; epoch < 3; epoch++) {
        int seen[103] = { 0 }, total = 0;
        assert_int_equal(protea_loader_start(l, epoch, 0), PROTEA_OK);
        for (const protea_batch *b = next(l); b != NULL; b = next(l))
            for (int i = 0; i < 10; i++, total++) {
                seen[b->index[i]]++;
                assert_int_equal(b->label[i], protea_source_label(s, b->index[i]));
                moved += b->index[i] != total;
            }
        assert_int_equal(total, 100);
        for (int i = 0; i < 103; i++)
            assert_true(seen[i] <= 1);
    }
    assert_true(moved > 250);
    protea_loader_free(l);
    protea_source_close(s);
}

static void views_lie_where_the_batch_says(void **state)
{
    (void)state;
    protea_source *s = open_set("synth:shapes,n=40");
    protea_loader_opts opts = options(8, 0);
    protea_loader *l = open_loader(s, &opts);
    protea_image image = { 0 };
    protea_augment_buffer buffer = { 0 };
    static float x[3 * 16 * 16];
    assert_int_equal(protea_loader_start(l, 2, 1), PROTEA_OK);
    const protea_batch *b = next(l);
    assert_int_equal(b->n_views, 5);
    assert_int_equal(b->n_groups, 2);
    assert_int_equal(b->group[1].x.dim[0], 24);
    for (int v = 0; v < 5; v++)
        for (int i = 0; i < 8; i++) {
            const protea_view_group *g = &b->group[v < 2 ? 0 : 1];
            size_t values = (size_t)(3 * g->size * g->size);
            const float *row = protea_f32(&g->x) + (size_t)((v < 2 ? v : v - 2) * 8 + i) * values;
            protea_rng rng = protea_rng_make(7, PROTEA_RNG_VIEW, 2, (uint64_t)b->index[i], (uint32_t)v);
            assert_int_equal(protea_source_read(s, b->index[i], &image), PROTEA_OK);
            assert_int_equal(protea_augment_view(x, &image, &augment, v, rng, opts.mean, opts.std, &buffer), PROTEA_OK);
            assert_memory_equal(x, row, values * sizeof *x);
        }
    protea_image_release(&image);
    protea_augment_buffer_release(&buffer);
    protea_loader_free(l);
    protea_source_close(s);
}

/* Two ranks of 8 see together what one of 16 sees. */
static void ranks_share_an_epoch(void **state)
{
    (void)state;
    protea_source *s = open_set("synth:shapes,n=70");
    protea_loader_opts whole = options(16, 0), half = options(8, 0);
    half.n_ranks = 2;
    protea_loader *all = open_loader(s, &whole), *part[2];
    for (half.rank = 0; half.rank < 2; half.rank++)
        part[half.rank] = open_loader(s, &half);
    assert_int_equal(protea_loader_steps(part[0]), 4);
    protea_loader_start(all, 0, 0);
    protea_loader_start(part[0], 0, 0);
    protea_loader_start(part[1], 0, 0);
    for (int step = 0; step < 4; step++) {
        const protea_batch *b = next(all), *x = next(part[0]), *y = next(part[1]);
        assert_memory_equal(b->index, x->index, 8 * sizeof *b->index);
        assert_memory_equal(b->index + 8, y->index, 8 * sizeof *b->index);
    }
    protea_loader_free(all);
    protea_loader_free(part[0]);
    protea_loader_free(part[1]);
    protea_source_close(s);
}

static void too_few_images(void **state)
{
    (void)state;
    protea_source *s = open_set("synth:shapes,n=10");
    protea_loader_opts opts = options(11, 0);
    protea_loader *l;
    assert_int_equal(protea_loader_new(&l, s, &augment, &opts), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "has 10 images, one step takes 11"));
    assert_null(l);
    protea_source_close(s);
}

/* ---- bad images */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/protea-loader-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s/%02d.png", folder, i);
        unlink(path);
    }
    return rmdir(folder);
}

static void fill_folder(int n, const int *bad, int n_bad)
{
    protea_source *s = open_set("synth:shapes,n=100");
    protea_image image = { 0 };
    for (int i = 0; i < n; i++) {
        char path[96];
        uint8_t *bytes;
        size_t len;
        snprintf(path, sizeof path, "%s/%02d.png", folder, i);
        assert_int_equal(protea_source_read(s, i, &image), PROTEA_OK);
        assert_int_equal(protea_image_encode_png(&bytes, &len, &image), PROTEA_OK);
        for (int k = 0; k < n_bad; k++)
            len = bad[k] == i ? len / 2 : len;
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(bytes, 1, len, f), len);
        fclose(f);
        protea_free(bytes);
    }
    protea_image_release(&image);
    protea_source_close(s);
}

static void bad_images_are_replaced(void **state)
{
    (void)state;
    const int bad[] = { 3, 4, 39 }, workers[] = { 0, 1, 4 };
    uint64_t want[5], got[5];
    fill_folder(40, bad, 3);
    for (int k = 0; k < 3; k++) {
        protea_source *s = open_set(folder);
        protea_loader_opts opts = options(8, workers[k]);
        protea_loader *l = open_loader(s, &opts);
        const protea_skip *list;
        assert_int_equal(run_epoch(l, 0, 0, k == 0 ? want : got), 5);
        if (k > 0)
            assert_memory_equal(got, want, sizeof got);
        assert_int_equal(protea_source_skipped(s, &list), 3);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(list[i].index, bad[i]);
            assert_non_null(strstr(list[i].reason, "PNG is damaged or cut off"));
        }
        int seen[40] = { 0 };
        assert_int_equal(protea_loader_start(l, 1, 0), PROTEA_OK);
        for (const protea_batch *b = next(l); b != NULL; b = next(l))
            for (int i = 0; i < 8; i++)
                seen[b->index[i]]++;
        assert_int_equal(seen[5], 3); /* for 3, 4 and itself */
        assert_int_equal(seen[0], 2); /* for 39 and itself */
        assert_int_equal(seen[3] + seen[4] + seen[39], 0);
        protea_loader_free(l);
        protea_source_close(s);
    }
}

static void too_many_bad_images_stop_the_run(void **state)
{
    (void)state;
    int bad[40];
    for (int i = 0; i < 40; i++)
        bad[i] = i;
    fill_folder(40, bad, 6);
    for (int workers = 0; workers < 3; workers += 2) {
        protea_source *s = open_set(folder);
        protea_loader_opts opts = options(40, workers);
        const protea_batch *b;
        opts.max_bad = 5;
        protea_loader *l = open_loader(s, &opts);
        assert_int_equal(protea_loader_start(l, 0, 0), PROTEA_OK);
        assert_int_equal(protea_loader_next(l, &b), PROTEA_ERR_INPUT);
        assert_null(b);
        assert_non_null(strstr(protea_last_error(), "6 of 40 images cannot be used, at most 5 are allowed"));
        protea_loader_free(l);
        protea_source_close(s);
    }
    fill_folder(40, bad, 40);
    protea_source *s = open_set(folder);
    protea_loader_opts opts = options(8, 0);
    const protea_batch *b;
    protea_loader *l = open_loader(s, &opts);
    assert_int_equal(protea_loader_start(l, 0, 0), PROTEA_OK);
    assert_int_equal(protea_loader_next(l, &b), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "none of the 40 images can be used"));
    protea_loader_free(l);
    protea_source_close(s);
}

static void short_memory_is_an_error(void **state)
{
    (void)state;
    for (int workers = 0; workers < 3; workers += 2) {
        protea_status status = PROTEA_ERR_MEMORY;
        for (long n = 1; n < 60 && status != PROTEA_OK; n++) {
            protea_source *s = open_set("synth:shapes,n=20");
            protea_loader_opts opts = options(4, workers);
            protea_loader *l;
            const protea_batch *b = NULL;
            protea_alloc_fail_after(n, 0);
            status = protea_loader_new(&l, s, &augment, &opts);
            if (status == PROTEA_OK)
                status = protea_loader_start(l, 0, 0);
            for (int step = 0; step < 5 && status == PROTEA_OK; step++)
                status = protea_loader_next(l, &b);
            protea_alloc_fail_after(0, 0);
            assert_true(status == PROTEA_OK || status == PROTEA_ERR_MEMORY);
            protea_loader_free(l);
            protea_source_close(s);
        }
        assert_int_equal(status, PROTEA_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_do_not_matter), cmocka_unit_test(an_epoch_is_a_permutation),
        cmocka_unit_test(views_lie_where_the_batch_says), cmocka_unit_test(ranks_share_an_epoch), cmocka_unit_test(too_few_images),
        cmocka_unit_test(bad_images_are_replaced), cmocka_unit_test(too_many_bad_images_stop_the_run),
        cmocka_unit_test(short_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

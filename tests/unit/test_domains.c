/* Proves: domains share each batch equally whatever their sizes; images are walked through without repeats, or drawn with
 * replacement evenly; a repeated image has a turn of its own; classes of domains are matched by name; a holdout takes its
 * share of every class, never all of it, and is the same for the same seed; images read through a gathered set are their
 * own; sets without labels are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "data/domains.h"
#include "data/sampler.h"
#include "support/temp_folder.h"

static void assert_ok(protea_status status)
{
    if (status != PROTEA_OK)
        fail_msg("%s", protea_last_error());
}

/* ---- the sampler */

enum { PART = 12, STEPS = 25, RANKS = 2, N_IMAGES = 100 };
static const int64_t FIRST[] = { 0, 7, 30, 100 };

static int domain_of(int64_t image)
{
    return image < FIRST[1] ? 0 : image < FIRST[2] ? 1 : 2;
}

static void domains_share_a_batch(void **state)
{
    (void)state;
    for (int replacement = 0; replacement < 2; replacement++) {
        protea_sampler s;
        const protea_sampling how = { .n_domains = 3, .first = FIRST, .steps = STEPS, .replacement = replacement };
        int64_t times[N_IMAGES] = { 0 };
        assert_ok(protea_sampler_init(&s, &how, N_IMAGES, PART, RANKS, 5));
        assert_int_equal(s.steps, STEPS);
        protea_sampler_epoch(&s, 3);
        for (int64_t place = 0; place < STEPS * RANKS * PART; place++) {
            assert_int_equal(domain_of(s.order[place]), place % PART / (PART / 3));
            times[s.order[place]]++;
        }
        /* 200 draws of each domain: a walk gives every image its share, but for the pass that did not end */
        for (int64_t i = 0; i < N_IMAGES; i++) {
            double share = 200.0 / (double)(FIRST[domain_of(i) + 1] - FIRST[domain_of(i)]);
            assert_true(fabs((double)times[i] - share) <= (replacement ? 4.5 * sqrt(share) : 1));
        }
        protea_sampler_release(&s);
    }
}

static int by_pair(const void *a, const void *b)
{
    return memcmp(a, b, 2 * sizeof(int64_t));
}

static void a_repeated_image_has_a_turn_of_its_own(void **state)
{
    (void)state;
    protea_sampler s;
    int64_t pair[STEPS * RANKS * PART][2];
    const protea_sampling how = { .steps = STEPS, .replacement = true };
    assert_ok(protea_sampler_init(&s, &how, N_IMAGES, PART, RANKS, 5));
    protea_sampler_epoch(&s, 0);
    for (int64_t i = 0; i < STEPS * RANKS * PART; i++) {
        pair[i][0] = s.order[i];
        pair[i][1] = s.turn[i];
    }
    qsort(pair, STEPS * RANKS * PART, sizeof *pair, by_pair);
    for (int64_t i = 1; i < STEPS * RANKS * PART; i++)
        assert_memory_not_equal(pair[i - 1], pair[i], sizeof *pair);
    protea_sampler_release(&s);
}

/* As it was before there were domains: a permutation of all, keyed by (seed, epoch), cut into batches. */
static void one_set_is_a_permutation(void **state)
{
    (void)state;
    protea_sampler s;
    int64_t wanted[N_IMAGES];
    protea_rng rng = protea_rng_make(5, PROTEA_RNG_SHUFFLE, 2, 0, 0);
    for (int64_t i = 0; i < N_IMAGES; i++)
        wanted[i] = i;
    protea_rng_shuffle(&rng, wanted, N_IMAGES);
    assert_ok(protea_sampler_init(&s, &(protea_sampling){ 0 }, N_IMAGES, PART, 1, 5));
    assert_int_equal(s.steps, N_IMAGES / PART);
    protea_sampler_epoch(&s, 2);
    assert_memory_equal(s.order, wanted, (size_t)(s.steps * PART) * sizeof *wanted);
    protea_sampler_release(&s);
}

static void batches_that_cannot_be_shared(void **state)
{
    (void)state;
    protea_sampler s;
    const protea_sampling how = { .n_domains = 3, .first = FIRST };
    assert_int_equal(protea_sampler_init(&s, &how, N_IMAGES, 10, 1, 5), PROTEA_ERR_USAGE);
    assert_non_null(strstr(protea_last_error(), "a multiple of the 3 domains"));
    protea_sampler_release(&s);
    assert_int_equal(protea_sampler_init(&s, &how, N_IMAGES, 102, 1, 5), PROTEA_ERR_INPUT);
    protea_sampler_release(&s);
}

/* ---- domains */

static void make_class(const char *folder, const char *class, int n)
{
    char path[128];
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s/%02d.png", folder, class, i);
        write_file(path, "x", 1);
    }
}

static void classes_are_matched_by_name(void **state)
{
    (void)state;
    protea_domains d;
    const char *const spec[] = { "art", "photo" };
    const protea_source_opts opts = protea_source_opts_default();
    static const char *const classes[] = { "ant", "bee", "cat" };
    make_class("art", "bee", 3);
    make_class("art", "cat", 2);
    make_class("photo", "ant", 4);
    make_class("photo", "cat", 5);
    assert_ok(protea_domains_open(&d, spec, 2, &opts));
    assert_ok(protea_domains_split(&d, 0, 1));
    assert_int_equal(protea_source_n_classes(d.train), 3);
    assert_int_equal(protea_source_count(d.train), 14);
    assert_int_equal(d.first[1], 5);
    assert_int_equal(d.first[2], 14);
    assert_null(d.held_out[0]);
    for (int64_t i = 0; i < 14; i++) {
        const char *class = protea_source_class(d.train, protea_source_label(d.train, i));
        assert_non_null(strstr(protea_source_name(d.train, i), class));
        assert_int_equal(protea_source_name(d.train, i)[0], i < 5 ? '1' : '2');
    }
    for (int c = 0; c < 3; c++)
        assert_string_equal(protea_source_class(d.train, c), classes[c]);
    protea_domains_close(&d);
}

static int64_t count_label(const protea_source *s, int32_t label)
{
    int64_t n = 0;
    for (int64_t i = 0; i < protea_source_count(s); i++)
        n += protea_source_label(s, i) == label;
    return n;
}

static void a_holdout_takes_its_share_of_every_class(void **state)
{
    (void)state;
    protea_domains d, again, other;
    const char *const spec[] = { "set" };
    const protea_source_opts opts = protea_source_opts_default();
    static const int64_t held[] = { 4, 1, 0, 2 }; /* of 20, 2, 1 and 11 at 0.2 */
    make_class("set", "a", 20);
    make_class("set", "b", 2);
    make_class("set", "c", 1);
    make_class("set", "d", 11);
    assert_ok(protea_domains_open(&d, spec, 1, &opts));
    assert_ok(protea_domains_split(&d, 0.2, 1));
    for (int c = 0; c < 4; c++)
        assert_int_equal(count_label(d.held_out[0], c), held[c]);
    assert_int_equal(protea_source_count(d.train) + protea_source_count(d.held_out[0]), 34);
    for (int64_t i = 0; i < protea_source_count(d.train); i++)
        for (int64_t j = 0; j < protea_source_count(d.held_out[0]); j++)
            assert_string_not_equal(protea_source_name(d.train, i), protea_source_name(d.held_out[0], j));
    assert_ok(protea_domains_open(&again, spec, 1, &opts));
    assert_ok(protea_domains_split(&again, 0.2, 1));
    assert_string_equal(protea_source_fingerprint(d.train), protea_source_fingerprint(again.train));
    assert_ok(protea_domains_open(&other, spec, 1, &opts));
    assert_ok(protea_domains_split(&other, 0.2, 2));
    assert_string_not_equal(protea_source_fingerprint(d.train), protea_source_fingerprint(other.train));
    protea_domains_close(&other);
    protea_domains_close(&again);
    protea_domains_close(&d);
}

/* Pixels come from the sets; what is bad is noted in the gathered set alone. */
static void images_are_their_own(void **state)
{
    (void)state;
    protea_source *set[2], *gathered;
    protea_image image = { 0 }, wanted = { 0 };
    const protea_pick pick[] = { { 1, 5, 0 }, { 0, 2, 1 }, { 1, 0, -1 } };
    const protea_source_opts opts = protea_source_opts_default();
    protea_class_names classes = { 0 };
    assert_ok(protea_class_names_add(&classes, "x"));
    assert_ok(protea_class_names_add(&classes, "y"));
    assert_ok(protea_source_open(&set[0], "synth:shapes,n=10,size=8", &opts));
    assert_ok(protea_source_open(&set[1], "synth:shapes,n=10,size=8,seed=2", &opts));
    assert_ok(protea_source_gather(&gathered, set, 2, pick, 3, &classes));
    for (int i = 0; i < 3; i++) {
        assert_ok(protea_source_read(gathered, i, &image));
        assert_ok(protea_source_read(set[pick[i].set], pick[i].image, &wanted));
        assert_memory_equal(image.px, wanted.px, 8 * 8 * 3);
        assert_int_equal(protea_source_label(gathered, i), pick[i].label);
    }
    assert_ok(protea_source_skip(gathered, 0, "bad"));
    assert_int_equal(protea_source_skipped(set[1], NULL), 0);
    protea_source_close(gathered);
    protea_source_close(set[0]);
    protea_source_close(set[1]);
    protea_class_names_release(&classes);
    protea_image_release(&image);
    protea_image_release(&wanted);
}

static void labels_are_needed(void **state)
{
    (void)state;
    protea_domains d;
    const char *const spec[] = { "synth:shapes,n=20,size=8", "flat" };
    const protea_source_opts opts = protea_source_opts_default();
    make_class("flat", "all", 3);
    assert_int_equal(protea_domains_open(&d, spec, 2, &opts), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "flat: its images have no classes"));
    protea_domains_close(&d);
    assert_int_equal(protea_domains_open(&d, spec, PROTEA_MAX_DOMAINS + 1, &opts), PROTEA_ERR_USAGE);
    protea_domains_close(&d);
}

/* Memory that runs out anywhere leaves nothing behind but the error. */
static void short_memory_is_an_error(void **state)
{
    (void)state;
    const char *const spec[] = { "synth:shapes,n=20,size=8", "synth:shapes,n=20,size=8,seed=2" };
    const protea_source_opts opts = protea_source_opts_default();
    protea_status status = PROTEA_ERR_MEMORY;
    for (int fail_at = 1; status == PROTEA_ERR_MEMORY && fail_at < 1000; fail_at++) {
        protea_domains d;
        protea_alloc_fail_after(fail_at, 0);
        status = protea_domains_open(&d, spec, 2, &opts);
        if (status == PROTEA_OK)
            status = protea_domains_split(&d, 0.5, 1);
        protea_alloc_fail_after(0, 0);
        protea_domains_close(&d);
    }
    assert_int_equal(status, PROTEA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_share_a_batch), cmocka_unit_test(a_repeated_image_has_a_turn_of_its_own),
        cmocka_unit_test(one_set_is_a_permutation), cmocka_unit_test(batches_that_cannot_be_shared),
        cmocka_unit_test(classes_are_matched_by_name), cmocka_unit_test(a_holdout_takes_its_share_of_every_class),
        cmocka_unit_test(images_are_their_own), cmocka_unit_test(labels_are_needed), cmocka_unit_test(short_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, temp_folder_enter, temp_folder_leave);
}

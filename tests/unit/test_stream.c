/* Proves: every part of a stream holds each image once; corruptions and severities come in the order that is promised, and
 * the model starts anew where it should; a correlated stream really is, the more the smaller delta; seeds decide. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "eval/stream.h"
#include "support/test_context.h"

enum { IMAGES = 600, CLASSES = 6, CORRUPTIONS = 3 };

static int32_t label_of[IMAGES];
static const protea_stream_images images = { IMAGES, CLASSES, label_of };

static void fill_labels(void)
{
    for (int i = 0; i < IMAGES; i++)
        label_of[i] = i % CLASSES;
}

static protea_stream stream_of(protea_stream_kind kind, int n_corruptions, double delta, uint64_t seed)
{
    const protea_stream_opts opts = { .kind = kind, .seed = seed, .delta = delta, .n_corruptions = n_corruptions,
                                      .severity = 5 };
    protea_stream s;
    fill_labels();
    assert_ok(protea_stream_make(&s, &opts, &images));
    return s;
}

/* Each image once for each corruption of the part. */
static void check_part(const protea_stream *s, const protea_stream_part *part, int corruptions)
{
    int seen[CORRUPTIONS][IMAGES] = { 0 };
    assert_int_equal(part->n, IMAGES * corruptions);
    for (int64_t i = part->first; i < part->first + part->n; i++) {
        const protea_stream_item *item = &s->item[i];
        assert_int_equal(item->severity, part->severity);
        assert_in_range(item->corruption + 1, 0, CORRUPTIONS);
        seen[item->corruption < 0 ? 0 : item->corruption][item->image]++;
    }
    for (int c = 0; c < CORRUPTIONS; c++)
        for (int i = 0; i < IMAGES; i++)
            assert_int_equal(seen[c][i], corruptions > 1 || c == (part->corruption < 0 ? 0 : part->corruption));
}

static void parts_hold_each_image_once(void **state)
{
    (void)state;
    for (int kind = PROTEA_STREAM_IID; kind <= PROTEA_STREAM_FILE; kind++)
        for (int corruptions = 0; corruptions <= CORRUPTIONS; corruptions += CORRUPTIONS) {
            protea_stream s = stream_of((protea_stream_kind)kind, corruptions, .1, 1);
            bool mixed = kind == PROTEA_STREAM_MIXED && corruptions > 0;
            int64_t n = 0;
            for (int p = 0; p < s.n_parts; p++) {
                assert_int_equal(s.part[p].first, n);
                check_part(&s, &s.part[p], mixed ? CORRUPTIONS : 1);
                n += s.part[p].n;
            }
            assert_int_equal(n, s.n);
            assert_true(s.part[0].fresh);
            protea_stream_release(&s);
        }
}

static void gradual_rises_and_falls(void **state)
{
    static const int wanted[9] = { 1, 2, 3, 4, 5, 4, 3, 2, 1 };
    (void)state;
    protea_stream s = stream_of(PROTEA_STREAM_GRADUAL, CORRUPTIONS, 0, 1);
    assert_int_equal(s.n_parts, 9 * CORRUPTIONS);
    for (int p = 0; p < s.n_parts; p++) {
        assert_int_equal(s.part[p].severity, wanted[p % 9]);
        assert_int_equal(s.part[p].corruption, p / 9);
        assert_int_equal(s.part[p].fresh, p == 0);
    }
    protea_stream_release(&s);
}

static void models_start_anew_where_promised(void **state)
{
    static const bool fresh[] = { [PROTEA_STREAM_IID] = true, [PROTEA_STREAM_CORRELATED] = true, [PROTEA_STREAM_FILE] = true,
                                  [PROTEA_STREAM_CONTINUAL] = false };
    (void)state;
    for (int kind = 0; kind < (int)(sizeof fresh / sizeof *fresh); kind++) {
        if (kind == PROTEA_STREAM_GRADUAL || kind == PROTEA_STREAM_MIXED)
            continue;
        protea_stream s = stream_of((protea_stream_kind)kind, CORRUPTIONS, .1, 1);
        assert_int_equal(s.n_parts, CORRUPTIONS);
        for (int p = 1; p < s.n_parts; p++)
            assert_int_equal(s.part[p].fresh, fresh[kind]);
        protea_stream_release(&s);
    }
}

static void file_keeps_the_order(void **state)
{
    (void)state;
    protea_stream s = stream_of(PROTEA_STREAM_FILE, 0, 0, 1);
    for (int i = 0; i < IMAGES; i++)
        assert_int_equal(s.item[i].image, i);
    protea_stream_release(&s);
}

/* Share of neighbours in the stream that are of one class. */
static double sameness(const protea_stream *s)
{
    int64_t same = 0;
    for (int64_t i = 1; i < s->n; i++)
        same += label_of[s->item[i].image] == label_of[s->item[i - 1].image];
    return (double)same / (double)(s->n - 1);
}

static void correlated_streams_are(void **state)
{
    static const double delta[] = { 0, .01, .1, 1, 100 };
    double before = 1;
    (void)state;
    protea_stream iid = stream_of(PROTEA_STREAM_IID, 0, 0, 1);
    assert_true(sameness(&iid) < .25); /* 1/6 expected */
    for (int i = 0; i < 5; i++) {
        protea_stream s = stream_of(PROTEA_STREAM_CORRELATED, 0, delta[i], 1);
        assert_true(sameness(&s) <= before);
        assert_true(sameness(&s) > .9); /* inside a chunk classes come one after the other whatever delta is */
        before = sameness(&s);
        protea_stream_release(&s);
    }
    protea_stream_release(&iid);
}

/* How unlike each other the halves of a stream are in their classes: 0 alike, 1 none in common. */
static double imbalance(const protea_stream *s)
{
    int64_t difference = 0, count[2][CLASSES] = { 0 };
    for (int64_t i = 0; i < s->n; i++)
        count[i >= s->n / 2][label_of[s->item[i].image]]++;
    for (int c = 0; c < CLASSES; c++)
        difference += count[0][c] > count[1][c] ? count[0][c] - count[1][c] : count[1][c] - count[0][c];
    return (double)difference / (double)s->n;
}

static void delta_says_how_uneven(void **state)
{
    double sum[3] = { 0 };
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++)
        for (int i = 0; i < 3; i++) {
            static const double delta[] = { .01, .5, 100 };
            protea_stream s = stream_of(PROTEA_STREAM_CORRELATED, 0, delta[i], seed);
            sum[i] += imbalance(&s) / 10;
            protea_stream_release(&s);
        }
    assert_true(sum[0] > .8);
    assert_true(sum[0] > sum[1] + .1 && sum[1] > sum[2] + .1);
    assert_true(sum[2] < .15);
}

static void seeds_decide(void **state)
{
    (void)state;
    for (int kind = PROTEA_STREAM_IID; kind <= PROTEA_STREAM_CORRELATED; kind++) {
        protea_stream a = stream_of((protea_stream_kind)kind, CORRUPTIONS, .1, 7);
        protea_stream b = stream_of((protea_stream_kind)kind, CORRUPTIONS, .1, 7);
        protea_stream c = stream_of((protea_stream_kind)kind, CORRUPTIONS, .1, 8);
        assert_memory_equal(a.item, b.item, (size_t)a.n * sizeof *a.item);
        assert_memory_not_equal(a.item, c.item, (size_t)a.n * sizeof *a.item);
        if (a.n_parts > 1) /* no two parts have one order */
            assert_memory_not_equal(a.item, a.item + a.part[1].first, (size_t)a.part[0].n * sizeof *a.item);
        protea_stream_release(&a);
        protea_stream_release(&b);
        protea_stream_release(&c);
    }
}

static void odd_sets_are_survived(void **state)
{
    const protea_stream_opts opts = { .kind = PROTEA_STREAM_CORRELATED, .delta = .001, .severity = 1 };
    static const int32_t few[3] = { -1, 4, 4 }, one[1] = { 0 };
    const protea_stream_images sets[] = { { 3, 9, few }, { 1, 1, one } };
    protea_stream s;
    (void)state;
    for (int i = 0; i < 2; i++) {
        int64_t sum = 0;
        assert_ok(protea_stream_make(&s, &opts, &sets[i]));
        assert_int_equal(s.n, sets[i].n);
        for (int64_t k = 0; k < s.n; k++)
            sum += s.item[k].image;
        assert_int_equal(sum, sets[i].n * (sets[i].n - 1) / 2);
        protea_stream_release(&s);
    }
    assert_int_equal(protea_stream_make(&s, &opts, &(protea_stream_images){ .n = 3 }), PROTEA_ERR_INPUT);
    protea_stream_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_hold_each_image_once),
        cmocka_unit_test(gradual_rises_and_falls),
        cmocka_unit_test(models_start_anew_where_promised),
        cmocka_unit_test(file_keeps_the_order),
        cmocka_unit_test(correlated_streams_are),
        cmocka_unit_test(delta_says_how_uneven),
        cmocka_unit_test(seeds_decide),
        cmocka_unit_test(odd_sets_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

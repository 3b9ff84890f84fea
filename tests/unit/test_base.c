/* Proves: Philox gives its published vectors; draws are uniform and unbiased, those of a gamma distribution have its moments;
 * arenas count, align, refuse and ask for huge pages; messages escape what is hostile; sorting is stable and by the bits asked
 * for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/sort.h"

/* Known answers of the Random123 distribution (kat_vectors, philox4x32-10). */
static void philox_known_answers(void **state)
{
    (void)state;
    const uint32_t ones[4] = { 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu }, zero[4] = { 0 };
    const uint32_t pi[4] = { 0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u }, pi_key[2] = { 0xa4093822u, 0x299f31d0u };
    const uint32_t want[3][4] = { { 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u },
                                  { 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu },
                                  { 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u } };
    uint32_t got[4];
    protea_philox(got, zero, zero);
    assert_memory_equal(got, want[0], sizeof got);
    protea_philox(got, ones, ones);
    assert_memory_equal(got, want[1], sizeof got);
    protea_philox(got, pi, pi_key);
    assert_memory_equal(got, want[2], sizeof got);
}

static void draws_are_uniform(void **state)
{
    (void)state;
    protea_rng rng = protea_rng_make(7, PROTEA_RNG_TEST, 1, 2, 3);
    int count[10] = { 0 };
    double sum = 0, square = 0;
    for (int i = 0; i < 100000; i++) {
        count[protea_rng_below(&rng, 10)]++;
        double x = protea_rng_normal(&rng);
        sum += x;
        square += x * x;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(count[i], 9600, 10400);
    assert_true(sum / 1e5 < 0.02 && sum / 1e5 > -0.02);
    assert_true(square / 1e5 < 1.02 && square / 1e5 > 0.98);
}

/* Mean and variance of Gamma(shape, 1) are the shape; of a small one most draws underflow any float, in logarithms none does. */
static void gamma_draws_have_their_moments(void **state)
{
    (void)state;
    static const double shapes[] = { 0.01, 0.2, 1, 7.5 };
    enum { DRAWS = 100000 };
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        protea_rng rng = protea_rng_make(7, PROTEA_RNG_TEST, 0, k, 0);
        double sum = 0, square = 0, shape = shapes[k];
        for (int i = 0; i < DRAWS; i++) {
            double log_draw = protea_rng_log_gamma(&rng, shape), x = exp(log_draw);
            assert_true(isfinite(log_draw));
            sum += x;
            square += x * x;
        }
        double mean = sum / DRAWS, variance = square / DRAWS - mean * mean;
        assert_true(fabs(mean - shape) < 5 * sqrt(shape / DRAWS));
        assert_true(fabs(variance - shape) < 5 * shape * sqrt((2 + 6 / shape) / DRAWS));
    }
}

static void streams_differ(void **state)
{
    (void)state;
    protea_rng a = protea_rng_make(1, PROTEA_RNG_VIEW, 0, 5, 0), b = protea_rng_make(1, PROTEA_RNG_VIEW, 0, 5, 1);
    protea_rng again = protea_rng_make(1, PROTEA_RNG_VIEW, 0, 5, 0);
    int equal = 0;
    for (int i = 0; i < 100; i++) {
        uint32_t x = protea_rng_u32(&a);
        equal += x == protea_rng_u32(&b);
        assert_int_equal(x, protea_rng_u32(&again));
    }
    assert_true(equal < 2);
}

static void arenas(void **state)
{
    (void)state;
    protea_arena *plan, *real;
    void *p;
    assert_int_equal(protea_arena_new(&plan, 0, "test"), PROTEA_OK);
    assert_int_equal(protea_arena_alloc(plan, &p, 100), PROTEA_OK);
    assert_int_equal(protea_arena_alloc(plan, &p, 1), PROTEA_OK);
    assert_int_equal(protea_arena_peak(plan), 192);
    assert_int_equal(protea_arena_new(&real, 192, "test"), PROTEA_OK);
    size_t mark = protea_arena_mark(real);
    assert_int_equal(protea_arena_alloc(real, &p, 100), PROTEA_OK);
    assert_int_equal((uintptr_t)p % 64, 0);
    memset(p, 1, 100);
    protea_arena_release(real, mark);
    assert_int_equal(protea_arena_alloc(real, &p, 3u << 20), PROTEA_ERR_MEMORY);
    assert_null(p);
    assert_non_null(strstr(protea_last_error(), "3145728 bytes wanted"));
    protea_arena_free(plan);
    protea_arena_free(real);
}

/* Whether the kernel says of the mapping that p lies in that huge pages were asked for. */
static bool wants_huge_pages(const void *p)
{
    char line[512];
    unsigned long first, last;
    bool inside = false, huge = false;
    FILE *f = fopen("/proc/self/smaps", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "%lx-%lx ", &first, &last) == 2)
            inside = first <= (uintptr_t)p && (uintptr_t)p < last;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            huge = strstr(line, " hg") != NULL;
    }
    if (f != NULL)
        fclose(f);
    return huge;
}

/* Skipped where the kernel has none, or tells nothing of them. */
static void arenas_ask_for_huge_pages(void **state)
{
    (void)state;
    enum { BYTES = 8 << 20 };
    protea_arena *arena;
    void *p, *own = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(own != MAP_FAILED);
    bool can_tell = madvise(own, BYTES, MADV_HUGEPAGE) == 0 && wants_huge_pages(own);
    munmap(own, BYTES);
    if (!can_tell)
        skip();
    assert_int_equal(protea_arena_new(&arena, BYTES, "test"), PROTEA_OK);
    assert_int_equal(protea_arena_alloc(arena, &p, 1), PROTEA_OK);
    assert_true(wants_huge_pages(p));
    protea_arena_free(arena);
}

static void allocations_fail_when_told(void **state)
{
    (void)state;
    char *a = NULL, *b = NULL;
    protea_alloc_fail_after(2, 0);
    assert_int_equal(protea_new(&a, 10, 1, "a"), PROTEA_OK);
    assert_int_equal(protea_new(&b, 10, 1, "the second"), PROTEA_ERR_MEMORY);
    assert_null(b);
    assert_non_null(strstr(protea_last_error(), "the second"));
    assert_int_equal(protea_new(&b, SIZE_MAX / 2, 4, "too much"), PROTEA_ERR_MEMORY);
    protea_free(a);
}

static void hostile_text_is_escaped(void **state)
{
    (void)state;
    char out[200];
    assert_string_equal(protea_escape(out, sizeof out, "a\nb\x1b[31m\xff\xe2\x80\xaeü"), "a\\nb\\x1b[31m\\xff\\u{202e}ü");
    assert_string_equal(protea_escape(out, 4, "üüü"), "ü");
    assert_int_equal(protea_fail(PROTEA_ERR_INPUT, "%s: bad", "x\ny"), PROTEA_ERR_INPUT);
    assert_string_equal(protea_last_error(), "x\\ny: bad");
}

/* By the high halves alone: the low ones, in order before, stay in order where the high ones are equal. */
static void sorting_is_stable(void **state)
{
    (void)state;
    enum { N = 1000 };
    uint64_t key[N], room[N];
    for (int64_t n = 0; n <= N; n = 3 * n + 1) {
        protea_rng rng = protea_rng_make(7, PROTEA_RNG_TEST, 0, 0, 0);
        uint64_t sum = 0, sorted_sum = 0;
        for (int64_t i = 0; i < n; i++) {
            key[i] = (protea_rng_below(&rng, 300) << 40) | (uint64_t)(N - i);
            sum += key[i];
        }
        protea_sort_u64(key, room, n, 32);
        for (int64_t i = 0; i < n; i++)
            sorted_sum += key[i];
        for (int64_t i = 1; i < n; i++)
            assert_true(key[i - 1] >> 32 < key[i] >> 32 || (key[i - 1] >> 32 == key[i] >> 32 && key[i - 1] > key[i]));
        assert_true(sum == sorted_sum);
        protea_sort_u64(key, room, n, 0);
        for (int64_t i = 1; i < n; i++)
            assert_true(key[i - 1] < key[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gamma_draws_have_their_moments),
        cmocka_unit_test(philox_known_answers), cmocka_unit_test(draws_are_uniform), cmocka_unit_test(streams_differ),
        cmocka_unit_test(sorting_is_stable),
        cmocka_unit_test(arenas), cmocka_unit_test(arenas_ask_for_huge_pages), cmocka_unit_test(allocations_fail_when_told),
        cmocka_unit_test(hostile_text_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The heap behind one door, and the arenas that hold a step's activations. */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"

static atomic_long fail_countdown = 0; /* 0: off; n: the nth allocation from now fails */
static atomic_int fail_sticky = 0;

void protea_alloc_fail_after(long n, int sticky)
{
    atomic_store(&fail_sticky, sticky);
    atomic_store(&fail_countdown, n);
}

static bool told_to_fail(void)
{
    long left = atomic_load(&fail_countdown);
    if (left <= 0)
        return false;
    left = atomic_fetch_sub(&fail_countdown, 1);
    if (left > 1)
        return false;
    atomic_store(&fail_countdown, atomic_load(&fail_sticky) ? 1 : 0);
    return left == 1;
}

static protea_status out_of_memory(size_t bytes, const char *purpose)
{
    return protea_fail(PROTEA_ERR_MEMORY, "%s: %zu bytes of memory could not be had", purpose, bytes);
}

enum { ARENA_ALIGN = 64, HUGE_PAGE = 2 << 20 };

/* What of a block fills such pages: only a hint, slower without, never wrong. Parameters and their gradients, which a step goes
 * through once, are then read twice as fast. */
static void hint_huge_pages(void *block, size_t bytes)
{
    uintptr_t first = ((uintptr_t)block + HUGE_PAGE - 1) / HUGE_PAGE, end = ((uintptr_t)block + bytes) / HUGE_PAGE;
    if (end > first)
        madvise((void *)(first * HUGE_PAGE), (end - first) * HUGE_PAGE, MADV_HUGEPAGE);
}

protea_status protea_new(void *out, size_t count, size_t size, const char *purpose)
{
    void *block = NULL;
    memcpy(out, &block, sizeof block);
    size_t bytes;
    if (protea_mul_overflows(count, size, &bytes))
        return protea_fail(PROTEA_ERR_MEMORY, "%s: %zu x %zu bytes is more than any memory", purpose, count, size);
    if (told_to_fail())
        return out_of_memory(bytes, purpose);
    block = calloc(1, bytes ? bytes : 1);
    if (block == NULL)
        return out_of_memory(bytes, purpose);
    hint_huge_pages(block, bytes);
    memcpy(out, &block, sizeof block);
    return PROTEA_OK;
}

protea_status protea_grow(void *block, size_t count, size_t size, const char *purpose)
{
    void *old;
    memcpy(&old, block, sizeof old);
    size_t bytes;
    if (protea_mul_overflows(count, size, &bytes))
        return protea_fail(PROTEA_ERR_MEMORY, "%s: %zu x %zu bytes is more than any memory", purpose, count, size);
    void *grown = told_to_fail() ? NULL : realloc(old, bytes ? bytes : 1);
    if (grown == NULL)
        return out_of_memory(bytes, purpose);
    memcpy(block, &grown, sizeof grown);
    return PROTEA_OK;
}

protea_status protea_grow_list(void *block, size_t n, size_t size, const char *purpose)
{
    if ((n & (n - 1)) != 0)
        return PROTEA_OK;
    return protea_grow(block, n == 0 ? 1 : 2 * n, size, purpose);
}

protea_status protea_copy_string(char **out, const char *text)
{
    size_t len = strlen(text) + 1;
    PROTEA_TRY(protea_new(out, len, 1, "a string"));
    memcpy(*out, text, len);
    return PROTEA_OK;
}

void protea_free(void *block)
{
    free(block);
}

protea_status protea_make_sure(size_t bytes, const char *purpose)
{
    void *room = told_to_fail() ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return out_of_memory(bytes, purpose);
    munmap(room, bytes);
    return PROTEA_OK;
}

struct protea_arena {
    unsigned char *base;
    size_t size, used, peak;
    bool planning;
};

protea_status protea_arena_new(protea_arena **out, size_t bytes, const char *purpose)
{
    protea_arena *arena;
    *out = NULL;
    PROTEA_TRY(protea_new(&arena, 1, sizeof *arena, purpose));
    if (bytes == 0) {
        arena->planning = true;
        arena->base = (unsigned char *)(uintptr_t)HUGE_PAGE; /* never touched, only counted from */
        arena->size = SIZE_MAX / 2;
        *out = arena;
        return PROTEA_OK;
    }
    size_t rounded;
    void *base = MAP_FAILED;
    if (!protea_round_up_overflows(bytes, HUGE_PAGE, &rounded) && !told_to_fail())
        base = mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        protea_free(arena);
        return out_of_memory(bytes, purpose);
    }
    hint_huge_pages(base, rounded);
    arena->base = base;
    arena->size = rounded;
    *out = arena;
    return PROTEA_OK;
}

void protea_arena_free(protea_arena *arena)
{
    if (arena == NULL)
        return;
    if (!arena->planning)
        munmap(arena->base, arena->size);
    protea_free(arena);
}

protea_status protea_arena_alloc(protea_arena *arena, void *out, size_t bytes)
{
    size_t rounded, end;
    void *block = NULL;
    memcpy(out, &block, sizeof block);
    if (protea_round_up_overflows(bytes, ARENA_ALIGN, &rounded) || protea_add_overflows(arena->used, rounded, &end) ||
        end > arena->size)
        return protea_fail(PROTEA_ERR_MEMORY, "step arena: %zu bytes wanted, %zu of %zu left", bytes,
                           arena->size - arena->used, arena->size);
    block = arena->base + arena->used;
    memcpy(out, &block, sizeof block);
    arena->used = end;
    if (end > arena->peak)
        arena->peak = end;
    return PROTEA_OK;
}

size_t protea_arena_mark(const protea_arena *arena)
{
    return arena->used;
}

void protea_arena_release(protea_arena *arena, size_t mark)
{
    arena->used = mark;
}

size_t protea_arena_size(const protea_arena *arena)
{
    return arena->size;
}

size_t protea_arena_peak(const protea_arena *arena)
{
    return arena->peak;
}

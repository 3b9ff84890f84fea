/* Memory. All of the library's heap passes through here, so that a test can fail the Nth allocation. */
#ifndef PROTEA_BASE_ALLOC_H
#define PROTEA_BASE_ALLOC_H

#include <stddef.h>

#include "base/status.h"

/* *out: zeroed memory, owned, or NULL on failure. purpose names what it was for in the message.
 * count * size is checked. A request of 0 bytes gives a pointer that may be freed. */
protea_status protea_new(void *out, size_t count, size_t size, const char *purpose);

/* Grows (or first makes) *block to count * size bytes; what is new is not zeroed. On failure *block is untouched. */
protea_status protea_grow(void *block, size_t count, size_t size, const char *purpose);

/* Room for one more entry in a list of n, which doubles each time that n is a power of two: a list that began empty and has only
 * grown so takes n entries in time that grows as n. */
protea_status protea_grow_list(void *block, size_t n, size_t size, const char *purpose);

/* Copies a string; owned. */
protea_status protea_copy_string(char **out, const char *text);

/* Accepts NULL. */
void protea_free(void *block);

/* Whether so many bytes could be had just now; nothing is kept. Asked before calls into libraries that end the process
 * where memory is short. Errors: PROTEA_ERR_MEMORY with size and purpose. */
protea_status protea_make_sure(size_t bytes, const char *purpose);

/* Tests only: the allocation number n from now (1 is the next) fails, and all after it when sticky;
 * n = 0 turns it off. Counts over all threads. */
void protea_alloc_fail_after(long n, int sticky);

/* A step's memory: two stacks, allocated once, that the trainer empties after each step.
 * A planning arena only counts: its pointers must not be touched (see tensor/context.h). */
typedef struct protea_arena protea_arena;

/* bytes > 0: that much memory, on huge pages where the system has them, 64-byte aligned.
 * bytes == 0: a planning arena. Errors: PROTEA_ERR_MEMORY with size and purpose. */
protea_status protea_arena_new(protea_arena **out, size_t bytes, const char *purpose);
void protea_arena_free(protea_arena *arena);

/* 64-byte aligned, not zeroed. Errors: PROTEA_ERR_MEMORY when the arena is full (a planning one never is). */
protea_status protea_arena_alloc(protea_arena *arena, void *out, size_t bytes);

/* What is in use now, and going back to it: everything allocated since is given back. */
size_t protea_arena_mark(const protea_arena *arena);
void protea_arena_release(protea_arena *arena, size_t mark);

/* What can be in use at once, in bytes. */
size_t protea_arena_size(const protea_arena *arena);

/* The most that was ever in use, in bytes. */
size_t protea_arena_peak(const protea_arena *arena);

#endif

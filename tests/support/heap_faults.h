/* Failing the Nth allocation of the whole process, also those inside libraries: this program's malloc, calloc, realloc and
 * their kin stand before libc's. Included once, by a program that wants to see memory run out.
 *
 * Allocations of oneDNN, OpenMP, C++'s runtime, libarchive and what unpacks for it are let through: they end the process where
 * memory is short (libarchive 3.6 crashes where liblzma cannot begin), which is why the library makes sure of room and threads
 * before it calls them (protea_make_sure, protea_start_threads). */
#ifndef PROTEA_TESTS_SUPPORT_HEAP_FAULTS_H
#define PROTEA_TESTS_SUPPORT_HEAP_FAULTS_H

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__ /* whose own malloc is the one behind */
#define HEAP_BEHIND(name) __interceptor_##name
#else
#define HEAP_BEHIND(name) __libc_##name
#endif

void *HEAP_BEHIND(malloc)(size_t bytes);
void *HEAP_BEHIND(calloc)(size_t count, size_t bytes);
void *HEAP_BEHIND(realloc)(void *block, size_t bytes);
void *HEAP_BEHIND(memalign)(size_t align, size_t bytes);

enum { HEAP_MAX_RANGES = 32 };

static struct heap_faults {
    atomic_long left;         /* 0: off; n: the nth from now fails */
    atomic_long seen;         /* allocations since heap_faults_after */
    atomic_bool sticky;       /* all after it fail too */
    atomic_bool counting;
    int n_ranges;
    uintptr_t from[HEAP_MAX_RANGES], to[HEAP_MAX_RANGES]; /* code whose allocations are let through */
} heap_faults;

static inline int heap_faults_add_ranges(struct dl_phdr_info *info, size_t size, void *self)
{
    static const char *const through[] = { "libdnnl", "libgomp", "libarchive", "liblzma", "libzstd", "libstdc++", "libgcc_s" };
    (void)size, (void)self;
    bool named = false;
    for (size_t i = 0; i < sizeof through / sizeof *through; i++)
        named |= strstr(info->dlpi_name, through[i]) != NULL;
    for (int i = 0; named && i < info->dlpi_phnum && heap_faults.n_ranges < HEAP_MAX_RANGES; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        heap_faults.from[heap_faults.n_ranges] = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        heap_faults.to[heap_faults.n_ranges] = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
        heap_faults.n_ranges++;
    }
    return 0;
}

/* The allocation number n from now (1 is the next) fails, and all after it when sticky. n = 0: none does, they are only
 * counted. */
static inline void heap_faults_after(long n, bool sticky)
{
    if (heap_faults.n_ranges == 0)
        dl_iterate_phdr(heap_faults_add_ranges, NULL);
    atomic_store(&heap_faults.sticky, sticky);
    atomic_store(&heap_faults.seen, 0);
    atomic_store(&heap_faults.left, n);
    atomic_store(&heap_faults.counting, true);
}

/* Returns how many there were. */
static inline long heap_faults_off(void)
{
    atomic_store(&heap_faults.counting, false);
    return atomic_load(&heap_faults.seen);
}

/* From one allocation that a test fails to the next, for about `tries` of them; FAULT_TRIES in the environment says how many
 * instead (0: all). */
static inline long heap_faults_stride(long allocations, long tries)
{
    const char *given = getenv("FAULT_TRIES");
    if (given != NULL)
        tries = strtol(given, NULL, 10);
    return tries > 0 && allocations > tries ? allocations / tries : 1;
}

static inline bool heap_faults_now(const void *caller)
{
    if (!atomic_load(&heap_faults.counting))
        return false;
    for (int i = 0; i < heap_faults.n_ranges; i++)
        if ((uintptr_t)caller >= heap_faults.from[i] && (uintptr_t)caller < heap_faults.to[i])
            return false;
    long number = atomic_fetch_add(&heap_faults.seen, 1) + 1, wanted = atomic_load(&heap_faults.left);
    bool fails = wanted > 0 && (number == wanted || (number > wanted && atomic_load(&heap_faults.sticky)));
    if (fails)
        errno = ENOMEM;
    return fails;
}

#define HEAP_CALLER __builtin_extract_return_addr(__builtin_return_address(0))

void *malloc(size_t bytes)
{
    return heap_faults_now(HEAP_CALLER) ? NULL : HEAP_BEHIND(malloc)(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return heap_faults_now(HEAP_CALLER) ? NULL : HEAP_BEHIND(calloc)(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
    return heap_faults_now(HEAP_CALLER) ? NULL : HEAP_BEHIND(realloc)(block, bytes);
}

void *memalign(size_t align, size_t bytes)
{
    return heap_faults_now(HEAP_CALLER) ? NULL : HEAP_BEHIND(memalign)(align, bytes);
}

void *aligned_alloc(size_t align, size_t bytes)
{
    return heap_faults_now(HEAP_CALLER) ? NULL : HEAP_BEHIND(memalign)(align, bytes);
}

int posix_memalign(void **out, size_t align, size_t bytes)
{
    void *block = heap_faults_now(HEAP_CALLER) ? NULL : HEAP_BEHIND(memalign)(align, bytes);
    if (block == NULL)
        return ENOMEM;
    *out = block;
    return 0;
}

/* Arenas and files that are mapped. */
void *mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    if (heap_faults_now(HEAP_CALLER))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, bytes, protection, flags, fd, offset);
}

#endif

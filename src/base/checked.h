/* Arithmetic on sizes that come from outside: true when it overflowed, as the compiler's built-ins have it. */
#ifndef PROTEA_BASE_CHECKED_H
#define PROTEA_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool protea_mul_overflows(size_t a, size_t b, size_t *out)
{
    return __builtin_mul_overflow(a, b, out);
}

static inline bool protea_add_overflows(size_t a, size_t b, size_t *out)
{
    return __builtin_add_overflow(a, b, out);
}

/* n rounded up to a multiple of unit (a power of two); true when that does not fit. */
static inline bool protea_round_up_overflows(size_t n, size_t unit, size_t *out)
{
    if (protea_add_overflows(n, unit - 1, out))
        return true;
    *out &= ~(unit - 1);
    return false;
}

#endif

/* bf16: the upper half of an f32. Conversions by integer arithmetic, which every compiler vectorises. */
#ifndef PROTEA_BACKEND_BF16_H
#define PROTEA_BACKEND_BF16_H

#include <stdint.h>
#include <string.h>

typedef uint16_t protea_bf16;

static inline float protea_bf16_to_f32(protea_bf16 h)
{
    uint32_t bits = (uint32_t)h << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* Rounds to nearest, ties to even; NaN stays NaN (quiet, sign and upper payload kept). */
static inline protea_bf16 protea_f32_to_bf16(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
    uint32_t quiet = bits | 0x400000;
    return (protea_bf16)(((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded) >> 16);
}

#endif

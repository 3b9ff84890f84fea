/* How reference kernels touch elements: one at a time, any dtype, any block. */
#ifndef PROTEA_BACKEND_CPU_REF_ACCESS_H
#define PROTEA_BACKEND_CPU_REF_ACCESS_H

#include "backend/bf16.h"
#include "backend/kernels.h"

/* Where element (n,c,y,x) lies: the formula of kernels.h. */
static inline int64_t map_at(const protea_map *m, int64_t n, int64_t c, int64_t y, int64_t x)
{
    return (((n * (m->c / m->block) + c / m->block) * m->h + y) * m->w + x) * m->block + c % m->block;
}

static inline float get(const void *data, protea_dtype dtype, int64_t i)
{
    return dtype == PROTEA_BF16 ? protea_bf16_to_f32(((const protea_bf16 *)data)[i]) : ((const float *)data)[i];
}

static inline void put(void *data, protea_dtype dtype, int64_t i, float value)
{
    if (dtype == PROTEA_BF16)
        ((protea_bf16 *)data)[i] = protea_f32_to_bf16(value);
    else
        ((float *)data)[i] = value;
}

static inline int64_t map_count(const protea_map *m)
{
    return m->n * m->c * m->h * m->w;
}

#endif

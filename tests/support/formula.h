/* Start weights and inputs by a formula that tools/oracle/formula.py computes to the same bits: element i of the tensor
 * `name` is an integer hash of both, as a number in [-1, 1). */
#ifndef PROTEA_TESTS_SUPPORT_FORMULA_H
#define PROTEA_TESTS_SUPPORT_FORMULA_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nn/module.h"

/* FNV-1a. */
static inline uint32_t formula_name_hash(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * 16777619u;
    return h;
}

static inline double formula_value(uint32_t name_hash, int64_t i)
{
    uint32_t h = (uint32_t)i * 0x9E3779B1u + name_hash;
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    h ^= h >> 16;
    return (double)(h >> 8) / 8388608.0 - 1.0;
}

/* x[i] = offset + scale * formula(name, i), i < n. */
static inline void formula_fill(float *x, int64_t n, const char *name, double offset, double scale)
{
    uint32_t hash = formula_name_hash(name);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(offset + scale * formula_value(hash, i));
}

/* A parameter by its full name: convolutions and linear layers as wide as their usual initialisation, batch-norm's
 * weight in 1 +- 0.25, biases in +- 0.1. */
static inline void formula_param(const char *name, protea_param *p)
{
    const int64_t *dim = p->w.dim;
    size_t len = strlen(name);
    double offset = 0, scale = 0.1;
    if (p->w.n_dims == 4)
        scale = sqrt(6.0 / (double)(dim[0] * dim[2] * dim[3]));
    else if (p->w.n_dims == 2)
        scale = 1 / sqrt((double)dim[1]);
    else if (len >= 6 && strcmp(name + len - 6, "weight") == 0)
        offset = 1, scale = 0.25;
    formula_fill(protea_f32(&p->w), protea_count(&p->w), name, offset, scale);
}

/* For a visitor: { .param = formula_visit }. */
static inline protea_status formula_visit(void *self, const char *name, protea_param *p)
{
    (void)self;
    formula_param(name, p);
    return PROTEA_OK;
}

#endif

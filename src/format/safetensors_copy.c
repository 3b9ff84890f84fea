/* From a file's tensor to one in memory, with nothing left to chance. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/safetensors.h"

static void describe(char *out, size_t size, const protea_tensor *t)
{
    int len = snprintf(out, size, "(");
    for (int i = 0; i < t->n_dims; i++)
        len += snprintf(out + len, size - (size_t)len, i ? ", %lld" : "%lld", (long long)t->dim[i]);
    snprintf(out + len, size - (size_t)len, ")");
}

/* A scalar of a file is one element here; PyTorch writes num_batches_tracked so. */
static bool same_shape(const protea_tensor *a, const protea_tensor *b)
{
    if (protea_count(a) == 1 && protea_count(b) == 1)
        return true;
    return a->n_dims == b->n_dims && memcmp(a->dim, b->dim, (size_t)a->n_dims * sizeof *a->dim) == 0;
}

static protea_status check_finite(const char *path, const char *name, const protea_tensor *from)
{
    for (int64_t i = 0; i < protea_count(from); i++)
        if (!isfinite(protea_f32(from)[i]))
            return protea_fail(PROTEA_ERR_INPUT, "%s: %s: element %lld is %g, wanted finite weights", path, name, (long long)i,
                               (double)protea_f32(from)[i]);
    return PROTEA_OK;
}

static protea_status check_shape(const char *path, const char *name, const protea_tensor *to, const protea_tensor *from)
{
    char found[128], wanted[128];
    if (same_shape(to, from))
        return PROTEA_OK;
    describe(found, sizeof found, from);
    describe(wanted, sizeof wanted, to);
    return protea_fail(PROTEA_ERR_INPUT, "%s: %s: shape %s, wanted %s", path, name, found, wanted);
}

protea_status protea_st_copy(const char *path, const char *name, protea_tensor *to, const protea_tensor *from)
{
    PROTEA_TRY(check_shape(path, name, to, from));
    if (from->dtype == PROTEA_I64 && to->dtype == PROTEA_F32 && protea_count(to) == 1) { /* num_batches_tracked */
        protea_f32(to)[0] = (float)*(const int64_t *)from->data;
        return PROTEA_OK;
    }
    if (from->dtype != to->dtype)
        return protea_fail(PROTEA_ERR_INPUT, "%s: %s: its elements are not %s", path, name,
                           to->dtype == PROTEA_F32 ? "f32" : "of the type wanted");
    if (from->dtype == PROTEA_F32)
        PROTEA_TRY(check_finite(path, name, from));
    memcpy(to->data, from->data, protea_bytes(to));
    return PROTEA_OK;
}

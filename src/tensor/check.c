/* Shape checks and how a shape reads in a message. */
#include "tensor/check.h"

#include <stdio.h>
#include <string.h>

char *protea_shape_text(char out[static PROTEA_SHAPE_TEXT], const protea_tensor *t)
{
    static const char *const names[] = { "f32", "bf16", "u8", "i32", "i64" };
    int used = snprintf(out, PROTEA_SHAPE_TEXT, "%s%s (", names[t->dtype], t->native ? " native" : "");
    for (int i = 0; i < t->n_dims && used < PROTEA_SHAPE_TEXT; i++)
        used += snprintf(out + used, (size_t)(PROTEA_SHAPE_TEXT - used), "%s%lld", i ? "," : "", (long long)t->dim[i]);
    if (used < PROTEA_SHAPE_TEXT)
        snprintf(out + used, (size_t)(PROTEA_SHAPE_TEXT - used), ")");
    return out;
}

protea_status protea_check_same(const char *op, const protea_tensor *a, const protea_tensor *b)
{
    char left[PROTEA_SHAPE_TEXT], right[PROTEA_SHAPE_TEXT];
    bool same = a->dtype == b->dtype && a->native == b->native && a->n_dims == b->n_dims &&
                (!a->native || a->block == b->block) && memcmp(a->dim, b->dim, (size_t)a->n_dims * sizeof a->dim[0]) == 0;
    if (same)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INTERNAL, "%s: %s and %s should be alike", op, protea_shape_text(left, a),
                       protea_shape_text(right, b));
}

protea_status protea_check_native(const char *op, const protea_tensor *t)
{
    char text[PROTEA_SHAPE_TEXT];
    if (t->native && t->n_dims == 4)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INTERNAL, "%s: %s is not a native activation", op, protea_shape_text(text, t));
}

protea_status protea_check_plain(const char *op, const char *name, const protea_tensor *t, int n_dims, const int64_t *wanted)
{
    char found[PROTEA_SHAPE_TEXT], want[PROTEA_SHAPE_TEXT];
    bool fits = !t->native && t->dtype == PROTEA_F32 && t->n_dims == n_dims;
    protea_tensor shape = { .dtype = PROTEA_F32, .n_dims = n_dims };
    for (int i = 0; i < n_dims; i++) {
        shape.dim[i] = wanted[i];
        fits = fits && (wanted[i] == 0 || wanted[i] == t->dim[i]);
    }
    if (fits)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INTERNAL, "%s: %s is %s, %s is wanted (0: any)", op, name, protea_shape_text(found, t),
                       protea_shape_text(want, &shape));
}

/* Shapes, and where tensors live. Every product of dimensions in the library is checked here, once. */
#include "tensor/context.h"

#include "base/checked.h"

int64_t protea_count(const protea_tensor *t)
{
    int64_t count = 1;
    for (int i = 0; i < t->n_dims; i++)
        count *= t->dim[i];
    return count;
}

size_t protea_bytes(const protea_tensor *t)
{
    return (size_t)protea_count(t) * protea_dtype_bytes(t->dtype);
}

protea_map protea_map_of(const protea_tensor *t)
{
    if (t->native)
        return (protea_map){ t->dim[0], t->dim[1], t->dim[2], t->dim[3], t->block, t->dtype };
    return (protea_map){ t->dim[0], t->dim[1], 1, 1, t->dim[1], t->dtype };
}

/* Sets a plain tensor's shape; its storage comes later. Errors: PROTEA_ERR_INTERNAL when a dimension is below 1,
 * PROTEA_ERR_MEMORY when the elements are more than can be addressed. */
static protea_status set_shape(protea_tensor *out, protea_dtype dtype, int n_dims, const int64_t *dim)
{
    size_t bytes = protea_dtype_bytes(dtype);
    *out = (protea_tensor){ .dtype = dtype, .n_dims = n_dims };
    if (n_dims < 1 || n_dims > PROTEA_MAX_DIMS)
        return protea_fail(PROTEA_ERR_INTERNAL, "tensor: %d dimensions, 1 to %d are possible", n_dims, PROTEA_MAX_DIMS);
    for (int i = 0; i < n_dims; i++) {
        if (dim[i] < 1)
            return protea_fail(PROTEA_ERR_INTERNAL, "tensor: dimension %d is %lld, at least 1 is needed", i, (long long)dim[i]);
        if (protea_mul_overflows(bytes, (size_t)dim[i], &bytes) || bytes > SIZE_MAX / 4)
            return protea_fail(PROTEA_ERR_MEMORY, "tensor: its dimensions multiply to more than any memory");
        out->dim[i] = dim[i];
    }
    return PROTEA_OK;
}

static protea_status take(protea_ctx *cx, protea_tensor *out, protea_where where)
{
    return protea_arena_alloc(where == PROTEA_KEPT ? cx->kept : cx->scratch, &out->data, protea_bytes(out));
}

protea_status protea_tensor_plain(protea_ctx *cx, protea_tensor *out, protea_where where, protea_dtype dtype, int n_dims,
                                  const int64_t *dim)
{
    PROTEA_TRY(set_shape(out, dtype, n_dims, dim));
    return take(cx, out, where);
}

protea_status protea_tensor_rows(protea_ctx *cx, protea_tensor *out, protea_where where, int64_t n, int64_t c)
{
    return protea_tensor_plain(cx, out, where, PROTEA_F32, 2, (const int64_t[]){ n, c });
}

protea_status protea_native_shape(protea_ctx *cx, protea_tensor *out, protea_dtype dtype, int64_t n, int64_t c, int64_t h,
                                  int64_t w)
{
    PROTEA_TRY(set_shape(out, dtype, 4, (const int64_t[]){ n, c, h, w }));
    out->native = true;
    out->block = cx->be->k.block(cx->be, dtype, c);
    return PROTEA_OK;
}

protea_status protea_tensor_native(protea_ctx *cx, protea_tensor *out, protea_where where, protea_dtype dtype, int64_t n,
                                   int64_t c, int64_t h, int64_t w)
{
    PROTEA_TRY(protea_native_shape(cx, out, dtype, n, c, h, w));
    return take(cx, out, where);
}

protea_status protea_tensor_like(protea_ctx *cx, protea_tensor *out, protea_where where, const protea_tensor *like)
{
    *out = *like;
    return take(cx, out, where);
}

protea_status protea_tensor_new(protea_tensor *out, int n_dims, const int64_t *dim, const char *purpose)
{
    PROTEA_TRY(set_shape(out, PROTEA_F32, n_dims, dim));
    return protea_new(&out->data, (size_t)protea_count(out), sizeof(float), purpose);
}

protea_status protea_tensor_new_i32(protea_tensor *out, int n_dims, const int64_t *dim, const char *purpose)
{
    PROTEA_TRY(set_shape(out, PROTEA_I32, n_dims, dim));
    return protea_new(&out->data, (size_t)protea_count(out), sizeof(int32_t), purpose);
}

void protea_tensor_release(protea_tensor *t)
{
    protea_free(t->data);
    *t = (protea_tensor){ 0 };
}

protea_tensor protea_row_range(const protea_tensor *t, int64_t first, int64_t n)
{
    protea_tensor rows = *t;
    size_t row_bytes = protea_bytes(t) / (size_t)t->dim[0];
    rows.data = (unsigned char *)t->data + (size_t)first * row_bytes;
    rows.dim[0] = n;
    return rows;
}

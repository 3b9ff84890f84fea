#include "cluster/memory_bank.h"

#include <math.h>
#include <string.h>

protea_status protea_memory_bank_new(protea_memory_bank *bank, int64_t n_crops, int64_t n_rows, int64_t dim)
{
    const int64_t shape[3] = { n_crops, n_rows, dim };
    PROTEA_TRY(protea_tensor_new(&bank->rows, 3, shape, "memory bank"));
    return protea_tensor_new_i32(&bank->index, 1, &n_rows, "memory bank");
}

void protea_memory_bank_release(protea_memory_bank *bank)
{
    protea_tensor_release(&bank->rows);
    protea_tensor_release(&bank->index);
}

protea_tensor protea_memory_bank_crop(const protea_memory_bank *bank, int64_t crop)
{
    int64_t n = bank->rows.dim[1], dim = bank->rows.dim[2];
    return (protea_tensor){ .data = protea_f32(&bank->rows) + crop * n * dim, .dtype = PROTEA_F32, .n_dims = 2,
                            .dim = { n, dim } };
}

static bool is_finite_row(const float *row, int64_t dim)
{
    float sum = 0;
    for (int64_t i = 0; i < dim; i++)
        sum += row[i];
    return isfinite(sum);
}

protea_status protea_memory_bank_put(protea_ctx *cx, protea_memory_bank *bank, int64_t crop, int64_t first,
                                     const protea_tensor *z)
{
    int64_t n = z->dim[0], dim = z->dim[1];
    if (z->n_dims != 2 || dim != bank->rows.dim[2] || crop >= bank->rows.dim[0] || first + n > bank->rows.dim[1])
        return protea_fail(PROTEA_ERR_INTERNAL, "memory bank: rows %lld to %lld of width %lld do not fit (%lld,%lld)",
                           (long long)first, (long long)(first + n), (long long)dim, (long long)bank->rows.dim[1],
                           (long long)bank->rows.dim[2]);
    if (cx->planning)
        return PROTEA_OK;
    protea_tensor rows = protea_memory_bank_crop(bank, crop);
    for (int64_t i = 0; i < n; i++)
        if (is_finite_row(protea_f32(z) + i * dim, dim))
            memcpy(protea_f32(&rows) + (first + i) * dim, protea_f32(z) + i * dim, (size_t)dim * sizeof(float));
    return PROTEA_OK;
}

void protea_memory_bank_put_index(const protea_ctx *cx, protea_memory_bank *bank, int64_t first, const int64_t *index, int64_t n)
{
    for (int64_t i = 0; !cx->planning && i < n; i++)
        protea_i32(&bank->index)[first + i] = (int32_t)index[i];
}

protea_status protea_memory_bank_visit(protea_memory_bank *bank, const protea_visitor *v)
{
    if (bank->rows.data == NULL || v->buffer == NULL)
        return PROTEA_OK;
    PROTEA_TRY(v->buffer(v->self, "memory", &bank->rows));
    return v->buffer(v->self, "memory_index", &bank->index);
}

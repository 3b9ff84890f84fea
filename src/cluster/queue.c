/* Rows move down as one block: a queue is a few megabytes at most, and order is then plain to see. */
#include "cluster/queue.h"

#include <string.h>

int64_t protea_queue_rows(int64_t wanted, int64_t batch_size, int n_ranks)
{
    return wanted / batch_size * batch_size / n_ranks;
}

protea_status protea_queue_new(protea_queue *queue, int64_t n_crops, int64_t length, int64_t dim)
{
    int64_t rows[3] = { n_crops, length, dim };
    PROTEA_TRY(protea_tensor_new(&queue->rows, 3, rows, "queue of embeddings"));
    return protea_tensor_new(&queue->filled, 1, rows, "queue of embeddings");
}

void protea_queue_release(protea_queue *queue)
{
    protea_tensor_release(&queue->rows);
    protea_tensor_release(&queue->filled);
}

bool protea_queue_exists(const protea_queue *queue)
{
    return queue->rows.data != NULL;
}

bool protea_queue_is_full(const protea_ctx *cx, const protea_queue *queue, int64_t crop)
{
    if (!protea_queue_exists(queue))
        return false;
    return cx->planning || protea_f32(&queue->filled)[crop] >= (float)queue->rows.dim[1];
}

protea_tensor protea_queue_crop(const protea_queue *queue, int64_t crop)
{
    int64_t length = queue->rows.dim[1], dim = queue->rows.dim[2];
    return (protea_tensor){ .data = protea_f32(&queue->rows) + crop * length * dim, .dtype = PROTEA_F32, .n_dims = 2,
                            .dim = { length, dim } };
}

protea_status protea_queue_push(protea_ctx *cx, protea_queue *queue, int64_t crop, const protea_tensor *z)
{
    protea_tensor rows = protea_queue_crop(queue, crop);
    int64_t length = rows.dim[0], dim = rows.dim[1], n = z->dim[0];
    if (z->n_dims != 2 || z->dim[1] != dim || n > length)
        return protea_fail(PROTEA_ERR_INTERNAL, "queue: rows (%lld,%lld) do not fit a queue of (%lld,%lld)", (long long)n,
                           (long long)z->dim[1], (long long)length, (long long)dim);
    if (cx->planning)
        return PROTEA_OK;
    float *first = protea_f32(&rows), *filled = &protea_f32(&queue->filled)[crop];
    memmove(first + n * dim, first, (size_t)((length - n) * dim) * sizeof *first);
    memcpy(first, z->data, (size_t)(n * dim) * sizeof *first);
    *filled = *filled + (float)n < (float)length ? *filled + (float)n : (float)length;
    return PROTEA_OK;
}

protea_status protea_queue_visit(protea_queue *queue, const protea_visitor *v)
{
    if (!protea_queue_exists(queue) || v->buffer == NULL)
        return PROTEA_OK;
    PROTEA_TRY(v->buffer(v->self, "queue", &queue->rows));
    return v->buffer(v->self, "queue_filled", &queue->filled);
}

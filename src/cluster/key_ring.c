#include "cluster/key_ring.h"

#include <math.h>
#include <string.h>

static protea_status check_length(const char *option, int64_t length, int64_t per_step)
{
    int64_t below = length / per_step * per_step;
    if (length == below && length > 0)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_USAGE, "%s: %lld found, a multiple of the %lld keys of a step wanted: %lld, say", option,
                       (long long)length, (long long)per_step, (long long)(below > 0 ? below : per_step));
}

static void random_directions(protea_tensor *keys, protea_rng *rng)
{
    int64_t dim = keys->dim[1];
    for (int64_t row = 0; row < keys->dim[0]; row++) {
        float *key = protea_f32(keys) + row * dim;
        double square = 0;
        for (int64_t i = 0; i < dim; i++) {
            key[i] = protea_rng_normal(rng);
            square += (double)key[i] * key[i];
        }
        for (int64_t i = 0; i < dim; i++)
            key[i] = (float)(key[i] / sqrt(square));
    }
}

protea_status protea_key_ring_new(protea_key_ring *ring, const char *option, int64_t length, int64_t dim, int64_t per_step,
                                  protea_rng *rng)
{
    PROTEA_TRY(check_length(option, length, per_step));
    PROTEA_TRY(protea_tensor_new(&ring->keys, 2, (const int64_t[]){ length, dim }, "queue of keys"));
    PROTEA_TRY(protea_tensor_new(&ring->next, 1, (const int64_t[]){ 1 }, "queue of keys"));
    random_directions(&ring->keys, rng);
    return PROTEA_OK;
}

void protea_key_ring_release(protea_key_ring *ring)
{
    protea_tensor_release(&ring->keys);
    protea_tensor_release(&ring->next);
}

protea_status protea_key_ring_push(protea_ctx *cx, protea_key_ring *ring, const protea_tensor *keys)
{
    int64_t length = ring->keys.dim[0], dim = ring->keys.dim[1], n = keys->dim[0];
    if (keys->n_dims != 2 || keys->dim[1] != dim || n < 1 || length % n != 0)
        return protea_fail(PROTEA_ERR_INTERNAL, "queue of keys: rows (%lld,%lld) do not divide one of (%lld,%lld)", (long long)n,
                           (long long)keys->dim[1], (long long)length, (long long)dim);
    if (cx->planning)
        return PROTEA_OK;
    int64_t row = (int64_t)protea_f32(&ring->next)[0];
    memcpy(protea_f32(&ring->keys) + row * dim, keys->data, (size_t)(n * dim) * sizeof(float));
    protea_f32(&ring->next)[0] = (float)((row + n) % length);
    return PROTEA_OK;
}

protea_status protea_key_ring_visit(protea_key_ring *ring, const protea_visitor *v)
{
    if (v->buffer == NULL)
        return PROTEA_OK;
    PROTEA_TRY(v->buffer(v->self, "queue", &ring->keys));
    return v->buffer(v->self, "queue_ptr", &ring->next);
}

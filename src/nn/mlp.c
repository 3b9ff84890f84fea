/* Heads made of linear layers. Names count every layer of the reference's Sequential, ReLU included. */
#include "nn/layers.h"

#include <stdio.h>

enum { MAX_LINEAR = 4, MAX_PARTS = 3 * MAX_LINEAR, NAME_SIZE = 4 };

typedef struct mlp_parts {
    int n, index; /* parts so far; layers of the reference so far */
    protea_module *part[MAX_PARTS];
    char name[MAX_PARTS][NAME_SIZE];
} mlp_parts;

/* The next part, which stands for so many layers of the reference. */
static void name_part(mlp_parts *parts, int layers)
{
    snprintf(parts->name[parts->n++], NAME_SIZE, "%u", (unsigned char)parts->index);
    parts->index += layers;
}

static protea_status add_linear(mlp_parts *parts, int64_t in, int64_t out, bool bias, protea_rng *rng)
{
    PROTEA_TRY(protea_linear_new(&parts->part[parts->n], in, out, bias, rng));
    name_part(parts, 1);
    return PROTEA_OK;
}

static protea_status add_hidden(mlp_parts *parts, const protea_mlp_opts *o, int64_t in, protea_rng *rng)
{
    PROTEA_TRY(add_linear(parts, in, o->hidden, o->hidden_bias, rng));
    if (o->hidden_norm) {
        PROTEA_TRY(protea_batchnorm_new(&parts->part[parts->n], o->hidden, true, true));
        name_part(parts, 2);
        return PROTEA_OK;
    }
    PROTEA_TRY(protea_relu_new(&parts->part[parts->n], o->hidden));
    name_part(parts, 1);
    return PROTEA_OK;
}

static protea_status add_all(mlp_parts *parts, const protea_mlp_opts *o, protea_rng *rng)
{
    int64_t in = o->in;
    if (o->n_layers < 1 || o->n_layers > MAX_LINEAR)
        return protea_fail(PROTEA_ERR_INTERNAL, "mlp: %d layers found, 1 to %d wanted", o->n_layers, MAX_LINEAR);
    for (int i = 0; i < o->n_layers - 1; i++, in = o->hidden)
        PROTEA_TRY(add_hidden(parts, o, in, rng));
    PROTEA_TRY(add_linear(parts, in, o->out, o->out_bias, rng));
    if (!o->out_norm)
        return PROTEA_OK;
    PROTEA_TRY(protea_batchnorm_new(&parts->part[parts->n], o->out, false, false));
    name_part(parts, 1);
    return PROTEA_OK;
}

protea_status protea_mlp_new(protea_module **out, const protea_mlp_opts *opts, protea_rng *rng)
{
    mlp_parts parts = { 0 };
    const char *names[MAX_PARTS];
    *out = NULL;
    protea_status status = add_all(&parts, opts, rng);
    for (int i = 0; i < parts.n; i++)
        names[i] = parts.name[i];
    if (status == PROTEA_OK && parts.n > 1)
        return protea_sequential_new(out, parts.n, parts.part, names);
    if (status == PROTEA_OK)
        *out = parts.part[0];
    for (int i = 0; status != PROTEA_OK && i < parts.n; i++)
        protea_module_free(parts.part[i]);
    return status;
}

protea_status protea_mlp_head_new(protea_module **out, int64_t in, int64_t hidden, int64_t out_features, protea_rng *rng)
{
    const protea_mlp_opts opts = { .n_layers = hidden > 0 ? 2 : 1, .in = in, .hidden = hidden, .out = out_features,
                                   .hidden_norm = true, .hidden_bias = true, .out_bias = true };
    return protea_mlp_new(out, &opts, rng);
}

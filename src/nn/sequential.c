/* Modules one after the other. */
#include "nn/layers.h"

enum { MAX_PARTS = 16, MAX_NAME = 32 };

typedef struct sequential {
    protea_module module;
    int n;
    protea_module *part[MAX_PARTS];
    char name[MAX_PARTS][MAX_NAME];
} sequential;

static protea_status sequential_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x,
                                        protea_tensor *y)
{
    sequential *s = (sequential *)m;
    protea_tensor in = *x;
    for (int i = 0; i < s->n; i++) {
        PROTEA_TRY(protea_forward(cx, s->part[i], pass, &in, y));
        in = *y;
    }
    return PROTEA_OK;
}

static protea_status sequential_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy,
                                         protea_tensor *dx)
{
    sequential *s = (sequential *)m;
    protea_tensor from = *dy, to;
    for (int i = s->n - 1; i >= 0; i--) {
        bool wanted = i > 0 || dx != NULL;
        PROTEA_TRY(protea_backward(cx, s->part[i], tape, &from, wanted ? &to : NULL));
        if (wanted)
            from = to;
    }
    if (dx != NULL)
        *dx = from;
    return PROTEA_OK;
}

static protea_status sequential_visit(protea_module *m, const char *prefix, const protea_visitor *v)
{
    sequential *s = (sequential *)m;
    for (int i = 0; i < s->n; i++) {
        char full[256];
        PROTEA_TRY(protea_join_name(full, prefix, s->name[i]));
        PROTEA_TRY(protea_visit(s->part[i], full, v));
    }
    return PROTEA_OK;
}

static void free_parts(int n, protea_module **parts)
{
    for (int i = 0; i < n; i++)
        protea_module_free(parts[i]);
}

static void sequential_free(protea_module *m)
{
    sequential *s = (sequential *)m;
    free_parts(s->n, s->part);
    protea_free(s);
}

static const protea_module_ops sequential_ops = { "sequential", sequential_forward, sequential_backward, sequential_visit,
                                                  sequential_free };

protea_status protea_sequential_new(protea_module **out, int n, protea_module **parts, const char *const *names)
{
    sequential *s;
    *out = NULL;
    protea_status status = n >= 1 && n <= MAX_PARTS ? protea_new(&s, 1, sizeof *s, "a chain of layers")
                                                    : protea_fail(PROTEA_ERR_INTERNAL, "sequential: %d parts, 1 to %d are possible",
                                                                  n, MAX_PARTS);
    if (status != PROTEA_OK) {
        free_parts(n, parts);
        return status;
    }
    s->module = (protea_module){ &sequential_ops, parts[n - 1]->out_dim };
    s->n = n;
    for (int i = 0; i < n; i++) {
        s->part[i] = parts[i];
        const char *name = names[i] ? names[i] : "";
        for (int j = 0; name[j] && j < MAX_NAME - 1; j++)
            s->name[i][j] = name[j];
    }
    *out = &s->module;
    return PROTEA_OK;
}

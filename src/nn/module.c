/* What all modules share: dispatch, parameters, names. */
#include "nn/module.h"

#include <stdio.h>
#include <string.h>

protea_status protea_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x, protea_tensor *y)
{
    return m->ops->forward(cx, m, pass, x, y);
}

protea_status protea_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy, protea_tensor *dx)
{
    return m->ops->backward(cx, m, tape, dy, dx);
}

protea_status protea_visit(protea_module *m, const char *prefix, const protea_visitor *v)
{
    return m->ops->visit(m, prefix, v);
}

void protea_module_free(protea_module *m)
{
    if (m != NULL)
        m->ops->free(m);
}

protea_status protea_param_new(protea_param *p, int n_dims, const int64_t *dim)
{
    *p = (protea_param){ .no_decay = n_dims == 1 };
    PROTEA_TRY(protea_tensor_new(&p->w, n_dims, dim, "a parameter"));
    return protea_tensor_new(&p->dw, n_dims, dim, "a gradient");
}

void protea_param_release(protea_param *p)
{
    protea_tensor_release(&p->w);
    protea_tensor_release(&p->dw);
}

protea_status protea_join_name(char out[static 256], const char *prefix, const char *name)
{
    const char *dot = *prefix && *name ? "." : "";
    int len = snprintf(out, 256, "%s%s%s", prefix, dot, name);
    if (len >= 0 && len < 256)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INTERNAL, "the name %.60s...%s%.60s is longer than 255 bytes", prefix, dot, name);
}

protea_status protea_visit_param(const protea_visitor *v, const char *prefix, const char *name, protea_param *p)
{
    char full[256];
    if (v->param == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_join_name(full, prefix, name));
    return v->param(v->self, full, p);
}

protea_status protea_visit_buffer(const protea_visitor *v, const char *prefix, const char *name, protea_tensor *t)
{
    char full[256];
    if (v->buffer == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_join_name(full, prefix, name));
    return v->buffer(v->self, full, t);
}

static protea_status count_param(void *self, const char *name, protea_param *p)
{
    (void)name;
    *(int64_t *)self += protea_count(&p->w);
    return PROTEA_OK;
}

protea_status protea_param_count(protea_module *m, int64_t *out)
{
    *out = 0;
    return protea_visit(m, "", &(protea_visitor){ .param = count_param, .self = out });
}

static protea_status zero_gradient(void *self, const char *name, protea_param *p)
{
    (void)self, (void)name;
    memset(p->dw.data, 0, protea_bytes(&p->dw));
    return PROTEA_OK;
}

protea_status protea_zero_gradients(protea_module *m)
{
    return protea_visit(m, "", &(protea_visitor){ .param = zero_gradient });
}

/* Planning a step to be timed, and how much its convolutions have to multiply. */
#include "api/bench.h"

/* A back-end that hears of every convolution on its way to the one that does the work. */
typedef struct counter {
    protea_backend be;      /* first: kernels are called with a pointer to it */
    protea_backend *own;
    double flops;
} counter;

static protea_status count_conv(protea_backend *be, size_t *bytes, const protea_conv_dims *d, protea_conv_pass pass)
{
    counter *c = (counter *)(void *)be;
    c->flops += protea_bench_conv_flops(d);
    return c->own->k.conv_scratch(c->own, bytes, d, pass);
}

double protea_bench_conv_flops(const protea_conv_dims *d)
{
    return 2.0 * (double)(d->y.n * d->y.c * d->y.h * d->y.w) * (double)(d->x.c * d->kh * d->kw);
}

protea_status protea_bench_plan(protea_bench_result *out, const protea_bench *b,
                                protea_status (*body)(protea_ctx *cx, void *self), void *self)
{
    protea_ctx *cx = &b->session->cx;
    counter c = { .be = *cx->be, .own = cx->be };
    c.be.k.conv_scratch = count_conv; /* asked once for each pass of each convolution */
    cx->be = &c.be;
    protea_status status = protea_plan_arenas(cx, body, self, &out->kept, &out->scratch);
    cx->be = c.own;
    out->flops = c.flops;
    return status;
}

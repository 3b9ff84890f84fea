/* protea_tsne: rows of length 1 and a session around protea_tsne_fit. */
#include <math.h>

#include "api/verb.h"
#include "eval/tsne.h"

static double length_of(const float *x, int64_t d)
{
    double square = 0;
    for (int64_t j = 0; j < d; j++)
        square += (double)x[j] * (double)x[j];
    return sqrt(square);
}

/* z (n,d): the rows at length 1; those of zeros stay. */
static protea_status scale_rows(float *z, const float *x, int64_t n, int64_t d, const char *name)
{
    int64_t bad = n;
#pragma omp parallel for schedule(static) reduction(min : bad)
    for (int64_t i = 0; i < n; i++) {
        double length = length_of(x + i * d, d);
        for (int64_t j = 0; j < d; j++)
            z[i * d + j] = length > 0 ? (float)((double)x[i * d + j] / length) : 0;
        bad = isfinite(length) || i > bad ? bad : i;
    }
    if (bad < n)
        return protea_fail(PROTEA_ERR_INPUT, "%s: row %lld holds a value that is not finite", name != NULL ? name : "t-SNE",
                           (long long)bad);
    return PROTEA_OK;
}

static protea_status fit(protea_ctx *cx, protea_tsne_out *out, const float *x, int64_t n, int64_t d, const protea_tsne_opts *opts)
{
    float *z;
    PROTEA_TRY(protea_new(&z, (size_t)n, (size_t)d * sizeof *z, "rows of length 1"));
    protea_status status = scale_rows(z, x, n, d, opts->name);
    if (status == PROTEA_OK)
        status = protea_tsne_fit(cx, out, z, n, d, opts);
    protea_free(z);
    return status;
}

protea_status protea_tsne(protea_tsne_out *out, const float *x, int64_t n, int64_t d, const protea_tsne_opts *opts, int threads,
                          const protea_hooks *hooks)
{
    const protea_hooks none = { 0 };
    const protea_session_opts machine = { .threads = threads };
    protea_session session;
    protea_status status = protea_session_open(&session, &machine, hooks != NULL ? hooks : &none);
    if (status == PROTEA_OK)
        status = fit(&session.cx, out, x, n, d, opts);
    protea_session_close(&session);
    return status;
}

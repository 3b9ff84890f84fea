/* protea_kmeans: a session around protea_kmeans_fit. */
#include "api/verb.h"
#include "cluster/kmeans.h"

protea_status protea_kmeans(protea_kmeans_out *out, const float *x, int64_t n, int64_t d, const protea_kmeans_opts *opts,
                            int threads, const protea_hooks *hooks)
{
    const protea_hooks none = { 0 };
    const protea_session_opts machine = { .threads = threads };
    protea_session session;
    protea_status status = protea_session_open(&session, &machine, hooks != NULL ? hooks : &none);
    if (status == PROTEA_OK)
        status = protea_kmeans_fit(&session.cx, out, x, n, d, opts);
    protea_session_close(&session);
    return status;
}

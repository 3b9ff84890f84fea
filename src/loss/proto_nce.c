/* Prototypes divided by their concentrations become the rows of a matrix, logits are the queries times it, and the rest is
 * cross-entropy of row i with label i. */
#include "loss/proto_nce.h"

#include "loss/cross_entropy.h"
#include "tensor/ops.h"

static const float masked = -1e9f; /* a logit whose softmax is 0 */

static protea_status check(const protea_proto_nce *g, const protea_tensor *dq, const protea_tensor *q)
{
    const protea_tensor *c = g->prototypes;
    if (q->n_dims != 2 || dq->n_dims != 2 || c->n_dims != 2 || q->dim[0] != dq->dim[0] || q->dim[1] != dq->dim[1] ||
        q->dim[1] != c->dim[1])
        return protea_fail(PROTEA_ERR_INTERNAL, "proto_nce: queries (%lld,%lld) do not fit prototypes (%lld,%lld)",
                           (long long)q->dim[0], (long long)q->dim[1], (long long)c->dim[0], (long long)c->dim[1]);
    return PROTEA_OK;
}

/* Cluster of row j of the matrix. */
static int32_t cluster_of(const protea_proto_nce *g, int64_t n, int64_t j)
{
    return j < n ? g->positive[j] : g->negative[j - n];
}

/* rows (N+R,D): c_j / phi_j */
static protea_status gather(const protea_proto_nce *g, int64_t n, protea_tensor *rows)
{
    int64_t dim = rows->dim[1], k = g->prototypes->dim[0];
    for (int64_t j = 0; j < rows->dim[0]; j++) {
        int32_t cluster = cluster_of(g, n, j);
        if (cluster < 0 || cluster >= k)
            return protea_fail(PROTEA_ERR_INTERNAL, "proto_nce: cluster %d of %lld", (int)cluster, (long long)k);
        const float *c = protea_f32(g->prototypes) + cluster * dim;
        float *row = protea_f32(rows) + j * dim, scale = 1 / g->concentration[cluster];
        for (int64_t d = 0; d < dim; d++)
            row[d] = scale * c[d];
    }
    return PROTEA_OK;
}

static void mask_same(const protea_proto_nce *g, protea_tensor *logits)
{
    int64_t n = logits->dim[0], columns = logits->dim[1];
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            if (j != i && g->positive[j] == g->positive[i])
                protea_f32(logits)[i * columns + j] = masked;
}

static double share_correct(const protea_ctx *cx, const protea_tensor *logits, const int32_t *label)
{
    int64_t n, correct = protea_count_correct(cx, logits, label, &n);
    return n > 0 ? (double)correct / (double)n : 0;
}

/* logits (N,N+R) become their gradient; label (N): room. */
static protea_status compare(protea_ctx *cx, double *loss, double *accuracy, protea_tensor *logits, int32_t *label,
                             const protea_proto_nce *g)
{
    const protea_cross_entropy_opts opts = { .temperature = 1 };
    for (int64_t i = 0; !cx->planning && i < logits->dim[0]; i++)
        label[i] = (int32_t)i;
    if (g->mask_same && !cx->planning)
        mask_same(g, logits);
    if (accuracy != NULL)
        *accuracy = share_correct(cx, logits, label);
    return protea_cross_entropy(cx, loss, logits, logits, label, &opts);
}

protea_status protea_proto_nce_loss(protea_ctx *cx, double *loss, double *accuracy, protea_tensor *dq, const protea_tensor *q,
                                    const protea_proto_nce *granularity)
{
    const protea_proto_nce *g = granularity;
    size_t mark = protea_arena_mark(cx->scratch);
    int64_t n = q->dim[0];
    protea_tensor rows, logits;
    int32_t *label;
    PROTEA_TRY(check(g, dq, q));
    PROTEA_TRY(protea_tensor_rows(cx, &rows, PROTEA_SCRATCH, n + g->n_negatives, q->dim[1]));
    PROTEA_TRY(protea_tensor_rows(cx, &logits, PROTEA_SCRATCH, n, n + g->n_negatives));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &label, (size_t)n * sizeof *label));
    if (!cx->planning)
        PROTEA_TRY(gather(g, n, &rows));
    PROTEA_TRY(protea_gemm(cx, &logits, q, &rows, false, true, 1, 0));
    PROTEA_TRY(compare(cx, loss, accuracy, &logits, label, g));
    if (!cx->planning)
        *loss *= g->weight;
    PROTEA_TRY(protea_gemm(cx, dq, &logits, &rows, false, false, (float)g->weight, 1));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* t-SNE inside the library: as <protea/tsne.h>, with a context. */
#ifndef PROTEA_EVAL_TSNE_H
#define PROTEA_EVAL_TSNE_H

#include <protea/tsne.h>

#include "tensor/context.h"

/* As protea_tsne, of rows z (n,dim) that have length 1 already. Memory from the heap; not for use while planning. */
protea_status protea_tsne_fit(protea_ctx *cx, protea_tsne_out *out, const float *z, int64_t n, int64_t dim,
                              const protea_tsne_opts *opts);

#endif

/* Views of images to embeddings of length 1, and back: backbone, head and L2 normalisation over a batch with several
 * resolutions, as SwAV and DeepCluster-v2 train them. Letters: N images on this rank, V views, D width of the embedding. */
#ifndef PROTEA_METHOD_EMBEDDING_H
#define PROTEA_METHOD_EMBEDDING_H

#include <protea/options.h>

#include "data/batch.h"
#include "nn/module.h"

typedef struct protea_embedder {
    protea_module *backbone, *head; /* borrowed; head: rows (n,F) -> (n,D) before normalisation */
    protea_tape *tape;              /* borrowed */
} protea_embedder;

typedef struct protea_embedding {
    protea_tensor z, norm;          /* (V*N,D) of length 1; (V*N,1). View v of image i is row v*N + i */
} protea_embedding;

/* One pass of the backbone per resolution, so that its batch-norm sees one resolution at a time, the smallest views last;
 * one pass of the head over all views. pass->tape may be NULL. */
protea_status protea_embed_batch(protea_ctx *cx, const protea_embedder *e, const protea_pass *pass, const protea_batch *batch,
                                 protea_embedding *out);
/* Pooled features (n,F) -> z (n,D) of length 1 and norm (n,1), in the kept arena. */
protea_status protea_embed_features(protea_ctx *cx, protea_module *head, const protea_pass *pass, const protea_tensor *features,
                                    protea_embedding *out);
/* The same without the norm: what a method's `head` gives. */
protea_status protea_embed_head(protea_ctx *cx, protea_module *head, const protea_pass *pass, const protea_tensor *features,
                                protea_tensor *z);
/* dz (V*N,D), overwritten, to gradients in the parameters of head and backbone. */
protea_status protea_embed_backward(protea_ctx *cx, const protea_embedder *e, const protea_batch *batch,
                                    const protea_embedding *embedding, protea_tensor *dz);

/* The images of one view, plain f32 (N,3,S,S). view < batch->n_views. */
protea_tensor protea_view_images(const protea_batch *batch, int64_t view);
/* One view, as a batch of its own: for methods whose views pass batch-norm apart. */
protea_batch protea_view_alone(const protea_batch *batch, int64_t view);
/* That a batch has 2 views of one size. Errors: PROTEA_ERR_USAGE. */
protea_status protea_two_views_check(const protea_batch *batch);

/* crops_for_assign: whole numbers, each once, at least one. Errors: PROTEA_ERR_USAGE. */
protea_status protea_assigned_check(const protea_list *assigned);
/* The same against the views a batch has, of which there must be 2. Errors: PROTEA_ERR_USAGE. */
protea_status protea_assigned_fit(const protea_list *assigned, const protea_batch *batch);

#endif

/* The support bank of T3A and TSD: for each class the K features whose predictions have the least entropy, and one prototype
 * per class, the sum of its features divided by their Euclidean length.
 *
 * A feature belongs to the class it was predicted as when it came; entropy is that of then, never worked out again. Of equal
 * entropies the earlier came first. Memory is taken once and does not grow with the stream.
 *
 * Prototypes change with every row that comes or goes. They are kept in whole numbers of 2^-40, in which sums of numbers below
 * 1 are exact: whatever the order of a million changes, they are what a fresh sum over the rows gives. So there is no drift,
 * and a loaded bank continues to the bit.
 * Source: Iwasawa & Matsuo 2021, "Test-Time Classifier Adjustment Module", NeurIPS, sec. 4; arXiv:2303.10902. */
#ifndef PROTEA_ADAPT_SUPPORT_BANK_H
#define PROTEA_ADAPT_SUPPORT_BANK_H

#include "nn/module.h"

typedef struct protea_bank_opts {
    int64_t filter_k;       /* K; -1: all that cap_mib allows */
    int64_t cap_mib;        /* refuses a bank of more; with filter_k -1 its size */
    bool with_scores;       /* keeps each row's prediction */
    bool drop_worst;        /* as the reference code with K = -1: each call drops every class's row of most entropy */
} protea_bank_opts;

typedef struct protea_bank {
    int64_t n_classes, dim, per_class;  /* C, D, K */
    protea_bank_opts opts;
    protea_tensor rows;                 /* (C K, D) as they came; class c's first is c K, its filled[c] lie close together */
    protea_tensor entropy;              /* (C K, 1) in nats */
    protea_tensor scores;               /* (C K, C) softmax, or (1,1) without */
    protea_tensor order;                /* (C K, 2): how many came before, as high * 2^24 + low */
    protea_tensor filled;               /* (C): rows of each class, below 2^24 */
    protea_tensor came;                 /* (2): rows ever offered, as order */
    int32_t *heap;                      /* (C K): each class's rows, numbered within it, the worst first */
    int64_t *sum;                       /* (C,D) prototypes in units of 2^-40 */
} protea_bank;

/* Also on failure: release. Errors: PROTEA_ERR_USAGE when it would be larger than the cap, PROTEA_ERR_MEMORY. */
protea_status protea_bank_new(protea_bank *bank, int64_t n_classes, int64_t dim, const protea_bank_opts *opts);
void protea_bank_release(protea_bank *bank); /* accepts a zeroed one */
void protea_bank_clear(protea_bank *bank);

/* Offers features z (N,D) with their logits (N,C): label, entropy and score are those of softmax(logits). Scratch:
 * cx->scratch; on paper nothing else happens. */
protea_status protea_bank_add(protea_ctx *cx, protea_bank *bank, const protea_tensor *z, const protea_tensor *logits);
/* The first rows of T3A and TSD: the weights of the linear layer, labelled by its own prediction for them. */
protea_status protea_bank_warm_up(protea_ctx *cx, protea_bank *bank, protea_module *fc);

/* out (C,D): the sums, in f32; a class without rows has zeros. */
protea_status protea_bank_prototypes(protea_ctx *cx, const protea_bank *bank, protea_tensor *out);
/* The rows of class c, (filled[c],D), as a view. */
protea_tensor protea_bank_class(const protea_bank *bank, int64_t c);
int64_t protea_bank_filled(const protea_bank *bank, int64_t c);

int64_t protea_bank_rows(const protea_bank *bank);
size_t protea_bank_bytes(const protea_bank *bank);

/* Saved as adapter.bank.*. After reading: protea_bank_loaded. Errors: PROTEA_ERR_INPUT when what was read is no bank. */
protea_status protea_bank_visit(protea_bank *bank, const protea_visitor *v);
protea_status protea_bank_loaded(protea_bank *bank);

#endif

/* The first memory bank of DeepCluster-v2: there is no epoch before the first that could have filled it. */
#ifndef PROTEA_METHOD_FIRST_BANK_H
#define PROTEA_METHOD_FIRST_BANK_H

#include "cluster/memory_bank.h"
#include "method/embedding.h"
#include "method/method.h"

/* Sends this epoch's batches through the network as training would, with batch statistics that also move the running ones, but
 * without a gradient, each assigned view alone (as the reference), and puts their embeddings into the bank. In arenas of its
 * own: the step's are made for the step. Errors: PROTEA_ERR_USAGE (a view that there is none of), those of next_batch. */
protea_status protea_first_bank(protea_ctx *cx, protea_memory_bank *bank, const protea_embedder *embedder,
                                const protea_list *assigned, const protea_progress *now);

#endif

/* The convolution passes met so far, each with its plan. Networks have some dozens, so a list is searched from the front. */
#ifndef PROTEA_BACKEND_CPU_CONV_CACHE_H
#define PROTEA_BACKEND_CPU_CONV_CACHE_H

#include "backend/cpu/onednn.h"

typedef struct protea_conv_entry protea_conv_entry;

/* Zeroed: empty. */
typedef struct protea_conv_cache {
    protea_conv_entry *entries; /* owned */
    size_t n;
} protea_conv_cache;

/* The plan of a pass, made when it is first asked for; borrowed. ending: as of protea_conv_plan_new. */
protea_status protea_conv_cache_find(protea_conv_plan **out, protea_conv_cache *cache, protea_onednn *o,
                                     const protea_conv_dims *d, protea_conv_pass pass, const protea_conv_ending *ending);
void protea_conv_cache_clear(protea_conv_cache *cache);

#endif

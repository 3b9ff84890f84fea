/* The pages of clusters, written again: `protea report DIR` of what `protea cluster` left. */
#ifndef PROTEA_API_CLUSTER_AGAIN_H
#define PROTEA_API_CLUSTER_AGAIN_H

#include "api/verb.h"

/* *is: dir has the record of a call of `cluster`. Errors: PROTEA_ERR_INPUT, PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_cluster_is(const char *dir, bool *is);

/* Makes the clusters once more, by dir's record, in a folder of dir's that is removed in any case, and puts their pages in the
 * place of dir's; nothing else of dir changes. Errors: those of `cluster`, and PROTEA_ERR_INPUT where other clusters come out, as
 * of images that have changed. */
protea_status protea_cluster_again(const char *dir, const protea_hooks *hooks);

#endif

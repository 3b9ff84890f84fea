/* The pages of clusters, written again: `protea report DIR` of what `protea cluster` left. */
#ifndef PROTEA_API_CLUSTER_AGAIN_H
#define PROTEA_API_CLUSTER_AGAIN_H

#include "api/past_call.h"
#include "api/verb.h"

/* Makes the clusters once more, by the call c that dir's record has, in a folder of dir's that is removed in any case, and puts
 * their pages in the place of dir's; nothing else of dir changes. dir is locked meanwhile. Errors: those of `cluster`,
 * PROTEA_ERR_BUSY, and PROTEA_ERR_INPUT where other clusters come out, as of images that have changed. */
protea_status protea_cluster_again(const protea_past_call *c, const char *dir, const protea_hooks *hooks);

#endif

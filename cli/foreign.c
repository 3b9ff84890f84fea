#include "foreign.h"

#include <string.h>

static const char one[] = "a run is one process, whose batch_size is the whole step's (SwAV's, DeepCluster-v2's: a GPU's)";
static const char norm[] = "batch-norm's statistics are of the process's batch; bn_splits makes groups";

/* SwAV's, DeepCluster-v2's, MoCo's, PCL's and SimSiam's. */
static const cli_foreign FLAGS[] = {
    { "dist_backend", true, one }, { "dist_url", true, one }, { "gpu", true, one }, { "local_rank", true, one },
    { "multiprocessing_distributed", false, one }, { "rank", true, one }, { "world_size", true, one },
    { "sync_bn", true, norm }, { "syncbn_process_group_size", true, norm },
    { "start_epoch", true, "--resume goes on from where the run was" },
    { "use_fp16", true, "precision says it, and auto takes bf16 where the processor multiplies it" },
};

const cli_foreign *cli_find_foreign(const char *key)
{
    for (unsigned i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
        if (strcmp(FLAGS[i].key, key) == 0)
            return &FLAGS[i];
    return NULL;
}

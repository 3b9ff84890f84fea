#include "api/cluster_origin.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "eval/cluster_file.h"
#include "train/rundir.h"

static protea_status holds_config(const char *name, bool *holds)
{
    char *path;
    PROTEA_TRY(protea_path_join(&path, name, PROTEA_RUN_CONFIG));
    *holds = access(path, R_OK) == 0;
    protea_free(path);
    return PROTEA_OK;
}

static protea_status read_run(protea_ctx *cx, protea_cluster_origin *o, const char *model)
{
    bool holds;
    int64_t doubles, k;
    PROTEA_TRY(holds_config(model, &holds));
    if (!holds)
        return PROTEA_OK;
    protea_status status = protea_run_record_read(&o->run, model);
    if (status != PROTEA_OK)
        return status == PROTEA_ERR_MEMORY ? status : PROTEA_OK;
    o->trained = strcmp(protea_run_setting(&o->run, "verb"), "train") == 0 && o->run.n_curves > 0;
    if (!o->trained)
        return PROTEA_OK;
    PROTEA_TRY(protea_model_doubles(cx, &doubles, &k, model));
    protea_doctor_examine(&o->findings, &o->run, doubles, k);
    return PROTEA_OK;
}

protea_status protea_cluster_origin_read(protea_ctx *cx, protea_cluster_origin *o, const char *output, const char *model)
{
    PROTEA_TRY(protea_run_record_read(&o->record, output));
    return read_run(cx, o, model);
}

void protea_cluster_origin_release(protea_cluster_origin *o)
{
    protea_run_record_release(&o->record);
    protea_run_record_release(&o->run);
}

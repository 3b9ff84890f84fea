#include "api/past_call.h"

#include <string.h>

#include "base/file.h"
#include "base/options_internal.h"
#include "train/rundir.h"

enum { CONFIG_BYTES_MAX = 1 << 20, ARGUMENTS_MAX = 2 };

static protea_status note(void *self, int line, const char *key, const char *const *items, int n, bool is_list)
{
    protea_past_call *c = self;
    (void)line, (void)is_list;
    if (strcmp(key, "verb") == 0 && n == 1)
        c->of_cluster = strcmp(items[0], "cluster") == 0;
    if (strcmp(key, "arguments") == 0)
        for (; c->n < n && c->n < ARGUMENTS_MAX; c->n++)
            PROTEA_TRY(protea_copy_string(&c->argument[c->n], items[c->n]));
    return PROTEA_OK;
}

protea_status protea_past_call_read(protea_past_call *call, const char *dir)
{
    char *path, *text = NULL;
    size_t len;
    *call = (protea_past_call){ 0 };
    PROTEA_TRY(protea_path_join(&path, dir, PROTEA_RUN_CONFIG));
    protea_status status = protea_file_read(&text, &len, path, CONFIG_BYTES_MAX);
    if (status == PROTEA_OK)
        status = protea_yaml_walk(text, len, path, note, call);
    protea_free(text);
    protea_free(path);
    return status;
}

void protea_past_call_release(protea_past_call *call)
{
    for (int i = 0; i < ARGUMENTS_MAX; i++)
        protea_free(call->argument[i]);
    *call = (protea_past_call){ 0 };
}

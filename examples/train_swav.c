/* Trains SwAV on a folder of images, then asks for the kNN accuracy on another: the library without the command.
 *
 *     example_train_swav TRAIN TEST RUN
 *
 * Build: cc train_swav.c $(pkg-config --cflags --libs protea) */
#include <stdio.h>
#include <stdlib.h>

#include <protea/protea.h>

static void show_line(void *cookie, protea_log_level level, const char *line)
{
    (void)cookie;
    fprintf(stderr, "%s%s\n", level == PROTEA_LOG_WARN ? "warning: " : "", line);
}

typedef struct setting { const char *key, *value; } setting;

/* Runs one verb. json: owned by the caller; NULL when it failed. */
static protea_status run(const char *verb, const char *kind, const char *argument, const char *output,
                         const setting *settings, char **json)
{
    const protea_hooks hooks = { .log = show_line };
    protea_job *job = NULL;
    *json = NULL;
    protea_status status = protea_job_new(&job, verb, kind);
    for (const setting *s = settings; status == PROTEA_OK && s->key != NULL; s++)
        status = protea_options_set(protea_job_options(job), s->key, s->value, PROTEA_FROM_FLAG);
    if (status == PROTEA_OK)
        status = protea_job_run(job, &argument, 1, output, &hooks, json);
    if (status != PROTEA_OK)
        fprintf(stderr, "%s %s: %s\n", verb, kind, protea_last_error());
    protea_job_free(job);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s TRAIN TEST RUN\n", argv[0]);
        return PROTEA_ERR_USAGE;
    }
    const setting training[] = { { "epochs", "20" }, { "nmb_prototypes", "300" }, { NULL, NULL } };
    const setting evaluation[] = { { "train", argv[1] }, { "test", argv[2] }, { "k", "20" }, { NULL, NULL } };
    char *json;
    protea_status status = run("train", "swav", argv[1], argv[3], training, &json);
    free(json);
    if (status != PROTEA_OK)
        return (int)status;
    status = run("eval", "knn", argv[3], NULL, evaluation, &json);
    if (status == PROTEA_OK)
        puts(json);
    free(json);
    return (int)status;
}

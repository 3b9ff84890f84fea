#include "api/output_guard.h"

#include <string.h>
#include <sys/stat.h>

#include "train/rundir.h"

typedef struct guard {
    const char *output;
    struct stat info;            /* of output */
    bool overwrite;
    protea_status status;
} guard;

static bool is_set(const protea_options *options, const char *key)
{
    char value[8];
    return protea_options_find(options, key) != NULL && protea_options_get(options, key, value, sizeof value) == PROTEA_OK &&
           strcmp(value, "true") == 0;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether path is a file directly in the directory that is being overwritten. */
static bool goes_with_output(const guard *g, const char *path)
{
    char parent[PROTEA_PATH_MAX];
    struct stat info;
    if (!g->overwrite || !S_ISDIR(g->info.st_mode) || stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    const char *slash = strrchr(path, '/');
    int len = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    snprintf(parent, sizeof parent, "%.*s", len, slash == NULL ? "." : path);
    return stat(parent, &info) == 0 && same(&info, &g->info) && protea_rundir_owns(slash == NULL ? path : slash + 1);
}

static void check(guard *g, const char *input, const char *label, const char *dashes)
{
    char path[PROTEA_PATH_MAX];
    struct stat info;
    const char *sub = strstr(input, "::");
    snprintf(path, sizeof path, "%.*s", sub != NULL ? (int)(sub - input) : (int)strlen(input), input);
    if (g->status != PROTEA_OK || path[0] == 0 || stat(path, &info) != 0)
        return;
    bool itself = same(&info, &g->info) && (g->overwrite || !S_ISDIR(info.st_mode));
    if (itself || goes_with_output(g, path))
        g->status = protea_fail(PROTEA_ERR_USAGE, "-o %s: would replace %s%s %s, which is read; another output wanted", g->output,
                                dashes, label, input);
}

static int check_option(void *self, const char *title, const protea_opt *opt, const char *value)
{
    guard *g = self;
    (void)title;
    if (opt->type == PROTEA_OPT_STRING)
        check(g, value, opt->key, "--");
    return g->status != PROTEA_OK;
}

protea_status protea_output_guard(const protea_call *call, const char *output)
{
    guard g = { .output = output, .overwrite = is_set(call->options, "overwrite") && !is_set(call->options, "resume") };
    if (output == NULL || stat(output, &g.info) != 0)
        return PROTEA_OK; /* nothing is there to be replaced */
    for (int i = 0; i < call->n_arguments; i++)
        check(&g, call->arguments[i], "the argument", "");
    protea_options_each(call->options, check_option, &g);
    return g.status;
}

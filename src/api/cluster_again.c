#include "api/cluster_again.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "train/rundir.h"

enum { TABLE_BYTES_MAX = 1 << 30, PAGES_MAX = 64, NAME_BYTES = 32 };

/* ---- the pages */

/* base/sub/name; sub may be "". */
static protea_status path_of(char out[static PROTEA_PATH_MAX], const char *base, const char *sub, const char *name)
{
    int len = snprintf(out, PROTEA_PATH_MAX, "%s%s%s/%s", base, *sub ? "/" : "", sub, name);
    return len < PROTEA_PATH_MAX ? PROTEA_OK : protea_fail(PROTEA_ERR_INPUT, "%.200s: its path is too long", base);
}

/* The folders in dir that have a page: dir itself, "", and those of each K. */
static protea_status find_pages(char sub[static PAGES_MAX][NAME_BYTES], int *n, const char *dir)
{
    char path[PROTEA_PATH_MAX];
    DIR *stream = opendir(dir);
    if (stream == NULL)
        return protea_fail(protea_errno_status(PROTEA_ERR_IO), "%s: cannot be read: %s", dir, strerror(errno));
    protea_status status = PROTEA_OK;
    *n = 1;
    sub[0][0] = 0;
    for (const struct dirent *e; status == PROTEA_OK && *n < PAGES_MAX && (e = readdir(stream)) != NULL;) {
        if (e->d_name[0] != 'k' || strlen(e->d_name) >= NAME_BYTES)
            continue;
        status = path_of(path, dir, e->d_name, PROTEA_RUN_REPORT);
        if (status == PROTEA_OK && access(path, F_OK) == 0)
            snprintf(sub[(*n)++], NAME_BYTES, "%.*s", NAME_BYTES - 1, e->d_name);
    }
    closedir(stream);
    return status;
}

/* The table of a page, where it has one, must be the one that is there. */
static protea_status check_table(const char *dir, const char *again, const char *sub)
{
    char old_path[PROTEA_PATH_MAX], new_path[PROTEA_PATH_MAX], *old = NULL, *fresh = NULL;
    size_t old_len = 0, len = 0;
    PROTEA_TRY(path_of(old_path, dir, sub, "assignments.csv"));
    PROTEA_TRY(path_of(new_path, again, sub, "assignments.csv"));
    if (access(new_path, F_OK) != 0)
        return PROTEA_OK;
    protea_status status = protea_file_read(&fresh, &len, new_path, TABLE_BYTES_MAX);
    if (status == PROTEA_OK)
        status = protea_file_read(&old, &old_len, old_path, TABLE_BYTES_MAX);
    bool same = status == PROTEA_OK && len == old_len && memcmp(old, fresh, len) == 0;
    protea_free(old);
    protea_free(fresh);
    if (status == PROTEA_OK && !same)
        return protea_fail(PROTEA_ERR_INPUT, "%s: other clusters come out now, as where images, model or machine have changed; "
                           "cluster --config %s/%s -o %s --overwrite makes them anew", old_path, dir, PROTEA_RUN_CONFIG, dir);
    return status;
}

static protea_status move_page(const char *dir, const char *again, const char *sub)
{
    char to[PROTEA_PATH_MAX], from[PROTEA_PATH_MAX];
    PROTEA_TRY(path_of(to, dir, sub, PROTEA_RUN_REPORT));
    PROTEA_TRY(path_of(from, again, sub, PROTEA_RUN_REPORT));
    if (rename(from, to) != 0)
        return protea_fail(PROTEA_ERR_IO, "%s: cannot be written: %s", to, strerror(errno));
    return PROTEA_OK;
}

static protea_status take_pages(const char *dir, const char *again)
{
    char sub[PAGES_MAX][NAME_BYTES];
    int n = 0;
    PROTEA_TRY(find_pages(sub, &n, again));
    for (int i = 0; i < n; i++)
        PROTEA_TRY(check_table(dir, again, sub[i]));
    for (int i = 0; i < n; i++)
        PROTEA_TRY(move_page(dir, again, sub[i]));
    return PROTEA_OK;
}

/* ---- the clusters */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    remove(path);
    return 0;
}

static void remove_tree(const char *path)
{
    enum { OPEN_FOLDERS = 8 };
    nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

/* arguments: model and data. */
static protea_status make_again(const char *const arguments[static 2], const char *dir, const char *again, const char *config,
                                const protea_hooks *hooks)
{
    protea_job *job;
    char *json = NULL;
    PROTEA_TRY(protea_job_new_from(&job, "cluster", NULL, config));
    protea_options *options = protea_job_options(job);
    protea_status status = protea_options_set(options, "sort_into", "", PROTEA_FROM_FLAG);
    if (status == PROTEA_OK)
        status = protea_options_set(options, "shown_as", dir, PROTEA_FROM_FLAG);
    if (status == PROTEA_OK)
        status = protea_job_run(job, arguments, 2, again, hooks, &json);
    free(json);
    protea_job_free(job);
    return status;
}

/* A model that was trained first lies in dir. */
static protea_status run_again(const protea_past_call *c, const char *dir, const char *again, const protea_hooks *hooks)
{
    char model[PROTEA_PATH_MAX], config[PROTEA_PATH_MAX];
    PROTEA_TRY(path_of(model, dir, "", "model"));
    PROTEA_TRY(path_of(config, dir, "", PROTEA_RUN_CONFIG));
    if (c->n < 1)
        return protea_fail(PROTEA_ERR_INPUT, "%s: names no images", config);
    const char *const arguments[2] = { c->n == 1 ? model : c->argument[0], c->argument[c->n - 1] };
    PROTEA_TRY(make_again(arguments, dir, again, config, hooks));
    return take_pages(dir, again);
}

protea_status protea_cluster_again(const protea_past_call *c, const char *dir, const protea_hooks *hooks)
{
    char again[PROTEA_PATH_MAX];
    protea_rundir *lock;
    PROTEA_TRY(path_of(again, dir, "", ".again"));
    PROTEA_TRY(protea_rundir_open(&lock, dir, true, false));
    remove_tree(again); /* of a call that was killed */
    protea_status status = run_again(c, dir, again, hooks);
    remove_tree(again);
    protea_rundir_close(lock);
    return status;
}

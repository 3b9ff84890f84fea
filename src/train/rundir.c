/* A run's directory and its lock. The lock is flock on RUN/.lock: it dies with its holder, so none is ever stale. */
#include "train/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"

static const char lock_name[] = ".lock";
/* In the order of removal: what says most about a run goes first, so that half a removal is no run. */
static const char *const run_files[] = {
    PROTEA_RUN_CHECKPOINT, PROTEA_RUN_PREVIOUS, PROTEA_RUN_MODEL,       PROTEA_RUN_ENCODER, PROTEA_RUN_METRICS,
    PROTEA_RUN_STATS,      PROTEA_RUN_PREDICTIONS,
    PROTEA_RUN_CONFIG,     PROTEA_RUN_LOG,      PROTEA_RUN_SKIPPED, PROTEA_RUN_REPORT,
};
enum { N_RUN_FILES = sizeof run_files / sizeof *run_files };

struct protea_rundir {
    char *path;       /* owned */
    int lock;         /* file descriptor, -1: none */
    bool made, fresh; /* by us; held nothing */
    bool kept;        /* holds a run worth keeping */
    FILE *log_file;   /* may be NULL: the disk was full */
    protea_log_fn log;
    void *log_cookie;
};

static protea_status path_of(char out[static PROTEA_PATH_MAX], const char *dir, const char *name, const char *suffix)
{
    if (snprintf(out, PROTEA_PATH_MAX, "%s/%s%s", dir, name, suffix) >= PROTEA_PATH_MAX)
        return protea_fail(PROTEA_ERR_USAGE, "-o %.100s...: a path of less than %d bytes wanted", dir, PROTEA_PATH_MAX);
    return PROTEA_OK;
}

/* *empty: nothing in it but, perhaps, a lock; *locked: there is a lock file. */
static protea_status look_inside(const char *path, bool *empty, bool *locked)
{
    *empty = true;
    *locked = false;
    DIR *dir = opendir(path);
    if (dir == NULL)
        return protea_fail(protea_errno_status(PROTEA_ERR_IO), "%s: the run directory cannot be read: %s", path, strerror(errno));
    for (const struct dirent *item = readdir(dir); item != NULL; item = readdir(dir)) {
        if (strcmp(item->d_name, lock_name) == 0)
            *locked = true;
        else if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
            *empty = false;
    }
    closedir(dir);
    return PROTEA_OK;
}

static protea_status refuse_full(const char *path)
{
    return protea_fail(PROTEA_ERR_USAGE, "%s: the run directory is not empty; --overwrite replaces what is in it, --resume goes on "
                       "with a training run", path);
}

static protea_status busy(const char *path, int lock)
{
    char holder[256] = "";
    ssize_t n = pread(lock, holder, sizeof holder - 1, 0);
    holder[n > 0 ? n : 0] = 0;
    holder[strcspn(holder, "\n")] = 0;
    return protea_fail(PROTEA_ERR_BUSY, "%s: the run directory is used by %s", path, holder[0] ? holder : "another process");
}

static protea_status sign_lock(int lock, const char *path)
{
    char host[128] = "?", text[256];
    gethostname(host, sizeof host - 1);
    int len = snprintf(text, sizeof text, "host %s, process %ld\n", host, (long)getpid());
    if (ftruncate(lock, 0) != 0 || pwrite(lock, text, (size_t)len, 0) != len)
        return protea_fail(PROTEA_ERR_IO, "%s: the run directory cannot be written: %s", path, strerror(errno));
    return PROTEA_OK;
}

static protea_status take_lock(protea_rundir *run)
{
    char file[PROTEA_PATH_MAX];
    struct stat info;
    PROTEA_TRY(protea_rundir_file(run, file, lock_name));
    run->lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (run->lock < 0)
        return protea_fail(PROTEA_ERR_IO, "%s: the run directory cannot be written: %s", run->path, strerror(errno));
    if (flock(run->lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? busy(run->path, run->lock)
                                    : protea_fail(PROTEA_ERR_IO, "%s: cannot be locked: %s", run->path, strerror(errno));
    if (fstat(run->lock, &info) != 0 || info.st_nlink == 0) /* its last holder removed it just now */
        return busy(run->path, run->lock);
    return sign_lock(run->lock, run->path);
}

static protea_status remove_run(const protea_rundir *run)
{
    char file[PROTEA_PATH_MAX];
    for (int i = 0; i < N_RUN_FILES; i++) {
        PROTEA_TRY(protea_rundir_file(run, file, run_files[i]));
        if (unlink(file) != 0 && errno != ENOENT)
            return protea_fail(PROTEA_ERR_IO, "%s: cannot be removed: %s", file, strerror(errno));
    }
    return PROTEA_OK;
}

/* What a killed save left; nobody else can be at it under the lock. */
static protea_status remove_temporaries(const protea_rundir *run)
{
    char file[PROTEA_PATH_MAX];
    for (int i = 0; i < N_RUN_FILES; i++) {
        PROTEA_TRY(path_of(file, run->path, run_files[i], ".tmp"));
        unlink(file);
    }
    return PROTEA_OK;
}

static protea_status claim(protea_rundir *run, bool resume, bool overwrite)
{
    bool empty, locked;
    run->made = access(run->path, F_OK) != 0;
    PROTEA_TRY(protea_make_dirs(run->path));
    PROTEA_TRY(look_inside(run->path, &empty, &locked));
    if (!empty && !locked && !resume && !overwrite)
        return refuse_full(run->path); /* not ours: nothing is put into it */
    PROTEA_TRY(take_lock(run));
    PROTEA_TRY(look_inside(run->path, &empty, &locked)); /* a run may have ended here since */
    if (!empty && !resume && !overwrite)
        return refuse_full(run->path);
    run->fresh = empty;
    if (overwrite && !resume)
        PROTEA_TRY(remove_run(run));
    return remove_temporaries(run);
}

protea_status protea_rundir_open(protea_rundir **out, const char *path, bool resume, bool overwrite)
{
    *out = NULL;
    protea_rundir *run;
    PROTEA_TRY(protea_new(&run, 1, sizeof *run, "run directory"));
    run->lock = -1;
    protea_status status = protea_copy_string(&run->path, path);
    if (status == PROTEA_OK)
        status = claim(run, resume, overwrite);
    if (status == PROTEA_OK)
        *out = run;
    else
        protea_rundir_close(run);
    return status;
}

static void remove_traces(const protea_rundir *run)
{
    char file[PROTEA_PATH_MAX];
    remove_run(run);
    if (protea_rundir_file(run, file, lock_name) == PROTEA_OK)
        unlink(file);
    if (run->made)
        rmdir(run->path);
}

void protea_rundir_close(protea_rundir *run)
{
    if (run == NULL)
        return;
    if (run->log_file != NULL)
        fclose(run->log_file);
    if (run->fresh && !run->kept)
        remove_traces(run);
    if (run->lock >= 0)
        close(run->lock);
    protea_free(run->path);
    protea_free(run);
}

void protea_rundir_keep(protea_rundir *run)
{
    run->kept = true;
}

const char *protea_rundir_path(const protea_rundir *run)
{
    return run->path;
}

protea_status protea_rundir_file(const protea_rundir *run, char out[static PROTEA_PATH_MAX], const char *name)
{
    return path_of(out, run->path, name, "");
}

bool protea_rundir_owns(const char *name)
{
    for (int i = 0; i < N_RUN_FILES; i++)
        if (strcmp(name, run_files[i]) == 0)
            return true;
    return false;
}

protea_status protea_rundir_write_config(const protea_rundir *run, const protea_options *options)
{
    char path[PROTEA_PATH_MAX], *yaml;
    PROTEA_TRY(protea_rundir_file(run, path, PROTEA_RUN_CONFIG));
    PROTEA_TRY(protea_options_write_yaml(options, &yaml));
    protea_status status = protea_file_write(path, yaml, strlen(yaml));
    free(yaml);
    return status;
}

void protea_rundir_set_log(protea_rundir *run, protea_log_fn log, void *cookie)
{
    run->log = log;
    run->log_cookie = cookie;
}

void protea_rundir_log(void *self, protea_log_level level, const char *line)
{
    protea_rundir *run = self;
    char file[PROTEA_PATH_MAX];
    if (run->log_file == NULL && protea_rundir_file(run, file, PROTEA_RUN_LOG) == PROTEA_OK)
        run->log_file = fopen(file, "ae");
    if (run->log_file != NULL) {
        fprintf(run->log_file, "%s%s\n", level == PROTEA_LOG_WARN ? "warning: " : "", line);
        fflush(run->log_file);
    }
    if (run->log != NULL)
        run->log(run->log_cookie, level, line);
}

double protea_rundir_free_bytes(const protea_rundir *run)
{
    struct statvfs info;
    if (statvfs(run->path, &info) != 0)
        return -1;
    return (double)info.f_bavail * (double)info.f_frsize;
}

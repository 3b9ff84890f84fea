/* Failing the Nth call of the system that makes a file last: this program's open, fopen, fsync, rename and their kin stand
 * before libc's. Included once, by a program that wants to see disks fail. */
#ifndef PROTEA_TESTS_SUPPORT_FILE_FAULTS_H
#define PROTEA_TESTS_SUPPORT_FILE_FAULTS_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct file_faults {
    long seen, wanted;   /* calls that count so far; the one that fails, 0: none */
    bool sticky;         /* all after it fail too */
    int error;           /* 0: off; errno of a call that fails */
    const char *failed;  /* the last call that did */
} file_faults;

static inline void file_faults_after(long n, bool sticky, int error)
{
    file_faults = (struct file_faults){ .wanted = n, .sticky = sticky, .error = error, .failed = "nothing" };
}

/* Returns how many calls there were. */
static inline long file_faults_off(void)
{
    file_faults.error = 0;
    return file_faults.seen;
}

static inline bool file_faults_now(const char *call)
{
    if (file_faults.error == 0)
        return false;
    long number = ++file_faults.seen, wanted = file_faults.wanted;
    bool fails = wanted > 0 && (number == wanted || (number > wanted && file_faults.sticky));
    if (fails) {
        file_faults.failed = call;
        errno = file_faults.error;
    }
    return fails;
}

/* libc's function of that name, or what a sanitizer puts before it. */
static inline void file_faults_behind(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

#define BEHIND(type, name, ...)                  \
    static type (*behind)(__VA_ARGS__);          \
    if (behind == NULL)                          \
    file_faults_behind(&behind, name)

int open(const char *path, int flags, ...)
{
    BEHIND(int, "open", const char *, int, ...);
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    if ((flags & (O_CREAT | O_DIRECTORY)) != 0 && file_faults_now("open"))
        return -1;
    return behind(path, flags, mode);
}

FILE *fopen(const char *path, const char *how)
{
    BEHIND(FILE *, "fopen", const char *, const char *);
    return how[0] != 'r' && file_faults_now("fopen") ? NULL : behind(path, how);
}

int fflush(FILE *stream)
{
    BEHIND(int, "fflush", FILE *);
    return file_faults_now("fflush") ? EOF : behind(stream);
}

/* Closes in any case, as libc's does. A stream into memory is no file. */
int fclose(FILE *stream)
{
    BEHIND(int, "fclose", FILE *);
    bool file = fileno(stream) >= 0;
    int closed = behind(stream);
    return file && file_faults_now("fclose") ? EOF : closed;
}

/* Nothing here cuts the power, so nothing is waited for. */
int fsync(int fd)
{
    (void)fd;
    return file_faults_now("fsync") ? -1 : 0;
}

int rename(const char *from, const char *to)
{
    BEHIND(int, "rename", const char *, const char *);
    return file_faults_now("rename") ? -1 : behind(from, to);
}

int link(const char *from, const char *to)
{
    BEHIND(int, "link", const char *, const char *);
    return file_faults_now("link") ? -1 : behind(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    BEHIND(int, "mkdir", const char *, mode_t);
    return access(path, F_OK) != 0 && file_faults_now("mkdir") ? -1 : behind(path, mode); /* what is there is no fault */
}

int ftruncate(int fd, off_t len)
{
    BEHIND(int, "ftruncate", int, off_t);
    return file_faults_now("ftruncate") ? -1 : behind(fd, len);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    BEHIND(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return file_faults_now("pwrite") ? -1 : behind(fd, bytes, len, at);
}

#endif

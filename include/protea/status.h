/* Status codes, messages and logging: how every protea_ function reports what happened. */
#ifndef PROTEA_STATUS_H
#define PROTEA_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Every fallible function returns one of these. The values are also the command's exit codes. */
typedef enum protea_status {
    PROTEA_OK = 0,
    PROTEA_ERR_INTERNAL = 1,  /* a mistake of ours, or a library below us that failed */
    PROTEA_ERR_USAGE = 2,     /* an option or argument that cannot be */
    PROTEA_ERR_INPUT = 3,     /* a file, data set or model that is not what was wanted */
    PROTEA_ERR_IO = 4,        /* disk full, read-only, device error */
    PROTEA_ERR_MEMORY = 5,    /* an allocation or a thread could not be had */
    PROTEA_ERR_DIVERGED = 6,  /* training became non-finite or collapsed */
    PROTEA_ERR_BUSY = 7,      /* the directory is used by another process */
    PROTEA_ERR_RANK = 8,      /* a rank was lost */
    PROTEA_STOPPED = 75       /* stopped on request with the state saved; the same call can go on */
} protea_status;

/* Text of the last failure on this thread: one line that names the file or option, what was found
 * and what was wanted. Borrowed, valid until the next failing call on this thread; never NULL. */
const char *protea_last_error(void);

/* Short constant name of a status, e.g. "input"; never NULL, also for values not in the enum. */
const char *protea_status_name(protea_status status);

typedef enum protea_log_level { PROTEA_LOG_INFO, PROTEA_LOG_WARN } protea_log_level;

/* Receives one line without its newline. Called from the thread that called into the library.
 * cookie: what was given with the callback. */
typedef void (*protea_log_fn)(void *cookie, protea_log_level level, const char *line);

#ifdef __cplusplus
}
#endif
#endif

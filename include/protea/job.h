/* Jobs: everything the command does, from C. A job is a verb with its options; running it gives a JSON object.
 *
 *     protea_job *job;
 *     protea_job_new(&job, "train", "swav");
 *     protea_options_set(protea_job_options(job), "epochs", "20", PROTEA_FROM_FLAG);
 *     const char *data[] = { "photos" };
 *     protea_job_run(job, data, 1, "runs/photos", &hooks, &json);
 *     free(json);
 *     protea_job_free(job);
 *
 * A job runs on the thread that calls it (and on the compute threads); jobs on several threads at once share the machine
 * badly but are safe. Nothing is printed. */
#ifndef PROTEA_JOB_H
#define PROTEA_JOB_H

#include <signal.h>

#include <protea/options.h>
#include <protea/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct protea_job protea_job;

/* How far the work has come; called a few times a second at most. */
typedef struct protea_report {
    const char *stage;   /* "epoch 3/20", "embed" */
    double done, total;  /* in units; total <= 0: not known */
    const char *unit;    /* "images" */
    double rate;         /* units a second */
    double seconds_left; /* of the whole job; negative: not known */
    const char *note;    /* "loss 4.123 lr 0.3", or "" */
} protea_report;

typedef struct protea_hooks {
    protea_log_fn log;                              /* may be NULL */
    void (*progress)(void *cookie, const protea_report *report); /* may be NULL */
    void *cookie;
    volatile sig_atomic_t *stop;                    /* not 0: finish the step, save, return PROTEA_STOPPED; may be NULL */
} protea_hooks;

/* One positional argument of a verb. */
typedef struct protea_verb_info {
    const char *name, *arguments, *summary;   /* "embed", "MODEL DATA", one line */
    const char *const *kinds;                 /* what may follow the verb ("swav", "knn"), NULL-terminated; NULL: nothing */
    const char *kinds_title;                  /* "METHOD", "PROTOCOL", or NULL */
    const char *(*kind_summary)(const char *kind); /* one line, constant; NULL where there are no kinds */
    int kind_optional;                        /* the verb may be called without one */
    int min_arguments, max_arguments;         /* after the kind */
    int output;                               /* 0: takes no -o; 1: may; 2: must */
    const char *output_name;                  /* what -o takes: "RUN", "FILE.npy"; NULL where it takes none */
    const char *example;                      /* one whole command line */
} protea_verb_info;

/* All verbs in the order of the help; *n is how many. Borrowed. */
const protea_verb_info *const *protea_verbs(int *n);

/* kind: method, protocol, algorithm or name after the verb, NULL where the verb takes none.
 * Errors: PROTEA_ERR_USAGE with the nearest verb or kind. *out: owned. */
protea_status protea_job_new(protea_job **out, const char *verb, const char *kind);
/* As above, from a config file (RUN/config.yaml): its options, and its kind and arguments where kind is NULL and
 * protea_job_run gets none. Errors: also PROTEA_ERR_INPUT (no such file), PROTEA_ERR_USAGE (it is of another verb). */
protea_status protea_job_new_from(protea_job **out, const char *verb, const char *kind, const char *config_path);
void protea_job_free(protea_job *job); /* accepts NULL */
/* Borrowed from the job. */
protea_options *protea_job_options(protea_job *job);
/* arguments: the positional ones. output: -o, or NULL. *json: owned text of one object (free()), also when a run ends as
 * PROTEA_STOPPED; NULL on other failures. */
protea_status protea_job_run(protea_job *job, const char *const *arguments, int n, const char *output,
                             const protea_hooks *hooks, char **json);
/* The options as a run would use them (recipe chosen, sizes settled), as YAML; nothing is run or written. *yaml: owned
 * (free()). */
protea_status protea_job_config(protea_job *job, const char *const *arguments, int n, const protea_hooks *hooks, char **yaml);

#ifdef __cplusplus
}
#endif
#endif

/* The seam for verbs: one file per verb (verb_train.c, verb_embed.c ...), one line in verb_list.h. The command knows
 * no verb by name. */
#ifndef PROTEA_API_VERB_H
#define PROTEA_API_VERB_H

#include <protea/job.h>

#include "api/result.h"
#include "tensor/context.h"

/* What a verb's run gets. */
typedef struct protea_call {
    const char *kind;              /* or NULL */
    const char *const *arguments;
    int n_arguments;
    const char *output;            /* or NULL */
    protea_options *options;       /* borrowed: for writing config.yaml, asking what was given */
    const protea_hooks *hooks;     /* never NULL; its members may be */
    json_t *result;                /* an empty object to fill */
} protea_call;

typedef struct protea_verb {
    protea_verb_info info;
    size_t size;                   /* of the verb's options struct: zeroed, then filled from the tables */
    /* Adds the option tables for this kind. */
    protea_status (*options)(void *self, const char *kind, protea_options *options);
    /* Settles what depends on the arguments (which recipe, which image size) in the options, before run and before
     * --print-config shows them (then output and result are NULL, and nothing may be written). May be NULL. */
    protea_status (*resolve)(void *self, const protea_call *call);
    protea_status (*run)(void *self, const protea_call *call);
    void (*free)(void *self);      /* may be NULL */
} protea_verb;

/* result[key] = text; what is not UTF-8 is escaped (names of files are bytes). */
void protea_put_text(json_t *result, const char *key, const char *text);

/* The most memory that this process has held so far, in bytes. */
size_t protea_peak_memory(void);

/* ---- session: the context a run needs, from options that every verb shares. */
typedef struct protea_session_opts {
    int64_t threads;               /* 0: as many as processors */
    int32_t precision;             /* choice of "auto|f32|bf16|fast" */
    int64_t seed;
    int32_t isa;                   /* choice of "auto|ref|sse2|avx2|avx512": the most that kernels may use */
    bool trains;                   /* no option, but what the verb does */
} protea_session_opts;
extern const protea_opt protea_session_table[];

typedef struct protea_session {
    protea_ctx cx;                 /* no arenas yet: see protea_session_arenas */
    const char *precision;         /* what was chosen: "f32", "bf16" or "fast" */
} protea_session;
/* Opens back-end and comm, sets threads, logs what was chosen. Close in any case, also after a failure (fields zero).
 * Errors: PROTEA_ERR_MEMORY, PROTEA_ERR_INTERNAL. */
protea_status protea_session_open(protea_session *s, const protea_session_opts *opts, const protea_hooks *hooks);
void protea_session_close(protea_session *s);

/* ---- progress with a bounded call rate */
typedef struct protea_ticker {
    const protea_hooks *hooks;
    double started, last; /* seconds */
} protea_ticker;
void protea_ticker_start(protea_ticker *t, const protea_hooks *hooks);
/* Reports to hooks->progress at most 5 times a second, and always when done reaches total. note may be NULL. The rate is
 * the mean since start. */
void protea_ticker_tick(protea_ticker *t, const char *stage, double done, double total, const char *unit, const char *note);

#endif

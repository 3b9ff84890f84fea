/* Verbs behind one door: finding them, filling their options, running them. */
#include <stdlib.h>
#include <string.h>

#include "api/output_guard.h"
#include "api/verb.h"
#include "api/verb_list.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/options_internal.h"
#include "format/json_text.h"

#define DECLARE_VERB(name) extern const protea_verb protea_verb_##name;
PROTEA_VERB_LIST(DECLARE_VERB)

#define VERB_INFO(name) &protea_verb_##name.info,
static const protea_verb_info *const infos[] = { PROTEA_VERB_LIST(VERB_INFO) NULL };

#define VERB_POINTER(name) &protea_verb_##name,
static const protea_verb *const verbs[] = { PROTEA_VERB_LIST(VERB_POINTER) NULL };

enum { VERBS = sizeof infos / sizeof *infos - 1, CONFIG_BYTES_MAX = 1 << 20 };

struct protea_job {
    const protea_verb *verb;
    const char *kind;        /* of the verb's own list, or NULL */
    void *self;              /* the verb's struct */
    protea_options *options;
    char **arguments;        /* (n_arguments) from a config file; owned */
    int n_arguments;
};

const protea_verb_info *const *protea_verbs(int *n)
{
    *n = VERBS;
    return infos;
}

static protea_status find_verb(const protea_verb **out, const char *name)
{
    const char *names[VERBS + 1] = { NULL };
    *out = NULL;
    for (int i = 0; i < VERBS; i++) {
        names[i] = verbs[i]->info.name;
        if (strcmp(names[i], name) == 0)
            *out = verbs[i];
    }
    if (*out != NULL)
        return PROTEA_OK;
    const char *near = protea_nearest(name, names);
    if (near == NULL)
        return protea_fail(PROTEA_ERR_USAGE, "%.100s: no such verb", name);
    return protea_fail(PROTEA_ERR_USAGE, "%.100s: no such verb; did you mean %s?", name, near);
}

static protea_status find_kind(const char **out, const protea_verb_info *info, const char *name)
{
    *out = NULL;
    if (info->kinds == NULL)
        return name == NULL ? PROTEA_OK : protea_fail(PROTEA_ERR_USAGE, "%s: \"%.100s\" found, no kind wanted", info->name, name);
    if (name == NULL && info->kind_optional)
        return PROTEA_OK;
    if (name == NULL)
        return protea_fail(PROTEA_ERR_USAGE, "%s: no %s found; see protea %s --help", info->name, info->kinds_title, info->name);
    for (const char *const *kind = info->kinds; *kind != NULL; kind++)
        if (strcmp(*kind, name) == 0)
            *out = *kind;
    if (*out != NULL)
        return PROTEA_OK;
    const char *near = protea_nearest(name, info->kinds);
    if (near == NULL)
        return protea_fail(PROTEA_ERR_USAGE, "%s %.100s: no such %s; see protea %s --help", info->name, name,
                           info->kinds_title, info->name);
    return protea_fail(PROTEA_ERR_USAGE, "%s %.100s: no such %s; did you mean %s?", info->name, name, info->kinds_title, near);
}

protea_status protea_job_new(protea_job **out, const char *verb_name, const char *kind_name)
{
    const protea_verb *verb;
    const char *kind;
    protea_job *job;
    *out = NULL;
    PROTEA_TRY(find_verb(&verb, verb_name));
    PROTEA_TRY(find_kind(&kind, &verb->info, kind_name));
    PROTEA_TRY(protea_new(&job, 1, sizeof *job, "a job"));
    job->verb = verb;
    job->kind = kind;
    job->options = protea_options_new();
    protea_status status = job->options == NULL ? PROTEA_ERR_MEMORY : protea_new(&job->self, 1, verb->size, "a verb");
    if (status == PROTEA_OK)
        status = verb->options(job->self, kind, job->options);
    if (status != PROTEA_OK) {
        protea_job_free(job);
        return status;
    }
    *out = job;
    return PROTEA_OK;
}

void protea_job_free(protea_job *job)
{
    if (job == NULL)
        return;
    if (job->verb->free != NULL && job->self != NULL)
        job->verb->free(job->self);
    for (int i = 0; i < job->n_arguments; i++)
        protea_free(job->arguments[i]);
    protea_free(job->arguments);
    protea_free(job->self);
    protea_options_free(job->options);
    protea_free(job);
}

protea_options *protea_job_options(protea_job *job)
{
    return job->options;
}

/* ---- jobs from config files */

/* What a config file says was called. */
typedef struct recorded_call {
    const char *name; /* of the file */
    char *verb, *kind, **arguments;
    int n_arguments;
} recorded_call;

static void forget_call(recorded_call *call)
{
    for (int i = 0; i < call->n_arguments; i++)
        protea_free(call->arguments[i]);
    protea_free(call->arguments);
    protea_free(call->verb);
    protea_free(call->kind);
}

static protea_status note_pair(void *self, int line, const char *key, const char *const *items, int n, bool is_list)
{
    recorded_call *call = self;
    bool is_arguments = strcmp(key, "arguments") == 0;
    char **word = strcmp(key, "verb") == 0 ? &call->verb : strcmp(key, "kind") == 0 ? &call->kind : NULL;
    if (word == NULL && !is_arguments)
        return PROTEA_OK;
    if (is_arguments ? call->arguments != NULL : *word != NULL)
        return protea_fail(PROTEA_ERR_USAGE, "%s:%d: %s: found twice", call->name, line, key);
    if (!is_arguments)
        return is_list ? protea_fail(PROTEA_ERR_USAGE, "%s:%d: %s: a list found, one word wanted", call->name, line, key)
                       : protea_copy_string(word, items[0]);
    PROTEA_TRY(protea_new(&call->arguments, (size_t)n, sizeof *call->arguments, "arguments"));
    for (; call->n_arguments < n; call->n_arguments++)
        PROTEA_TRY(protea_copy_string(&call->arguments[call->n_arguments], items[call->n_arguments]));
    return PROTEA_OK;
}

static protea_status new_from_text(protea_job **out, const char *verb, const char *kind, const char *text, size_t len,
                                   recorded_call *call)
{
    PROTEA_TRY(protea_yaml_walk(text, len, call->name, note_pair, call));
    if (call->verb != NULL && strcmp(call->verb, verb) != 0)
        return protea_fail(PROTEA_ERR_USAGE, "%s: a configuration of `%s` found, one of `%s` wanted", call->name, call->verb, verb);
    protea_job *job;
    PROTEA_TRY(protea_job_new(&job, verb, kind != NULL ? kind : call->kind));
    protea_status status = protea_options_read_yaml(job->options, text, len, call->name, PROTEA_FROM_CONFIG);
    if (status != PROTEA_OK) {
        protea_job_free(job);
        return status;
    }
    job->arguments = call->arguments;
    job->n_arguments = call->n_arguments;
    call->arguments = NULL;
    call->n_arguments = 0;
    *out = job;
    return PROTEA_OK;
}

protea_status protea_job_new_from(protea_job **out, const char *verb, const char *kind, const char *config_path)
{
    const protea_verb *known;
    recorded_call call = { .name = config_path };
    char *text;
    size_t len;
    *out = NULL;
    PROTEA_TRY(find_verb(&known, verb));
    PROTEA_TRY(protea_file_read(&text, &len, config_path, CONFIG_BYTES_MAX));
    protea_status status = new_from_text(out, verb, kind, text, len, &call);
    forget_call(&call);
    protea_free(text);
    return status;
}

/* ---- running */

static protea_status check_output(const protea_verb_info *info, const char *output)
{
    if (info->output == 0 && output != NULL)
        return protea_fail(PROTEA_ERR_USAGE, "%s: -o %.200s found, but it writes no files", info->name, output);
    if (info->output == 2 && (output == NULL || *output == 0))
        return protea_fail(PROTEA_ERR_USAGE, "%s: no -o found, -o %s wanted", info->name, info->output_name);
    return PROTEA_OK;
}

static protea_status check_arguments(const protea_verb_info *info, int n)
{
    if (n < info->min_arguments || n > info->max_arguments)
        return protea_fail(PROTEA_ERR_USAGE, "%s: %d argument%s found, %s wanted", info->name, n, n == 1 ? "" : "s",
                           info->arguments[0] ? info->arguments : "none");
    return PROTEA_OK;
}

/* Fills in the call and settles the options. */
static protea_status prepare(protea_job *job, protea_call *call)
{
    if (call->n_arguments == 0) {
        call->arguments = (const char *const *)job->arguments;
        call->n_arguments = job->n_arguments;
    }
    PROTEA_TRY(check_arguments(&job->verb->info, call->n_arguments));
    PROTEA_TRY(protea_options_set_call(job->options, job->verb->info.name, job->kind, call->arguments, call->n_arguments));
    PROTEA_TRY(protea_output_guard(call, call->output));
    return job->verb->resolve == NULL ? PROTEA_OK : job->verb->resolve(job->self, call);
}

protea_status protea_job_config(protea_job *job, const char *const *arguments, int n, const protea_hooks *hooks, char **yaml)
{
    static const protea_hooks none = { 0 };
    protea_call call = { .kind = job->kind, .arguments = arguments, .n_arguments = n, .options = job->options,
                         .hooks = hooks != NULL ? hooks : &none };
    *yaml = NULL;
    PROTEA_TRY(prepare(job, &call));
    return protea_options_write_yaml(job->options, yaml);
}

void protea_put_text(json_t *result, const char *key, const char *text)
{
    char escaped[4096];
    json_t *string = json_string(text);
    json_object_set_new(result, key, string != NULL ? string : json_string(protea_escape(escaped, sizeof escaped, text)));
}

static protea_status to_text(const json_t *result, char **json)
{
    return protea_json_print(json, protea_result_is_whole() ? result : NULL, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12),
                             "the result");
}

protea_status protea_job_run(protea_job *job, const char *const *arguments, int n, const char *output,
                             const protea_hooks *hooks, char **json)
{
    static const protea_hooks none = { 0 };
    protea_call call = { .kind = job->kind, .arguments = arguments, .n_arguments = n, .output = output,
                         .options = job->options, .hooks = hooks != NULL ? hooks : &none, .result = json_object() };
    *json = NULL;
    protea_result_begin();
    if (call.result == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "the result: memory could not be had");
    protea_status status = check_output(&job->verb->info, output);
    if (status == PROTEA_OK)
        status = prepare(job, &call);
    if (status == PROTEA_OK)
        status = job->verb->run(job->self, &call);
    if (status == PROTEA_OK || status == PROTEA_STOPPED) {
        protea_status written = to_text(call.result, json);
        status = written != PROTEA_OK ? written : status;
    }
    json_decref(call.result);
    return status;
}

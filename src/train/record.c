#include "train/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- saving */

enum { MAX_NOTES = 24, NOTE_TEXT = 64 };

typedef struct note_list {
    protea_note note[MAX_NOTES];
    char text[MAX_NOTES][NOTE_TEXT];
    int n;
} note_list;

static void add_note(note_list *list, const char *key, const char *value)
{
    list->note[list->n++] = (protea_note){ key, value };
}

__attribute__((format(printf, 3, 4))) static void add_number(note_list *list, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(list->text[list->n], NOTE_TEXT, format, args);
    va_end(args);
    add_note(list, key, list->text[list->n]);
}

/* What anyone needs who uses the network (src/eval/model.h). */
static void describe_network(note_list *list, const protea_train_state *s)
{
    const protea_trainer *t = s->t;
    add_note(list, "protea.format", "1");
    add_note(list, "protea.arch", t->opts->arch);
    add_note(list, "protea.stem", t->small_stem ? "small" : "large");
    add_number(list, "protea.image_size", "%d", t->image_size);
    add_number(list, "protea.mean", "%.9g,%.9g,%.9g", t->mean[0], t->mean[1], t->mean[2]);
    add_number(list, "protea.std", "%.9g,%.9g,%.9g", t->std[0], t->std[1], t->std[2]);
    add_note(list, "protea.method", t->ops->name);
    add_number(list, "protea.epoch", "%lld", (long long)s->now.epoch);
    add_number(list, "protea.step", "%lld", (long long)s->now.step);
}

/* What a resume needs besides. */
static void describe_run(note_list *list, const protea_train_state *s, const char *yaml)
{
    const protea_trainer *t = s->t;
    add_note(list, "protea.config", yaml);
    add_note(list, "protea.dataset", protea_source_fingerprint(t->source));
    add_note(list, "protea.precision", t->precision);
    add_note(list, "protea.isa", t->cx->be->isa);
    add_number(list, "protea.threads", "%d", t->cx->threads);
    if (t->opts->max_minutes > 0)
        add_number(list, "protea.total_steps", "%lld", (long long)s->total_steps);
}

/* Which of the models so far is the best on the images held out. */
static void describe_best(note_list *list, const protea_train_state *s)
{
    if (s->best_accuracy < 0)
        return;
    add_number(list, "protea.best_accuracy", "%.17g", s->best_accuracy);
    add_number(list, "protea.best_epoch", "%lld", (long long)s->best_epoch);
}

/* Saves what has a classifier with its class names. */
static protea_status save_named(protea_train_state *s, note_list *list, const char *file, const char *previous,
                                protea_saved_fn visit)
{
    char *classes = NULL;
    if (s->t->classes != NULL) {
        PROTEA_TRY(protea_class_names_write(&classes, s->t->classes));
        add_note(list, PROTEA_META_CLASSES, classes);
        describe_best(list, s);
    }
    protea_status status = protea_checkpoint_save(s->t->run, file, previous, visit, s, list->note, list->n);
    free(classes);
    return status;
}

protea_status protea_record_save_model(protea_train_state *s)
{
    note_list list = { .n = 0 };
    describe_network(&list, s);
    return save_named(s, &list, PROTEA_RUN_MODEL, NULL, protea_train_state_visit_model);
}

protea_status protea_record_save(protea_train_state *s)
{
    char *yaml;
    note_list list = { .n = 0 };
    PROTEA_TRY(protea_options_write_yaml(s->t->options, &yaml));
    describe_network(&list, s);
    int of_network = list.n;
    describe_run(&list, s, yaml);
    protea_status status = save_named(s, &list, PROTEA_RUN_CHECKPOINT, PROTEA_RUN_PREVIOUS, protea_train_state_visit_saved);
    if (status == PROTEA_OK)
        status = protea_checkpoint_save(s->t->run, PROTEA_RUN_ENCODER, NULL, protea_train_state_visit_encoder, s, list.note,
                                        of_network);
    free(yaml);
    if (status == PROTEA_OK && s->t->classes != NULL && s->best_accuracy < 0)
        status = protea_record_save_model(s);
    return status;
}

static protea_status add_param_bytes(void *self, const char *name, protea_param *p)
{
    (void)name;
    *(double *)self += (double)protea_bytes(&p->w);
    return PROTEA_OK;
}

static protea_status add_buffer_bytes(void *self, const char *name, protea_tensor *t)
{
    (void)name;
    *(double *)self += (double)protea_bytes(t);
    return PROTEA_OK;
}

protea_status protea_record_room(protea_train_state *s)
{
    double bytes = 0, mib = 1024 * 1024, room = protea_rundir_free_bytes(s->t->run);
    protea_visitor v = { .param = add_param_bytes, .buffer = add_buffer_bytes, .self = &bytes };
    PROTEA_TRY(protea_train_state_visit_saved(s, &v));
    double wanted = s->now.step == 0 ? 4 * bytes : 2 * bytes; /* two generations, a new one being written, the encoder */
    if (room < 0 || room >= wanted)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_IO, "%s: %.0f MiB free, the checkpoints want %.0f MiB", protea_rundir_path(s->t->run), room / mib,
                       wanted / mib);
}

/* ---- comparing */

/* The line of `key` in a configuration (write_yaml's form), without its end. */
static const char *find_line(const char *yaml, const char *key, size_t *len)
{
    size_t key_len = strlen(key);
    for (const char *line = yaml; line != NULL && *line != 0; line = strchr(line, '\n'), line += line != NULL) {
        if (strncmp(line, key, key_len) != 0 || line[key_len] != ':')
            continue;
        *len = strcspn(line, "\n");
        return line;
    }
    return NULL;
}

typedef struct comparison {
    const protea_trainer *t;
    const char *was, *is; /* YAML */
    protea_status status;
} comparison;

/* The value in a line `key: value  # help`. */
static int value_len(const char *line, size_t len)
{
    for (size_t i = 0; i + 2 < len; i++)
        if (line[i] == ' ' && line[i + 1] == ' ' && line[i + 2] == '#')
            return (int)i;
    return (int)len;
}

static int compare_option(void *self, const char *title, const protea_opt *opt, const char *value)
{
    (void)title;
    comparison *c = self;
    size_t was_len = 0, is_len = 0;
    const char *was = find_line(c->was, opt->key, &was_len), *is = find_line(c->is, opt->key, &is_len);
    if (was == NULL || is == NULL || (opt->flags & (PROTEA_OPT_MAY_CHANGE | PROTEA_OPT_NOT_SAVED)))
        return 0;
    int was_value = value_len(was, was_len), is_value = value_len(is, is_len);
    if (was_value == is_value && memcmp(was, is, (size_t)was_value) == 0)
        return 0;
    if (opt->flags & PROTEA_OPT_WARN_CHANGE) {
        protea_log(c->t->cx, PROTEA_LOG_WARN, "--resume: the run was made with %.*s, now %s: the result will only be close",
                   was_value, was, value);
        return 0;
    }
    c->status = protea_fail(PROTEA_ERR_USAGE, "--resume: %s: the run was made with %.*s, now %s; give the old value, or -o "
                            "a new run", opt->key, was_value, was, value);
    return 1;
}

static protea_status check_options(const protea_trainer *t, const char *saved)
{
    char *yaml;
    PROTEA_TRY(protea_options_write_yaml(t->options, &yaml));
    comparison c = { .t = t, .was = saved, .is = yaml };
    protea_options_each(t->options, compare_option, &c);
    free(yaml);
    return c.status;
}

/* Kernels and threads decide the order of sums, precision their size. */
static void warn_of_machine(const protea_trainer *t, const protea_st_file *file)
{
    char threads[16];
    snprintf(threads, sizeof threads, "%d", t->cx->threads);
    const char *const pairs[][3] = { { "protea.isa", t->cx->be->isa, "instructions" },
                                     { "protea.threads", threads, "threads" },
                                     { "protea.precision", t->precision, "precision" } };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *was = protea_st_metadata(file, pairs[i][0]);
        if (was != NULL && strcmp(was, pairs[i][1]) != 0)
            protea_log(t->cx, PROTEA_LOG_WARN, "--resume: the run was made with %s %s, now %s: the result will only be close",
                       pairs[i][2], was, pairs[i][1]);
    }
}

protea_status protea_record_check(const protea_trainer *t, const protea_st_file *file)
{
    const char *method = protea_st_metadata(file, "protea.method"), *data = protea_st_metadata(file, "protea.dataset");
    const char *config = protea_st_metadata(file, "protea.config");
    if (method == NULL || data == NULL || config == NULL)
        return protea_fail(PROTEA_ERR_INPUT, "%s: the checkpoint says nothing of its method, data and options",
                           protea_rundir_path(t->run));
    if (strcmp(method, t->ops->name) != 0)
        return protea_fail(PROTEA_ERR_USAGE, "--resume: the run is of %s, now %s", method, t->ops->name);
    if (strcmp(data, protea_source_fingerprint(t->source)) != 0)
        return protea_fail(PROTEA_ERR_USAGE, "--resume: DATA is not what the run was made with: its names, sizes or number of "
                           "images have changed");
    PROTEA_TRY(check_options(t, config));
    warn_of_machine(t, file);
    return PROTEA_OK;
}

protea_status protea_record_best(protea_train_state *s, const protea_st_file *file)
{
    const char *accuracy = protea_st_metadata(file, "protea.best_accuracy");
    if (accuracy == NULL)
        return PROTEA_OK;
    s->best_accuracy = strtod(accuracy, NULL);
    return protea_checkpoint_number(file, "protea.best_epoch", &s->best_epoch);
}

protea_status protea_record_total(const protea_trainer *t, const protea_st_file *file, int64_t *steps)
{
    *steps = 0;
    if (file == NULL || t->opts->max_minutes <= 0)
        return PROTEA_OK;
    return protea_checkpoint_number(file, "protea.total_steps", steps);
}

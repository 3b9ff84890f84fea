#include "report/run_record.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/options_internal.h"
#include "format/json_text.h"
#include "train/rundir.h"

enum { MOST_BYTES = 256 << 20 };

static void free_curve(protea_curve *curve)
{
    protea_free(curve->name);
    protea_free(curve->x);
    protea_free(curve->y);
}

void protea_run_record_release(protea_run_record *r)
{
    for (int i = 0; i < r->n_settings; i++) {
        protea_free(r->setting[i].key);
        protea_free(r->setting[i].value);
        protea_free(r->setting[i].help);
    }
    for (int i = 0; i < r->n_curves; i++)
        free_curve(&r->curve[i]);
    for (int64_t i = 0; i < 2 * r->n_skipped; i++)
        protea_free(r->skipped[i]);
    protea_free(r->setting);
    protea_free(r->curve);
    protea_free(r->warning);
    protea_free(r->skipped);
    *r = (protea_run_record){ 0 };
}

/* A file of the run as text; *text NULL when it is not there and need not be. */
static protea_status read_text(char **text, size_t *len, const char *run_dir, const char *name, bool needed)
{
    char *path;
    *text = NULL;
    *len = 0;
    PROTEA_TRY(protea_path_join(&path, run_dir, name));
    protea_status status = needed || access(path, F_OK) == 0 ? protea_file_read(text, len, path, MOST_BYTES) : PROTEA_OK;
    protea_free(path);
    return status;
}

/* The lines of text one by one, cut where they end. NULL after the last. */
static char *next_line(char **rest)
{
    char *line = *rest;
    if (*line == 0)
        return NULL;
    char *end = line + strcspn(line, "\n");
    *rest = *end ? end + 1 : end;
    *end = 0;
    return line;
}

/* ---- settings */

typedef struct settings_reader {
    protea_run_record *record;
    char **line;   /* (n_lines) of the file: the parser drops comments, but they are the help */
    int n_lines;
} settings_reader;

static const char *help_of(const settings_reader *reader, int line)
{
    if (line < 1 || line > reader->n_lines)
        return "";
    const char *comment = strstr(reader->line[line - 1], "  # ");
    return comment ? comment + 4 : "";
}

static protea_status add_setting(void *self, int line, const char *key, const char *const *items, int n, bool is_list)
{
    settings_reader *reader = self;
    protea_run_record *r = reader->record;
    char value[4096] = "";
    (void)is_list;
    for (int i = 0; i < n; i++) {
        size_t used = strlen(value);
        snprintf(value + used, sizeof value - used, i ? " %s" : "%s", items[i]);
    }
    PROTEA_TRY(protea_grow(&r->setting, (size_t)r->n_settings + 1, sizeof *r->setting, "settings"));
    protea_setting *s = &r->setting[r->n_settings];
    *s = (protea_setting){ 0 };
    r->n_settings++;
    PROTEA_TRY(protea_copy_string(&s->key, key));
    PROTEA_TRY(protea_copy_string(&s->value, value));
    return protea_copy_string(&s->help, help_of(reader, line));
}

static protea_status split_lines(settings_reader *reader, char *text)
{
    for (char *line; (line = next_line(&text)) != NULL;) {
        PROTEA_TRY(protea_grow(&reader->line, (size_t)reader->n_lines + 1, sizeof *reader->line, "settings"));
        reader->line[reader->n_lines++] = line;
    }
    return PROTEA_OK;
}

static protea_status read_settings(protea_run_record *r, const char *run_dir)
{
    settings_reader reader = { .record = r };
    char *text, *copy = NULL;
    size_t len;
    PROTEA_TRY(read_text(&text, &len, run_dir, PROTEA_RUN_CONFIG, true));
    protea_status status = protea_copy_string(&copy, text);
    if (status == PROTEA_OK)
        status = split_lines(&reader, copy);
    if (status == PROTEA_OK)
        status = protea_yaml_walk(text, len, PROTEA_RUN_CONFIG, add_setting, &reader);
    protea_free(reader.line);
    protea_free(copy);
    protea_free(text);
    return status;
}

const char *protea_run_setting(const protea_run_record *r, const char *key)
{
    for (int i = 0; i < r->n_settings; i++)
        if (strcmp(r->setting[i].key, key) == 0)
            return r->setting[i].value;
    return "";
}

protea_status protea_run_record_of_train(const protea_run_record *r, const char *run_dir)
{
    const char *verb = protea_run_setting(r, "verb");
    if (*verb == 0 || strcmp(verb, "train") == 0)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INPUT, "%s: what %s left, with a report of its own, which %s --config %s/%s -o %s --overwrite "
                       "makes anew; wanted a run of train", run_dir, verb, verb, run_dir, PROTEA_RUN_CONFIG, run_dir);
}

/* ---- curves */

const protea_curve *protea_run_curve(const protea_run_record *r, const char *name)
{
    for (int i = 0; i < r->n_curves; i++)
        if (strcmp(r->curve[i].name, name) == 0)
            return &r->curve[i];
    return NULL;
}

static protea_curve *known_curve(const protea_run_record *r, const char *name, bool by_epoch)
{
    for (int i = 0; i < r->n_curves; i++)
        if (r->curve[i].by_epoch == by_epoch && strcmp(r->curve[i].name, name) == 0)
            return &r->curve[i];
    return NULL;
}

static protea_status find_curve(protea_curve **out, protea_run_record *r, const char *name, bool by_epoch)
{
    *out = known_curve(r, name, by_epoch);
    if (*out != NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_grow(&r->curve, (size_t)r->n_curves + 1, sizeof *r->curve, "curves"));
    *out = &r->curve[r->n_curves++];
    **out = (protea_curve){ .by_epoch = by_epoch };
    return protea_copy_string(&(*out)->name, name);
}

static protea_status add_point(protea_run_record *r, const char *name, double x, double y, bool by_epoch)
{
    protea_curve *curve;
    PROTEA_TRY(find_curve(&curve, r, name, by_epoch));
    if (curve->n == curve->capacity) {
        int64_t more = curve->capacity * 2 + 64;
        PROTEA_TRY(protea_grow(&curve->x, (size_t)more, sizeof *curve->x, "curves"));
        PROTEA_TRY(protea_grow(&curve->y, (size_t)more, sizeof *curve->y, "curves"));
        curve->capacity = more;
    }
    curve->x[curve->n] = x;
    curve->y[curve->n++] = y;
    return PROTEA_OK;
}

/* Of the two curves of a name, that with more points stays: short runs end epochs more often than they log steps. */
static void choose_curves(protea_run_record *r)
{
    for (int i = r->n_curves - 1; i >= 0; i--) {
        protea_curve *curve = &r->curve[i];
        const protea_curve *other = known_curve(r, curve->name, !curve->by_epoch);
        if (other == NULL || curve->n > other->n || (curve->n == other->n && !curve->by_epoch))
            continue;
        free_curve(curve);
        memmove(curve, curve + 1, (size_t)(r->n_curves - 1 - i) * sizeof *curve);
        r->n_curves--;
    }
}

/* Keys that say where a line stands rather than what was measured. */
static bool is_position(const char *key)
{
    static const char *const keys[] = { "step", "epoch", "seconds", "skipped_updates" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

/* x is in steps until the whole file is read. */
static protea_status add_line(protea_run_record *r, const json_t *line)
{
    const char *kind = json_string_value(json_object_get(line, "kind"));
    const char *warning = json_string_value(json_object_get(line, "warning"));
    bool ends_epoch = kind != NULL && strcmp(kind, "epoch") == 0;
    double step = json_number_value(json_object_get(line, "step"));
    const char *key;
    const json_t *value;
    if (ends_epoch)
        r->epochs = json_number_value(json_object_get(line, "epoch"));
    r->steps = (int64_t)step;
    r->seconds = json_number_value(json_object_get(line, "seconds"));
    if (warning != NULL) {
        protea_free(r->warning);
        PROTEA_TRY(protea_copy_string(&r->warning, warning));
    }
    json_object_foreach((json_t *)line, key, value) {
        if (json_is_number(value) && !is_position(key))
            PROTEA_TRY(add_point(r, key, step, json_number_value(value), ends_epoch));
    }
    return PROTEA_OK;
}

/* Steps into epochs, once an epoch has ended and says how many steps it has. */
static void scale_curves(protea_run_record *r, double steps_per_epoch)
{
    r->in_epochs = steps_per_epoch > 0;
    for (int i = 0; r->in_epochs && i < r->n_curves; i++)
        for (int64_t p = 0; p < r->curve[i].n; p++)
            r->curve[i].x[p] /= steps_per_epoch;
}

static protea_status read_curves(protea_run_record *r, const char *run_dir)
{
    char *text;
    size_t len;
    double steps_per_epoch = 0;
    PROTEA_TRY(read_text(&text, &len, run_dir, PROTEA_RUN_METRICS, false));
    char *rest = text;
    protea_status status = PROTEA_OK;
    for (char *line; status == PROTEA_OK && rest != NULL && (line = next_line(&rest)) != NULL;) {
        json_t *json;
        if (protea_json_parse(&json, line, strlen(line), 0, PROTEA_RUN_METRICS) == PROTEA_ERR_MEMORY)
            status = PROTEA_ERR_MEMORY;
        if (json_is_object(json)) { /* a torn line is passed over */
            double before = r->epochs;
            status = add_line(r, json);
            if (r->epochs > before)
                steps_per_epoch = (double)r->steps / r->epochs;
        }
        json_decref(json);
    }
    protea_free(text);
    choose_curves(r);
    scale_curves(r, steps_per_epoch);
    return status;
}

/* ---- skipped images */

static protea_status add_skipped(protea_run_record *r, char *line)
{
    char *tab = strchr(line, '\t');
    if (tab == NULL)
        return PROTEA_OK;
    *tab = 0;
    PROTEA_TRY(protea_grow(&r->skipped, 2 * (size_t)r->n_skipped + 2, sizeof *r->skipped, "skipped images"));
    r->skipped[2 * r->n_skipped] = r->skipped[2 * r->n_skipped + 1] = NULL;
    r->n_skipped++;
    PROTEA_TRY(protea_copy_string(&r->skipped[2 * r->n_skipped - 2], line));
    return protea_copy_string(&r->skipped[2 * r->n_skipped - 1], tab + 1);
}

static protea_status read_skipped(protea_run_record *r, const char *run_dir)
{
    char *text;
    size_t len;
    PROTEA_TRY(read_text(&text, &len, run_dir, PROTEA_RUN_SKIPPED, false));
    char *rest = text;
    protea_status status = PROTEA_OK;
    for (char *line; status == PROTEA_OK && rest != NULL && (line = next_line(&rest)) != NULL;)
        if (strcmp(line, "path\treason") != 0)
            status = add_skipped(r, line);
    protea_free(text);
    return status;
}

protea_status protea_run_record_read(protea_run_record *record, const char *run_dir)
{
    *record = (protea_run_record){ 0 };
    PROTEA_TRY(read_settings(record, run_dir));
    PROTEA_TRY(read_curves(record, run_dir));
    return read_skipped(record, run_dir);
}

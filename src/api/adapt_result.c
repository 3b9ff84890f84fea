#include "api/adapt_result.h"

#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "format/csv.h"
#include "image/corrupt.h"

static const char *column_name(const protea_adapt_run *run, int column)
{
    return run->n_corruptions > 0 ? protea_corruption_name(run->corruption[column]) : "";
}

/* Severity of all items, 0 where it changes or there is none. */
static int severity_of(const protea_adapt_run *run)
{
    int severity = run->stream->part[0].severity;
    for (int p = 1; p < run->stream->n_parts; p++)
        if (run->stream->part[p].severity != severity)
            return 0;
    return severity;
}

/* ---- JSON */

static json_t *accuracy_json(int64_t right, int64_t labelled)
{
    return labelled > 0 ? json_real(protea_tally_accuracy(right, labelled)) : json_null();
}

static json_t *per_class_json(const protea_contender *c, const protea_tally_cell *cell)
{
    json_t *object = json_object();
    for (int k = 0; k < c->tally.n_classes; k++)
        json_object_set_new(object, c->lane.model.classes.name[k], accuracy_json(cell->class_right[k], cell->class_n[k]));
    return object;
}

static void put_cell(json_t *to, const protea_contender *c, const protea_tally_cell *cell)
{
    json_object_set_new(to, "n", json_integer(cell->n));
    if (cell->labelled > 0) {
        json_object_set_new(to, "accuracy", accuracy_json(cell->right, cell->labelled));
        json_object_set_new(to, "per_class", per_class_json(c, cell));
    }
    json_object_set_new(to, "entropy", json_real(cell->n > 0 ? cell->entropy / (double)cell->n : 0));
    json_object_set_new(to, "images_per_second", json_real(cell->seconds > 0 ? (double)cell->n / cell->seconds : 0));
}

static void put_names(json_t *to, const protea_adapt_run *run, const protea_contender *c, int column)
{
    int severity = severity_of(run);
    json_object_set_new(to, "algorithm", json_string(c->name));
    json_object_set_new(to, "mode", c->mode[0] ? json_string(c->mode) : json_null());
    if (run->n_corruptions > 0 && column >= 0)
        json_object_set_new(to, "corruption", json_string(column_name(run, column)));
    if (severity > 0)
        json_object_set_new(to, "severity", json_integer(severity));
}

static void put_state(json_t *to, const protea_contender *c)
{
    json_object_set_new(to, "updates", json_integer(c->tally.updates));
    json_object_set_new(to, "resets", json_integer(c->tally.resets));
    if (c->lane.guarded)
        json_object_set_new(to, "rollbacks", json_integer(c->lane.rollbacks));
    if (c->lane.trouble[0])
        json_object_set_new(to, "guard", json_string(c->lane.trouble));
    json_object_set_new(to, "bank_rows", json_integer(c->tally.bank_rows));
    json_object_set_new(to, "bank_bytes", json_integer((json_int_t)c->tally.bank_bytes));
}

/* Accuracy of one of those that others are compared with, under its own key. */
static void put_baseline(json_t *to, const protea_adapt_run *run, const char *name, const char *key)
{
    const protea_contender *c = protea_adapt_find(run, name);
    if (c != NULL && c->tally.cell[0].labelled > 0)
        json_object_set_new(to, key, accuracy_json(c->tally.cell[0].right, c->tally.cell[0].labelled));
}

static void put_single(json_t *result, const protea_adapt_run *run, const protea_contender *c)
{
    put_names(result, run, c, 0);
    put_cell(result, c, &c->tally.cell[0]);
    put_baseline(result, run, "source", "source_accuracy");
    put_baseline(result, run, "bn", "bn_accuracy");
    put_state(result, c);
}

static protea_status put_total(json_t *means, const protea_adapt_run *run, const protea_contender *c)
{
    protea_tally_cell total;
    json_t *entry = json_object();
    protea_status status = protea_tally_total(&total, &c->tally);
    if (status == PROTEA_OK) {
        put_names(entry, run, c, -1);
        put_cell(entry, c, &total);
        if (total.labelled > 0)
            json_object_set_new(entry, "accuracy", json_real(protea_tally_mean(&c->tally)));
        put_state(entry, c);
    }
    protea_free(total.class_n);
    protea_free(total.class_right);
    json_array_append_new(means, entry);
    return status;
}

static protea_status put_list(json_t *result, const protea_adapt_run *run)
{
    json_t *results = json_array(), *means = json_array();
    protea_status status = PROTEA_OK;
    json_object_set_new(result, "results", results);
    json_object_set_new(result, "means", means);
    for (int k = 0; k < run->n_contenders && status == PROTEA_OK; k++) {
        const protea_contender *c = &run->contender[k];
        for (int i = 0; i < c->tally.n_columns; i++) {
            json_t *entry = json_object();
            put_names(entry, run, c, i);
            put_cell(entry, c, &c->tally.cell[i]);
            json_array_append_new(results, entry);
        }
        status = put_total(means, run, c);
    }
    return status;
}

protea_status protea_adapt_result(json_t *result, const protea_adapt_run *run, const char *stream)
{
    const protea_contender *asked = NULL;
    int n_asked = 0;
    for (int k = 0; k < run->n_contenders; k++)
        if (!run->contender[k].baseline) {
            asked = &run->contender[k];
            n_asked++;
        }
    json_object_set_new(result, "stream", json_string(stream));
    json_object_set_new(result, "batch_size", json_integer(run->batch_size));
    if (n_asked > 1 || protea_adapt_columns(run) > 1)
        return put_list(result, run);
    put_single(result, run, asked);
    return PROTEA_OK;
}

static json_t *confusion_json(const protea_tally *t)
{
    json_t *rows = json_array();
    for (int i = 0; i < t->n_classes; i++) {
        json_t *row = json_array();
        for (int j = 0; j < t->n_classes; j++)
            json_array_append_new(row, json_integer(t->confusion[(int64_t)i * t->n_classes + j]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *time_json(const protea_tally *t)
{
    json_t *points = json_array();
    for (int64_t i = 0; i < t->n_points; i++) {
        const protea_tally_point *p = &t->point[i];
        json_t *point = json_array();
        json_array_append_new(point, json_integer(p->seen));
        json_array_append_new(point, accuracy_json(p->right, p->labelled));
        json_array_append_new(point, json_real((double)p->entropy));
        json_array_append_new(points, point);
    }
    return points;
}

void protea_adapt_details(json_t *stats, const protea_adapt_run *run)
{
    json_t *over_time = json_object(), *confusion = json_object();
    for (int k = 0; k < run->n_contenders; k++) {
        const protea_contender *c = &run->contender[k];
        json_object_set_new(over_time, c->name, time_json(&c->tally));
        if (run->class_map != NULL)
            json_object_set_new(confusion, c->name, confusion_json(&c->tally));
    }
    json_object_set_new(stats, "over_time", over_time);
    if (run->class_map != NULL)
        json_object_set(stats, "confusion", confusion);
    json_decref(confusion);
}

/* ---- a table for people */

enum { LINE = 512 };

/* Appends text to a line that is cut where it is full. */
static void __attribute__((format(printf, 2, 3))) append(char line[static LINE], const char *format, ...)
{
    size_t len = strlen(line);
    va_list args;
    va_start(args, format);
    vsnprintf(line + len, LINE - len, format, args);
    va_end(args);
}

protea_status protea_adapt_log_table(const protea_ctx *cx, const protea_adapt_run *run)
{
    char line[LINE] = "";
    int columns = protea_adapt_columns(run);
    if (run->class_map == NULL)
        return PROTEA_OK;
    append(line, "%-10s", "accuracy %");
    for (int i = 0; i < columns && run->n_corruptions > 0; i++) /* names up to their underscore tell them apart */
        append(line, " %8.*s", (int)strcspn(column_name(run, i), "_"), column_name(run, i));
    protea_log(cx, PROTEA_LOG_INFO, "%s     mean", line);
    for (int k = 0; k < run->n_contenders; k++) {
        const protea_contender *c = &run->contender[k];
        line[0] = 0;
        append(line, "%-10s", c->name);
        for (int i = 0; i < columns && run->n_corruptions > 0; i++)
            append(line, " %8.1f", 100 * protea_tally_accuracy(c->tally.cell[i].right, c->tally.cell[i].labelled));
        protea_log(cx, PROTEA_LOG_INFO, "%s %8.1f", line, 100 * protea_tally_mean(&c->tally));
    }
    return PROTEA_OK;
}

/* ---- predictions.csv */

enum { FIELDS = 9 };

void protea_adapt_write_header(FILE *out)
{
    static const char *const field[FIELDS] = { "row", "path", "class", "algorithm", "corruption", "severity", "predicted",
                                               "probability", "entropy" };
    protea_csv_row(out, FIELDS, field);
}

void protea_adapt_write_rows(FILE *out, const protea_adapt_run *run, const protea_adapt_answers *answers)
{
    const protea_contender *c = answers->contender;
    char *const *class_name = c->lane.model.classes.name;
    int64_t before = c->tally.point[c->tally.n_points - 1].seen - answers->n;
    for (int64_t i = 0; i < answers->n; i++) {
        const protea_stream_item *item = &answers->item[i];
        const protea_answer *a = &answers->answer[i];
        char row[24], severity[8] = "", probability[24], entropy[24];
        snprintf(row, sizeof row, "%lld", (long long)(before + i));
        if (item->corruption >= 0)
            snprintf(severity, sizeof severity, "%d", (int)item->severity);
        snprintf(probability, sizeof probability, "%.6f", (double)a->probability);
        snprintf(entropy, sizeof entropy, "%.6f", (double)a->entropy);
        const char *const field[FIELDS] = {
            row, protea_source_name(run->source, item->image), answers->label[i] < 0 ? "" : class_name[answers->label[i]],
            c->name, item->corruption < 0 ? "" : column_name(run, item->corruption), severity, class_name[a->label],
            probability, entropy,
        };
        protea_csv_row(out, FIELDS, field);
    }
}

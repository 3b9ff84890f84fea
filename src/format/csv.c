#include "format/csv.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

enum { MAX_FIELD = 8192, MAX_FILE = 1 << 30 };

static void write_field(FILE *stream, const char *text)
{
    char clean[MAX_FIELD];
    protea_escape(clean, sizeof clean, text);
    if (clean[strcspn(clean, ",\"")] == 0 && clean[0] != ' ') {
        fputs(clean, stream);
        return;
    }
    fputc('"', stream);
    for (const char *at = clean; *at; at++) {
        if (*at == '"')
            fputc('"', stream);
        fputc(*at, stream);
    }
    fputc('"', stream);
}

void protea_csv_row(FILE *stream, int n, const char *const *field)
{
    for (int i = 0; i < n; i++) {
        if (i > 0)
            fputc(',', stream);
        write_field(stream, field[i]);
    }
    fputc('\n', stream);
}

struct protea_csv {
    char *path, *text;
    size_t len, at;
    long line;
};

protea_status protea_csv_open(protea_csv **out, const char *path)
{
    protea_csv *csv = NULL;
    *out = NULL;
    PROTEA_TRY(protea_new(&csv, 1, sizeof *csv, path));
    protea_status status = protea_copy_string(&csv->path, path);
    if (status == PROTEA_OK)
        status = protea_file_read(&csv->text, &csv->len, path, MAX_FILE);
    if (status == PROTEA_OK && memchr(csv->text, 0, csv->len) != NULL)
        status = protea_fail(PROTEA_ERR_INPUT, "%s: holds NUL bytes; wanted a text table", path);
    if (status != PROTEA_OK) {
        protea_csv_close(csv);
        return status;
    }
    *out = csv;
    return PROTEA_OK;
}

void protea_csv_close(protea_csv *csv)
{
    if (csv == NULL)
        return;
    protea_free(csv->path);
    protea_free(csv->text);
    protea_free(csv);
}

/* Undoes the quotes of a field in place; at stands on the opening one. Returns what follows the closing one, or NULL. */
static char *unquote(char *at, char **field, long *line)
{
    char *to = *field = at;
    for (at++; *at; at++) {
        if (*at == '"' && at[1] != '"') {
            char *next = at + 1;
            *to = 0; /* at or before the closing quote */
            return next;
        }
        if (*at == '"')
            at++;
        else if (*at == '\n')
            (*line)++;
        *to++ = *at;
    }
    return NULL;
}

protea_status protea_csv_next(protea_csv *csv, char **field, int max, int *n)
{
    char *at = csv->text + csv->at;
    *n = 0;
    if (*at == 0)
        return PROTEA_OK;
    csv->line++;
    for (char end = ','; end == ',';) {
        if (*n == max)
            return protea_fail(PROTEA_ERR_INPUT, "%s:%ld: more than %d fields", csv->path, csv->line, max);
        long line = csv->line;
        char *value = at;
        char *stop = *at == '"' ? unquote(at, &value, &line) : at + strcspn(at, ",\r\n");
        if (stop == NULL)
            return protea_fail(PROTEA_ERR_INPUT, "%s:%ld: a quote is never closed", csv->path, csv->line);
        csv->line = line;
        if (*stop == '\r' && stop[1] == '\n')
            *stop++ = 0;
        end = *stop;
        if (end != 0 && end != ',' && end != '\n')
            return protea_fail(PROTEA_ERR_INPUT, "%s:%ld: text after a closing quote", csv->path, csv->line);
        *stop = 0;
        field[(*n)++] = value;
        at = end ? stop + 1 : stop;
    }
    csv->at = (size_t)(at - csv->text);
    return PROTEA_OK;
}

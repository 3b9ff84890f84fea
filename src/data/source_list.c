/* A list of picture files: `.txt` with a path a line, or `.csv` with a path and, if there is a second column, a label; a first
 * row `path,...` is a heading. Paths are taken from the folder that holds the list. A label is any text; an empty one is none.
 * Without labels the folders' rule holds, as for a folder. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/lines.h"
#include "data/source_kind.h"
#include "format/csv.h"

typedef struct list_set { int folder; } list_set;

static protea_status list_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                               const protea_limits *limits, protea_image *out)
{
    const list_set *set = self;
    (void)entry;
    return protea_read_picture_file(out, set->folder, name, label, limits);
}

static void list_close(void *self)
{
    list_set *set = self;
    if (set->folder >= 0)
        close(set->folder);
    protea_free(set);
}

static const protea_source_ops list_ops = { .kind = "list", .read = list_read, .close = list_close, .between = '!' };

static protea_status open_folder(int *fd, const char *path)
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL)
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    *fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: folder cannot be read: %s", folder, strerror(errno));
    return PROTEA_OK;
}

static protea_status add_line(void *self, int64_t number, const char *line)
{
    (void)number;
    return protea_catalog_add(self, line, 0, 0);
}

/* Labels stay in the table while it is open. */
typedef struct labels {
    const char **word; /* (n) owned; its strings are the table's */
    size_t capacity;
    bool any;
} labels;

static protea_status add_row(protea_catalog *c, labels *l, char *const *field, int n)
{
    if ((size_t)c->n == l->capacity) {
        size_t more = 2 * l->capacity + 1024;
        PROTEA_TRY(protea_grow(&l->word, more, sizeof *l->word, "a list's labels"));
        l->capacity = more;
    }
    bool has = n > 1 && field[1][0] != 0;
    l->word[c->n] = has ? field[1] : NULL;
    l->any |= has;
    return protea_catalog_add(c, field[0], 0, 0);
}

static protea_status read_rows(protea_catalog *c, labels *l, protea_csv *csv)
{
    enum { MAX_COLUMNS = 64 };
    char *field[MAX_COLUMNS];
    int n;
    for (bool first = true;; first = false) {
        PROTEA_TRY(protea_csv_next(csv, field, MAX_COLUMNS, &n));
        if (n == 0)
            return l->any ? protea_catalog_label_by(c, l->word) : PROTEA_OK;
        bool heading = first && strcasecmp(field[0], "path") == 0;
        if (!heading && field[0][0] != 0)
            PROTEA_TRY(add_row(c, l, field, n));
    }
}

static protea_status read_table(protea_catalog *c, const char *path)
{
    protea_csv *csv;
    labels l = { 0 };
    PROTEA_TRY(protea_csv_open(&csv, path));
    protea_status status = read_rows(c, &l, csv);
    protea_csv_close(csv);
    protea_free(l.word);
    return status;
}

/* A text that is no list at all names nothing that is there. */
static protea_status check_some(const protea_catalog *c, int folder, const char *path)
{
    char first[512];
    for (int64_t i = 0; i < c->n; i++)
        if (faccessat(folder, protea_catalog_name(c, i), F_OK, 0) == 0)
            return PROTEA_OK;
    if (c->n == 0)
        return PROTEA_OK; /* which is said elsewhere */
    protea_escape(first, sizeof first, protea_catalog_name(c, 0));
    return protea_fail(PROTEA_ERR_INPUT, "%s: none of the %lld paths it lists is there, the first being %s; paths are taken from "
                       "the list's folder", path, (long long)c->n, first);
}

protea_status protea_open_list(protea_opened *o, const char *path, protea_packed_file *file)
{
    list_set *set;
    (void)file; /* text is read whole, with a limit of its own */
    PROTEA_TRY(protea_new(&set, 1, sizeof *set, "a list"));
    o->ops = &list_ops;
    o->self = set;
    PROTEA_TRY(open_folder(&set->folder, path));
    const char *ending = strrchr(path, '.');
    if (strcasecmp(ending, ".csv") == 0)
        PROTEA_TRY(read_table(&o->catalog, path));
    else
        PROTEA_TRY(protea_lines_read(path, "a picture's path", add_line, &o->catalog));
    return check_some(&o->catalog, set->folder, path);
}

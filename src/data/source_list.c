/* A list of picture files: `.txt` with a path a line, or `.csv` with a path and, if there is a second column, a label; a first
 * row `path,...` is a heading. In a `.txt` a label stands behind a comma that follows a picture's name. Paths are taken from the
 * folder that holds the list. A label is any text; an empty one is none; `cat;dog` is two classes. Without labels the folders'
 * rule holds, as for a folder. */
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

/* Labels stay in the text, or the table, while it is held. */
typedef struct labels {
    const char **word; /* (n) owned; its strings are not */
    size_t capacity;
    bool any;
} labels;

/* label: NULL or "" for none. */
static protea_status add_row(protea_catalog *c, labels *l, const char *path, const char *label)
{
    if ((size_t)c->n == l->capacity) {
        size_t more = 2 * l->capacity + 1024;
        PROTEA_TRY(protea_grow(&l->word, more, sizeof *l->word, "a list's labels"));
        l->capacity = more;
    }
    bool has = label != NULL && label[0] != 0;
    l->word[c->n] = has ? label : NULL;
    l->any |= has;
    return protea_catalog_add(c, path, 0, 0);
}

static protea_status number_labels(protea_catalog *c, const labels *l)
{
    return l->any ? protea_catalog_label_by_sets(c, l->word) : PROTEA_OK;
}

/* Cuts the label off a line `a.jpg,dog`; NULL: there is none. A line that ends as a picture is a path, whatever commas it has, and
 * no path is longer than PATH_MAX. */
static const char *cut_label(char *line)
{
    if (protea_catalog_is_picture_name(line))
        return NULL;
    for (char *comma = strchr(line, ','); comma != NULL && comma - line < PATH_MAX; comma = strchr(comma + 1, ',')) {
        *comma = 0;
        if (protea_catalog_is_picture_name(line))
            return comma + 1;
        *comma = ',';
    }
    return NULL;
}

typedef struct text_reading { protea_catalog *catalog; labels *labels; } text_reading;

static protea_status read_line(void *self, int64_t number, char *line)
{
    const text_reading *r = self;
    if (number == 1 && strncasecmp(line, "path,", 5) == 0)
        return PROTEA_OK;
    const char *label = cut_label(line);
    return add_row(r->catalog, r->labels, line, label);
}

static protea_status read_text(protea_catalog *c, const char *path)
{
    char *text;
    labels l = { 0 };
    text_reading r = { c, &l };
    PROTEA_TRY(protea_lines_load(&text, path, "a picture's path"));
    protea_status status = protea_lines_each(text, read_line, &r);
    if (status == PROTEA_OK)
        status = number_labels(c, &l);
    protea_free(text);
    protea_free(l.word);
    return status;
}

static protea_status read_rows(protea_catalog *c, labels *l, protea_csv *csv)
{
    enum { MAX_COLUMNS = 64 };
    char *field[MAX_COLUMNS];
    int n;
    for (bool first = true;; first = false) {
        PROTEA_TRY(protea_csv_next(csv, field, MAX_COLUMNS, &n));
        if (n == 0)
            return number_labels(c, l);
        bool heading = first && strcasecmp(field[0], "path") == 0;
        if (!heading && field[0][0] != 0)
            PROTEA_TRY(add_row(c, l, field[0], n > 1 ? field[1] : NULL));
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
    PROTEA_TRY(strcasecmp(ending, ".csv") == 0 ? read_table(&o->catalog, path) : read_text(&o->catalog, path));
    return check_some(&o->catalog, set->folder, path);
}

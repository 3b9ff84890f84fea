#include "data/named_images.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/lines.h"

/* An image by its path or its file's name. */
typedef struct called {
    const char *name;   /* borrowed */
    int64_t image;
} called;

typedef struct names {
    called *by_path, *by_file; /* (n) owned, sorted */
    int64_t n;
} names;

typedef struct reading {
    names names;
    const char *path, *set; /* of the list and the data set */
    protea_named_image found;
    void *self;
} reading;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const called *)a)->name, ((const called *)b)->name);
}

static const char *file_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static protea_status sort_names(names *s, const protea_source *set)
{
    s->n = protea_source_count(set);
    PROTEA_TRY(protea_new(&s->by_path, (size_t)s->n, sizeof *s->by_path, "names of images"));
    PROTEA_TRY(protea_new(&s->by_file, (size_t)s->n, sizeof *s->by_file, "names of images"));
    for (int64_t i = 0; i < s->n; i++) {
        const char *path = protea_source_name(set, i);
        s->by_path[i] = (called){ path, i };
        s->by_file[i] = (called){ file_of(path), i };
    }
    qsort(s->by_path, (size_t)s->n, sizeof *s->by_path, by_name);
    qsort(s->by_file, (size_t)s->n, sizeof *s->by_file, by_name);
    return PROTEA_OK;
}

static const called *find(const called *sorted, int64_t n, const char *name)
{
    const called key = { .name = name };
    return bsearch(&key, sorted, (size_t)n, sizeof key, by_name);
}

static bool has_a_twin(const names *s, const called *at)
{
    return (at > s->by_file && by_name(at - 1, at) == 0) || (at + 1 < s->by_file + s->n && by_name(at, at + 1) == 0);
}

/* Image of that name: *out. */
static protea_status look_up(int64_t *out, const reading *r, int64_t number, const char *line)
{
    const names *s = &r->names;
    const called *at = find(s->by_path, s->n, line);
    char shown[512];
    protea_escape(shown, sizeof shown, line);
    if (at == NULL) {
        at = find(s->by_file, s->n, line);
        if (at == NULL)
            return protea_fail(PROTEA_ERR_INPUT, "%s: line %lld: %s is no image of %s", r->path, (long long)number, shown, r->set);
        if (has_a_twin(s, at))
            return protea_fail(PROTEA_ERR_INPUT, "%s: line %lld: several images of %s are called %s; wanted its path", r->path,
                               (long long)number, r->set, shown);
    }
    *out = at->image;
    return PROTEA_OK;
}

static protea_status read_line(void *self, int64_t number, char *line)
{
    const reading *r = self;
    int64_t image;
    PROTEA_TRY(look_up(&image, r, number, line));
    return r->found(r->self, number, image);
}

protea_status protea_named_images_read(const char *path, const protea_source *set, const char *name, protea_named_image found,
                                       void *self)
{
    reading r = { .path = path, .set = name, .found = found, .self = self };
    protea_status status = sort_names(&r.names, set);
    if (status == PROTEA_OK)
        status = protea_lines_read(path, "an image's path", read_line, &r);
    protea_free(r.names.by_path);
    protea_free(r.names.by_file);
    return status;
}

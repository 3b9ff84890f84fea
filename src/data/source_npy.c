/* `.npy` of uint8 (N,H,W,3), as CIFAR-10-C's files are: rows in the file's order. Labels lie beside NAME.npy in
 * NAME-labels.npy or, as in CIFAR-10-C, in labels.npy: N whole numbers from 0. Names of classes may lie beside them in
 * NAME-classes.txt or classes.txt, one a line; otherwise a class is called by its number.
 * Source of the layout: Hendrycks & Dietterich 2019, zenodo.org/record/2535967. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "data/source_kind.h"
#include "format/npy.h"
#include "image/decode.h"

enum { MAX_CLASSES = 65536, MAX_CLASS_BYTES = 1 << 20, MAX_SIDE = 65535 };

typedef struct npy_set {
    protea_packed_file file;
    uint64_t start; /* of the pixels */
    int w, h;
} npy_set;

/* at: number of the row. */
static protea_status npy_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                              const protea_limits *limits, protea_image *out)
{
    const npy_set *set = self;
    uint64_t bytes = (uint64_t)set->w * (uint64_t)set->h * 3;
    (void)name;
    PROTEA_TRY(protea_decode_check_size((uint64_t)set->w, (uint64_t)set->h, label, limits));
    PROTEA_TRY(protea_image_reserve(out, set->w, set->h));
    return protea_blob_read(&set->file.blob, set->start + entry->at * bytes, out->px, bytes, label);
}

static void npy_close(void *self)
{
    npy_set *set = self;
    protea_packed_file_close(&set->file);
    protea_free(set);
}

static const protea_source_ops npy_ops = { .kind = "npy", .read = npy_read, .close = npy_close, .between = '!' };

bool protea_looks_like_npy(const uint8_t *bytes, size_t len, uint64_t size)
{
    (void)size;
    return len >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
}

static protea_status check_shape(const protea_tensor *t, const char *path)
{
    const int64_t *dim = t->dim;
    if (t->dtype != PROTEA_U8 || t->n_dims != 4 || dim[3] != 3)
        return protea_fail(PROTEA_ERR_INPUT, "%s: an array of %s in %d dimensions found, images as uint8 (N,H,W,3) wanted", path,
                           t->dtype == PROTEA_U8 ? "uint8" : "another type", t->n_dims);
    if (dim[0] < 1)
        return protea_fail(PROTEA_ERR_INPUT, "%s: 0 images found, 1 to %d wanted", path, PROTEA_MAX_IMAGES);
    PROTEA_TRY(protea_catalog_check_count((uint64_t)dim[0], path));
    if (dim[1] < 1 || dim[1] > MAX_SIDE || dim[2] < 1 || dim[2] > MAX_SIDE)
        return protea_fail(PROTEA_ERR_INPUT, "%s: images of %lld x %lld pixels found, sides of 1 to %d wanted", path,
                           (long long)dim[2], (long long)dim[1], MAX_SIDE);
    return PROTEA_OK;
}

static protea_status list_rows(protea_opened *o, npy_set *set, const char *path)
{
    protea_tensor t;
    PROTEA_TRY(protea_npy_look(&t, &set->start, &set->file.blob, path));
    PROTEA_TRY(check_shape(&t, path));
    set->h = (int)t.dim[1];
    set->w = (int)t.dim[2];
    for (int64_t i = 0; i < t.dim[0]; i++) {
        char name[24];
        snprintf(name, sizeof name, "%010lld", (long long)i); /* in bytewise order too */
        PROTEA_TRY(protea_catalog_add(&o->catalog, name, (uint64_t)i, (uint64_t)set->w << 32 | (uint64_t)set->h));
    }
    return PROTEA_OK;
}

/* ---- labels and names of classes */

/* What lies beside path, NAME.npy or NAME.npy.gz: NAME-SUFFIX, or SUFFIX alone in its folder. False when there is neither. */
static bool find_beside(char out[static 4096], const char *path, const char *suffix)
{
    const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path, *end = strstr(base, ".npy");
    int stem = (int)(end != NULL ? end - path : (ptrdiff_t)strlen(path));
    snprintf(out, 4096, "%.*s-%s", stem, path, suffix);
    if (access(out, F_OK) == 0)
        return true;
    snprintf(out, 4096, "%.*s%s", (int)(base - path), path, suffix);
    return access(out, F_OK) == 0;
}

/* What the labels stand for. */
typedef struct class_list {
    char **name; /* (n) owned */
    int n;
} class_list;

static void class_list_release(class_list *list)
{
    for (int i = 0; i < list->n; i++)
        protea_free(list->name[i]);
    protea_free(list->name);
}

static protea_status class_list_add(class_list *list, const char *name)
{
    PROTEA_TRY(protea_grow_list(&list->name, (size_t)list->n, sizeof *list->name, "class names"));
    PROTEA_TRY(protea_copy_string(&list->name[list->n], name));
    list->n++;
    return PROTEA_OK;
}

static protea_status split_names(class_list *list, char *text, const char *path)
{
    for (char *line = text, *next; line != NULL && *line != 0; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = 0;
        line[strcspn(line, "\r")] = 0;
        if (!protea_catalog_is_class_name(line) || list->n == MAX_CLASSES)
            return protea_fail(PROTEA_ERR_INPUT, "%s:%d: '%.100s' found, the name of a class wanted", path, list->n + 1, line);
        PROTEA_TRY(class_list_add(list, line));
    }
    return PROTEA_OK;
}

static protea_status read_names(class_list *list, const char *path, int64_t most)
{
    char *text;
    size_t len;
    PROTEA_TRY(protea_file_read(&text, &len, path, MAX_CLASS_BYTES));
    protea_status status = split_names(list, text, path);
    protea_free(text);
    if (status == PROTEA_OK && most >= list->n)
        return protea_fail(PROTEA_ERR_INPUT, "%s: %d names of classes found, the labels go up to %lld", path, list->n,
                           (long long)most);
    return status;
}

/* As many digits as the last needs, so that they are in order bytewise. */
static protea_status number_names(class_list *list, int64_t most)
{
    char name[16];
    int digits = snprintf(name, sizeof name, "%lld", (long long)most);
    for (int64_t i = 0; i <= most; i++) {
        snprintf(name, sizeof name, "%0*lld", digits, (long long)i);
        PROTEA_TRY(class_list_add(list, name));
    }
    return PROTEA_OK;
}

static int64_t number_at(const protea_tensor *t, int64_t i)
{
    if (t->dtype == PROTEA_U8)
        return ((const uint8_t *)t->data)[i];
    return t->dtype == PROTEA_I32 ? ((const int32_t *)t->data)[i] : ((const int64_t *)t->data)[i];
}

/* *most: the largest label. */
static protea_status check_labels(const protea_tensor *t, int64_t n, const char *path, int64_t *most)
{
    if (t->dtype == PROTEA_F32 || t->n_dims != 1 || t->dim[0] != n)
        return protea_fail(PROTEA_ERR_INPUT, "%s: %lld %s found, %lld labels as whole numbers wanted", path, (long long)t->dim[0],
                           t->n_dims != 1 ? "rows" : t->dtype == PROTEA_F32 ? "fractions" : "labels", (long long)n);
    *most = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t label = number_at(t, i);
        if (label < 0 || label >= MAX_CLASSES)
            return protea_fail(PROTEA_ERR_INPUT, "%s: label %lld of image %lld found, 0 to %d wanted", path, (long long)label,
                               (long long)i, MAX_CLASSES - 1);
        *most = label > *most ? label : *most;
    }
    return PROTEA_OK;
}

static protea_status label_rows(protea_catalog *c, const protea_tensor *t, const class_list *list)
{
    const char **word;
    PROTEA_TRY(protea_new(&word, (size_t)c->n, sizeof *word, "class names"));
    for (int64_t i = 0; i < c->n; i++)
        word[i] = list->name[number_at(t, i)];
    protea_status status = protea_catalog_label_by(c, word);
    protea_free(word);
    return status;
}

/* beside: the file of the labels. */
static protea_status set_labels(protea_catalog *c, const protea_tensor *t, const char *beside, const char *path)
{
    char names[4096];
    class_list list = { 0 };
    int64_t most = 0;
    PROTEA_TRY(check_labels(t, c->n, beside, &most));
    protea_status status = find_beside(names, path, "classes.txt") ? read_names(&list, names, most) : number_names(&list, most);
    if (status == PROTEA_OK)
        status = label_rows(c, t, &list);
    class_list_release(&list);
    return status;
}

protea_status protea_open_npy(protea_opened *o, const char *path, protea_packed_file *file)
{
    npy_set *set;
    char beside[4096];
    protea_tensor t;
    PROTEA_TRY(protea_new(&set, 1, sizeof *set, "an .npy set"));
    set->file = protea_packed_file_take(file);
    o->ops = &npy_ops;
    o->self = set;
    PROTEA_TRY(list_rows(o, set, path));
    if (!find_beside(beside, path, "labels.npy"))
        return PROTEA_OK;
    PROTEA_TRY(protea_npy_read_some(&t, beside, PROTEA_MAX_IMAGES));
    protea_status status = set_labels(&o->catalog, &t, beside, path);
    protea_tensor_release(&t);
    return status;
}

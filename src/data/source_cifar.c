/* CIFAR-10's and CIFAR-100's binary versions: records of label bytes and 3072 pixel bytes (red, green, blue planes of
 * 32 x 32), in one file or in the folder with the training files (the test file is a data set of its own). CIFAR-100 has two
 * label bytes: the superclass, which is passed over, and the class.
 * Source: Krizhevsky 2009, www.cs.toronto.edu/~kriz/cifar.html. */
#include <errno.h>
#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/source_kind.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, MAX_LABELS = 2, MAX_FILES = 16 };

static const char *const classes10[] = { "airplane", "automobile", "bird", "cat", "deer",
                                         "dog",      "frog",       "horse", "ship", "truck" };
static const char *const classes100[] = {
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy", "bridge",
    "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud",
    "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox", "girl",
    "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man",
    "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear",
    "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road",
    "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider", "squirrel",
    "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor", "train",
    "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
};

typedef struct cifar_kind {
    const char *name, *training; /* how it is called; its training files */
    int labels;                  /* bytes before the pixels; the last is the class */
    uint8_t most[MAX_LABELS];    /* largest value of each */
    const char *const *classes;
    const protea_source_ops *ops;
} cifar_kind;

typedef struct cifar_set {
    const cifar_kind *kind;
    protea_packed_file file[MAX_FILES];
    int n;
} cifar_set;

static int record_bytes(const cifar_kind *kind)
{
    return kind->labels + PIXELS;
}

/* at: file number in the high bits, record number in the low ones. */
static protea_status cifar_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                                const protea_limits *limits, protea_image *out)
{
    const cifar_set *set = self;
    uint8_t pixels[PIXELS];
    uint64_t at = (entry->at & UINT32_MAX) * (uint64_t)record_bytes(set->kind) + (uint64_t)set->kind->labels;
    (void)name, (void)limits;
    PROTEA_TRY(protea_blob_read(&set->file[entry->at >> 32].blob, at, pixels, sizeof pixels, label));
    PROTEA_TRY(protea_image_reserve(out, SIDE, SIDE));
    for (int i = 0; i < PLANE; i++)
        for (int c = 0; c < 3; c++)
            out->px[3 * i + c] = pixels[c * PLANE + i];
    return PROTEA_OK;
}

static void cifar_close(void *self)
{
    cifar_set *set = self;
    for (int i = 0; i < set->n; i++)
        protea_packed_file_close(&set->file[i]);
    protea_free(set);
}

static const protea_source_ops ops10 = { .kind = "cifar10", .read = cifar_read, .close = cifar_close, .between = '!' };
static const protea_source_ops ops100 = { .kind = "cifar100", .read = cifar_read, .close = cifar_close, .between = '!' };
static const cifar_kind cifar10 = { "CIFAR-10", "data_batch_*.bin", 1, { 9 }, classes10, &ops10 };
static const cifar_kind cifar100 = { "CIFAR-100", "train.bin", 2, { 19, 99 }, classes100, &ops100 };
static const cifar_kind *const kinds[] = { &cifar10, &cifar100 };
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* Reads the label bytes alone. */
static protea_status add_records(protea_opened *o, const cifar_set *set, int file, const char *path)
{
    const cifar_kind *kind = set->kind;
    const protea_blob *blob = &set->file[file].blob;
    const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    uint64_t size = (uint64_t)record_bytes(kind);
    if (blob->size == 0 || blob->size % size != 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: has %llu bytes, wanted whole %s records of %llu bytes", path,
                           (unsigned long long)blob->size, kind->name, (unsigned long long)size);
    PROTEA_TRY(protea_catalog_check_count(blob->size / size, path));
    for (uint64_t i = 0; i < blob->size / size; i++) {
        uint8_t label[MAX_LABELS];
        char name[512];
        PROTEA_TRY(protea_blob_read(blob, i * size, label, (size_t)kind->labels, path));
        for (int l = 0; l < kind->labels; l++)
            if (label[l] > kind->most[l])
                return protea_fail(PROTEA_ERR_INPUT, "%s: record %llu has label %d, wanted 0 to %d", path, (unsigned long long)i,
                                   label[l], kind->most[l]);
        snprintf(name, sizeof name, "%s/%s/%05llu.png", base, kind->classes[label[kind->labels - 1]], (unsigned long long)i);
        PROTEA_TRY(protea_catalog_add(&o->catalog, name, (uint64_t)file << 32 | i, size));
    }
    return PROTEA_OK;
}

static protea_status add_file(protea_opened *o, cifar_set *set, const char *path, protea_packed_file *file)
{
    if (set->n == MAX_FILES)
        return protea_fail(PROTEA_ERR_INPUT, "%s: more than %d %s files", path, MAX_FILES, set->kind->name);
    set->file[set->n++] = protea_packed_file_take(file);
    return add_records(o, set, set->n - 1, path);
}

static protea_status new_set(protea_opened *o, cifar_set **set, const cifar_kind *kind)
{
    PROTEA_TRY(protea_new(set, 1, sizeof **set, "a CIFAR set"));
    (*set)->kind = kind;
    o->ops = kind->ops;
    o->self = *set;
    return PROTEA_OK;
}

/* ---- one file */

static bool looks_like(const cifar_kind *kind, const uint8_t *bytes, size_t len, uint64_t size)
{
    bool like = len >= (size_t)kind->labels && size % (uint64_t)record_bytes(kind) == 0;
    for (int l = 0; l < kind->labels && like; l++)
        like = bytes[l] <= kind->most[l];
    return like;
}

bool protea_looks_like_cifar10(const uint8_t *bytes, size_t len, uint64_t size)
{
    return looks_like(&cifar10, bytes, len, size);
}

bool protea_looks_like_cifar100(const uint8_t *bytes, size_t len, uint64_t size)
{
    return looks_like(&cifar100, bytes, len, size);
}

static protea_status open_file(protea_opened *o, const cifar_kind *kind, const char *path, protea_packed_file *file)
{
    cifar_set *set;
    PROTEA_TRY(new_set(o, &set, kind));
    return add_file(o, set, path, file);
}

protea_status protea_open_cifar10(protea_opened *o, const char *path, protea_packed_file *file)
{
    return open_file(o, &cifar10, path, file);
}

protea_status protea_open_cifar100(protea_opened *o, const char *path, protea_packed_file *file)
{
    return open_file(o, &cifar100, path, file);
}

/* ---- a folder with training files */

static int is_visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int bytewise(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void free_list(struct dirent **list, int n)
{
    for (int i = 0; i < n; i++)
        free(list[i]);
    free(list);
}

/* `train.bin` is too common a name to prove anything: there the bytes have to fit as well. */
static bool is_training_file(const cifar_kind *kind, const char *path, const char *name)
{
    protea_packed_file file;
    uint8_t head[MAX_LABELS];
    const protea_limits limits = protea_limits_default();
    if (fnmatch(kind->training, name, 0) != 0)
        return false;
    if (strchr(kind->training, '*') != NULL)
        return true;
    bool is = protea_packed_file_open(&file, path, &limits) == PROTEA_OK && file.blob.size >= sizeof head &&
              protea_blob_read(&file.blob, 0, head, sizeof head, path) == PROTEA_OK &&
              looks_like(kind, head, sizeof head, file.blob.size);
    protea_packed_file_close(&file);
    return is;
}

static protea_status add_path(protea_opened *o, cifar_set *set, const char *path)
{
    const protea_limits limits = protea_limits_default();
    protea_packed_file file;
    protea_status status = protea_packed_file_open(&file, path, &limits);
    if (status == PROTEA_OK)
        status = add_file(o, set, path, &file);
    protea_packed_file_close(&file);
    return status;
}

/* Adds the training files of one kind among the n names; none: o stays empty. */
static protea_status add_training_files(protea_opened *o, const cifar_kind *kind, const char *folder, struct dirent **list, int n)
{
    cifar_set *set = NULL;
    char path[4096];
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        if (!is_training_file(kind, path, list[i]->d_name))
            continue;
        if (set == NULL)
            PROTEA_TRY(new_set(o, &set, kind));
        PROTEA_TRY(add_path(o, set, path));
    }
    return PROTEA_OK;
}

protea_status protea_open_cifar_folder(protea_opened *o, const char *path, bool *is)
{
    struct dirent **list;
    protea_status status = PROTEA_OK;
    *is = false;
    int n = scandir(path, &list, is_visible, bytewise);
    if (n < 0 && errno == ENOMEM)
        return protea_fail(PROTEA_ERR_MEMORY, "%s: no memory to read the folder", path);
    if (n < 0) /* the folder of pictures says why */
        return PROTEA_OK;
    for (int k = 0; k < N_KINDS && o->ops == NULL && status == PROTEA_OK; k++)
        status = add_training_files(o, kinds[k], path, list, n);
    free_list(list, n);
    *is = o->ops != NULL;
    return status;
}

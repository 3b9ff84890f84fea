/* IDX, the format of MNIST and its kin: pictures as bytes (N,H,W) or (N,H,W,1|3), labels in a file beside it, whose name has
 * `labels` for `images` and `idx1` for `idx3` or `idx4` (with or without .gz).
 * Source: LeCun, yann.lecun.com/exdb/mnist. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "data/source_kind.h"
#include "image/decode.h"

enum { UNSIGNED_BYTE = 8, MAX_DIMS = 4 };

typedef struct idx_set {
    protea_packed_file file;
    uint64_t first;    /* of the pixels */
    int h, w, channels;
} idx_set;

/* ---- reading */

static protea_status idx_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                              const protea_limits *limits, protea_image *out)
{
    const idx_set *set = self;
    size_t pixels = (size_t)set->h * (size_t)set->w, bytes = pixels * (size_t)set->channels;
    (void)name;
    PROTEA_TRY(protea_decode_check_size((uint64_t)set->w, (uint64_t)set->h, label, limits));
    PROTEA_TRY(protea_image_reserve(out, set->w, set->h));
    PROTEA_TRY(protea_blob_read(&set->file.blob, entry->at, out->px, bytes, label));
    if (set->channels == 1)
        for (size_t i = pixels; i-- > 0;) /* from the end, as gray spreads to three times its place */
            out->px[3 * i] = out->px[3 * i + 1] = out->px[3 * i + 2] = out->px[i];
    return PROTEA_OK;
}

static void idx_close(void *self)
{
    idx_set *set = self;
    protea_packed_file_close(&set->file);
    protea_free(set);
}

static const protea_source_ops idx_ops = { .kind = "idx", .read = idx_read, .close = idx_close, .between = '!' };

/* ---- headers */

bool protea_looks_like_idx(const uint8_t *bytes, size_t len, uint64_t size)
{
    (void)size;
    return len >= 8 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= UNSIGNED_BYTE && bytes[2] <= 14 && bytes[3] >= 1 &&
           bytes[3] <= MAX_DIMS;
}

/* Checks that the file is as long as its header says; *first: where the elements begin. */
static protea_status read_header(const protea_blob *blob, const char *path, int n_dims, uint64_t dim[MAX_DIMS], uint64_t *first)
{
    uint8_t head[4 + 4 * MAX_DIMS];
    uint32_t magic, length;
    uint64_t count = 1;
    *first = 4 + 4 * (uint64_t)n_dims;
    PROTEA_TRY(protea_blob_read(blob, 0, head, (size_t)*first, path));
    protea_cursor bytes = { head, (size_t)*first };
    protea_bytes_u32be(&bytes, &magic);
    if (magic != (UNSIGNED_BYTE << 8 | (uint32_t)n_dims))
        return protea_fail(PROTEA_ERR_INPUT, "%s: IDX of type 0x%02x in %u dimensions, bytes (0x08) in %d wanted", path,
                           magic >> 8 & 0xff, magic & 0xff, n_dims);
    for (int i = 0; i < n_dims; i++) {
        protea_bytes_u32be(&bytes, &length);
        dim[i] = length;
        if (length == 0 || count > blob->size / length)
            return protea_fail(PROTEA_ERR_INPUT, "%s: dimension %d is %u, which %llu bytes cannot hold", path, i, length,
                               (unsigned long long)blob->size);
        count *= length;
    }
    if (count != blob->size - *first)
        return protea_fail(PROTEA_ERR_INPUT, "%s: %llu bytes follow the header, which says %llu", path,
                           (unsigned long long)(blob->size - *first), (unsigned long long)count);
    return PROTEA_OK;
}

static protea_status read_pictures(idx_set *set, const char *path, uint64_t *n)
{
    uint8_t head[4];
    uint64_t dim[MAX_DIMS] = { 0, 0, 0, 1 };
    PROTEA_TRY(protea_blob_read(&set->file.blob, 0, head, sizeof head, path));
    PROTEA_TRY(read_header(&set->file.blob, path, head[3] == 4 ? 4 : 3, dim, &set->first));
    if (dim[1] > 65535 || dim[2] > 65535 || (dim[3] != 1 && dim[3] != 3))
        return protea_fail(PROTEA_ERR_INPUT, "%s: pictures of %llu x %llu pixels in %llu channels, sides of 1 to 65535 and 1 or 3 "
                           "channels wanted", path, (unsigned long long)dim[2], (unsigned long long)dim[1],
                           (unsigned long long)dim[3]);
    PROTEA_TRY(protea_catalog_check_count(dim[0], path));
    *n = dim[0];
    set->h = (int)dim[1];
    set->w = (int)dim[2];
    set->channels = (int)dim[3];
    return PROTEA_OK;
}

/* ---- labels */

/* text with the first `from` after `at` replaced by `to`, of the same length or not; false: it has none. */
static bool replace(char *text, size_t size, size_t at, const char *from, const char *to)
{
    char *found = strstr(text + at, from);
    if (found == NULL || strlen(text) + strlen(to) - strlen(from) >= size)
        return false;
    memmove(found + strlen(to), found + strlen(from), strlen(found + strlen(from)) + 1);
    memcpy(found, to, strlen(to));
    return true;
}

/* The file that holds the labels; false: there is none. */
static bool find_labels(char *out, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t base = slash != NULL ? (size_t)(slash + 1 - path) : 0, len = strlen(path);
    if (len + 4 >= size)
        return false;
    memcpy(out, path, len + 1);
    if (!replace(out, size, base, "images", "labels"))
        return false;
    if (!replace(out, size, base, "idx3", "idx1"))
        replace(out, size, base, "idx4", "idx1");
    if (access(out, F_OK) == 0)
        return true;
    len = strlen(out);
    if (len > 3 && strcmp(out + len - 3, ".gz") == 0)
        out[len - 3] = 0;
    else
        memcpy(out + len, ".gz", 4);
    return access(out, F_OK) == 0;
}

static protea_status read_labels(uint8_t *label, uint64_t n, const char *path)
{
    const protea_limits limits = protea_limits_default();
    protea_packed_file file;
    uint64_t dim[MAX_DIMS] = { 0 }, first = 0;
    protea_status status = protea_packed_file_open(&file, path, &limits);
    if (status == PROTEA_OK)
        status = read_header(&file.blob, path, 1, dim, &first);
    if (status == PROTEA_OK && dim[0] != n)
        status = protea_fail(PROTEA_ERR_INPUT, "%s: %llu labels for %llu pictures", path, (unsigned long long)dim[0],
                             (unsigned long long)n);
    if (status == PROTEA_OK)
        status = protea_blob_read(&file.blob, first, label, (size_t)n, path);
    protea_packed_file_close(&file);
    return status;
}

/* Names are as wide as the largest label, so that bytewise order is that of the numbers. */
static protea_status add_pictures(protea_opened *o, const idx_set *set, const char *path, uint64_t n, const uint8_t *label)
{
    const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    uint64_t bytes = (uint64_t)set->h * (uint64_t)set->w * (uint64_t)set->channels;
    int most = 0;
    for (uint64_t i = 0; i < n && label != NULL; i++)
        most = label[i] > most ? label[i] : most;
    for (uint64_t i = 0; i < n; i++) {
        char class[16] = "", name[512];
        if (label != NULL)
            snprintf(class, sizeof class, "%0*d/", most < 10 ? 1 : most < 100 ? 2 : 3, label[i]);
        snprintf(name, sizeof name, "%s/%s%06llu.png", base, class, (unsigned long long)i);
        PROTEA_TRY(protea_catalog_add(&o->catalog, name, set->first + i * bytes, bytes));
    }
    return PROTEA_OK;
}

protea_status protea_open_idx(protea_opened *o, const char *path, protea_packed_file *file)
{
    idx_set *set;
    uint64_t n = 0;
    char beside[4096];
    uint8_t *label = NULL;
    PROTEA_TRY(protea_new(&set, 1, sizeof *set, "an IDX set"));
    set->file = protea_packed_file_take(file);
    o->ops = &idx_ops;
    o->self = set;
    PROTEA_TRY(read_pictures(set, path, &n));
    protea_status status = PROTEA_OK;
    if (find_labels(beside, sizeof beside, path)) {
        PROTEA_TRY(protea_new(&label, (size_t)n, 1, beside));
        status = read_labels(label, n, beside);
    }
    if (status == PROTEA_OK)
        status = add_pictures(o, set, path, n, label);
    protea_free(label);
    return status;
}

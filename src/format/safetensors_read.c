/* Reading safetensors: nothing in the header is believed before it is checked against the file's size. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "format/json_text.h"
#include "format/safetensors.h"
#include "format/safetensors_header.h"

typedef struct entry {
    const char *name;     /* borrowed from the header */
    size_t begin, end;    /* in the data */
    protea_tensor tensor;
    void *copy;           /* of a tensor that is not aligned in the file; owned */
} entry;

struct protea_st_file {
    const unsigned char *map, *data;
    size_t size, header_len, data_len;
    json_t *header;
    entry *entries;       /* in the order of the data */
    int64_t count;
};

const char *protea_st_dtype_name(protea_dtype dtype)
{
    switch (dtype) {
    case PROTEA_F32: return "F32";
    case PROTEA_I32: return "I32";
    case PROTEA_I64: return "I64";
    case PROTEA_U8: return "U8";
    case PROTEA_BF16: return NULL;
    }
    return NULL;
}

static protea_status map_file(protea_st_file *f, const char *path)
{
    uint64_t size;
    int fd;
    PROTEA_TRY(protea_open_regular(AT_FDCWD, path, path, &fd, &size));
    if (size < 8) {
        close(fd);
        return protea_fail(PROTEA_ERR_INPUT, "%s: not a safetensors file: %d bytes found, at least 8 wanted", path, (int)size);
    }
    f->size = (size_t)size;
    void *map = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
    protea_status status = map != MAP_FAILED ? PROTEA_OK
                         : protea_fail(protea_errno_status(PROTEA_ERR_IO), "%s: cannot be mapped: %s", path, strerror(errno));
    close(fd);
    PROTEA_TRY(status);
    f->map = map;
    return PROTEA_OK;
}

static protea_status parse_header(protea_st_file *f, const char *path)
{
    uint64_t len = 0;
    for (int i = 7; i >= 0; i--)
        len = len << 8 | f->map[i];
    if (len <= f->size - 8 && len > PROTEA_ST_HEADER_MAX)
        return protea_fail(PROTEA_ERR_INPUT, "%s: a header of %llu bytes found, at most %d are read", path, (unsigned long long)len,
                           PROTEA_ST_HEADER_MAX);
    if (len > f->size - 8)
        return protea_fail(PROTEA_ERR_INPUT, "%s: not a safetensors file, or cut short: a header of %llu bytes in a file of %zu",
                           path, (unsigned long long)len, f->size);
    f->header_len = (size_t)len;
    f->data = f->map + 8 + len;
    f->data_len = f->size - 8 - f->header_len;
    protea_status status = protea_json_parse(&f->header, (const char *)f->map + 8, f->header_len, JSON_REJECT_DUPLICATES, path);
    if (status == PROTEA_OK && json_is_object(f->header))
        return PROTEA_OK;
    if (status == PROTEA_ERR_MEMORY)
        return status;
    return protea_fail(PROTEA_ERR_INPUT, "%s: the header is not a JSON object%s%s", path, f->header == NULL ? ": " : "",
                       f->header == NULL ? protea_last_error() : "");
}

static protea_status read_dtype(protea_tensor *t, const json_t *json, const char *path, const char *name)
{
    const char *text = json_string_value(json_object_get(json, "dtype"));
    static const protea_dtype known[] = { PROTEA_F32, PROTEA_I32, PROTEA_I64, PROTEA_U8 };
    for (size_t i = 0; text != NULL && i < sizeof known / sizeof *known; i++)
        if (strcmp(text, protea_st_dtype_name(known[i])) == 0) {
            t->dtype = known[i];
            return PROTEA_OK;
        }
    return protea_fail(PROTEA_ERR_INPUT, "%s: tensor %s has type %s, one of F32, I32, I64, U8 wanted", path, name,
                       text == NULL ? "(none)" : text);
}

/* *bytes: what a tensor of this shape takes. */
static protea_status read_shape(protea_tensor *t, size_t *bytes, const json_t *json, const char *path, const char *name)
{
    const json_t *shape = json_object_get(json, "shape");
    if (!json_is_array(shape) || json_array_size(shape) > PROTEA_MAX_DIMS)
        return protea_fail(PROTEA_ERR_INPUT, "%s: tensor %s has no shape of at most %d numbers", path, name, PROTEA_MAX_DIMS);
    t->n_dims = (int)json_array_size(shape);
    *bytes = protea_dtype_bytes(t->dtype);
    for (int d = 0; d < t->n_dims; d++) {
        const json_t *dim = json_array_get(shape, (size_t)d);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0 ||
            protea_mul_overflows(*bytes, (size_t)json_integer_value(dim), bytes) || *bytes > PTRDIFF_MAX)
            return protea_fail(PROTEA_ERR_INPUT, "%s: tensor %s has a shape that cannot be", path, name);
        t->dim[d] = json_integer_value(dim);
    }
    return PROTEA_OK;
}

static protea_status read_entry(const protea_st_file *f, entry *e, const json_t *json, const char *path)
{
    size_t bytes = 0;
    PROTEA_TRY(read_dtype(&e->tensor, json, path, e->name));
    PROTEA_TRY(read_shape(&e->tensor, &bytes, json, path, e->name));
    const json_t *offsets = json_object_get(json, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return protea_fail(PROTEA_ERR_INPUT, "%s: tensor %s has no two data_offsets", path, e->name);
    json_int_t first = json_integer_value(begin), last = json_integer_value(end);
    if (first < 0 || last < first || (uint64_t)last > f->data_len)
        return protea_fail(PROTEA_ERR_INPUT, "%s: tensor %s lies at %lld to %lld, the file has %zu bytes of data", path, e->name,
                           (long long)first, (long long)last, f->data_len);
    if ((size_t)(last - first) != bytes)
        return protea_fail(PROTEA_ERR_INPUT, "%s: tensor %s has %lld bytes, its shape wants %zu", path, e->name,
                           (long long)(last - first), bytes);
    e->begin = (size_t)first;
    e->end = (size_t)last;
    return PROTEA_OK;
}

static int by_place(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) /* an empty tensor before the one that begins where it lies */
        return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

static protea_status check_places(const protea_st_file *f, const char *path)
{
    size_t at = 0;
    for (int64_t i = 0; i < f->count; i++) {
        if (f->entries[i].begin != at)
            return protea_fail(PROTEA_ERR_INPUT, "%s: tensor %s begins at %zu, %zu wanted (no holes, no overlap)", path,
                               f->entries[i].name, f->entries[i].begin, at);
        at = f->entries[i].end;
    }
    if (at != f->data_len)
        return protea_fail(PROTEA_ERR_INPUT, "%s: the tensors end at byte %zu of %zu", path, at, f->data_len);
    return PROTEA_OK;
}

static protea_status place_tensor(const protea_st_file *f, entry *e)
{
    const unsigned char *at = f->data + e->begin;
    e->tensor.data = (void *)(uintptr_t)at; /* read-only by contract */
    if ((uintptr_t)at % protea_dtype_bytes(e->tensor.dtype) == 0)
        return PROTEA_OK;
    PROTEA_TRY(protea_new(&e->copy, e->end - e->begin, 1, "an unaligned tensor"));
    memcpy(e->copy, at, e->end - e->begin);
    e->tensor.data = e->copy;
    return PROTEA_OK;
}

static protea_status read_entries(protea_st_file *f, const char *path)
{
    const char *name;
    json_t *json;
    PROTEA_TRY(protea_new(&f->entries, json_object_size(f->header), sizeof *f->entries, "safetensors index"));
    json_object_foreach(f->header, name, json) {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        entry *e = &f->entries[f->count];
        e->name = name;
        PROTEA_TRY(read_entry(f, e, json, path));
        f->count++;
    }
    qsort(f->entries, (size_t)f->count, sizeof *f->entries, by_place);
    PROTEA_TRY(check_places(f, path));
    for (int64_t i = 0; i < f->count; i++)
        PROTEA_TRY(place_tensor(f, &f->entries[i]));
    return PROTEA_OK;
}

static bool sum_matches(const char *digits, uint64_t hash)
{
    char text[PROTEA_ST_SUM_DIGITS + 1];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    return strncmp(text, digits, PROTEA_ST_SUM_DIGITS) == 0;
}

uint64_t protea_st_header_sum(const char *header, size_t len)
{
    size_t before = strlen(PROTEA_ST_SUM_PREFIX), after = before + PROTEA_ST_SUM_DIGITS;
    return XXH3_64bits_withSeed(header + after, len - after, XXH3_64bits(header, before));
}

static uint64_t whole_sum(const protea_st_file *f)
{
    uint64_t sum = protea_st_header_sum((const char *)f->map + 8, f->header_len);
    for (int64_t i = 0; i < f->count; i++)
        sum = XXH3_64bits_withSeed(f->data + f->entries[i].begin, f->entries[i].end - f->entries[i].begin, sum);
    return sum;
}

/* *ours: the file has sums of single tensors. Looked at before the whole, because the message says more. */
static protea_status check_tensor_sums(const protea_st_file *f, bool *ours, const char *path)
{
    *ours = false;
    for (int64_t i = 0; i < f->count; i++) {
        char key[512];
        const entry *e = &f->entries[i];
        snprintf(key, sizeof key, "xxh3.%s", e->name);
        const char *digits = protea_st_metadata(f, key);
        if (digits == NULL)
            continue;
        *ours = true;
        if (!sum_matches(digits, XXH3_64bits(f->data + e->begin, e->end - e->begin)))
            return protea_fail(PROTEA_ERR_INPUT, "%s: tensor %s is damaged: its checksum does not match", path, e->name);
    }
    return PROTEA_OK;
}

/* A file without sums (from elsewhere) passes. */
static protea_status check_sums(const protea_st_file *f, const char *path)
{
    bool ours;
    PROTEA_TRY(check_tensor_sums(f, &ours, path));
    size_t prefix = strlen(PROTEA_ST_SUM_PREFIX);
    const char *header = (const char *)f->map + 8;
    bool has_sum = f->header_len >= prefix + PROTEA_ST_SUM_DIGITS && memcmp(header, PROTEA_ST_SUM_PREFIX, prefix) == 0;
    if (has_sum ? !sum_matches(header + prefix, whole_sum(f)) : ours)
        return protea_fail(PROTEA_ERR_INPUT, "%s: the file is damaged: its checksum does not match", path);
    return PROTEA_OK;
}

protea_status protea_st_open(protea_st_file **out, const char *path)
{
    *out = NULL;
    protea_st_file *f;
    PROTEA_TRY(protea_new(&f, 1, sizeof *f, "safetensors file"));
    protea_status status = map_file(f, path);
    if (status == PROTEA_OK)
        status = parse_header(f, path);
    if (status == PROTEA_OK)
        status = read_entries(f, path);
    if (status == PROTEA_OK)
        status = check_sums(f, path);
    if (status == PROTEA_OK)
        *out = f;
    else
        protea_st_close(f);
    return status;
}

void protea_st_close(protea_st_file *f)
{
    if (f == NULL)
        return;
    for (int64_t i = 0; i < f->count; i++)
        protea_free(f->entries[i].copy);
    protea_free(f->entries);
    json_decref(f->header);
    if (f->map != NULL)
        munmap((void *)(uintptr_t)f->map, f->size);
    protea_free(f);
}

int64_t protea_st_count(const protea_st_file *f)
{
    return f->count;
}

const char *protea_st_name(const protea_st_file *f, int64_t i)
{
    return f->entries[i].name;
}

const protea_tensor *protea_st_find(const protea_st_file *f, const char *name)
{
    for (int64_t i = 0; i < f->count; i++)
        if (strcmp(f->entries[i].name, name) == 0)
            return &f->entries[i].tensor;
    return NULL;
}

const char *protea_st_metadata(const protea_st_file *f, const char *key)
{
    return json_string_value(json_object_get(json_object_get(f->header, "__metadata__"), key));
}

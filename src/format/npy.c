#include "format/npy.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/file.h"

enum { MAX_HEADER = 64 << 10, PREAMBLE = 8 };
static const char magic[] = "\x93NUMPY";

typedef struct dtype_name { protea_dtype dtype; const char *descr; } dtype_name;
static const dtype_name dtype_names[] = {
    { PROTEA_F32, "<f4" }, { PROTEA_U8, "|u1" }, { PROTEA_I32, "<i4" }, { PROTEA_I64, "<i8" },
};
enum { N_DTYPES = sizeof dtype_names / sizeof *dtype_names };

static protea_status bad(const char *path, const char *found)
{
    return protea_fail(PROTEA_ERR_INPUT, "%s: %s; wanted an .npy array of <f4, |u1, <i4 or <i8 in C order", path, found);
}

/* ---- the header: a Python dict literal with the keys descr, fortran_order and shape */

/* What follows `'key':`, or NULL. */
static const char *value_of(const char *header, const char *key)
{
    char quoted[32];
    for (int i = 0; i < 2; i++) {
        snprintf(quoted, sizeof quoted, i ? "\"%s\"" : "'%s'", key);
        const char *at = strstr(header, quoted);
        if (at == NULL)
            continue;
        at += strlen(quoted);
        at += strspn(at, " \t");
        if (*at != ':')
            return NULL;
        return at + 1 + strspn(at + 1, " \t");
    }
    return NULL;
}

static protea_status parse_dtype(protea_tensor *t, const char *header, const char *path)
{
    const char *text = value_of(header, "descr");
    if (text == NULL || (*text != '\'' && *text != '"'))
        return bad(path, "its header names no single type");
    for (int i = 0; i < N_DTYPES; i++)
        if (strncmp(text + 1, dtype_names[i].descr, 3) == 0 && text[4] == *text) {
            t->dtype = dtype_names[i].dtype;
            return PROTEA_OK;
        }
    char found[64];
    snprintf(found, sizeof found, "its type is %.*s", (int)strcspn(text + 1, "'\",}") + 2, text);
    return bad(path, found);
}

static protea_status parse_shape(protea_tensor *t, const char *header, const char *path)
{
    const char *at = value_of(header, "shape");
    if (at == NULL || *at != '(')
        return bad(path, "its header has no shape");
    at++;
    t->n_dims = 0;
    for (;;) {
        at += strspn(at, " \t,");
        if (*at == ')')
            break;
        if (!isdigit((unsigned char)*at))
            return bad(path, "its shape is not a list of numbers");
        if (t->n_dims == PROTEA_MAX_DIMS)
            return bad(path, "it has more than 4 dimensions");
        char *end;
        errno = 0;
        long long dim = strtoll(at, &end, 10);
        if (errno != 0)
            return bad(path, "a dimension does not fit in 64 bits");
        t->dim[t->n_dims++] = dim;
        at = *end == 'L' ? end + 1 : end;
    }
    if (t->n_dims == 0) {
        t->n_dims = 1;
        t->dim[0] = 1;
    }
    return PROTEA_OK;
}

static protea_status parse_header(protea_tensor *t, const char *header, const char *path)
{
    PROTEA_TRY(parse_dtype(t, header, path));
    const char *order = value_of(header, "fortran_order");
    if (order == NULL || strncmp(order, "False", 5) != 0)
        return bad(path, "it is in Fortran order");
    return parse_shape(t, header, path);
}

/* ---- the file */

/* Copies the header's text, terminated; *start: where the elements begin. */
static protea_status read_header(char header[static MAX_HEADER + 1], size_t *start, const unsigned char *bytes, size_t len,
                                 const char *path)
{
    if (len < PREAMBLE + 4 || memcmp(bytes, magic, 6) != 0)
        return bad(path, "it does not begin as an .npy file does");
    if (bytes[6] < 1 || bytes[6] > 3)
        return bad(path, "its format version is unknown");
    const unsigned char *size = bytes + PREAMBLE;
    size_t size_len = bytes[6] == 1 ? 2 : 4, header_len = (size_t)size[0] | (size_t)size[1] << 8;
    if (size_len == 4)
        header_len |= (size_t)size[2] << 16 | (size_t)size[3] << 24;
    *start = PREAMBLE + size_len + header_len;
    if (header_len > MAX_HEADER || *start > len)
        return bad(path, "its header is longer than 64 KiB or than the file");
    memcpy(header, size + size_len, header_len);
    header[header_len] = 0;
    return PROTEA_OK;
}

/* Bytes the shape asks for must be exactly those that remain. */
static protea_status check_size(const protea_tensor *t, size_t remain, const char *path)
{
    size_t total = protea_dtype_bytes(t->dtype);
    for (int i = 0; i < t->n_dims; i++)
        if (protea_mul_overflows(total, (size_t)t->dim[i], &total) || total > PTRDIFF_MAX)
            return bad(path, "its shape is larger than any memory");
    if (total != remain)
        return protea_fail(PROTEA_ERR_INPUT, "%s: its shape needs %zu bytes of elements, the file holds %zu", path, total, remain);
    return PROTEA_OK;
}

protea_status protea_npy_look(protea_tensor *out, uint64_t *start, const protea_blob *blob, const char *name)
{
    unsigned char bytes[PREAMBLE + 4 + MAX_HEADER];
    char header[MAX_HEADER + 1];
    size_t len = blob->size < sizeof bytes ? (size_t)blob->size : sizeof bytes, at = 0;
    protea_tensor t = { 0 };
    PROTEA_TRY(protea_blob_read(blob, 0, bytes, len, name));
    PROTEA_TRY(read_header(header, &at, bytes, len, name));
    PROTEA_TRY(parse_header(&t, header, name));
    PROTEA_TRY(check_size(&t, blob->size - at, name));
    *start = at;
    *out = t;
    return PROTEA_OK;
}

/* Copies the elements of a tensor that was looked at; its shape is as large as the file. */
static protea_status read_elements(protea_tensor *t, uint64_t start, const protea_blob *blob, const char *path)
{
    size_t bytes = protea_bytes(t);
    PROTEA_TRY(protea_new(&t->data, bytes, 1, path));
    protea_status status = protea_blob_read(blob, start, t->data, bytes, path);
    if (status != PROTEA_OK)
        protea_tensor_release(t);
    return status;
}

protea_status protea_npy_read_some(protea_tensor *out, const char *path, int64_t most)
{
    protea_blob blob = { .fd = -1 };
    uint64_t start = 0;
    *out = (protea_tensor){ 0 };
    PROTEA_TRY(protea_open_regular(AT_FDCWD, path, path, &blob.fd, &blob.size));
    protea_status status = protea_npy_look(out, &start, &blob, path);
    if (status == PROTEA_OK && protea_count(out) > most)
        status = protea_fail(PROTEA_ERR_INPUT, "%s: %lld elements found, at most %lld wanted", path, (long long)protea_count(out),
                             (long long)most);
    if (status == PROTEA_OK)
        status = read_elements(out, start, &blob, path);
    close(blob.fd);
    if (status != PROTEA_OK)
        *out = (protea_tensor){ 0 };
    return status;
}

protea_status protea_npy_read(protea_tensor *out, const char *path)
{
    return protea_npy_read_some(out, path, INT64_MAX);
}

static protea_status map_elements(protea_npy_map *out, int fd, const char *path)
{
    const protea_blob blob = { .fd = fd, .size = out->size };
    uint64_t start = 0;
    PROTEA_TRY(protea_npy_look(&out->t, &start, &blob, path));
    if (start % protea_dtype_bytes(out->t.dtype) != 0)
        return bad(path, "its elements are not aligned");
    void *map = mmap(NULL, out->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return protea_fail(protea_errno_status(PROTEA_ERR_IO), "%s: cannot be mapped: %m", path);
    out->map = map;
    out->t.data = (char *)map + start;
    return PROTEA_OK;
}

protea_status protea_npy_map_open(protea_npy_map *out, const char *path)
{
    uint64_t size;
    int fd;
    *out = (protea_npy_map){ 0 };
    PROTEA_TRY(protea_open_regular(AT_FDCWD, path, path, &fd, &size));
    out->size = (size_t)size;
    protea_status status = map_elements(out, fd, path);
    close(fd);
    return status;
}

void protea_npy_map_close(protea_npy_map *m)
{
    if (m->map != NULL)
        munmap(m->map, m->size);
    *m = (protea_npy_map){ 0 };
}

static const char *descr_of(protea_dtype dtype)
{
    for (int i = 0; i < N_DTYPES; i++)
        if (dtype_names[i].dtype == dtype)
            return dtype_names[i].descr;
    return NULL;
}

protea_status protea_npy_begin(FILE *stream, const protea_tensor *t, const char *path)
{
    const char *descr = descr_of(t->dtype);
    if (t->native || descr == NULL)
        return protea_fail(PROTEA_ERR_INTERNAL, "%s: only plain f32, u8, i32 and i64 tensors go into .npy", path);
    enum { LEAD = PREAMBLE + 2, REST = PROTEA_NPY_HEAD - LEAD };
    char shape[100], header[REST];
    int len = 0;
    for (int i = 0; i < t->n_dims; i++)
        len += snprintf(shape + len, sizeof shape - (size_t)len, i ? " %lld," : "%lld,", (long long)t->dim[i]);
    if (t->n_dims > 1)
        shape[len - 1] = 0; /* only a tuple of one keeps its comma */
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
    unsigned char lead[LEAD] = { 0 };
    memcpy(lead, magic, 6);
    lead[6] = 1;
    lead[8] = REST;
    fwrite(lead, 1, sizeof lead, stream);
    fprintf(stream, "%-*s\n", REST - 1, header);
    return PROTEA_OK;
}

protea_status protea_npy_write(const char *path, const protea_tensor *t)
{
    protea_new_file f;
    PROTEA_TRY(protea_new_file_open(&f, path));
    protea_status status = protea_npy_begin(f.stream, t, path);
    if (status == PROTEA_OK)
        fwrite(t->data, 1, protea_bytes(t), f.stream);
    return protea_new_file_end(&f, status);
}

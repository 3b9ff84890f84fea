/* Writing safetensors. Equal content gives equal bytes.
 *
 * The header begins {"__metadata__":{"protea.xxh3":"<16 hex digits>",...: a sum of the whole file but these digits, so
 * that the header is covered too: XXH3 of what is before them, then of what is after them, then of each tensor, each
 * with the sum so far as its seed. "xxh3.NAME" is the XXH3 of one tensor's bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/checked.h"
#include "base/file.h"
#include "format/json_text.h"
#include "format/safetensors.h"
#include "format/safetensors_header.h"

typedef struct entry {
    char *name;
    protea_tensor tensor;
} entry;

struct protea_st_writer {
    entry *entries;
    size_t count, capacity;
    json_t *metadata; /* what the caller added */
};

protea_status protea_st_writer_new(protea_st_writer **out)
{
    PROTEA_TRY(protea_new(out, 1, sizeof **out, "safetensors writer"));
    (*out)->metadata = json_object();
    if ((*out)->metadata != NULL)
        return PROTEA_OK;
    protea_free(*out);
    *out = NULL;
    return protea_fail(PROTEA_ERR_MEMORY, "safetensors writer: no memory for its header");
}

void protea_st_writer_free(protea_st_writer *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->count; i++)
        protea_free(w->entries[i].name);
    protea_free(w->entries);
    json_decref(w->metadata);
    protea_free(w);
}

protea_status protea_st_add(protea_st_writer *w, const char *name, const protea_tensor *t)
{
    if (t->native)
        return protea_fail(PROTEA_ERR_INTERNAL, "safetensors: tensor %s is in a native layout, a plain one wanted", name);
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : 64;
        PROTEA_TRY(protea_grow(&w->entries, capacity, sizeof *w->entries, "safetensors writer"));
        w->capacity = capacity;
    }
    entry *e = &w->entries[w->count];
    PROTEA_TRY(protea_copy_string(&e->name, name));
    e->tensor = *t;
    w->count++;
    return PROTEA_OK;
}

/* A JSON string; text that is not UTF-8 (a path, say) is escaped. */
static json_t *string_of(const char *value)
{
    json_t *string = json_string(value);
    if (string != NULL)
        return string;
    char escaped[4096];
    return json_string(protea_escape(escaped, sizeof escaped, value));
}

protea_status protea_st_add_metadata(protea_st_writer *w, const char *key, const char *value)
{
    if (json_object_set_new(w->metadata, key, string_of(value)) != 0)
        return protea_fail(PROTEA_ERR_MEMORY, "safetensors: no memory for the metadata %s", key);
    return PROTEA_OK;
}

static json_t *hex_of(uint64_t hash)
{
    char text[PROTEA_ST_SUM_DIGITS + 1];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    return json_string(text);
}

/* {"__metadata__":{"protea.xxh3":zeros, the caller's..., "xxh3.NAME":...}} */
static int put_metadata(const protea_st_writer *w, json_t *header)
{
    json_t *metadata = json_object();
    int bad = json_object_set_new(metadata, "protea.xxh3", hex_of(0)) | json_object_update(metadata, w->metadata);
    for (size_t i = 0; i < w->count; i++) {
        char key[512];
        const entry *e = &w->entries[i];
        snprintf(key, sizeof key, "xxh3.%s", e->name);
        bad |= json_object_set_new(metadata, key, hex_of(XXH3_64bits(e->tensor.data, protea_bytes(&e->tensor))));
    }
    return bad | json_object_set_new(header, "__metadata__", metadata);
}

static int put_tensor(json_t *header, const entry *e, size_t begin, size_t end)
{
    json_t *shape = json_array();
    int bad = 0;
    for (int d = 0; d < e->tensor.n_dims; d++)
        bad |= json_array_append_new(shape, json_integer(e->tensor.dim[d]));
    json_t *entry_json = json_pack("{s:s, s:o, s:[I, I]}", "dtype", protea_st_dtype_name(e->tensor.dtype), "shape", shape,
                                   "data_offsets", (json_int_t)begin, (json_int_t)end);
    return bad | json_object_set_new(header, e->name, entry_json);
}

static protea_status describe(const protea_st_writer *w, json_t *header)
{
    size_t begin = 0, end;
    int bad = put_metadata(w, header);
    for (size_t i = 0; i < w->count && bad == 0; i++) {
        const entry *e = &w->entries[i];
        if (protea_st_dtype_name(e->tensor.dtype) == NULL || json_object_get(header, e->name) != NULL)
            return protea_fail(PROTEA_ERR_INTERNAL, "safetensors: tensor %s is of a type that is not written, or is given twice",
                               e->name);
        if (protea_add_overflows(begin, protea_bytes(&e->tensor), &end))
            return protea_fail(PROTEA_ERR_INTERNAL, "safetensors: more bytes than can be counted");
        bad = put_tensor(header, e, begin, end);
        begin = end;
    }
    return bad ? protea_fail(PROTEA_ERR_MEMORY, "safetensors: no memory for a header of %zu tensors", w->count) : PROTEA_OK;
}

/* The header's text, padded with blanks so that the tensors begin at a multiple of 8. */
static protea_status header_text(const protea_st_writer *w, char **out, size_t *len)
{
    *out = NULL;
    json_t *header = json_object();
    protea_status status = describe(w, header);
    char *text = NULL;
    if (status == PROTEA_OK)
        status = protea_json_print(&text, header, JSON_COMPACT, "the header of a safetensors file");
    json_decref(header);
    size_t used = text == NULL ? 0 : strlen(text);
    if (status == PROTEA_OK)
        status = protea_new(out, used + 8, 1, "safetensors header");
    if (status == PROTEA_OK) {
        *len = (used + 7) / 8 * 8;
        memcpy(*out, text, used);
        memset(*out + used, ' ', *len - used);
    }
    free(text);
    return status;
}

static void put_whole_sum(const protea_st_writer *w, char *header, size_t len)
{
    uint64_t sum = protea_st_header_sum(header, len);
    for (size_t i = 0; i < w->count; i++)
        sum = XXH3_64bits_withSeed(w->entries[i].tensor.data, protea_bytes(&w->entries[i].tensor), sum);
    char digits[PROTEA_ST_SUM_DIGITS + 1];
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)sum);
    memcpy(header + strlen(PROTEA_ST_SUM_PREFIX), digits, PROTEA_ST_SUM_DIGITS);
}

/* Errors of the stream show when it is synced. */
static void write_parts(const protea_st_writer *w, FILE *stream, const char *header, size_t len)
{
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)len >> (8 * i));
    fwrite(length, 1, sizeof length, stream);
    fwrite(header, 1, len, stream);
    for (size_t i = 0; i < w->count; i++)
        fwrite(w->entries[i].tensor.data, 1, protea_bytes(&w->entries[i].tensor), stream);
}

/* Opening checks every sum, so this reads the file back. */
static protea_status verify(const protea_new_file *file)
{
    protea_st_file *read_back;
    protea_status status = protea_st_open(&read_back, file->temporary);
    if (status == PROTEA_ERR_MEMORY)
        return status;
    if (status != PROTEA_OK)
        return protea_fail(PROTEA_ERR_IO, "%s: does not read back as it was written (%s)", file->path, protea_last_error());
    protea_st_close(read_back);
    return PROTEA_OK;
}

static protea_status write_file(const protea_st_writer *w, const char *header, size_t len, const char *path, const char *previous)
{
    protea_new_file file;
    PROTEA_TRY(protea_new_file_open(&file, path));
    write_parts(w, file.stream, header, len);
    protea_status status = protea_new_file_sync(&file);
    if (status == PROTEA_OK)
        status = verify(&file);
    if (status == PROTEA_OK)
        return protea_new_file_commit_keeping(&file, previous);
    protea_new_file_abort(&file);
    return status;
}

protea_status protea_st_write(protea_st_writer *w, const char *path, const char *previous)
{
    char *header;
    size_t len = 0;
    PROTEA_TRY(header_text(w, &header, &len));
    put_whole_sum(w, header, len);
    protea_status status = write_file(w, header, len, path, previous);
    protea_free(header);
    return status;
}

#include "data/tar_index.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/source_kind.h"

enum { BLOCK = PROTEA_TAR_BLOCK, MAX_NAME = 1 << 16, MAX_PAX = 1 << 20 };

typedef struct reader {
    protea_catalog *catalog;
    const protea_blob *tar;
    const char *path;
    uint64_t at;              /* of the next header */
    char *name;               /* from a GNU or pax header, for the next member; owned, or NULL */
    bool has_size;            /* from a pax header, for the next member */
    uint64_t size;
    bool ended;
    char damage[512];         /* "" while all is well */
} reader;

static void stop_damaged(reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void stop_damaged(reader *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->damage, sizeof r->damage, format, args);
    va_end(args);
    r->ended = true;
}

/* Octal digits with blanks around, or big-endian binary when the first bit is set. False: neither, negative or too large. */
static bool parse_number(const uint8_t *field, size_t len, uint64_t *out)
{
    uint64_t value = 0;
    if (field[0] & 0x80) {
        for (size_t i = 0; i < len; i++) {
            if (value >> 55 || (i == 0 && field[0] != 0x80))
                return false;
            value = value << 8 | (i == 0 ? 0 : field[i]);
        }
        *out = value;
        return true;
    }
    size_t i = 0;
    while (i < len && field[i] == ' ')
        i++;
    for (; i < len && field[i] >= '0' && field[i] <= '7'; i++) {
        if (value >> 60)
            return false;
        value = value << 3 | (uint64_t)(field[i] - '0');
    }
    *out = value;
    return i == len || field[i] == ' ' || field[i] == 0;
}

/* The sum of all bytes with the checksum's own taken as blanks; old tars summed signed bytes. */
bool protea_tar_is_header(const uint8_t block[static BLOCK])
{
    uint64_t stated;
    int64_t plain = 0, with_signs = 0;
    for (int i = 0; i < BLOCK; i++) {
        uint8_t v = i >= 148 && i < 156 ? ' ' : block[i];
        plain += v;
        with_signs += (int8_t)v;
    }
    bool any = plain != 8 * ' ';
    return any && parse_number(block + 148, 8, &stated) && ((int64_t)stated == plain || (int64_t)stated == with_signs);
}

static bool is_zero(const uint8_t block[static BLOCK])
{
    for (int i = 0; i < BLOCK; i++)
        if (block[i] != 0)
            return false;
    return true;
}

/* The name in the header itself: prefix/name in ustar. GNU's old headers use the prefix's bytes for something else. */
static void header_name(char out[static 257], const uint8_t *block)
{
    const char *prefix = (const char *)block + 345;
    bool ustar = memcmp(block + 257, "ustar\0", 6) == 0 && *prefix != 0;
    snprintf(out, 257, "%.*s%s%.100s", ustar ? 155 : 0, prefix, ustar ? "/" : "", (const char *)block);
}

static const char *without_leading_dots(const char *name)
{
    while (name[0] == '/' || (name[0] == '.' && name[1] == '/'))
        name++;
    return name;
}

/* size bytes at `at`, with a 0 after them; *out owned. */
static protea_status read_text(reader *r, uint64_t at, uint64_t size, char **out)
{
    PROTEA_TRY(protea_new(out, (size_t)size + 1, 1, "a tar header"));
    protea_status status = protea_blob_read(r->tar, at, *out, (size_t)size, r->path);
    if (status != PROTEA_OK) {
        protea_free(*out);
        *out = NULL;
    }
    return status;
}

static protea_status take_name(reader *r, const char *name)
{
    protea_free(r->name);
    r->name = NULL;
    return protea_copy_string(&r->name, name);
}

/* One record: `LENGTH KEY=VALUE\n`, the length counting itself. Returns false when it is none. */
static bool next_record(char **at, size_t *left, char **key, char **value)
{
    char *end;
    unsigned long len = strtoul(*at, &end, 10);
    if (end == *at || *end != ' ' || len > *left || len < (size_t)(end - *at) + 3 || (*at)[len - 1] != '\n')
        return false;
    (*at)[len - 1] = 0;
    *key = end + 1;
    *value = strchr(*key, '=');
    if (*value == NULL)
        return false;
    *(*value)++ = 0;
    *at += len;
    *left -= len;
    return true;
}

static protea_status read_pax(reader *r, uint64_t at, uint64_t size)
{
    char *text, *key, *value;
    PROTEA_TRY(read_text(r, at, size, &text));
    protea_status status = PROTEA_OK;
    char *rest = text;
    size_t left = (size_t)size;
    while (status == PROTEA_OK && left > 0 && next_record(&rest, &left, &key, &value)) {
        if (strcmp(key, "path") == 0)
            status = take_name(r, value);
        if (strcmp(key, "size") == 0) {
            char *end;
            r->size = strtoull(value, &end, 10);
            r->has_size = *value >= '0' && *value <= '9' && *end == 0;
        }
    }
    protea_free(text);
    return status;
}

static protea_status read_long_name(reader *r, uint64_t at, uint64_t size)
{
    char *text;
    PROTEA_TRY(read_text(r, at, size, &text));
    protea_free(r->name);
    r->name = text;
    return PROTEA_OK;
}

static bool is_file(char type)
{
    return type == '0' || type == 0 || type == '7';
}

/* Links, devices, folders and FIFOs have no bytes of their own, whatever their size field says. */
static bool has_no_data(char type)
{
    return type >= '1' && type <= '6';
}

/* What a header of its own said of the member after it holds for that one alone, whatever it is. */
static void forget_extensions(reader *r)
{
    protea_free(r->name);
    r->name = NULL;
    r->has_size = false;
}

static protea_status add_member(reader *r, const uint8_t *block, uint64_t at, uint64_t size)
{
    char own[257];
    header_name(own, block);
    const char *name = without_leading_dots(r->name != NULL ? r->name : own);
    size_t len = strlen(name);
    bool wanted = len > 0 && name[len - 1] != '/' && !protea_catalog_is_hidden(name) && protea_is_picture(name, r->tar, at, size);
    return wanted ? protea_catalog_add(r->catalog, name, at, size) : PROTEA_OK;
}

static protea_status read_member(reader *r, const uint8_t *block)
{
    char type = (char)block[156];
    uint64_t size, data = r->at + BLOCK, header = r->at;
    if (!parse_number(block + 124, 12, &size)) {
        stop_damaged(r, "size of the member at byte %llu is not a number", (unsigned long long)header);
        return PROTEA_OK;
    }
    if (r->has_size && is_file(type))
        size = r->size;
    if (has_no_data(type))
        size = 0;
    uint64_t most = type == 'x' ? MAX_PAX : type == 'L' ? MAX_NAME : UINT64_MAX;
    if (size > most) {
        stop_damaged(r, "header at byte %llu is followed by %llu bytes about a member, at most %llu are read",
                     (unsigned long long)header, (unsigned long long)size, (unsigned long long)most);
        return PROTEA_OK;
    }
    if (!protea_blob_holds(r->tar, data, size)) {
        stop_damaged(r, "member at byte %llu wants %llu bytes, the archive ends at %llu", (unsigned long long)header,
                     (unsigned long long)size, (unsigned long long)r->tar->size);
        return PROTEA_OK;
    }
    r->at = data + (size + BLOCK - 1) / BLOCK * BLOCK;
    if (type == 'x')
        return read_pax(r, data, size);
    if (type == 'L')
        return read_long_name(r, data, size);
    if (type == 'g' || type == 'K')
        return PROTEA_OK;
    protea_status status = is_file(type) ? add_member(r, block, data, size) : PROTEA_OK;
    forget_extensions(r);
    return status;
}

static protea_status read_header(reader *r)
{
    uint8_t block[BLOCK];
    if (r->at == r->tar->size) { /* without the two empty blocks that should end it: all members are there */
        r->ended = true;
        return PROTEA_OK;
    }
    if (!protea_blob_holds(r->tar, r->at, BLOCK)) {
        stop_damaged(r, "cut off at byte %llu", (unsigned long long)r->tar->size);
        return PROTEA_OK;
    }
    PROTEA_TRY(protea_blob_read(r->tar, r->at, block, sizeof block, r->path));
    if (is_zero(block)) {
        r->ended = true;
        return PROTEA_OK;
    }
    if (!protea_tar_is_header(block)) {
        stop_damaged(r, "header at byte %llu has a wrong checksum", (unsigned long long)r->at);
        return PROTEA_OK;
    }
    return read_member(r, block);
}

static protea_status describe_damage(const reader *r, char **damage)
{
    char line[1024];
    if (r->damage[0] == 0)
        return PROTEA_OK;
    snprintf(line, sizeof line, "%.400s: %.400s; the %lld images before it are used", r->path, r->damage, (long long)r->catalog->n);
    return protea_copy_string(damage, line);
}

protea_status protea_tar_index(protea_catalog *c, const protea_blob *tar, const char *path, char **damage)
{
    reader r = { .catalog = c, .tar = tar, .path = path };
    protea_status status = PROTEA_OK;
    *damage = NULL;
    while (status == PROTEA_OK && !r.ended)
        status = read_header(&r);
    protea_free(r.name);
    return status == PROTEA_OK ? describe_damage(&r, damage) : status;
}

#include "data/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <xxhash.h>

#include "base/alloc.h"

void protea_catalog_release(protea_catalog *c)
{
    protea_free(c->entry);
    protea_free(c->text);
    for (int i = 0; i < c->n_classes; i++)
        protea_free(c->class_name[i]);
    protea_free(c->class_name);
    protea_free(c->tags);
    *c = (protea_catalog){ 0 };
}

static protea_status make_room(protea_catalog *c, size_t name_bytes)
{
    if (c->n == c->capacity) {
        int64_t more = c->capacity == 0 ? 1024 : 2 * c->capacity;
        PROTEA_TRY(protea_grow(&c->entry, (size_t)more, sizeof *c->entry, "a data set's entries"));
        c->capacity = more;
    }
    if (name_bytes > c->text_capacity - c->text_len) {
        size_t more = 2 * c->text_capacity + name_bytes + 32768;
        PROTEA_TRY(protea_grow(&c->text, more, 1, "a data set's names"));
        c->text_capacity = more;
    }
    return PROTEA_OK;
}

protea_status protea_catalog_check_count(uint64_t n, const char *path)
{
    if (n > PROTEA_MAX_IMAGES)
        return protea_fail(PROTEA_ERR_INPUT, "%s: %llu images found, at most %d are read", path, (unsigned long long)n,
                           PROTEA_MAX_IMAGES);
    return PROTEA_OK;
}

protea_status protea_catalog_add(protea_catalog *c, const char *name, uint64_t at, uint64_t size)
{
    size_t bytes = strlen(name) + 1;
    PROTEA_TRY(protea_catalog_check_count((uint64_t)c->n + 1, name));
    PROTEA_TRY(make_room(c, bytes));
    memcpy(c->text + c->text_len, name, bytes);
    c->entry[c->n++] = (protea_entry){ .name = c->text_len, .at = at, .size = size, .label = -1 };
    c->text_len += bytes;
    return PROTEA_OK;
}

const char *protea_catalog_name(const protea_catalog *c, int64_t i)
{
    return c->text + c->entry[i].name;
}

bool protea_catalog_is_hidden(const char *name)
{
    return name[0] == '.' || strstr(name, "/.") != NULL;
}

/* Formats that are not read count as well: such a file is reported, not passed over in silence. */
bool protea_catalog_is_picture_name(const char *name)
{
    static const char *const endings[] = { ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif",
                                           ".bmp", ".tif",  ".tiff", ".heic", ".avif" };
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending != NULL && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(ending, endings[i]) == 0)
            return true;
    return false;
}

bool protea_catalog_is_class_name(const char *name)
{
    enum { LONGEST = 255 };
    return *name != 0 && *name != '.' && name[strcspn(name, "/\n\r")] == 0 && strlen(name) <= LONGEST;
}

static bool is_under(const char *name, const char *sub)
{
    size_t len = strlen(sub);
    return len == 0 || (strncmp(name, sub, len) == 0 && name[len] == '/');
}

void protea_catalog_keep_under(protea_catalog *c, const char *sub)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < c->n; i++)
        if (is_under(protea_catalog_name(c, i), sub))
            c->entry[kept++] = c->entry[i];
    c->n = kept;
}

static int by_name(const void *a, const void *b, void *text)
{
    const protea_entry *x = a, *y = b;
    int order = strcmp((const char *)text + x->name, (const char *)text + y->name);
    return order != 0 ? order : (x->name > y->name) - (x->name < y->name); /* then as added */
}

void protea_catalog_sort(protea_catalog *c)
{
    int64_t kept = 0;
    if (c->n == 0)
        return;
    qsort_r(c->entry, (size_t)c->n, sizeof *c->entry, by_name, c->text);
    for (int64_t i = 0; i < c->n; i++) {
        bool again = i + 1 < c->n && strcmp(protea_catalog_name(c, i), protea_catalog_name(c, i + 1)) == 0;
        if (!again)
            c->entry[kept++] = c->entry[i];
    }
    c->n_same_names += c->n - kept;
    c->n = kept;
}

void protea_catalog_fingerprint(const protea_catalog *c, char out[static 33])
{
    XXH64_hash_t half[2] = { 0, 1 };
    for (int64_t i = 0; i < c->n; i++) {
        const char *name = protea_catalog_name(c, i);
        uint64_t numbers[2] = { c->entry[i].size, (uint64_t)(int64_t)c->entry[i].label };
        for (int k = 0; k < 2; k++) {
            half[k] = XXH64(name, strlen(name) + 1, half[k]);
            half[k] = XXH64(numbers, sizeof numbers, half[k]);
        }
        const int32_t *label; /* the first of several is in the numbers */
        int labels = protea_catalog_labels(c, i, &label);
        for (int k = 0; k < 2 && labels > 1; k++)
            half[k] = XXH64(label, (size_t)labels * sizeof *label, half[k]);
    }
    snprintf(out, 33, "%016llx%016llx", (unsigned long long)half[0], (unsigned long long)half[1]);
}

/* Reference files of the scripts in tools/oracle: records of (name: 32 bytes, length: u32 little-endian, bytes). */
#ifndef PROTEA_TESTS_SUPPORT_RECORDS_H
#define PROTEA_TESTS_SUPPORT_RECORDS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "image/image.h"

static uint8_t records[1 << 18];
static size_t records_len;

static inline int records_load(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return -1;
    records_len = fread(records, 1, sizeof records, f);
    fclose(f);
    return records_len > 0 && records_len < sizeof records ? 0 : -1;
}

/* The next record of *left; false at the end. */
static inline bool records_next(protea_cursor *left, const char **name, protea_cursor *body)
{
    const uint8_t *title, *bytes;
    uint32_t len;
    if (!protea_bytes_take(left, 32, &title) || !protea_bytes_u32le(left, &len) || !protea_bytes_take(left, len, &bytes))
        return false;
    *name = (const char *)title;
    *body = (protea_cursor){ bytes, len };
    return true;
}

static inline protea_cursor find(const char *wanted)
{
    protea_cursor all = { records, records_len }, body;
    const char *name;
    while (records_next(&all, &name, &body))
        if (strcmp(name, wanted) == 0)
            return body;
    fail_msg("no record '%s'", wanted);
    return all;
}

/* Largest difference to the record, which must have as many bytes. */
static inline void assert_near(const protea_image *image, const char *name, int tolerance)
{
    protea_cursor want = find(name);
    int worst = 0;
    assert_int_equal((size_t)image->w * (size_t)image->h * 3, want.left);
    for (size_t i = 0; i < want.left; i++) {
        int d = abs((int)image->px[i] - (int)want.at[i]);
        worst = d > worst ? d : worst;
    }
    if (worst > tolerance)
        fail_msg("%s: differs by %d levels", name, worst);
}

#endif

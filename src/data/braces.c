#include "data/braces.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { MAX_DIGITS = 9 };

/* 1 to 9 digits, which *at moves past. */
static bool read_number(const char **at, int64_t *value, int *digits)
{
    *value = 0;
    for (*digits = 0; **at >= '0' && **at <= '9' && *digits < MAX_DIGITS; (*at)++, (*digits)++)
        *value = *value * 10 + (**at - '0');
    return *digits > 0;
}

/* g->begin stands on a brace; the rest of g is filled in. False: this is no range. */
static bool read_range(protea_brace_group *g)
{
    const char *at = g->begin + 1, *low, *high;
    int64_t last;
    int low_digits, high_digits;
    low = at;
    if (!read_number(&at, &g->first, &low_digits) || strncmp(at, "..", 2) != 0)
        return false;
    high = at += 2;
    if (!read_number(&at, &last, &high_digits) || *at != '}')
        return false;
    bool padded = (*low == '0' && low_digits > 1) || (*high == '0' && high_digits > 1);
    g->end = at + 1;
    g->step = last < g->first ? -1 : 1;
    g->count = (last - g->first) * g->step + 1;
    g->width = !padded ? 1 : low_digits > high_digits ? low_digits : high_digits;
    return true;
}

static bool read_words(protea_brace_group *g)
{
    size_t len = strcspn(g->begin + 1, "{}");
    g->end = g->begin + 1 + len + 1;
    if (g->end[-1] != '}' || memchr(g->begin, ',', len + 1) == NULL)
        return false;
    g->width = 0;
    g->count = 1;
    for (const char *at = g->begin + 1; at < g->end; at++)
        g->count += *at == ',';
    return true;
}

protea_status protea_braces_parse(protea_braces *out, const char *pattern)
{
    *out = (protea_braces){ .pattern = pattern, .n = 1 };
    for (const char *at = strchr(pattern, '{'); at != NULL; at = strchr(at, '{')) {
        protea_brace_group g = { .begin = at };
        if (!read_range(&g) && !read_words(&g)) {
            at++;
            continue;
        }
        if (out->n_groups == PROTEA_BRACES_MAX_GROUPS || g.count > PROTEA_BRACES_MAX_NAMES / out->n)
            return protea_fail(PROTEA_ERR_INPUT, "%s: stands for more than %d names, or has more than %d pairs of braces", pattern,
                               PROTEA_BRACES_MAX_NAMES, PROTEA_BRACES_MAX_GROUPS);
        out->group[out->n_groups++] = g;
        out->n *= g.count;
        at = g.end;
    }
    return PROTEA_OK;
}

/* Writes choice i of the group; returns its length. */
static int write_choice(char *out, size_t size, const protea_brace_group *g, int64_t i)
{
    if (g->width > 0)
        return snprintf(out, size, "%0*lld", g->width, (long long)(g->first + i * g->step));
    const char *word = g->begin + 1;
    for (; i > 0; i--)
        word = strchr(word, ',') + 1;
    return snprintf(out, size, "%.*s", (int)strcspn(word, ",}"), word);
}

protea_status protea_braces_name(char **out, const protea_braces *braces, int64_t i)
{
    size_t size = strlen(braces->pattern) + (size_t)braces->n_groups * MAX_DIGITS + 1, len = 0;
    int64_t left = braces->n;
    const char *from = braces->pattern;
    PROTEA_TRY(protea_new(out, size, 1, "a name"));
    for (int k = 0; k < braces->n_groups; k++) {
        const protea_brace_group *g = &braces->group[k];
        left /= g->count;
        len += (size_t)snprintf(*out + len, size - len, "%.*s", (int)(g->begin - from), from);
        len += (size_t)write_choice(*out + len, size - len, g, i / left % g->count);
        from = g->end;
    }
    snprintf(*out + len, size - len, "%s", from);
    return PROTEA_OK;
}

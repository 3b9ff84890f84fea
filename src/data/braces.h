/* Many names written as one, as shells write them: `s-{000..099}.tar`, `{train,val}-{0..3}.tar`. */
#ifndef PROTEA_DATA_BRACES_H
#define PROTEA_DATA_BRACES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { PROTEA_BRACES_MAX_GROUPS = 8, PROTEA_BRACES_MAX_NAMES = 100000 };

/* `{first..last}` (either may be the larger; as wide as the wider one where one begins with 0) or `{word,word}`. */
typedef struct protea_brace_group {
    const char *begin, *end; /* in the pattern: at {, after } */
    int64_t count, first, step;
    int width;               /* digits at least; 0: words, not numbers */
} protea_brace_group;

typedef struct protea_braces {
    const char *pattern;     /* borrowed */
    int n_groups;            /* 0: an ordinary name */
    protea_brace_group group[PROTEA_BRACES_MAX_GROUPS];
    int64_t n;               /* names */
} protea_braces;

/* Braces that hold neither a range nor a comma are ordinary characters. Errors: PROTEA_ERR_INPUT (more groups or names than
 * there may be). */
protea_status protea_braces_parse(protea_braces *out, const char *pattern);
/* Name i in 0..n-1, the last group counting fastest. *out: owned (protea_free). */
protea_status protea_braces_name(char **out, const protea_braces *braces, int64_t i);

#endif

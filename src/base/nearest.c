/* The nearest name for a misspelt one. */
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include <protea/options.h>

enum { WORD_MAX = 48 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Dashes are underscores and capitals do not count. */
static int plain(char c)
{
    return c == '-' ? '_' : tolower((unsigned char)c);
}

/* Insertions, deletions, replacements and swaps of neighbours between a and b (optimal string alignment). */
static int edit_distance(const char *a, const char *b)
{
    int d[3][WORD_MAX + 1]; /* the last three rows of the table */
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return INT_MAX;
    for (size_t j = 0; j <= b_len; j++)
        d[0][j] = (int)j;
    for (size_t i = 1; i <= a_len; i++) {
        int *row = d[i % 3], *above = d[(i + 2) % 3], *two_above = d[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= b_len; j++) {
            int differ = plain(a[i - 1]) != plain(b[j - 1]);
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + differ);
            if (i > 1 && j > 1 && plain(a[i - 1]) == plain(b[j - 2]) && plain(a[i - 2]) == plain(b[j - 1]))
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return d[a_len % 3][b_len];
}

static int starts_with(const char *text, const char *start)
{
    while (*start && plain(*text) == plain(*start))
        text++, start++;
    return *start == 0;
}

const char *protea_nearest(const char *word, const char *const *candidates)
{
    const char *nearest = NULL;
    size_t len = strlen(word);
    int best = len < 3 ? 2 : 2 + (int)(len / 4); /* a candidate must be nearer than this */
    for (; *candidates != NULL; candidates++) {
        int distance = edit_distance(word, *candidates);
        if (distance > 1 && len >= 3 && starts_with(*candidates, word))
            distance = 1; /* the beginning of a name */
        if (distance < best) {
            best = distance;
            nearest = *candidates;
        }
    }
    return nearest;
}

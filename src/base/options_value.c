/* Option values from text and back: strict on the way in, bit-exact on the way out, in the C locale throughout. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options_internal.h"

enum { WANTED_MAX = 400 };

/* A plain decimal number and nothing else: no blanks, no hexadecimal, no inf or nan. */
static bool parse_double(const char *text, double *out)
{
    if (*text == 0 || text[strspn(text, "0123456789+-.eE")] != 0)
        return false;
    locale_t c = newlocale(LC_ALL_MASK, "C", NULL);
    if (c == (locale_t)0)
        return false;
    char *end;
    *out = strtod_l(text, &end, c);
    freelocale(c);
    return *end == 0 && end != text && isfinite(*out);
}

/* The shortest decimal that reads back to the same bits; whole numbers without an exponent. */
static void format_double(char *out, size_t size, double value)
{
    if (value == trunc(value) && fabs(value) < 1e15) {
        snprintf(out, size, "%.0f", value);
        return;
    }
    locale_t c = newlocale(LC_ALL_MASK, "C", NULL), old = uselocale(c);
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    uselocale(old);
    if (c != (locale_t)0)
        freelocale(c);
}

static bool in_range(const protea_opt *opt, double value)
{
    return (opt->min == 0 && opt->max == 0) || (value >= opt->min && value <= opt->max);
}

/* "a whole number in 1..100000" */
static const char *wanted(const protea_opt *opt, char out[static WANTED_MAX])
{
    char low[40], high[40], range[100] = "";
    format_double(low, sizeof low, opt->min);
    format_double(high, sizeof high, opt->max);
    if (opt->max >= 1e12)
        snprintf(range, sizeof range, " of at least %s", low);
    else if (opt->min != 0 || opt->max != 0)
        snprintf(range, sizeof range, " in %s..%s", low, high);
    const char *share = opt->flags & PROTEA_OPT_SCALES ? ", or a share such as 10%," : "";
    switch (opt->type) {
    case PROTEA_OPT_BOOL:
        snprintf(out, WANTED_MAX, "true or false");
        break;
    case PROTEA_OPT_INT:
        snprintf(out, WANTED_MAX, "a whole number%s%s", range, share);
        break;
    case PROTEA_OPT_FLOAT:
        snprintf(out, WANTED_MAX, "a number%s%s", range, share);
        break;
    case PROTEA_OPT_STRING:
        snprintf(out, WANTED_MAX, "text of at most %d bytes", PROTEA_OPT_STRING_MAX - 1);
        break;
    case PROTEA_OPT_CHOICE:
        snprintf(out, WANTED_MAX, "one of %s", opt->choices);
        break;
    case PROTEA_OPT_LIST:
        snprintf(out, WANTED_MAX, "1 to %d numbers%s such as 2,6", PROTEA_LIST_MAX, range);
        break;
    }
    return out;
}

static bool parse_bool(const char *text, int32_t *out)
{
    static const char *const names[2][4] = { { "false", "no", "off", "0" }, { "true", "yes", "on", "1" } };
    for (int value = 0; value < 2; value++)
        for (int i = 0; i < 4; i++)
            if (strcmp(text, names[value][i]) == 0) {
                *out = value;
                return true;
            }
    return false;
}

static bool parse_int64(const char *text, int64_t *out)
{
    if (*text == 0 || text[strspn(text, "0123456789+-")] != 0)
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    *out = value;
    return *end == 0 && end != text && errno == 0;
}

/* "10%" as -10; true when text is a share. */
static bool parse_share(const protea_opt *opt, const char *text, double *out)
{
    char number[40];
    size_t len = strlen(text);
    double percent;
    if (!(opt->flags & PROTEA_OPT_SCALES) || len < 2 || len >= sizeof number || text[len - 1] != '%')
        return false;
    memcpy(number, text, len - 1);
    number[len - 1] = 0;
    if (!parse_double(number, &percent) || !(percent >= 0 && percent <= 100))
        return false;
    *out = percent > 0 ? -percent : 0;
    return true;
}

static bool parse_whole(const protea_opt *opt, const char *text, int64_t *out)
{
    double share;
    if (parse_share(opt, text, &share)) {
        *out = (int64_t)share;
        return share == trunc(share);
    }
    return parse_int64(text, out) && in_range(opt, (double)*out) && !(opt->flags & PROTEA_OPT_SCALES && *out < 0);
}

static bool parse_number(const protea_opt *opt, const char *text, double *out)
{
    if (parse_share(opt, text, out))
        return true;
    return parse_double(text, out) && in_range(opt, *out) && !(opt->flags & PROTEA_OPT_SCALES && *out < 0);
}

/* Numbers apart by one comma or blanks; an empty list only where it is the default. */
static bool parse_list(const protea_opt *opt, const char *text, protea_list *out)
{
    *out = (protea_list){ 0 };
    if (*text == 0)
        return *opt->def == 0;
    for (;;) {
        char number[64];
        text += strspn(text, " ");
        size_t len = strcspn(text, ", ");
        if (out->n == PROTEA_LIST_MAX || len == 0 || len >= sizeof number)
            return false;
        memcpy(number, text, len);
        number[len] = 0;
        if (!parse_double(number, &out->v[out->n]) || !in_range(opt, out->v[out->n]))
            return false;
        out->n++;
        text += len;
        text += strspn(text, " ");
        if (*text == 0)
            return true;
        text += *text == ',';
    }
}

bool protea_choice_name(const char *choices, int i, char *out, size_t size)
{
    for (; i > 0 && choices != NULL; i--) {
        const char *bar = strchr(choices, '|');
        choices = bar != NULL ? bar + 1 : NULL;
    }
    if (choices == NULL || i < 0)
        return false;
    size_t len = strcspn(choices, "|");
    snprintf(out, size, "%.*s", (int)len, choices);
    return len < size;
}

int protea_choice_find(const char *choices, const char *text)
{
    char name[OPTION_TEXT_MAX];
    for (int i = 0; protea_choice_name(choices, i, name, sizeof name); i++)
        if (strcmp(name, text) == 0)
            return i;
    return -1;
}

static bool parse_string(const char *text, char out[static PROTEA_OPT_STRING_MAX])
{
    size_t len = strlen(text);
    if (len >= PROTEA_OPT_STRING_MAX)
        return false;
    memset(out, 0, PROTEA_OPT_STRING_MAX);
    memcpy(out, text, len);
    return true;
}

protea_status protea_option_parse(const protea_opt *opt, const char *label, const char *text, protea_option_value *value)
{
    bool good = false;
    switch (opt->type) {
    case PROTEA_OPT_BOOL: good = parse_bool(text, &value->boolean); break;
    case PROTEA_OPT_INT: good = parse_whole(opt, text, &value->whole); break;
    case PROTEA_OPT_FLOAT: good = parse_number(opt, text, &value->number); break;
    case PROTEA_OPT_STRING: good = parse_string(text, value->string); break;
    case PROTEA_OPT_CHOICE: good = (value->choice = protea_choice_find(opt->choices, text)) >= 0; break;
    case PROTEA_OPT_LIST: good = parse_list(opt, text, &value->list); break;
    }
    char want[WANTED_MAX];
    if (good)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_USAGE, "%s: \"%.200s\" found, %s wanted", label, text, wanted(opt, want));
}

size_t protea_option_size(const protea_opt *opt)
{
    static const size_t size[] = { [PROTEA_OPT_BOOL] = sizeof(int32_t), [PROTEA_OPT_INT] = sizeof(int64_t),
                                   [PROTEA_OPT_FLOAT] = sizeof(double), [PROTEA_OPT_STRING] = PROTEA_OPT_STRING_MAX,
                                   [PROTEA_OPT_CHOICE] = sizeof(int32_t), [PROTEA_OPT_LIST] = sizeof(protea_list) };
    return size[opt->type];
}

static void format_number(const protea_opt *opt, double value, char *out, size_t size)
{
    char number[40];
    bool share = opt->flags & PROTEA_OPT_SCALES && value < 0;
    format_double(number, sizeof number, share ? -value : value);
    snprintf(out, size, "%s%s", number, share ? "%" : "");
}

static void format_list(const protea_list *list, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < list->n && used + 1 < size; i++) {
        char number[48];
        format_double(number, sizeof number, list->v[i]);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? "," : "", number);
    }
}

protea_status protea_option_format(const protea_opt *opt, const void *field, char *out, size_t size)
{
    char text[OPTION_TEXT_MAX] = "";
    protea_option_value value;
    memcpy(&value, field, protea_option_size(opt));
    switch (opt->type) {
    case PROTEA_OPT_BOOL:
        snprintf(text, sizeof text, "%s", value.boolean ? "true" : "false");
        break;
    case PROTEA_OPT_INT:
        if (opt->flags & PROTEA_OPT_SCALES && value.whole < 0)
            snprintf(text, sizeof text, "%" PRId64 "%%", -value.whole);
        else
            snprintf(text, sizeof text, "%" PRId64, value.whole);
        break;
    case PROTEA_OPT_FLOAT:
        format_number(opt, value.number, text, sizeof text);
        break;
    case PROTEA_OPT_STRING:
        memcpy(text, value.string, sizeof value.string);
        text[sizeof text - 1] = 0;
        break;
    case PROTEA_OPT_CHOICE:
        protea_choice_name(opt->choices, value.choice, text, sizeof text);
        break;
    case PROTEA_OPT_LIST:
        format_list(&value.list, text, sizeof text);
        break;
    }
    size_t len = strlen(text);
    if (len >= size)
        return protea_fail(PROTEA_ERR_INTERNAL, "option %s: %zu bytes of room, %zu wanted", opt->key, size, len + 1);
    memcpy(out, text, len + 1);
    return PROTEA_OK;
}

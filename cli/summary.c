/* A job's result for people: a line for each member of the object. */
#include "summary.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a terminal shows UTF-8 as it is: no controls, and none of U+2000 to U+207F, where marks that turn text around lie. */
static bool is_plain(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0) || (*c == 0xe2 && (c[1] == 0x80 || c[1] == 0x81)))
            return false;
    return true;
}

static void print_value(const json_t *value)
{
    if (json_is_string(value) && is_plain(json_string_value(value)))
        printf("%s\n", json_string_value(value));
    else if (json_is_object(json_array_get(value, 0)))
        printf("%zu entries; --json shows them\n", json_array_size(value));
    else if (json_is_real(value))
        printf("%.6g\n", json_real_value(value));
    else {
        size_t ascii = json_is_string(value) ? JSON_ENSURE_ASCII : 0;
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6) | ascii);
        printf("%s\n", text ? text : "");
        free(text);
    }
}

void cli_print_summary(const char *json)
{
    const char *key;
    json_t *value, *object = json_loads(json, 0, NULL);
    int width = 0;
    json_object_foreach(object, key, value)
        width = (int)strlen(key) > width ? (int)strlen(key) : width;
    json_object_foreach(object, key, value) {
        printf("%-*s  ", width, key);
        print_value(value);
    }
    json_decref(object);
}

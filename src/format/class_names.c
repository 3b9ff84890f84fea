#include "format/class_names.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "format/json_text.h"

enum { NAME_ROOM = 4096 };

void protea_class_names_release(protea_class_names *names)
{
    for (int c = 0; c < names->n; c++)
        protea_free(names->name[c]);
    protea_free(names->name);
    *names = (protea_class_names){ 0 };
}

protea_status protea_class_names_add(protea_class_names *names, const char *name)
{
    char text[NAME_ROOM];
    PROTEA_TRY(protea_grow_list(&names->name, (size_t)names->n, sizeof *names->name, "class names"));
    PROTEA_TRY(protea_copy_string(&names->name[names->n], protea_escape(text, sizeof text, name)));
    names->n++;
    return PROTEA_OK;
}

int32_t protea_class_names_find(const protea_class_names *names, const char *name)
{
    char text[NAME_ROOM];
    protea_escape(text, sizeof text, name);
    for (int c = 0; c < names->n; c++)
        if (strcmp(names->name[c], text) == 0)
            return c;
    return -1;
}

protea_status protea_class_names_write(char **json, const protea_class_names *names)
{
    json_t *list = json_array();
    for (int c = 0; c < names->n; c++)
        json_array_append_new(list, json_string(names->name[c]));
    bool whole = json_array_size(list) == (size_t)names->n;
    protea_status status = protea_json_print(json, whole ? list : NULL, JSON_COMPACT, "class names");
    json_decref(list);
    return status;
}

static protea_status read_list(protea_class_names *names, const json_t *list, const char *path, const char *key)
{
    size_t n = json_array_size(list);
    if (n < 1 || n > PROTEA_MAX_CLASSES)
        return protea_fail(PROTEA_ERR_INPUT, "%s: %s: %zu names found, 1 to %d wanted", path, key, n, PROTEA_MAX_CLASSES);
    for (size_t c = 0; c < n; c++) {
        const char *name = json_string_value(json_array_get(list, c));
        if (name == NULL || strlen(name) >= NAME_ROOM)
            return protea_fail(PROTEA_ERR_INPUT, "%s: %s: its element %zu is no name", path, key, c);
        PROTEA_TRY(protea_class_names_add(names, name));
    }
    return PROTEA_OK;
}

protea_status protea_class_names_read(protea_class_names *names, const char *text, const char *path, const char *key)
{
    json_t *list;
    protea_status status = protea_json_parse(&list, text, strlen(text), 0, path);
    if (status != PROTEA_ERR_MEMORY)
        status = json_is_array(list) ? read_list(names, list, path, key)
               : protea_fail(PROTEA_ERR_INPUT, "%s: %s: a JSON list of names wanted", path, key);
    json_decref(list);
    return status;
}

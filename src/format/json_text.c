#include "format/json_text.h"

#include <errno.h>
#include <stdlib.h>

protea_status protea_json_parse(json_t **out, const char *text, size_t len, size_t flags, const char *name)
{
    json_error_t error = { .text = "" };
    errno = 0;
    *out = json_loadb(text, len, flags, &error);
    if (*out != NULL)
        return PROTEA_OK;
    if (errno == ENOMEM) /* malloc's; the reason in error is then another or none */
        return protea_fail(PROTEA_ERR_MEMORY, "%s: no memory to read its JSON", name);
    return protea_fail(PROTEA_ERR_INPUT, "%s: not JSON: %s", name, error.text);
}

protea_status protea_json_print(char **out, const json_t *json, size_t flags, const char *name)
{
    errno = 0;
    *out = json != NULL ? json_dumps(json, flags) : NULL;
    if (*out != NULL && errno != ENOMEM)
        return PROTEA_OK;
    free(*out);
    *out = NULL;
    return protea_fail(PROTEA_ERR_MEMORY, "%s: no memory to write it as JSON", name);
}

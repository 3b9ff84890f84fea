/* JSON from text and as text. jansson does not tell text that is wrong from memory that ran out, and may leave keys out of what it
 * writes where it did; here both have their own status. */
#ifndef PROTEA_FORMAT_JSON_TEXT_H
#define PROTEA_FORMAT_JSON_TEXT_H

#include <jansson.h>

#include "base/status.h"

/* *out: owned (json_decref), NULL on failure. flags: jansson's, for reading. Errors: PROTEA_ERR_INPUT "NAME: not JSON: reason",
 * PROTEA_ERR_MEMORY. */
protea_status protea_json_parse(json_t **out, const char *text, size_t len, size_t flags, const char *name);

/* *out: owned (free()), NULL on failure. flags: jansson's, for writing. json: NULL where it could not be made.
 * Errors: PROTEA_ERR_MEMORY naming what it was for. */
protea_status protea_json_print(char **out, const json_t *json, size_t flags, const char *name);

#endif

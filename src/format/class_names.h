/* The names of classes, numbered from 0; in a file's metadata a JSON list of them. */
#ifndef PROTEA_FORMAT_CLASS_NAMES_H
#define PROTEA_FORMAT_CLASS_NAMES_H

#include <stdint.h>

#include "base/status.h"

#define PROTEA_META_CLASSES "protea.classes"
enum { PROTEA_MAX_CLASSES = 1000000 };

/* Names are printable UTF-8: what is not (a folder's name is any bytes) is escaped as in messages when it is added, and
 * so is a name that is looked for. */
typedef struct protea_class_names {
    int n;
    char **name; /* (n) owned, with its names */
} protea_class_names;

void protea_class_names_release(protea_class_names *names);
/* Copies a name to the end. */
protea_status protea_class_names_add(protea_class_names *names, const char *name);
/* Number of the first class of that name, -1 where there is none. */
int32_t protea_class_names_find(const protea_class_names *names, const char *name);

/* *json: owned (free()). */
protea_status protea_class_names_write(char **json, const protea_class_names *names);
/* Fills *names, zeroed before; release in any case. path and key: for messages. Errors: PROTEA_ERR_INPUT unless text is a
 * JSON list of one or more strings. */
protea_status protea_class_names_read(protea_class_names *names, const char *text, const char *path, const char *key);

#endif

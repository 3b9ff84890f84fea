/* Texts that YAML cannot hold as such (names of files are bytes, not always UTF-8): `!!binary` with base64. */
#ifndef PROTEA_BASE_YAML_BINARY_H
#define PROTEA_BASE_YAML_BINARY_H

#include <stdbool.h>
#include <stdio.h>

#define YAML_BINARY_TAG "tag:yaml.org,2002:binary"

/* Whether a double-quoted scalar, controls escaped, gives the text back. */
bool protea_yaml_can_quote(const char *text);
void protea_yaml_write_binary(FILE *out, const char *text);
/* Decodes base64 in place; false when it is none, or holds a 0. */
bool protea_yaml_decode_binary(char *text);

#endif

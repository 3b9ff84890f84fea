/* Tables as text: comma separated, quoted as RFC 4180 where needed, a header row first, always valid UTF-8. */
#ifndef PROTEA_FORMAT_CSV_H
#define PROTEA_FORMAT_CSV_H

#include <stdio.h>

#include "base/status.h"

/* Writes one row of n fields. Control characters and bytes that are not UTF-8 are escaped as in messages, so a row is
 * one line whatever a file is named. stream: of a protea_new_file, whose commit finds what failed here. */
void protea_csv_row(FILE *stream, int n, const char *const *field);

/* ---- reading: the whole file is held in memory */
typedef struct protea_csv protea_csv;
/* Errors: PROTEA_ERR_INPUT (missing, not regular, larger than 1 GiB), PROTEA_ERR_IO. *out: owned. */
protea_status protea_csv_open(protea_csv **out, const char *path);
void protea_csv_close(protea_csv *csv); /* accepts NULL */
/* Fields of the next row; *n 0 at the end. Borrowed: valid until close. field has room for max.
 * Errors: PROTEA_ERR_INPUT naming path and line: more than max fields, a quote that never ends, a NUL byte. */
protea_status protea_csv_next(protea_csv *csv, char **field, int max, int *n);

#endif

/* The lines of a text file. */
#ifndef PROTEA_BASE_LINES_H
#define PROTEA_BASE_LINES_H

#include <stdint.h>

#include "base/status.h"

/* Called for each line that is not empty, without the blanks at its end: its number, from 1, and its text, for the call only. */
typedef protea_status (*protea_line_fn)(void *self, int64_t number, const char *line);

/* Reads a file of at most 1 GiB. wanted: what a line should hold, for the message about a file that is no text. Errors:
 * PROTEA_ERR_INPUT (missing, too large, NUL bytes), PROTEA_ERR_IO, PROTEA_ERR_MEMORY, and what each returns. */
protea_status protea_lines_read(const char *path, const char *wanted, protea_line_fn each, void *self);

#endif

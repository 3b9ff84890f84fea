/* The lines of a text file. */
#ifndef PROTEA_BASE_LINES_H
#define PROTEA_BASE_LINES_H

#include <stdint.h>

#include "base/status.h"

/* Called for each line that is not empty, without the blanks at its end: its number, from 1, and its text, which may be changed. */
typedef protea_status (*protea_line_fn)(void *self, int64_t number, char *line);

/* The text of a file of at most 1 GiB: *text, owned, for protea_free. wanted: what a line should hold, for the message about a file
 * that is no text. Errors: PROTEA_ERR_INPUT (missing, too large, NUL bytes), PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_lines_load(char **text, const char *path, const char *wanted);

/* Cuts the text into lines and calls each with every one. Errors: what each returns. */
protea_status protea_lines_each(char *text, protea_line_fn each, void *self);

/* Both, for lines that need not outlast the call. */
protea_status protea_lines_read(const char *path, const char *wanted, protea_line_fn each, void *self);

#endif

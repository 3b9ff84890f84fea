#include "base/lines.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

enum { MAX_BYTES = 1 << 30 };

/* Ends the line where its text does, and returns where the next one begins. */
static char *cut(char *line)
{
    size_t length = strcspn(line, "\n"), next = length + (line[length] != 0);
    while (length > 0 && strchr("\r\t ", line[length - 1]) != NULL)
        length--;
    line[length] = 0;
    return line + next;
}

protea_status protea_lines_each(char *text, protea_line_fn each, void *self)
{
    int64_t number = 1;
    for (char *line = text, *next; *line != 0; line = next, number++) {
        next = cut(line);
        if (*line != 0)
            PROTEA_TRY(each(self, number, line));
    }
    return PROTEA_OK;
}

protea_status protea_lines_load(char **text, const char *path, const char *wanted)
{
    size_t len;
    PROTEA_TRY(protea_file_read(text, &len, path, MAX_BYTES));
    if (memchr(*text, 0, len) == NULL)
        return PROTEA_OK;
    protea_free(*text);
    *text = NULL;
    return protea_fail(PROTEA_ERR_INPUT, "%s: holds NUL bytes, wanted %s a line", path, wanted);
}

protea_status protea_lines_read(const char *path, const char *wanted, protea_line_fn each, void *self)
{
    char *text;
    PROTEA_TRY(protea_lines_load(&text, path, wanted));
    protea_status status = protea_lines_each(text, each, self);
    protea_free(text);
    return status;
}

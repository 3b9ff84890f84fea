/* Options as YAML text: one line each, with the help as a comment. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/options_internal.h"
#include "base/yaml_binary.h"

/* A double-quoted scalar with quotes, backslashes and controls escaped, or base64 where that would not do. */
static void write_text(FILE *out, const char *text)
{
    if (!protea_yaml_can_quote(text)) {
        protea_yaml_write_binary(out, text);
        return;
    }
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f)
            fprintf(out, "\\x%02x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

static int write_option(void *self, const char *title, const protea_opt *opt, const char *value)
{
    FILE *out = self;
    (void)title;
    if (opt->flags & PROTEA_OPT_NOT_SAVED)
        return 0;
    fprintf(out, "%s: ", opt->key);
    if (opt->type == PROTEA_OPT_STRING)
        write_text(out, value);
    else if (opt->type == PROTEA_OPT_LIST)
        fprintf(out, "[%s]", value);
    else
        fputs(value, out);
    fprintf(out, "  # %s%s%s\n", opt->help, opt->unit ? ", in " : "", opt->unit ? opt->unit : "");
    return 0;
}

static void write_call(FILE *out, const protea_options *options)
{
    fprintf(out, "verb: %s\n", options->verb);
    if (options->kind != NULL)
        fprintf(out, "kind: %s\n", options->kind);
    fprintf(out, "arguments: [");
    for (int i = 0; i < options->n_arguments; i++) {
        fputs(i > 0 ? ", " : "", out);
        write_text(out, options->arguments[i]);
    }
    fprintf(out, "]\n");
}

protea_status protea_options_write_yaml(const protea_options *options, char **out)
{
    size_t len;
    *out = NULL;
    FILE *stream = open_memstream(out, &len);
    if (stream == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "options as YAML: memory could not be had");
    if (options->verb != NULL)
        write_call(stream, options);
    protea_options_each(options, write_option, stream);
    bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed || *out == NULL) { /* glibc closes well where it could not give the text */
        free(*out);
        *out = NULL;
        return protea_fail(PROTEA_ERR_MEMORY, "options as YAML: memory could not be had");
    }
    return PROTEA_OK;
}

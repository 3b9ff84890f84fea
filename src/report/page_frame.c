/* The frame of every page: head with the style, title, command line, footer. */
#include <stdbool.h>
#include <string.h>

#include <protea/version.h>

#include "base/options_internal.h"
#include "report/html.h"
#include "report/page.h"
#include "report/style.h"

/* The directory's own name: the last part of its path. */
static void write_name(FILE *out, const char *dir)
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    size_t start = len;
    while (start > 0 && dir[start - 1] != '/')
        start--;
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)(len - start), dir + start);
    protea_html_text(out, name);
}

/* A page may paint data that it holds and run what it holds, and can load nothing, whatever stands in it. */
#define POLICY "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"

void protea_page_begin(FILE *out, const char *dir, const char *more_style)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"" POLICY "\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>", out);
    write_name(out, dir);
    fprintf(out, " · Protea</title>\n<style>\n%s%s</style>\n", protea_report_style, more_style);
}

void protea_page_title(FILE *out, const char *dir, const char *kind)
{
    fputs("<p class=\"over\">Protea · ", out);
    protea_html_text(out, kind);
    fputs("</p>\n<h1>", out);
    write_name(out, dir);
    fputs("</h1>\n", out);
}

void protea_page_open(FILE *out, const char *dir, const char *kind)
{
    protea_page_begin(out, dir, "");
    fputs("</head>\n<body>\n<main>\n<header>\n", out);
    protea_page_title(out, dir, kind);
}

void protea_page_close(FILE *out)
{
    fprintf(out, "<footer>Written by Protea %s. This page stands alone: nothing is loaded from elsewhere.</footer>\n"
            "</main>\n</body>\n</html>\n", PROTEA_VERSION);
}

/* A word of a command line, quoted where a shell would take it apart. */
void protea_page_word(FILE *out, const char *word)
{
    bool plain = *word != 0 && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")] == 0;
    fputs(plain ? "" : "&#39;", out);
    protea_html_text(out, word);
    fputs(plain ? "" : "&#39;", out);
}

/* ---- a command line */

struct command { FILE *out; const protea_options *options; bool without_recipe; };

static int write_option(void *self, const char *title, const protea_opt *opt, const char *value)
{
    struct command *c = self;
    (void)title;
    bool plain = c->without_recipe && strcmp(value, opt->def) == 0; /* as a record has all */
    if ((opt->flags & (PROTEA_OPT_NOT_SAVED | PROTEA_OPT_HIDDEN)) != 0 || !protea_options_given(c->options, opt->key) || plain)
        return 0;
    bool off = opt->type == PROTEA_OPT_BOOL && strcmp(value, "false") == 0;
    fputs(off ? " <span>--no-" : " <span>--", c->out);
    for (const char *key = opt->key; *key != 0; key++)
        fputc(*key == '_' ? '-' : *key, c->out);
    fputs("</span>", c->out);
    if (opt->type == PROTEA_OPT_BOOL)
        return 0;
    fputc(' ', c->out);
    protea_page_word(c->out, value);
    return 0;
}

void protea_page_command(FILE *out, const protea_options *options, const char *output)
{
    struct command c = { out, options, protea_options_find(options, "recipe") == NULL };
    fprintf(out, "<pre class=\"command\">protea %s", options->verb);
    for (int i = 0; i < options->n_arguments; i++) {
        fputc(' ', out);
        protea_page_word(out, options->arguments[i]);
    }
    fputs(" <span>-o</span> ", out);
    protea_page_word(out, output);
    protea_options_each(options, write_option, &c);
    fputs("</pre>\n", out);
}

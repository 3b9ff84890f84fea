/* The frame of every page: head with the style, title, footer. */
#include <stdbool.h>
#include <string.h>

#include <protea/version.h>

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

void protea_page_open(FILE *out, const char *dir, const char *kind)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>", out);
    write_name(out, dir);
    fprintf(out, " · Protea</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<header>\n", protea_report_style);
    fputs("<p class=\"over\">Protea · ", out);
    protea_html_text(out, kind);
    fputs("</p>\n<h1>", out);
    write_name(out, dir);
    fputs("</h1>\n", out);
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

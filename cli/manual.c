#include "manual.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <protea/protea.h>

#include "option_text.h"

/* Text as roff takes it literally: dashes stay dashes, a dot or quote in front is no request. */
static void put(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++) {
        if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
    }
}

static void put_line(const char *text)
{
    put(text);
    putchar('\n');
}

static void heading(const char *title)
{
    printf(".SH ");
    for (; *title; title++)
        putchar(*title >= 'a' && *title <= 'z' ? *title - 'a' + 'A' : *title);
    putchar('\n');
}

/* A tagged paragraph. */
static void item(const char *tag, const char *text)
{
    printf(".TP\n.B ");
    put_line(tag);
    put_line(text);
}

static void begin_page(const char *name, const char *summary)
{
    printf(".TH \"");
    for (const char *c = name; *c; c++)
        putchar(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    printf("\" 1 \"\" \"protea %s\" \"Protea\"\n", protea_version());
    heading("name");
    put(name);
    printf(" \\- ");
    put_line(summary);
}

static void exit_status(void)
{
    static const char *const codes[][2] = {
        { "0", "done" },
        { "2", "usage: an option or argument that cannot be" },
        { "3", "bad input: a file, data set or model that is not what was wanted" },
        { "4", "input/output: disk full, read-only" },
        { "5", "memory" },
        { "6", "training diverged or collapsed" },
        { "7", "the directory is used by another process" },
        { "75", "stopped by a signal with the state saved; the same command with --resume goes on" },
        { "128 + N", "ended by signal N with nothing to save" },
        { "1", "anything else" },
    };
    heading("exit status");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        item(codes[i][0], codes[i][1]);
}

/* ---- a verb's page */

typedef struct page {
    const char *title;       /* of the group being written */
    const cli_kinds *kinds;
    bool shared;             /* write what all kinds have, or only the rest */
} page;

static int write_option(void *self, const char *title, const protea_opt *opt, const char *value)
{
    page *p = self;
    char name[128], notes[512], text[1024];
    if (opt->flags & PROTEA_OPT_HIDDEN || cli_kinds_share(p->kinds, opt->key) != p->shared)
        return 0;
    if (p->title == NULL || strcmp(p->title, title) != 0) {
        printf(".SS ");
        put_line(title);
    }
    p->title = title;
    cli_option_name(name, sizeof name, opt);
    cli_option_notes(notes, sizeof notes, opt, value);
    snprintf(text, sizeof text, "%s (%s)", opt->help, notes);
    item(name, text);
    return 0;
}

static void write_options(const protea_verb_info *info, const cli_kinds *kinds)
{
    heading("options");
    page p = { .kinds = kinds, .shared = true };
    protea_options_each(protea_job_options(kinds->job[0]), write_option, &p);
    for (int i = 0; i < kinds->n && kinds->n > 1; i++) {
        char title[128];
        snprintf(title, sizeof title, "options of %s", info->kinds[i]);
        heading(title);
        put_line(info->kind_summary(info->kinds[i]));
        p = (page){ .kinds = kinds };
        protea_options_each(protea_job_options(kinds->job[i]), write_option, &p);
    }
}

static void write_page(const protea_verb_info *info, const cli_kinds *kinds)
{
    char name[64], usage[256];
    snprintf(name, sizeof name, "protea-%s", info->name);
    cli_usage_line(usage, sizeof usage, info, info->kinds_title);
    begin_page(name, info->summary);
    heading("synopsis");
    printf(".B ");
    put(usage);
    printf("\n[options]\n");
    if (info->kinds != NULL)
        heading(info->kinds_title);
    for (int i = 0; info->kinds != NULL && info->kinds[i] != NULL; i++)
        item(info->kinds[i], info->kind_summary(info->kinds[i]));
    write_options(info, kinds);
    heading("example");
    printf(".nf\n");
    put_line(info->example);
    printf(".fi\n");
    exit_status();
    heading("see also");
    printf(".BR protea (1)\n");
}

/* ---- the page about all */

static void write_main_page(void)
{
    int n;
    const protea_verb_info *const *verbs = protea_verbs(&n);
    begin_page("protea", "prototype-based self-supervised learning on images, and classifiers that adapt at test time");
    heading("synopsis");
    printf(".B protea\nVERB ... [options]\n");
    heading("verbs");
    for (int i = 0; i < n; i++) {
        char usage[256];
        cli_usage_line(usage, sizeof usage, verbs[i], verbs[i]->kinds_title);
        item(usage, verbs[i]->summary);
    }
    heading("options of every verb");
    item("--config FILE", "options from a YAML file; a flag beats it");
    item("--print-config", "print the options as they would be used, and stop");
    item("--json", "one JSON object on standard output, nothing else there");
    item("--quiet", "no messages but warnings and errors, no progress");
    item("--help", "all options of the verb");
    heading("recipes");
    for (const char *const *name = protea_recipe_names(); *name != NULL; name++)
        put_line(*name);
    exit_status();
    heading("see also");
    for (int i = 0; i < n; i++)
        printf(".BR protea\\-%s (1)%s\n", verbs[i]->name, i + 1 < n ? "," : "");
}

protea_status cli_manual(const char *verb)
{
    int n;
    const protea_verb_info *const *verbs = protea_verbs(&n);
    if (verb == NULL) {
        write_main_page();
        return PROTEA_OK;
    }
    for (int i = 0; i < n; i++) {
        if (strcmp(verbs[i]->name, verb) != 0)
            continue;
        cli_kinds kinds;
        protea_status status = cli_kinds_open(&kinds, verbs[i], NULL);
        if (status == PROTEA_OK)
            write_page(verbs[i], &kinds);
        cli_kinds_close(&kinds);
        return status;
    }
    protea_job *none;
    return protea_job_new(&none, verb, NULL); /* says what is nearest */
}

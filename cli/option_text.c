#include "option_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

protea_status cli_kinds_open(cli_kinds *k, const protea_verb_info *info, const char *kind)
{
    *k = (cli_kinds){ .n = 0 };
    const char *const one[] = { kind, NULL }, *const *kinds = kind == NULL && info->kinds != NULL ? info->kinds : one;
    protea_status status;
    do {
        status = protea_job_new(&k->job[k->n], info->name, kinds[k->n]);
        k->n += status == PROTEA_OK;
    } while (status == PROTEA_OK && kinds[k->n - 1] != NULL && kinds[k->n] != NULL && k->n < CLI_KINDS_MAX);
    return status;
}

void cli_kinds_close(cli_kinds *k)
{
    for (int i = 0; i < k->n; i++)
        protea_job_free(k->job[i]);
    k->n = 0;
}

bool cli_kinds_share(const cli_kinds *k, const char *key)
{
    for (int i = 0; i < k->n; i++)
        if (protea_options_find(protea_job_options(k->job[i]), key) == NULL)
            return false;
    return true;
}

static const char *placeholder(const protea_opt *opt)
{
    static const char *const names[] = { [PROTEA_OPT_BOOL] = "", [PROTEA_OPT_INT] = " N", [PROTEA_OPT_FLOAT] = " X",
                                         [PROTEA_OPT_STRING] = " TEXT", [PROTEA_OPT_CHOICE] = " NAME",
                                         [PROTEA_OPT_LIST] = " N [N...]" };
    return names[opt->type];
}

static void __attribute__((format(printf, 3, 4))) append(char *out, size_t size, const char *format, ...)
{
    size_t used = strlen(out);
    va_list args;
    va_start(args, format);
    vsnprintf(out + used, size - used, format, args);
    va_end(args);
}

void cli_option_name(char *out, size_t size, const protea_opt *opt)
{
    out[0] = 0;
    for (const char *alias = opt->aliases; alias != NULL && *alias; alias += strcspn(alias, ","), alias += *alias == ',')
        if (strcspn(alias, ",") == 1)
            append(out, size, "-%c, ", *alias);
    append(out, size, "--%s%s", opt->key, placeholder(opt));
    for (char *c = out; *c; c++)
        *c = *c == '_' ? '-' : *c;
}

void cli_option_notes(char *out, size_t size, const protea_opt *opt, const char *value)
{
    out[0] = 0;
    append(out, size, "default %s", *value ? value : "none");
    if (opt->type == PROTEA_OPT_CHOICE)
        append(out, size, "; one of %s", opt->choices);
    else if (opt->max >= 1e12)
        append(out, size, "; at least %.15g", opt->min);
    else if (opt->min != 0 || opt->max != 0)
        append(out, size, "; %.15g..%.15g", opt->min, opt->max);
    if (opt->unit != NULL)
        append(out, size, " %s", opt->unit);
    if (opt->flags & PROTEA_OPT_SCALES)
        append(out, size, ", or a share such as 10%%");
    if (opt->source != NULL)
        append(out, size, "; %s", opt->source);
}

void cli_usage_line(char *out, size_t size, const protea_verb_info *info, const char *kind)
{
    char word[64] = "";
    if (kind != NULL)
        snprintf(word, sizeof word, info->kind_optional && kind == info->kinds_title ? " [%s]" : " %s", kind);
    const char *open = info->output == 0 ? "" : info->output == 1 ? " [-o " : " -o ", *close = info->output == 1 ? "]" : "";
    snprintf(out, size, "protea %s%s%s%s%s%s%s", info->name, word, *info->arguments ? " " : "", info->arguments, open,
             info->output ? info->output_name : "", close);
}

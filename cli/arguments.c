/* Command lines: verb, kind, then options and positional arguments in any order. */
#include "arguments.h"
#include "foreign.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const protea_verb_info *find_verb(const char *name)
{
    int n;
    const protea_verb_info *const *verbs = protea_verbs(&n);
    for (int i = 0; i < n; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

void cli_read_call(cli_call *call, int argc, char **argv)
{
    *call = (cli_call){ 0 };
    if (argc > 1 && strcmp(argv[1], "help") == 0) {
        call->help = true;
        argv++;
        argc--;
    }
    if (argc > 1 && strcmp(argv[1], "--manual") == 0) {
        call->manual = true;
        argv++;
        argc--;
    }
    if (argc > 2 && strcmp(argv[1], "--completion") == 0)
        call->completion = argv[2];
    if (argc > 1 && argv[1][0] != '-')
        call->verb = argv[1];
    const protea_verb_info *info = call->verb ? find_verb(call->verb) : NULL;
    if (info != NULL && info->kinds != NULL && argc > 2 && argv[2][0] != '-')
        call->kind = argv[2];
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        call->help = call->help || is_help(argv[i]);
        call->version = call->version || (i == 1 && strcmp(argv[i], "--version") == 0);
        if (strncmp(argv[i], "--config=", 9) == 0)
            call->config = argv[i] + 9;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            call->config = argv[i + 1];
    }
}

int cli_first_option(const cli_call *call)
{
    return 1 + (call->verb != NULL) + (call->kind != NULL);
}

/* ---- options of the command itself */

typedef struct scanner {
    cli_call *call;
    protea_options *options;
    char **word;      /* NULL-terminated, the rest of the line */
    char *message;
    unsigned long size;
} scanner;

static protea_status __attribute__((format(printf, 2, 3))) usage(scanner *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(s->message, s->size, format, args);
    va_end(args);
    return PROTEA_ERR_USAGE;
}

/* key without dashes in front, underscores for dashes, up to an equals sign. */
static void plain_key(char *key, size_t size, const char *word)
{
    size_t len = strcspn(word, "=");
    snprintf(key, size, "%.*s", (int)len, word);
    for (char *c = key; *c; c++)
        *c = *c == '-' ? '_' : *c;
}

/* The switch of the command called key, or NULL. */
static bool *own_switch(cli_call *call, const char *key)
{
    if (strcmp(key, "json") == 0)
        return &call->json;
    if (strcmp(key, "quiet") == 0 || strcmp(key, "q") == 0)
        return &call->quiet;
    return strcmp(key, "print_config") == 0 ? &call->print_config : NULL;
}

static bool is_output(const char *key)
{
    return strcmp(key, "o") == 0 || strcmp(key, "output") == 0 || strcmp(key, "dump_path") == 0 ||
           strcmp(key, "exp_dir") == 0;
}

static bool looks_numeric(const char *word)
{
    return word != NULL && *word != 0 && word[strspn(word, "0123456789.,+-eE")] == 0 && strpbrk(word, "0123456789") != NULL &&
           *word != 'e' && *word != 'E';
}

/* Numbers after a list's flag belong to it. */
static protea_status set_list(scanner *s, const char *key)
{
    char text[PROTEA_OPT_STRING_MAX];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", *s->word++);
    while (looks_numeric(*s->word) && used < sizeof text)
        used += (size_t)snprintf(text + used, sizeof text - used, " %s", *s->word++);
    return protea_options_set(s->options, key, text, PROTEA_FROM_FLAG);
}

/* A flag of the verb's tables. value: what followed an equals sign, or NULL. */
static protea_status set_option(scanner *s, const char *key, const char *value)
{
    const protea_opt *opt = protea_options_find(s->options, key);
    if (opt == NULL && strncmp(key, "no_", 3) == 0 && value == NULL) {
        const protea_opt *positive = protea_options_find(s->options, key + 3);
        if (positive != NULL && positive->type == PROTEA_OPT_BOOL)
            return protea_options_set(s->options, key + 3, "false", PROTEA_FROM_FLAG);
    }
    if (opt == NULL || value != NULL)
        return protea_options_set(s->options, key, value ? value : "", PROTEA_FROM_FLAG);
    if (opt->type == PROTEA_OPT_BOOL)
        return protea_options_set(s->options, key, "true", PROTEA_FROM_FLAG);
    if (*s->word == NULL)
        return usage(s, "%s%.100s: nothing found after it, a value wanted", strlen(key) == 1 ? "-" : "--", key);
    if (opt->type == PROTEA_OPT_LIST)
        return set_list(s, key);
    return protea_options_set(s->options, key, *s->word++, PROTEA_FROM_FLAG);
}

/* --config, -o and --data-path take a value and are no options of the verb. */
static protea_status take_value(scanner *s, const char *flag, const char *value, const char **out)
{
    if (value == NULL && *s->word == NULL)
        return usage(s, "%s: nothing found after it, a value wanted", flag);
    *out = value != NULL ? value : *s->word++;
    return PROTEA_OK;
}

/* Its value goes with it. */
static protea_status ignore(scanner *s, const char *flag, const char *value, const cli_foreign *foreign)
{
    protea_status status = foreign->takes_value ? take_value(s, flag, value, &value) : PROTEA_OK;
    if (status != PROTEA_OK)
        return status;
    fprintf(stderr, "protea: %s has no meaning here and is ignored: %s\n", flag, foreign->why);
    return PROTEA_OK;
}

static protea_status read_flag(scanner *s, const char *word)
{
    char key[128], shortened[2] = { word[1], 0 };
    bool is_long = word[1] == '-';
    plain_key(key, sizeof key, word + 1 + is_long);
    const char *equals = strchr(word, '='), *value = equals ? equals + 1 : NULL;
    if (!is_long && word[2] != 0 && word[2] != '=') { /* -b64 */
        snprintf(key, sizeof key, "%s", shortened);
        value = word + 2;
    }
    bool *own = own_switch(s->call, key);
    if (own != NULL && value == NULL) {
        *own = true;
        return PROTEA_OK;
    }
    if (own != NULL)
        return usage(s, "--%s: a value found, none wanted", key);
    if (is_output(key))
        return take_value(s, word, value, &s->call->output);
    if (strcmp(key, "config") == 0)
        return take_value(s, word, value, &s->call->config);
    if (strcmp(key, "data_path") == 0)
        return take_value(s, word, value, &s->call->arguments[s->call->n_arguments++]);
    const cli_foreign *foreign = protea_options_find(s->options, key) == NULL ? cli_find_foreign(key) : NULL;
    if (foreign != NULL)
        return ignore(s, word, value, foreign);
    return set_option(s, key, value);
}

protea_status cli_read_options(cli_call *call, protea_job *job, int argc, char **argv, char *message, unsigned long size)
{
    scanner s = { .call = call, .options = protea_job_options(job), .word = argv + cli_first_option(call), .message = message,
                  .size = size };
    bool only_arguments = false;
    message[0] = 0;
    while (s.word < argv + argc) {
        const char *word = *s.word++;
        if (!only_arguments && strcmp(word, "--") == 0)
            only_arguments = true;
        else if (only_arguments || word[0] != '-' || word[1] == 0)
            call->arguments[call->n_arguments++] = word;
        else {
            protea_status status = read_flag(&s, word);
            if (status != PROTEA_OK)
                return status;
        }
    }
    return PROTEA_OK;
}

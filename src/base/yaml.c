/* Reading flat YAML mappings: `key: value` and `key: [a, b]`, nothing deeper, through libyaml's event parser. */
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/options_internal.h"
#include "base/yaml_binary.h"

enum { YAML_BYTES_MAX = 1 << 20, YAML_ITEMS_MAX = 64, YAML_KEYS_MAX = 512, YAML_KEY_BYTES_MAX = 100 };

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event;      /* the last one; deleted by the next */
    bool has_event;
    const char *name;
    char key[YAML_KEY_BYTES_MAX + 1];
    char *items[YAML_ITEMS_MAX];
    int n_items;
} reader;

static protea_status next_event(reader *r)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event) != 0;
    if (r->has_event)
        return PROTEA_OK;
    if (r->parser.error == YAML_MEMORY_ERROR)
        return protea_fail(PROTEA_ERR_MEMORY, "%s: memory could not be had", r->name);
    size_t line = r->parser.error == YAML_READER_ERROR ? r->parser.mark.line : r->parser.problem_mark.line;
    return protea_fail(PROTEA_ERR_USAGE, "%s:%zu: not YAML: %s", r->name, line + 1, r->parser.problem ? r->parser.problem : "?");
}

static int line_of(const reader *r)
{
    return (int)r->event.start_mark.line + 1;
}

static protea_status unexpected(const reader *r, const char *want)
{
    return protea_fail(PROTEA_ERR_USAGE, "%s:%d: something else found, %s wanted", r->name, line_of(r), want);
}

static bool is_plain_scalar(const reader *r)
{
    return r->event.type == YAML_SCALAR_EVENT && r->event.data.scalar.anchor == NULL && r->event.data.scalar.tag == NULL &&
           strlen((const char *)r->event.data.scalar.value) == r->event.data.scalar.length;
}

/* Decodes a `!!binary` scalar; whether it was one. */
static bool take_binary(const reader *r)
{
    return r->event.type == YAML_SCALAR_EVENT && r->event.data.scalar.anchor == NULL && r->event.data.scalar.tag != NULL &&
           strcmp((const char *)r->event.data.scalar.tag, YAML_BINARY_TAG) == 0 &&
           protea_yaml_decode_binary((char *)r->event.data.scalar.value);
}

static protea_status take_item(reader *r)
{
    if (!is_plain_scalar(r) && !take_binary(r))
        return unexpected(r, "a plain value");
    if (r->n_items == YAML_ITEMS_MAX)
        return protea_fail(PROTEA_ERR_USAGE, "%s:%d: %s: more than %d values", r->name, line_of(r), r->key, YAML_ITEMS_MAX);
    PROTEA_TRY(protea_copy_string(&r->items[r->n_items], (const char *)r->event.data.scalar.value));
    r->n_items++;
    return PROTEA_OK;
}

static void drop_items(reader *r)
{
    while (r->n_items > 0)
        protea_free(r->items[--r->n_items]);
}

/* The value of a pair: one scalar, or a sequence of them. */
static protea_status read_value(reader *r, bool *is_list)
{
    PROTEA_TRY(next_event(r));
    *is_list = r->event.type == YAML_SEQUENCE_START_EVENT;
    if (!*is_list)
        return take_item(r);
    for (;;) {
        PROTEA_TRY(next_event(r));
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return PROTEA_OK;
        PROTEA_TRY(take_item(r));
    }
}

static protea_status read_pair(reader *r, protea_yaml_pair_fn pair, void *self)
{
    bool is_list;
    if (!is_plain_scalar(r))
        return unexpected(r, "`key: value`");
    if (r->event.data.scalar.length > YAML_KEY_BYTES_MAX)
        return protea_fail(PROTEA_ERR_USAGE, "%s:%d: a key of %zu bytes found, at most %d wanted", r->name, line_of(r),
                           r->event.data.scalar.length, YAML_KEY_BYTES_MAX);
    int line = line_of(r);
    snprintf(r->key, sizeof r->key, "%s", (const char *)r->event.data.scalar.value);
    protea_status status = read_value(r, &is_list);
    if (status == PROTEA_OK)
        status = pair(self, line, r->key, (const char *const *)r->items, r->n_items, is_list);
    drop_items(r);
    return status;
}

/* Stream and document start; *end when there is nothing in it. */
static protea_status read_start(reader *r, bool *end)
{
    *end = false;
    PROTEA_TRY(next_event(r)); /* stream start */
    PROTEA_TRY(next_event(r));
    if (r->event.type == YAML_STREAM_END_EVENT) {
        *end = true;
        return PROTEA_OK;
    }
    PROTEA_TRY(next_event(r));
    return r->event.type == YAML_MAPPING_START_EVENT ? PROTEA_OK : unexpected(r, "lines of `key: value`");
}

static protea_status read_document(reader *r, protea_yaml_pair_fn pair, void *self)
{
    bool end;
    PROTEA_TRY(read_start(r, &end));
    if (end)
        return PROTEA_OK;
    for (int n = 0;; n++) {
        PROTEA_TRY(next_event(r));
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        if (n == YAML_KEYS_MAX)
            return protea_fail(PROTEA_ERR_USAGE, "%s:%d: more than %d keys", r->name, line_of(r), YAML_KEYS_MAX);
        PROTEA_TRY(read_pair(r, pair, self));
    }
    PROTEA_TRY(next_event(r)); /* document end */
    PROTEA_TRY(next_event(r));
    return r->event.type == YAML_STREAM_END_EVENT ? PROTEA_OK : unexpected(r, "the end of the file");
}

protea_status protea_yaml_walk(const char *text, size_t len, const char *name, protea_yaml_pair_fn pair, void *self)
{
    reader r = { .name = name };
    if (len > YAML_BYTES_MAX)
        return protea_fail(PROTEA_ERR_USAGE, "%s: %zu bytes found, at most %d wanted", name, len, YAML_BYTES_MAX);
    if (!yaml_parser_initialize(&r.parser))
        return protea_fail(PROTEA_ERR_MEMORY, "%s: memory could not be had", name);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    protea_status status = read_document(&r, pair, self);
    if (r.has_event)
        yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return status;
}

/* ---- options from a mapping */

typedef struct setting {
    protea_options *options;
    const char *name;
    protea_origin origin;
    const protea_opt *seen[YAML_KEYS_MAX];
    int n_seen;
} setting;

static bool is_about_the_call(const char *key)
{
    return strcmp(key, "description") == 0 || strcmp(key, "verb") == 0 || strcmp(key, "kind") == 0 ||
           strcmp(key, "arguments") == 0;
}

static protea_status join_items(char **out, const char *const *items, int n)
{
    size_t size = 1, used = 0;
    for (int i = 0; i < n; i++)
        size += strlen(items[i]) + 1;
    PROTEA_TRY(protea_new(out, size, 1, "a list"));
    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(*out + used, size - used, "%s%s", i > 0 ? "," : "", items[i]);
    return PROTEA_OK;
}

static protea_status set_pair(void *self, int line, const char *key, const char *const *items, int n, bool is_list)
{
    setting *s = self;
    char place[200], label[256];
    const protea_opt *opt = protea_options_find(s->options, key);
    if (opt == NULL && is_about_the_call(key))
        return PROTEA_OK;
    snprintf(place, sizeof place, "%.180s:%d: ", s->name, line);
    if (opt == NULL)
        return protea_options_unknown(s->options, place, key);
    for (int i = 0; i < s->n_seen; i++)
        if (s->seen[i] == opt)
            return protea_fail(PROTEA_ERR_USAGE, "%s%s: found twice", place, key);
    s->seen[s->n_seen++] = opt;
    snprintf(label, sizeof label, "%s%s", place, opt->key);
    if (is_list && opt->type != PROTEA_OPT_LIST)
        return protea_fail(PROTEA_ERR_USAGE, "%s: a list found, one value wanted", label);
    char *text;
    PROTEA_TRY(join_items(&text, items, n));
    protea_status status = protea_options_set_labelled(s->options, label, opt, text, s->origin);
    protea_free(text);
    return status;
}

protea_status protea_options_read_yaml(protea_options *options, const char *text, size_t len, const char *name,
                                       protea_origin origin)
{
    setting s = { .options = options, .name = name, .origin = origin };
    return protea_yaml_walk(text, len, name, set_pair, &s);
}

protea_status protea_options_read_file(protea_options *options, const char *path, protea_origin origin)
{
    char *text;
    size_t len;
    PROTEA_TRY(protea_file_read(&text, &len, path, YAML_BYTES_MAX));
    protea_status status = protea_options_read_yaml(options, text, len, path, origin);
    protea_free(text);
    return status;
}

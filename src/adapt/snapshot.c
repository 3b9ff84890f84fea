#include "adapt/snapshot.h"

#include <string.h>

#include "tensor/ops.h"

typedef struct entry {
    void *live;     /* borrowed */
    size_t bytes;
} entry;

struct protea_snapshot {
    entry *entries;
    size_t n, bytes;
    unsigned char *copy; /* (bytes) one after the other */
};

static protea_status add_tensor(void *self, const protea_tensor *t)
{
    protea_snapshot *s = self;
    PROTEA_TRY(protea_grow(&s->entries, s->n + 1, sizeof *s->entries, "a snapshot"));
    s->entries[s->n++] = (entry){ t->data, protea_bytes(t) };
    s->bytes += protea_bytes(t);
    return PROTEA_OK;
}

static protea_status add_param(void *self, const char *name, protea_param *p)
{
    (void)name;
    return add_tensor(self, &p->w);
}

static protea_status add_buffer(void *self, const char *name, protea_tensor *t)
{
    (void)name;
    return add_tensor(self, t);
}

protea_status protea_snapshot_new(protea_snapshot **out, protea_visit_fn visit, void *self, bool params, bool buffers)
{
    protea_snapshot *s;
    *out = NULL;
    PROTEA_TRY(protea_new(&s, 1, sizeof *s, "a snapshot"));
    const protea_visitor add = { params ? add_param : NULL, buffers ? add_buffer : NULL, s };
    protea_status status = visit(self, &add);
    if (status == PROTEA_OK)
        status = protea_new(&s->copy, s->bytes, 1, "a snapshot");
    if (status != PROTEA_OK) {
        protea_snapshot_free(s);
        return status;
    }
    protea_snapshot_take(s);
    *out = s;
    return PROTEA_OK;
}

void protea_snapshot_free(protea_snapshot *s)
{
    if (s == NULL)
        return;
    protea_free(s->entries);
    protea_free(s->copy);
    protea_free(s);
}

void protea_snapshot_take(protea_snapshot *s)
{
    unsigned char *at = s->copy;
    for (size_t i = 0; i < s->n; at += s->entries[i++].bytes)
        memcpy(at, s->entries[i].live, s->entries[i].bytes);
}

void protea_snapshot_restore(const protea_snapshot *s)
{
    const unsigned char *at = s->copy;
    for (size_t i = 0; i < s->n; at += s->entries[i++].bytes)
        memcpy(s->entries[i].live, at, s->entries[i].bytes);
}

bool protea_snapshot_is_finite(const protea_snapshot *s)
{
    bool finite = true;
    for (size_t i = 0; i < s->n && finite; i++) {
        int64_t n = (int64_t)(s->entries[i].bytes / sizeof(float));
        const protea_tensor t = { .data = s->entries[i].live, .dtype = PROTEA_F32, .n_dims = 1, .dim = { n } };
        finite = protea_all_finite(&t);
    }
    return finite;
}

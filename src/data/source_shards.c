/* One set in many tars, `s-{000..099}.tar`. All must be there: a set that is silently smaller than its name says gives figures
 * that are silently wrong. An image is called SHARD/MEMBER; classes are told by the members' paths over all shards, as in one
 * tar. Plain shards are opened for each picture, because there may be more of them than a process may hold open. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "data/source_kind.h"
#include "data/tar_index.h"

enum { SHARD_SHIFT = 44 }; /* an entry's `at`: number of the shard above, place in it below */

typedef struct shard {
    char *path;              /* owned */
    protea_packed_file file; /* closed, but for what was unpacked */
} shard;

typedef struct shard_set {
    shard *shard; /* (n) owned */
    int n;
} shard_set;

static protea_status read_member(const shard *s, uint64_t at, uint64_t size, const char *label, const protea_limits *limits,
                                 protea_image *out)
{
    if (s->file.unpacked != NULL)
        return protea_read_picture(out, &s->file.blob, at, size, label, limits);
    protea_blob blob = { .fd = -1 };
    PROTEA_TRY(protea_open_regular(AT_FDCWD, s->path, label, &blob.fd, &blob.size));
    protea_status status = blob.size == s->file.blob.size
                               ? protea_read_picture(out, &blob, at, size, label, limits)
                               : protea_fail(PROTEA_ERR_INPUT, "%s: %s is not the file that was opened before", label, s->path);
    close(blob.fd);
    return status;
}

static protea_status shards_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                                 const protea_limits *limits, protea_image *out)
{
    const shard_set *set = self;
    (void)name;
    return read_member(&set->shard[entry->at >> SHARD_SHIFT], entry->at & (((uint64_t)1 << SHARD_SHIFT) - 1), entry->size, label,
                       limits, out);
}

static void shards_close(void *self)
{
    shard_set *set = self;
    for (int i = 0; i < set->n; i++) {
        protea_free(set->shard[i].path);
        protea_packed_file_close(&set->shard[i].file);
    }
    protea_free(set->shard);
    protea_free(set);
}

static const protea_source_ops shards_ops = { .kind = "tar", .read = shards_read, .close = shards_close, .between = '!' };

/* ---- opening */

typedef struct opening {
    protea_opened *o;
    shard_set *set;
    const char *sub;
    protea_limits limits;    /* max_memory: what is left of it */
    size_t prefix;           /* bytes of a path that all shards share, up to a / */
    protea_catalog members;  /* as o->catalog, with names that classes are told by; owned */
    int n_damaged;
} opening;

static protea_status check_kind(const shard *s)
{
    uint8_t head[PROTEA_TAR_BLOCK];
    size_t len = s->file.blob.size < sizeof head ? (size_t)s->file.blob.size : sizeof head;
    PROTEA_TRY(protea_blob_read(&s->file.blob, 0, head, len, s->path));
    if (!protea_looks_like_tar(head, len, s->file.blob.size) || s->file.blob.size >> SHARD_SHIFT != 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: is no tar of less than 16 TiB, which names in braces stand for", s->path);
    return PROTEA_OK;
}

/* The first damage is kept in words, more of it as a number. damage: taken, or NULL. */
static void note_damage(opening *op, char *damage)
{
    op->n_damaged += damage != NULL;
    if (op->o->warning == NULL)
        op->o->warning = damage;
    else
        protea_free(damage);
}

static protea_status add_members(opening *op, protea_catalog *found, const shard *s)
{
    uint64_t number = (uint64_t)(s - op->set->shard);
    protea_catalog_keep_under(found, op->sub);
    protea_catalog_sort(found); /* of members with one name the last stays, as in one tar */
    op->o->catalog.n_same_names += found->n_same_names;
    for (int64_t i = 0; i < found->n; i++) {
        char *name;
        const char *member = protea_catalog_name(found, i);
        const protea_entry *e = &found->entry[i];
        PROTEA_TRY(protea_catalog_add(&op->members, member, 0, 0));
        PROTEA_TRY(protea_path_join(&name, s->path + op->prefix, member));
        protea_status status = protea_catalog_add(&op->o->catalog, name, number << SHARD_SHIFT | e->at, e->size);
        protea_free(name);
        PROTEA_TRY(status);
    }
    return PROTEA_OK;
}

static protea_status index_shard(opening *op, shard *s)
{
    protea_catalog found = { 0 };
    char *damage = NULL, *unpacking = s->file.damage;
    s->file.damage = NULL;
    note_damage(op, unpacking);
    PROTEA_TRY(check_kind(s));
    protea_status status = protea_tar_index(&found, &s->file.blob, s->path, &damage);
    if (status == PROTEA_OK)
        status = add_members(op, &found, s);
    protea_catalog_release(&found);
    if (unpacking == NULL)
        note_damage(op, damage);
    else
        protea_free(damage); /* what else is missing is missing because of that */
    return status;
}

static protea_status open_shard(opening *op, const protea_braces *braces, int i)
{
    shard *s = &op->set->shard[i];
    op->set->n = i + 1;
    s->file.blob.fd = -1;
    PROTEA_TRY(protea_braces_name(&s->path, braces, i));
    PROTEA_TRY(protea_packed_file_open(&s->file, s->path, &op->limits));
    PROTEA_TRY(index_shard(op, s));
    size_t memory = protea_packed_file_memory(&s->file);
    op->o->memory += memory;
    op->limits.max_memory -= (int64_t)memory;
    if (s->file.blob.fd >= 0)
        close(s->file.blob.fd);
    s->file.blob.fd = -1;
    return PROTEA_OK;
}

static protea_status open_all(opening *op, const protea_braces *braces)
{
    for (int i = 0; i < (int)braces->n; i++)
        PROTEA_TRY(open_shard(op, braces, i));
    PROTEA_TRY(protea_catalog_label(&op->members, op->sub));
    return protea_catalog_take_labels(&op->o->catalog, &op->members);
}

static protea_status describe_damage(const opening *op)
{
    char line[1200];
    if (op->n_damaged < 2)
        return PROTEA_OK;
    snprintf(line, sizeof line, "%.1000s; %d more archives are damaged", op->o->warning, op->n_damaged - 1);
    protea_free(op->o->warning);
    op->o->warning = NULL;
    return protea_copy_string(&op->o->warning, line);
}

protea_status protea_open_shards(protea_opened *o, const protea_braces *braces, const char *sub, const protea_limits *limits)
{
    opening op = { .o = o, .sub = sub, .limits = *limits };
    const char *start = braces->group[0].begin;
    PROTEA_TRY(protea_new(&op.set, 1, sizeof *op.set, "archives"));
    o->ops = &shards_ops;
    o->self = op.set;
    PROTEA_TRY(protea_new(&op.set->shard, (size_t)braces->n, sizeof *op.set->shard, "archives"));
    while (start > braces->pattern && start[-1] != '/')
        start--;
    op.prefix = (size_t)(start - braces->pattern);
    protea_status status = open_all(&op, braces);
    protea_catalog_release(&op.members);
    return status == PROTEA_OK ? describe_damage(&op) : status;
}

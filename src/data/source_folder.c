/* A folder of pictures. The walk goes by descriptors, so a folder that is swapped for a link meanwhile leads nowhere else;
 * hidden names are passed over; a link to a folder is followed once, after everything that is really there, and never to
 * a folder already seen, which cuts loops. Folders that cannot be read or lie too deep are left out, and the warning says so. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "data/source_kind.h"

enum { DEEPEST = 64 };
static const char too_deep[] = "it lies deeper than 64 folders", too_long[] = "its path is too long",
                  of_kernel[] = "its files are the kernel's own";

typedef struct folder_set { int root; } folder_set;

static protea_status folder_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                                 const protea_limits *limits, protea_image *out)
{
    const folder_set *set = self;
    (void)entry; /* the file's size may have changed since it was listed */
    return protea_read_picture_file(out, set->root, name, label, limits);
}

static void folder_close(void *self)
{
    folder_set *set = self;
    if (set->root >= 0)
        close(set->root);
    protea_free(set);
}

static const protea_source_ops folder_ops = { .kind = "folder", .read = folder_read, .close = folder_close, .between = '/' };

/* A folder entered, in a table with open addressing that is at most half full. */
typedef struct place { bool taken; dev_t dev; ino_t ino; } place;

typedef struct walk {
    protea_catalog *catalog;
    protea_catalog *empty;   /* folders that held nothing */
    int root;
    const char *root_name;
    place *seen;             /* (seen_capacity, 0 or a power of two) owned */
    size_t n_seen, seen_capacity;
    int64_t n_entered;
    protea_catalog links;    /* links to folders, not yet followed */
    char *warning;           /* about the first folder left out; owned */
    int64_t n_left_out;
    char path[PATH_MAX];     /* of the folder the walk is in, relative to root, "" or ended by '/' */
} walk;

/* Where the folder is, or would be put. */
static place *find_place(const walk *w, dev_t dev, ino_t ino)
{
    size_t mask = w->seen_capacity - 1, at = (size_t)((uint64_t)(ino ^ dev) * 0x9e3779b97f4a7c15u >> 32) & mask;
    while (w->seen[at].taken && (w->seen[at].dev != dev || w->seen[at].ino != ino))
        at = (at + 1) & mask;
    return &w->seen[at];
}

static protea_status make_room(walk *w)
{
    place *old = w->seen, *table;
    size_t n = w->seen_capacity, more = n == 0 ? 64 : 2 * n;
    if (2 * w->n_seen < n)
        return PROTEA_OK;
    PROTEA_TRY(protea_new(&table, more, sizeof *table, "the folders of a data set"));
    w->seen = table;
    w->seen_capacity = more;
    for (size_t i = 0; i < n; i++)
        if (old[i].taken)
            *find_place(w, old[i].dev, old[i].ino) = old[i];
    protea_free(old);
    return PROTEA_OK;
}

static protea_status no_memory(const walk *w)
{
    return protea_fail(PROTEA_ERR_MEMORY, "%s/%s: no memory to read the folder", w->root_name, w->path);
}

static protea_status see(walk *w, int dir, bool *again)
{
    struct stat st;
    if (fstat(dir, &st) != 0)
        return protea_fail(PROTEA_ERR_IO, "%s/%s: %s", w->root_name, w->path, strerror(errno));
    PROTEA_TRY(make_room(w));
    place *here = find_place(w, st.st_dev, st.st_ino);
    *again = here->taken;
    *here = (place){ true, st.st_dev, st.st_ino };
    w->n_seen += !*again;
    w->n_entered++;
    return PROTEA_OK;
}

static protea_status add_file(walk *w, int dir, const char *name, uint64_t size)
{
    protea_blob file = { .fd = -1 };
    bool wanted = protea_catalog_is_picture_name(name);
    if (!wanted && protea_open_regular(dir, name, name, &file.fd, &file.size) == PROTEA_OK) {
        wanted = protea_is_picture(name, &file, 0, file.size);
        close(file.fd);
    }
    return wanted ? protea_catalog_add(w->catalog, w->path, 0, size) : PROTEA_OK;
}

static protea_status walk_folder(walk *w, int dir, int depth);

/* w->path names what is left out. */
static protea_status leave_out(walk *w, const char *reason)
{
    char line[2 * PATH_MAX];
    if (w->n_left_out++ > 0)
        return PROTEA_OK;
    snprintf(line, sizeof line, "%s/%s: left out: %s", w->root_name, w->path, reason);
    return protea_copy_string(&w->warning, line);
}

/* Files in /proc and /sys do things when they are opened, and are no pictures. */
static bool is_of_kernel(int folder)
{
    static const long magic[] = { PROC_SUPER_MAGIC, SYSFS_MAGIC,      DEBUGFS_MAGIC,
                                  TRACEFS_MAGIC,    SECURITYFS_MAGIC, CGROUP2_SUPER_MAGIC };
    struct statfs fs;
    bool is = false;
    if (fstatfs(folder, &fs) == 0)
        for (size_t i = 0; i < sizeof magic / sizeof *magic; i++)
            is |= (long)fs.f_type == magic[i];
    return is;
}

static protea_status enter(walk *w, int dir, const char *name, int flags, int depth)
{
    if (depth > DEEPEST)
        return leave_out(w, too_deep);
    int inner = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    if (inner >= 0 && is_of_kernel(inner)) {
        close(inner);
        return leave_out(w, of_kernel);
    }
    if (inner >= 0)
        return walk_folder(w, inner, depth);
    if (errno == EIO || errno == EMFILE || errno == ENFILE)
        return protea_fail(PROTEA_ERR_IO, "%s/%s: folder cannot be read: %s", w->root_name, w->path, strerror(errno));
    return errno == ENOMEM ? no_memory(w) : leave_out(w, strerror(errno));
}

/* w->path names the entry. What is neither file nor folder is listed if it is named like a picture: reading says why not. */
static protea_status walk_entry(walk *w, int dir, const char *name, int depth)
{
    struct stat st;
    bool exists = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0, link = exists && S_ISLNK(st.st_mode);
    if (link)
        exists = fstatat(dir, name, &st, 0) == 0;
    if (exists && S_ISDIR(st.st_mode)) {
        size_t len = strlen(w->path);
        if (len + 2 > sizeof w->path)
            return leave_out(w, too_long);
        if (link)
            return protea_catalog_add(&w->links, w->path, 0, 0);
        memcpy(w->path + len, "/", 2);
        return enter(w, dir, name, O_NOFOLLOW, depth + 1);
    }
    if (exists && S_ISREG(st.st_mode))
        return add_file(w, dir, name, (uint64_t)st.st_size);
    return protea_catalog_is_picture_name(name) ? protea_catalog_add(w->catalog, w->path, 0, 0) : PROTEA_OK;
}

static protea_status walk_entries(walk *w, DIR *stream, int depth)
{
    size_t len = strlen(w->path);
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(stream);
        w->path[len] = 0;
        if (e == NULL && errno != 0)
            return protea_fail(PROTEA_ERR_IO, "%s/%s: folder cannot be read: %s", w->root_name, w->path, strerror(errno));
        if (e == NULL)
            return PROTEA_OK;
        if (e->d_name[0] == '.')
            continue;
        int written = snprintf(w->path + len, sizeof w->path - len, "%s", e->d_name);
        bool fits = (size_t)written < sizeof w->path - len;
        PROTEA_TRY(fits ? walk_entry(w, dirfd(stream), e->d_name, depth) : leave_out(w, too_long));
    }
}

/* Grows with every picture, folder or link that is found. */
static int64_t held_so_far(const walk *w)
{
    return w->catalog->n + w->links.n + w->n_entered;
}

/* dir: taken. */
static protea_status walk_folder(walk *w, int dir, int depth)
{
    bool again = true;
    protea_status status = see(w, dir, &again);
    int64_t before = held_so_far(w);
    if (status != PROTEA_OK || again) {
        close(dir);
        return status;
    }
    DIR *stream = fdopendir(dir);
    if (stream == NULL) {
        status = errno == ENOMEM ? no_memory(w) : protea_fail(PROTEA_ERR_IO, "%s/%s: folder cannot be read: %s", w->root_name,
                                                              w->path, strerror(errno));
        close(dir);
        return status;
    }
    status = walk_entries(w, stream, depth);
    closedir(stream);
    if (status == PROTEA_OK && held_so_far(w) == before && w->path[0] != 0)
        status = protea_catalog_add(w->empty, w->path, 0, 0);
    return status;
}

/* Round after round, in bytewise order, as folders behind links hold links of their own. */
static protea_status follow_links(walk *w)
{
    while (w->links.n > 0) {
        protea_catalog links = w->links;
        protea_status status = PROTEA_OK;
        w->links = (protea_catalog){ 0 };
        protea_catalog_sort(&links);
        for (int64_t i = 0; i < links.n && status == PROTEA_OK; i++) {
            char name[PATH_MAX];
            snprintf(name, sizeof name, "%s", protea_catalog_name(&links, i));
            snprintf(w->path, sizeof w->path, "%.*s/", PATH_MAX - 2, name);
            int depth = 1;
            for (const char *c = name; *c; c++)
                depth += *c == '/';
            status = enter(w, w->root, name, 0, depth);
        }
        protea_catalog_release(&links);
        PROTEA_TRY(status);
    }
    return PROTEA_OK;
}

static protea_status describe_left_out(walk *w, char **warning)
{
    char line[2 * PATH_MAX];
    *warning = w->warning;
    w->warning = NULL;
    if (w->n_left_out < 2)
        return PROTEA_OK;
    snprintf(line, sizeof line, "%.*s; %lld more are left out", 2 * PATH_MAX - 64, *warning, (long long)w->n_left_out - 1);
    protea_free(*warning);
    *warning = NULL;
    return protea_copy_string(warning, line);
}

static protea_status list_folder(walk *w, char **warning)
{
    PROTEA_TRY(enter(w, w->root, ".", 0, 0));
    PROTEA_TRY(follow_links(w));
    return describe_left_out(w, warning);
}

protea_status protea_open_folder(protea_opened *o, const char *path)
{
    folder_set *set;
    walk *w;
    PROTEA_TRY(protea_new(&set, 1, sizeof *set, "a folder"));
    set->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    o->ops = &folder_ops;
    o->self = set;
    if (set->root < 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: folder cannot be read: %s", path, strerror(errno));
    PROTEA_TRY(protea_new(&w, 1, sizeof *w, "walking a folder"));
    w->catalog = &o->catalog;
    w->empty = &o->empty;
    w->root = set->root;
    w->root_name = path;
    protea_status status = list_folder(w, &o->warning);
    protea_free(w->seen);
    protea_free(w->warning);
    protea_catalog_release(&w->links);
    protea_free(w);
    return status;
}

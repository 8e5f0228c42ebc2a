/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include "base/alloc.h"
#include "base/text.h"
#include "root/door.h"

#include <string.h>
#include <sys/stat.h>

/* As many links as Linux follows; as many files as any look needs. */
enum { LINKS_MAX = 40, NODES_MAX = 64 };

struct node {
    char *path;
    char *target; /* of a link; NULL: a file */
    struct blob content;
};

struct memory {
    struct root root;
    struct node nodes[NODES_MAX];
    size_t count;
};

static const struct memory *memory_of(const struct root *root)
{
    return (const struct memory *)root;
}

static const struct node *node_at(const struct root *root, const char *path)
{
    const struct memory *memory = memory_of(root);

    for (size_t i = 0; i < memory->count; i++)
        if (strcmp(memory->nodes[i].path, path) == 0)
            return &memory->nodes[i];
    return NULL;
}

/* What a path has behind a directory; NULL where it does not lie in it. */
static const char *below(const char *path, const char *directory)
{
    size_t len = strcmp(directory, "/") == 0 ? 0 : strlen(directory);

    return strncmp(path, directory, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

static bool is_directory(const struct root *root, const char *path)
{
    const struct memory *memory = memory_of(root);

    if (strcmp(path, "/") == 0)
        return true;
    for (size_t i = 0; i < memory->count; i++)
        if (below(memory->nodes[i].path, path))
            return true;
    return false;
}

/* ---- paths ---------------------------------------------------------------------------- */

/* One name further; ".." at the top stays there. The old path is freed. */
static char *step(char *at, const char *name)
{
    char *next, *slash;

    if (strcmp(name, "..") != 0) {
        next = xasprintf("%s/%s", strcmp(at, "/") == 0 ? "" : at, name);
        free(at);
        return next;
    }
    slash = strrchr(at, '/');
    slash[slash == at] = '\0';
    return at;
}

/* The rest of a path, with a link's target put in front; the walk goes on in *at. */
static char *splice(char **at, const struct node *link, const char *rest)
{
    if (*link->target == '/') {
        free(*at);
        *at = xstrdup("/");
    } else {
        *at = step(*at, "..");
    }
    return xasprintf("%s/%s", link->target, rest ? rest : "");
}

/* Canonical; NULL where the path leads nowhere. */
static char *resolve(const struct root *root, const char *path, bool follow)
{
    auto_free char *todo = xstrdup(path), *at = xstrdup("/");
    char *rest = todo, *name;
    int links = 0;

    while ((name = strsep(&rest, "/"))) {
        const struct node *node;

        if (!*name || strcmp(name, ".") == 0)
            continue;
        if (!is_directory(root, at))
            return NULL;
        at = step(at, name);
        node = node_at(root, at);
        if (!node && !is_directory(root, at))
            return NULL;
        if (node && node->target && (follow || (rest && *rest))) {
            char *longer = splice(&at, node, rest);

            free(todo);
            rest = todo = longer;
            if (++links > LINKS_MAX)
                return NULL;
        }
    }
    return take_ptr(at);
}

static void fill_stat(const struct root *root, const char *path, struct root_stat *ret)
{
    const struct node *node = node_at(root, path);

    *ret = (struct root_stat){ .mode = S_IFDIR | 0755, .links = 1, .device = 1, .inode = 1 };
    if (!node)
        return;
    ret->mode = node->target ? S_IFLNK | 0777 : S_IFREG | 0755;
    ret->size = node->content.len;
    ret->inode = 2 + (uint64_t)(node - memory_of(root)->nodes);
}

/* ---- the door ------------------------------------------------------------------------- */

static int memory_find(const struct root *root, const char *path, bool follow, char **ret_path,
                       struct root_stat *ret_stat, struct err *e)
{
    auto_free char *at = resolve(root, path, follow);

    if (!at)
        return err_set(e, ERR_NOT_FOUND, "%s is not there", path);
    if (ret_stat)
        fill_stat(root, at, ret_stat);
    if (ret_path)
        *ret_path = take_ptr(at);
    return 0;
}

static int memory_read_part(const struct root *root, const char *path, uint64_t offset, size_t len,
                            struct blob *ret, struct err *e)
{
    auto_free char *at = NULL;
    struct root_stat stat;

    if (memory_find(root, path, true, &at, &stat, e) < 0 ||
        door_may_read_part(path, stat.mode, stat.size, offset, len, e) < 0)
        return -1;
    *ret = blob_copy(node_at(root, at)->content.data + offset, len);
    return 0;
}

static int memory_read(const struct root *root, const char *path, size_t max, struct blob *ret,
                       struct err *e)
{
    auto_free char *at = NULL;
    struct root_stat stat;

    if (memory_find(root, path, true, &at, &stat, e) < 0 ||
        door_may_read(path, stat.mode, stat.size, max, e) < 0)
        return -1;
    *ret = blob_copy(node_at(root, at)->content.data, (size_t)stat.size);
    return 0;
}

static int memory_readlink(const struct root *root, const char *path, char **ret, struct err *e)
{
    const struct node *node = node_at(root, path);

    if (!node || !node->target)
        return err_set(e, ERR_REFUSED, "%s is no link", path);
    *ret = xstrdup(node->target);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct root_entry *)a)->name, ((const struct root_entry *)b)->name);
}

static bool listed(const struct root_entry *entries, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0)
            return true;
    return false;
}

static int memory_list(const struct root *root, const char *path, struct root_entry **ret,
                       struct err *e)
{
    auto_free char *at = resolve(root, path, true);
    struct root_entry *entries = NULL, end = { 0 };
    size_t count = 0;

    if (!at || !is_directory(root, at))
        return err_set(e, ERR_NOT_FOUND, "%s is no directory", path);
    for (size_t i = 0; i < memory_of(root)->count; i++) {
        const struct node *node = &memory_of(root)->nodes[i];
        const char *name = below(node->path, at);
        struct root_entry found = { .type = node->target ? S_IFLNK : S_IFREG };

        if (!name)
            continue;
        found.name = xstrndup(name, strcspn(name, "/"));
        if (strchr(name, '/'))
            found.type = S_IFDIR;
        if (listed(entries, count, found.name)) {
            free(found.name);
            continue;
        }
        array_push(entries, count, found);
    }
    if (count)
        qsort(entries, count, sizeof *entries, by_name);
    array_push(entries, count, end);
    *ret = entries;
    return 0;
}

static int memory_get_xattr(const struct root *root, const char *path, const char *name,
                            struct blob *ret, struct err *e)
{
    (void)root;
    (void)ret;
    return err_set(e, ERR_NOT_FOUND, "%s has no %s", path, name);
}

static int memory_list_xattrs(const struct root *root, const char *path, char ***ret, struct err *e)
{
    if (memory_find(root, path, true, NULL, NULL, e) < 0)
        return -1;
    *ret = xcalloc(1, sizeof **ret);
    return 0;
}

static int memory_describe(const struct root *root, const char *path, char **ret_path,
                           struct root_stat *ret_stat, struct root_attributes *ret, struct err *e)
{
    if (memory_find(root, path, true, ret_path, ret_stat, e) < 0)
        return -1;
    *ret = (struct root_attributes){ 0 };
    return 0;
}

static int memory_facts(const struct root *root, struct root_facts *ret, struct err *e)
{
    (void)root;
    (void)e;
    *ret = (struct root_facts){
        .fs = "ext4", .bytes_free = 1 << 30, .inodes_free = 10000, .block_size = 4096
    };
    return 0;
}

static int memory_close(struct root *root, struct err *e)
{
    struct memory *memory = (struct memory *)root;

    (void)e;
    for (size_t i = 0; i < memory->count; i++) {
        free(memory->nodes[i].path);
        free(memory->nodes[i].target);
        blob_free(&memory->nodes[i].content);
    }
    free(memory);
    return 0;
}

/* Read alone: nothing that is fuzzed writes. */
static const struct root_door memory_door = {
    .find = memory_find,
    .read = memory_read,
    .read_part = memory_read_part,
    .readlink = memory_readlink,
    .list = memory_list,
    .get_xattr = memory_get_xattr,
    .list_xattrs = memory_list_xattrs,
    .describe = memory_describe,
    .facts = memory_facts,
    .close = memory_close,
};

/* ---- the tree that a text describes ---------------------------------------------------- */

static struct memory *memory_make(void)
{
    struct memory *memory = xcalloc(1, sizeof *memory);

    memory->root.door = &memory_door;
    return memory;
}

/* A path as a real directory could have it: nothing lies below a file, and no name is "..". */
static bool fits(const struct memory *memory, const char *path)
{
    auto_free char *closed = xasprintf("%s/", path);

    if (*path != '/' || strstr(closed, "//") || strstr(closed, "/./") || strstr(closed, "/../") ||
        memory->count == NODES_MAX || is_directory(&memory->root, path))
        return false;
    for (size_t i = 0; i < memory->count; i++)
        if (strcmp(memory->nodes[i].path, path) == 0 || below(path, memory->nodes[i].path))
            return false;
    return true;
}

static void add_file(struct memory *memory, const char *path, const char *content, size_t len)
{
    if (fits(memory, path))
        memory->nodes[memory->count++] =
            (struct node){ .path = xstrdup(path), .content = blob_copy(content, len) };
}

/* "/path target" */
static void add_link(struct memory *memory, char *line)
{
    char *target = strchr(line, ' ');

    if (!target || !target[1])
        return;
    *target++ = '\0';
    if (fits(memory, line))
        memory->nodes[memory->count++] =
            (struct node){ .path = xstrdup(line), .target = xstrdup(target) };
}

/* Where the next line of the tree's own begins, or the end. */
static const char *next_mark(const char *at, const char *end)
{
    for (; at < end; at++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        if (!newline || end - newline < 4)
            return end;
        if (newline[1] == '#' && (newline[2] == '@' || newline[2] == '>') && newline[3] == ' ')
            return newline + 1;
        at = newline;
    }
    return end;
}

struct root *memory_tree(const struct blob *text, const char *path)
{
    struct memory *memory = memory_make();
    const char *at = (const char *)text->data, *end = at + text->len;
    const char *mark = next_mark(at, end);

    add_file(memory, path, at, (size_t)(mark - at));
    while (mark < end) {
        const char *newline = memchr(mark, '\n', (size_t)(end - mark));
        auto_free char *line = xstrndup(mark + 3, (size_t)((newline ? newline : end) - mark - 3));
        bool link = mark[1] == '>';

        at = newline ? newline + 1 : end;
        mark = newline ? next_mark(newline, end) : end;
        if (link)
            add_link(memory, line);
        else
            add_file(memory, line, at, (size_t)(mark - at));
    }
    return &memory->root;
}

struct root *memory_file(const struct blob *content, const char *path)
{
    struct memory *memory = memory_make();

    add_file(memory, path, (const char *)content->data, content->len);
    return &memory->root;
}

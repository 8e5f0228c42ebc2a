/* SPDX-License-Identifier: MIT */
#include "root/door.h"

#include "base/alloc.h"

#include <string.h>
#include <sys/stat.h>

int root_find(const struct root *root, const char *path, char **ret_path,
              struct root_stat *ret_stat, struct err *e)
{
    return root->door->find(root, path, true, ret_path, ret_stat, e);
}

int root_find_link(const struct root *root, const char *path, char **ret_path,
                   struct root_stat *ret_stat, struct err *e)
{
    return root->door->find(root, path, false, ret_path, ret_stat, e);
}

static const char *type_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFLNK:
        return "a link";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    default:
        return "not a regular file";
    }
}

int root_read(const struct root *root, const char *path, size_t max, struct blob *ret,
              struct err *e)
{
    return root->door->read(root, path, max, ret, e);
}

int root_read_part(const struct root *root, const char *path, uint64_t offset, size_t len,
                   struct blob *ret, struct err *e)
{
    return root->door->read_part(root, path, offset, len, ret, e);
}

int door_may_read(const char *path, mode_t mode, uint64_t size, size_t max, struct err *e)
{
    if (!S_ISREG(mode))
        return err_set(e, ERR_REFUSED, "%s is %s", path, type_name(mode));
    if (size > max)
        return err_set(e, ERR_REFUSED, "%s is too large: %llu bytes", path,
                       (unsigned long long)size);
    return 0;
}

int door_may_read_part(const char *path, mode_t mode, uint64_t size, uint64_t offset, size_t len,
                       struct err *e)
{
    if (!S_ISREG(mode) || offset > size || len > size - offset)
        return err_set(e, ERR_REFUSED, "%s is no file of that length", path);
    return 0;
}

int root_readlink(const struct root *root, const char *path, char **ret, struct err *e)
{
    auto_free char *canonical = NULL;

    if (root_find_link(root, path, &canonical, NULL, e) < 0)
        return -1;
    return root->door->readlink(root, canonical, ret, e);
}

int root_list(const struct root *root, const char *path, struct root_entry **ret, struct err *e)
{
    return root->door->list(root, path, ret, e);
}

void root_entries_free(struct root_entry **entries)
{
    for (struct root_entry *entry = *entries; entry && entry->name; entry++)
        free(entry->name);
    free(*entries);
    *entries = NULL;
}

int root_get_xattr(const struct root *root, const char *path, const char *name, struct blob *ret,
                   struct err *e)
{
    return root->door->get_xattr(root, path, name, ret, e);
}

int root_list_xattrs(const struct root *root, const char *path, char ***ret, struct err *e)
{
    return root->door->list_xattrs(root, path, ret, e);
}

int root_describe(const struct root *root, const char *path, char **ret_path,
                  struct root_stat *ret_stat, struct root_attributes *ret, struct err *e)
{
    return root->door->describe(root, path, ret_path, ret_stat, ret, e);
}

void root_attributes_free(struct root_attributes *attributes)
{
    free(attributes->label);
    blob_free(&attributes->acl);
    *attributes = (struct root_attributes){ 0 };
}

int root_facts(const struct root *root, struct root_facts *ret, struct err *e)
{
    return root->door->facts(root, ret, e);
}

int root_top(const struct root *root, const char *path, char **ret, struct err *e)
{
    auto_free char *top = xstrdup("/");
    struct root_stat above, here;

    if (root_find(root, "/", NULL, &above, e) < 0)
        return -1;
    for (const char *end = path; (end = strchr(end + 1, '/')); above = here) {
        auto_free char *directory = xstrndup(path, (size_t)(end - path));

        if (root_find_link(root, directory, NULL, &here, NULL) < 0)
            break; /* it is yet to be made, where what is above it is */
        if (here.device != above.device) {
            free(top);
            top = take_ptr(directory);
        }
    }
    *ret = take_ptr(top);
    return 0;
}

bool root_exists(const struct root *root, const char *path)
{
    return root_find(root, path, NULL, NULL, NULL) == 0;
}

static bool is_directory(const struct root *root, const char *path)
{
    struct root_stat stat;

    return root_find(root, path, NULL, &stat, NULL) == 0 && S_ISDIR(stat.mode);
}

bool root_is_linux(const struct root *root)
{
    return is_directory(root, "/etc") &&
           (root_exists(root, "/etc/passwd") || root_exists(root, "/etc/os-release")) &&
           (is_directory(root, "/usr") || is_directory(root, "/bin"));
}

int root_create(struct root *root, const char *path, const struct blob *content,
                const struct root_meta *meta, struct err *e)
{
    return root->door->create(root, path, content, meta, e);
}

int root_symlink(struct root *root, const char *path, const char *target,
                 const struct root_meta *meta, struct err *e)
{
    return root->door->symlink(root, path, target, meta, e);
}

int root_mkdir(struct root *root, const char *path, const struct root_meta *meta, struct err *e)
{
    return root->door->mkdir(root, path, meta, e);
}

int root_exchange(struct root *root, const char *a, const char *b, struct err *e)
{
    return root->door->exchange(root, a, b, e);
}

int root_rename(struct root *root, const char *from, const char *to, struct err *e)
{
    return root->door->rename(root, from, to, e);
}

int root_unlink(struct root *root, const char *path, struct err *e)
{
    return root->door->unlink(root, path, false, e);
}

int root_rmdir(struct root *root, const char *path, struct err *e)
{
    return root->door->unlink(root, path, true, e);
}

int root_set_mode(struct root *root, const char *path, mode_t mode, struct err *e)
{
    return root->door->set_mode(root, path, mode, e);
}

int root_set_owner(struct root *root, const char *path, uid_t uid, gid_t gid, struct err *e)
{
    return root->door->set_owner(root, path, uid, gid, e);
}

int root_set_xattr(struct root *root, const char *path, const char *name, const struct blob *value,
                   struct err *e)
{
    return root->door->set_xattr(root, path, name, value, e);
}

int root_remove_xattr(struct root *root, const char *path, const char *name, struct err *e)
{
    return root->door->remove_xattr(root, path, name, e);
}

int root_set_flags(struct root *root, const char *path, unsigned flags, struct err *e)
{
    return root->door->set_flags(root, path, flags, e);
}

int root_sync(struct root *root, struct err *e)
{
    return root->door->sync(root, e);
}

int root_close(struct root **root, struct err *e)
{
    struct root *open = take_ptr(*root);

    return open ? open->door->close(open, e) : 0;
}

void root_drop(struct root **root)
{
    (void)root_close(root, NULL);
}

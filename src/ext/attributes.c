/* SPDX-License-Identifier: MIT */
/* What a file has beyond its inode's plain numbers. */
#include "ext/ext.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* What FS_IOC_GETFLAGS shows (fs/ext4/ext4.h, EXT4_FL_USER_VISIBLE). */
static const unsigned visible_flags = 0x725bdfff;

static void attributes_close(struct ext2_xattr_handle **handle)
{
    if (*handle)
        (void)ext2fs_xattrs_close(handle);
}

#define auto_xattrs auto_with(attributes_close)

/* NULL where the file system has none at all. */
static errcode_t attributes_open(struct ext *ext, const struct ext_node *node,
                                 struct ext2_xattr_handle **ret)
{
    errcode_t error;

    if (!S_ISREG(node->body.i_mode) && !S_ISDIR(node->body.i_mode))
        return EINVAL;
    error = ext2fs_xattrs_open(ext->fs, node->inode, ret);
    if (error == EXT2_ET_MISSING_EA_FEATURE)
        return 0;
    return error ? error : ext2fs_xattrs_read(*ret);
}

/* libext2fs keeps the content of a small file under this name. */
static bool is_hidden(const char *name)
{
    return strcmp(name, "system.data") == 0;
}

static errcode_t attribute(struct ext2_xattr_handle *handle, const char *name, struct blob *ret)
{
    size_t len;
    void *value = NULL;
    errcode_t error =
        !handle || is_hidden(name) ? ENODATA : ext2fs_xattr_get(handle, name, &value, &len);

    if (error)
        return error == EXT2_ET_EA_KEY_NOT_FOUND ? ENODATA : error;
    *ret = blob_copy(value, len);
    ext2fs_free_mem(&value);
    return 0;
}

errcode_t ext_attribute(struct ext *ext, const struct ext_node *node, const char *name,
                        struct blob *ret)
{
    auto_xattrs struct ext2_xattr_handle *handle = NULL;
    errcode_t error = attributes_open(ext, node, &handle);

    return error ? error : attribute(handle, name, ret);
}

errcode_t ext_store_attribute(struct ext *ext, ext2_ino_t inode, const char *name,
                              const struct blob *value)
{
    auto_xattrs struct ext2_xattr_handle *handle = NULL;
    errcode_t error = ext2fs_xattrs_open(ext->fs, inode, &handle);

    if (error == EXT2_ET_MISSING_EA_FEATURE)
        return value ? EOPNOTSUPP : 0;
    if (!error)
        error = ext2fs_xattrs_read(handle);
    if (!error)
        error = value ? ext2fs_xattr_set(handle, name, value->data, value->len)
                      : ext2fs_xattr_remove(handle, name);
    return error;
}

int ext_get_xattr(struct ext *ext, const char *path, const char *name, struct blob *ret,
                  struct err *e)
{
    struct ext_node node;
    errcode_t error = ext_walk(ext, path, WALK_FOLLOW, NULL, &node);

    if (error)
        return ext_error(error, e, "%s", path);
    error = ext_attribute(ext, &node, name, ret);
    if (error == ENODATA)
        return err_set(e, ERR_NOT_FOUND, "%s has no %s", path, name);
    return error ? ext_error(error, e, "read %s of %s", name, path) : 0;
}

struct name_list {
    char **names;
    size_t count;
};

static int collect(char *name, char *value, size_t len, void *context)
{
    struct name_list *list = context;

    (void)value;
    (void)len;
    if (!is_hidden(name)) {
        char *copy = xstrdup(name);

        array_push(list->names, list->count, copy);
    }
    return 0;
}

int ext_list_xattrs(struct ext *ext, const char *path, char ***ret, struct err *e)
{
    auto_xattrs struct ext2_xattr_handle *handle = NULL;
    struct name_list list = { 0 };
    struct ext_node node;
    errcode_t error = ext_walk(ext, path, WALK_FOLLOW, NULL, &node);

    if (error)
        return ext_error(error, e, "%s", path);
    error = attributes_open(ext, &node, &handle);
    if (!error && handle)
        error = ext2fs_xattrs_iterate(handle, collect, &list);
    array_push(list.names, list.count, NULL);
    if (error) {
        text_list_free(&list.names);
        return ext_error(error, e, "list the attributes of %s", path);
    }
    *ret = list.names;
    return 0;
}

static errcode_t read_attributes(struct ext *ext, const struct ext_node *node,
                                 struct root_attributes *ret)
{
    auto_xattrs struct ext2_xattr_handle *handle = NULL;
    auto_blob struct blob label = { 0 };
    errcode_t error = attributes_open(ext, node, &handle);

    if (error)
        return error;
    ret->flags = node->body.i_flags & visible_flags;
    if (attribute(handle, "security.selinux", &label) == 0)
        ret->label = xstrdup((char *)label.data);
    if (attribute(handle, "system.posix_acl_access", &ret->acl) != 0)
        ret->acl = (struct blob){ 0 };
    return 0;
}

int ext_describe(struct ext *ext, const char *path, char **ret_path, struct root_stat *ret_stat,
                 struct root_attributes *ret, struct err *e)
{
    auto_free char *canonical = NULL;
    auto_with(root_attributes_free) struct root_attributes attributes = { 0 };
    struct ext_node node;
    errcode_t error = ext_walk(ext, path, WALK_FOLLOW, &canonical, &node);

    if (error)
        return ext_error(error, e, "%s", path);
    if (S_ISREG(node.body.i_mode) || S_ISDIR(node.body.i_mode))
        error = read_attributes(ext, &node, &attributes);
    if (error)
        return ext_error(error, e, "read the attributes of %s", path);
    *ret_path = take_ptr(canonical);
    ext_fill_stat(ext, &node, ret_stat);
    *ret = attributes;
    attributes = (struct root_attributes){ 0 };
    return 0;
}

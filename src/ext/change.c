/* SPDX-License-Identifier: MIT */
/*
 * Changes to what is there. As in the kernel, the mode and the access ACL are two views of one
 * thing: each change to one shows in the other (fs/posix_acl.c).
 */
#include "ext/ext.h"

#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>
#include <sys/stat.h>

#define ACL "system.posix_acl_access"

/* chattr(1)'s own: what says how the file is stored is not to be changed by a number. */
static const unsigned settable_flags = EXT2_SECRM_FL | EXT2_UNRM_FL | EXT2_SYNC_FL |
                                       EXT2_IMMUTABLE_FL | EXT2_APPEND_FL | EXT2_NODUMP_FL |
                                       EXT2_NOATIME_FL | EXT2_DIRSYNC_FL | EXT2_TOPDIR_FL;

static errcode_t find_changeable(struct ext *ext, const char *path, struct ext_node *ret)
{
    errcode_t error = ext_walk(ext, path, WALK_REFUSE, NULL, ret);

    return error || S_ISREG(ret->body.i_mode) || S_ISDIR(ret->body.i_mode) ? error : EINVAL;
}

/* ---- the ACL --------------------------------------------------------------------------- */

struct acl {
    struct posix_acl_xattr_entry *entries;
    size_t count;
};

/* The entries of an attribute; none where it is not what it should be. */
static struct acl acl_of(const struct blob *value)
{
    struct posix_acl_xattr_header *header = (struct posix_acl_xattr_header *)value->data;
    size_t len = value->len;

    if (len < sizeof *header || header->a_version != POSIX_ACL_XATTR_VERSION)
        return (struct acl){ 0 };
    return (struct acl){ .entries = (struct posix_acl_xattr_entry *)(header + 1),
                         .count = (len - sizeof *header) / sizeof(struct posix_acl_xattr_entry) };
}

static struct posix_acl_xattr_entry *acl_entry(const struct acl *acl, int tag)
{
    for (size_t i = 0; i < acl->count; i++)
        if (acl->entries[i].e_tag == tag)
            return &acl->entries[i];
    return NULL;
}

/* What stands for the group in the mode: the mask where there is one. */
static struct posix_acl_xattr_entry *acl_group(const struct acl *acl)
{
    struct posix_acl_xattr_entry *mask = acl_entry(acl, ACL_MASK);

    return mask ? mask : acl_entry(acl, ACL_GROUP_OBJ);
}

static errcode_t show_mode_in_acl(struct ext *ext, const struct ext_node *node, mode_t mode)
{
    auto_blob struct blob value = { 0 };
    errcode_t error = ext_attribute(ext, node, ACL, &value);
    struct acl acl = acl_of(&value);
    struct posix_acl_xattr_entry *user = acl_entry(&acl, ACL_USER_OBJ), *group = acl_group(&acl),
                                 *other = acl_entry(&acl, ACL_OTHER);

    if (error)
        return error == ENODATA ? 0 : error;
    if (!user || !group || !other)
        return EIO;
    user->e_perm = mode >> 6 & 7;
    group->e_perm = mode >> 3 & 7;
    other->e_perm = mode & 7;
    return ext_store_attribute(ext, node->inode, ACL, &value);
}

static errcode_t show_acl_in_mode(struct ext *ext, ext2_ino_t inode, const struct acl *acl)
{
    const struct posix_acl_xattr_entry *user = acl_entry(acl, ACL_USER_OBJ),
                                       *group = acl_group(acl), *other = acl_entry(acl, ACL_OTHER);
    struct ext_node node;
    errcode_t error = ext_load(ext, inode, &node);

    if (error)
        return error;
    node.body.i_mode = (uint16_t)((node.body.i_mode & ~0777) | (user->e_perm & 7) << 6 |
                                  (group->e_perm & 7) << 3 | (other->e_perm & 7));
    return ext_store(ext, &node, EXT_CHANGED);
}

/* One that says no more than a mode is none. */
static errcode_t store_acl(struct ext *ext, ext2_ino_t inode, const struct blob *value)
{
    struct acl acl = acl_of(value);
    bool plain = acl.count == 3;
    errcode_t error = ext_store_attribute(ext, inode, ACL, plain ? NULL : value);

    return error ? error : show_acl_in_mode(ext, inode, &acl);
}

static bool is_whole_acl(const struct blob *value)
{
    struct acl acl = acl_of(value);

    return acl_entry(&acl, ACL_USER_OBJ) && acl_entry(&acl, ACL_GROUP_OBJ) &&
           acl_entry(&acl, ACL_OTHER);
}

/* ---- changes ------------------------------------------------------------------------------- */

static errcode_t set_mode(struct ext *ext, const struct ext_node *node, mode_t mode)
{
    errcode_t error = show_mode_in_acl(ext, node, mode);
    struct ext_node now;

    if (!error)
        error = ext_load(ext, node->inode, &now);
    if (error)
        return error;
    now.body.i_mode = (uint16_t)((now.body.i_mode & S_IFMT) | (mode & 07777));
    return ext_store(ext, &now, EXT_CHANGED);
}

int ext_set_mode(struct ext *ext, const char *path, mode_t mode, struct err *e)
{
    struct ext_node node;
    errcode_t error = find_changeable(ext, path, &node);

    if (!error)
        error = ext_changed(ext, set_mode(ext, &node, mode));
    return error ? ext_error(error, e, "change the mode of %s", path) : 0;
}

int ext_set_owner(struct ext *ext, const char *path, uid_t uid, gid_t gid, struct err *e)
{
    struct ext_node node;
    errcode_t error = find_changeable(ext, path, &node);

    if (error)
        return ext_error(error, e, "change the owner of %s", path);
    node.body.i_uid = (uint16_t)uid;
    node.body.osd2.linux2.l_i_uid_high = (uint16_t)(uid >> 16);
    node.body.i_gid = (uint16_t)gid;
    node.body.osd2.linux2.l_i_gid_high = (uint16_t)(gid >> 16);
    error = ext_changed(ext, ext_store(ext, &node, EXT_CHANGED));
    return error ? ext_error(error, e, "change the owner of %s", path) : 0;
}

static errcode_t set_attribute(struct ext *ext, ext2_ino_t inode, const char *name,
                               const struct blob *value)
{
    errcode_t error;

    if (value && strcmp(name, ACL) == 0)
        return store_acl(ext, inode, value);
    error = ext_store_attribute(ext, inode, name, value);
    return error ? error : ext_touch(ext, inode, EXT_CHANGED);
}

int ext_set_xattr(struct ext *ext, const char *path, const char *name, const struct blob *value,
                  struct err *e)
{
    struct ext_node node;
    errcode_t error = find_changeable(ext, path, &node);

    if (!error && strcmp(name, ACL) == 0 && !is_whole_acl(value))
        error = EINVAL;
    if (!error && strcmp(name, "system.data") == 0)
        error = EOPNOTSUPP;
    if (!error)
        error = ext_changed(ext, set_attribute(ext, node.inode, name, value));
    return error ? ext_error(error, e, "set %s of %s", name, path) : 0;
}

int ext_remove_xattr(struct ext *ext, const char *path, const char *name, struct err *e)
{
    auto_blob struct blob value = { 0 };
    struct ext_node node;
    errcode_t error = find_changeable(ext, path, &node);

    if (!error)
        error = ext_attribute(ext, &node, name, &value);
    if (error == ENODATA)
        return 0;
    if (!error)
        error = ext_changed(ext, set_attribute(ext, node.inode, name, NULL));
    return error ? ext_error(error, e, "remove %s of %s", name, path) : 0;
}

int ext_set_flags(struct ext *ext, const char *path, unsigned flags, struct err *e)
{
    struct ext_node node;
    errcode_t error = find_changeable(ext, path, &node);

    if (error)
        return ext_error(error, e, "set the flags of %s", path);
    node.body.i_flags = (node.body.i_flags & ~settable_flags) | (flags & settable_flags);
    error = ext_changed(ext, ext_store(ext, &node, EXT_CHANGED));
    return error ? ext_error(error, e, "set the flags of %s", path) : 0;
}

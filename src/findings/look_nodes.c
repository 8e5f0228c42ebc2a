/* SPDX-License-Identifier: MIT */
/* What is wrong with modes, owners and labels, and with the system as a whole. */
#include "findings/look.h"

#include "base/alloc.h"

#include <string.h>

enum { MODE_BITS = 07777 };

static void add(struct findings *out, const struct check *check, const struct node *node,
                char *message)
{
    finding_add(out, check, node->path, message)->node = node;
}

static bool about(const char *id, const struct check *check)
{
    return id && strcmp(id, check->id) == 0;
}

void look_open(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->node_count; i++) {
        const struct node *node = &facts->nodes[i];

        if (about(node->rule->open_id, check) && node_open(node))
            add(out, check, node,
                xasprintf("mode %04o lets others %s it", node->stat.mode & MODE_BITS,
                          node->rule == &mode_host_key ? "read" : "write"));
    }
}

void look_owner(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->node_count; i++) {
        const struct node *node = &facts->nodes[i];

        if (about(node->rule->owner_id, check) && node_owner_wrong(node))
            add(out, check, node,
                xasprintf("belongs to uid %u instead of %u", node->stat.uid, node->uid));
    }
}

void look_closed(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->node_count; i++) {
        const struct node *node = &facts->nodes[i];

        if (about(node->rule->closed_id, check) && node_closed(node))
            add(out, check, node,
                xasprintf("mode %04o keeps out those who need it", node->stat.mode & MODE_BITS));
    }
}

void look_acl(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->node_count; i++)
        if (facts->nodes[i].rule == &mode_host_key && facts->nodes[i].acl)
            add(out, check, &facts->nodes[i], xstrdup("an access control list lets others in"));
}

void look_label(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->node_count; i++) {
        const struct node *node = &facts->nodes[i];

        if (node_label_wrong(node))
            add(out, check, node,
                xasprintf("has the SELinux label %s instead of %s",
                          node->label ? node->label : "(none)", node->expected_label));
    }
}

void look_mode_differs(const struct check *check, const struct inspection *facts,
                       struct findings *out)
{
    for (size_t i = 0; i < facts->node_count; i++) {
        const struct node *node = &facts->nodes[i];
        mode_t mode = node->stat.mode & MODE_BITS;

        if (node->rule->own_default && !node_open(node) && !node_closed(node) && mode != node->mode)
            add(out, check, node,
                xasprintf("mode %04o; the distribution's own is %04o", mode, node->mode));
    }
}

void look_version_unknown(const struct check *check, const struct inspection *facts,
                          struct findings *out)
{
    if (facts->sshd.path && !facts->sshd.version)
        finding_add(out, check, facts->sshd.path, xstrdup("does not tell which release it is"));
}

void look_distribution_unknown(const struct check *check, const struct inspection *facts,
                               struct findings *out)
{
    if (!facts->profile_known)
        finding_add(out, check, NULL,
                    xasprintf("%s is not a distribution this program knows",
                              *facts->os.id ? facts->os.id : "this system"));
}

void look_journal(const struct check *check, const struct inspection *facts, struct findings *out)
{
    if (facts->fs.journal_dirty)
        finding_add(
            out, check, NULL,
            xstrdup("the journal was not replayed: this may be an older state of the disk"));
    if (facts->fs.journal_read)
        finding_add(out, check, NULL,
                    xstrdup("the journal holds changes, which are seen here as if they were in "
                            "their places; a repair replays it first"));
}

void look_errors(const struct check *check, const struct inspection *facts, struct findings *out)
{
    if (facts->fs.errors)
        finding_add(out, check, NULL,
                    xasprintf("the %s file system is damaged; mend it first, then run again",
                              facts->fs.fs));
}

void look_read_only(const struct check *check, const struct inspection *facts, struct findings *out)
{
    if (facts->fs.read_only)
        finding_add(out, check, NULL, xstrdup("the file system cannot be written"));
}

/* Less than one file of any use. */
void look_full(const struct check *check, const struct inspection *facts, struct findings *out)
{
    enum { LEAST_BYTES = 64 * 1024, LEAST_INODES = 4 };
    const struct root_facts *fs = &facts->fs;

    if (fs->bytes_free < LEAST_BYTES)
        finding_add(out, check, NULL,
                    xasprintf("only %llu KiB are free", (unsigned long long)fs->bytes_free / 1024));
    else if (fs->inodes_free < LEAST_INODES)
        finding_add(out, check, NULL, xstrdup("no inodes are free"));
}

/* A third of the sample: no package and no administrator changes that many. */
static const char *accident_in_words(const struct accident *accident)
{
    size_t least = accident->looked_at / 3;

    if (accident->looked_at < 6)
        return NULL;
    if (accident->open > least)
        return "can be written by everybody";
    if (accident->foreign > least)
        return "are not root's any more";
    return accident->closed > least ? "are closed to those who need them" : NULL;
}

void look_tree_modes(const struct check *check, const struct inspection *facts,
                     struct findings *out)
{
    const char *what = accident_in_words(&facts->accident), *lost = facts->accident.setuid_lost;
    const char *command = facts->profile->set_modes;

    if (!command)
        command = "apt-get install --reinstall $(dpkg-query -W -f '${binary:Package} ')";
    if (what)
        finding_add(out, check, NULL,
                    xasprintf("files all over the tree %s (chmod -R, chown -R)%s%s; in the booted "
                              "system: %s",
                              what, lost ? "; no longer setuid: " : "", lost ? lost : "", command));
}

void look_unfinished(const struct check *check, const struct inspection *facts,
                     struct findings *out)
{
    if (facts->unfinished)
        finding_add(out, check, NULL,
                    xasprintf("run %s was interrupted; repair or undo puts back what it changed",
                              facts->unfinished));
}

/* SPDX-License-Identifier: MIT */
/* What keeps people out of an sshd that is up. */
#include "findings/look.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

void look_accounts_lost(const struct check *check, const struct inspection *facts,
                        struct findings *out)
{
    for (size_t i = 0; i < ACCOUNT_FILES; i++) {
        const struct substitute *lost = &facts->lost_accounts[i];
        const char *what = lost->exists ? "holds no root" : "is missing";

        if (lost->path)
            finding_wish_substitute(
                finding_add(out, check, lost->path,
                            lost->source
                                ? xasprintf("%s; the newest whole copy is %s", what, lost->source)
                                : xasprintf("%s, and there is no whole copy", what)),
                lost);
    }
}

void look_nologin(const struct check *check, const struct inspection *facts, struct findings *out)
{
    const char *path = facts->login.nologin;

    if (path)
        finding_wish_gone(finding_add(out, check, path, xstrdup("nobody but root is let in")), path,
                          "lets users in");
}

/* ---- hosts.deny ----------------------------------------------------------------------- */

void look_hosts_deny(const struct check *check, const struct inspection *facts,
                     struct findings *out)
{
    for (size_t i = 0; i < facts->login.denial_count; i++) {
        const struct denial *denial = &facts->login.denials[i];

        if (denial->some_allowed)
            continue;
        finding_edit(finding_add(out, check, denial->file->path,
                                 xasprintf("line %u refuses every client of sshd", denial->line)),
                     denial->file, denial->line, CONFIG_FIX_COMMENT, NULL);
    }
}

void look_hosts_some(const struct check *check, const struct inspection *facts,
                     struct findings *out)
{
    for (size_t i = 0; i < facts->login.denial_count; i++)
        if (facts->login.denials[i].some_allowed)
            finding_add(out, check, facts->login.denials[i].file->path,
                        xasprintf("line %u refuses every client that hosts.allow does not name",
                                  facts->login.denials[i].line));
}

/* ---- shells --------------------------------------------------------------------------- */

/* A line of passwd with another shell: what stands behind its last colon. */
static char *with_shell(const struct text_file *passwd, unsigned line, const char *shell)
{
    const char *at = (const char *)passwd->text.data, *colon;
    auto_free char *old = NULL;

    while (--line)
        at = strchr(at, '\n') + 1;
    old = xstrndup(at, strcspn(at, "\n"));
    colon = strrchr(old, ':');
    return xasprintf("%.*s%s", (int)(colon - old) + 1, old, shell);
}

/* Only one interactive shell stands in for another: git-shell or rssh kept somebody in bounds. */
static bool interactive(const char *shell)
{
    return text_has_word("sh bash dash ash zsh fish ksh mksh csh tcsh", text_base_name(shell));
}

void look_shell(const struct check *check, const struct inspection *facts, struct findings *out)
{
    const struct text_file *passwd = inspection_text(facts, "/etc/passwd");

    for (size_t i = 0; i < facts->login.user_count; i++) {
        const struct user *user = facts->login.users[i].user;
        struct finding *finding;
        unsigned line;

        if (!facts->login.users[i].shell_missing)
            continue;
        finding = finding_add(
            out, check, user->shell,
            xasprintf("the login shell of %s is not there: sshd refuses that user", user->name));
        line = passwd ? text_line_of(&passwd->text, user->name) : 0;
        if (line && facts->login.spare_shell && interactive(user->shell))
            finding_edit(finding, passwd, line, CONFIG_FIX_REPLACE,
                         with_shell(passwd, line, facts->login.spare_shell));
    }
}

/* ---- PAM ------------------------------------------------------------------------------ */

#define PAM_STACK "/etc/pam.d/sshd"

void look_pam_missing(const struct check *check, const struct inspection *facts,
                      struct findings *out)
{
    const struct pam *pam = &facts->login.pam;

    if (!pam->missing)
        return;
    finding_wish_substitute(
        finding_add(out, check, PAM_STACK,
                    xasprintf("PAM has no stack for sshd; the one for all others %s",
                              pam->others_deny ? "lets nobody in" : "stands in")),
        &pam->stack);
}

void look_pam_include(const struct check *check, const struct inspection *facts,
                      struct findings *out)
{
    if (facts->login.pam.missing_include)
        finding_add(out, check, PAM_STACK,
                    xasprintf("includes %s, which is not there: nobody gets in",
                              facts->login.pam.missing_include));
}

void look_pam_module(const struct check *check, const struct inspection *facts,
                     struct findings *out)
{
    if (facts->login.pam.missing_module)
        finding_add(out, check, PAM_STACK,
                    xasprintf("needs %s, which is not there: nobody gets in",
                              facts->login.pam.missing_module));
}

/* ---- the text of authorized keys ------------------------------------------------------ */

void look_keys_bom(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->login.key_file_count; i++) {
        const struct key_file *keys = &facts->login.key_files[i];
        const char *first;

        if (!keys->bom || keys->foreign)
            continue;
        first = (const char *)keys->file->text.data + 3;
        finding_edit(finding_add(out, check, keys->file->path,
                                 xasprintf("begins with a byte order mark: the first key of %s is "
                                           "passed over",
                                           keys->user->name)),
                     keys->file, 1, CONFIG_FIX_REPLACE, xstrndup(first, strcspn(first, "\n")));
    }
}

/* A write makes the file anew, with what its modes should be. */
static struct root_meta meta_of(const struct inspection *facts, const struct text_file *file)
{
    struct root_meta meta = { .mode = file->stat.mode & 07777,
                              .uid = file->stat.uid,
                              .gid = file->stat.gid,
                              .label = file->label };

    for (size_t i = 0; i < facts->node_count; i++) {
        const struct node *node = &facts->nodes[i];

        if (strcmp(node->real, file->real) != 0)
            continue;
        if (node_open(node) || node_closed(node))
            meta.mode = node->mode;
        if (node_owner_wrong(node)) {
            meta.uid = node->uid;
            meta.gid = node->gid;
        }
        if (node_label_wrong(node))
            meta.label = node->expected_label;
    }
    return meta;
}

void look_keys_utf16(const struct check *check, const struct inspection *facts,
                     struct findings *out)
{
    for (size_t i = 0; i < facts->login.key_file_count; i++) {
        const struct key_file *keys = &facts->login.key_files[i];

        if (!keys->utf8.data)
            continue;
        finding_wish(
            finding_add(out, check, keys->file->path,
                        xasprintf("is UTF-16: sshd reads no key of %s in it", keys->user->name)),
            (struct wish){ .kind = WISH_FILE,
                           .path = xstrdup(keys->file->real),
                           .about = xstrdup("the same text as UTF-8"),
                           .content = blob_copy(keys->utf8.data, keys->utf8.len),
                           .meta = meta_of(facts, keys->file),
                           .replaces = true });
    }
}

void look_keys_none(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->login.key_file_count; i++) {
        const struct key_file *keys = &facts->login.key_files[i];

        if (!keys->utf8.data && (keys->foreign || keys->keys == 0))
            finding_add(out, check, keys->file->path,
                        xasprintf("holds no key of %s that sshd can read", keys->user->name));
    }
}

/* ---- files that sshd_config names ----------------------------------------------------- */

static bool about_revoked(const struct named_file *named)
{
    return strcasecmp(named->directive->keyword, "RevokedKeys") == 0;
}

void look_keys_revoked(const struct check *check, const struct inspection *facts,
                       struct findings *out)
{
    for (size_t i = 0; i < facts->login.named_count; i++) {
        const struct named_file *named = &facts->login.named[i];

        if (!about_revoked(named) || (!named->missing && !named->unusable))
            continue;
        finding_comment_out(finding_add(out, check, named->path,
                                        xasprintf("RevokedKeys names it, and it is not %s: every "
                                                  "key is refused",
                                                  named->missing ? "there" : "a file")),
                            facts, named->directive);
    }
}

void look_named_missing(const struct check *check, const struct inspection *facts,
                        struct findings *out)
{
    for (size_t i = 0; i < facts->login.named_count; i++) {
        const struct named_file *named = &facts->login.named[i];

        if (!about_revoked(named) && named->missing)
            finding_add(out, check, named->path,
                        xasprintf("%s names it, and it is not there", named->directive->keyword));
    }
}

void look_chroot_user(const struct check *check, const struct inspection *facts,
                      struct findings *out)
{
    for (size_t i = 0; i < facts->login.chroot_count; i++) {
        const struct chroot_fault *fault = &facts->login.chroots[i];

        finding_add(out, check, fault->path,
                    xasprintf("ChrootDirectory of %s: %s, and the session ends at once",
                              fault->user->name, fault->why));
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * One function for each kind of text or file that comes from a disk. Whatever it holds,
 * the function returns; and where there is more to be said of the result, it is said here.
 */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/text.h"
#include "cli/cli.h"
#include "ext/ext.h"
#include "hostkey/hostkey.h"
#include "inspect/private.h"
#include "memory.h"
#include "plan/plan.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The program's own table is in src/main.c, which is not linked here. */
const struct command *const commands[] = { NULL };

/* A promise that must hold whatever the input is; libFuzzer and the replay see the end. */
static void must(bool holds)
{
    if (!holds)
        abort();
}

/* ---- keys ----------------------------------------------------------------------------- */

/* What is called sound can be written down, and is sound again, and the same key. */
static void judge_again(const struct hostkey_judgement *judgement)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement again = { 0 };
    auto_blob struct blob text = { 0 };
    struct err e;

    must(hostkey_serialise(judgement->key, HOSTKEY_FORMAT_OPENSSH, &text, &e) == 0);
    hostkey_judge(&text, &again);
    must(again.verdict == HOSTKEY_SOUND && blob_equal(&again.pub.blob, &judgement->pub.blob));
}

static void fuzz_hostkey(const struct blob *input)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judgement = { 0 };

    hostkey_judge(input, &judgement);
    if (judgement.verdict == HOSTKEY_SOUND)
        judge_again(&judgement);
    must((judgement.key != NULL) ==
         (judgement.verdict == HOSTKEY_SOUND || judgement.verdict == HOSTKEY_WRAPPED));
}

/* What is written for a key is read as the same key, on one line. */
static void fuzz_pubkey(const struct blob *input)
{
    auto_pubkey struct pubkey pub = { 0 }, again = { 0 };
    auto_blob struct blob text = { 0 };
    auto_free char *line = NULL, *fingerprint = NULL, *sshfp = NULL;

    if (pubkey_parse(input, &pub) < 0)
        return;
    line = pubkey_file_text(&pub);
    text = blob_of_text(line);
    must(strchr(line, '\n') == line + text.len - 1);
    must(pubkey_parse(&text, &again) == 0 && blob_equal(&pub.blob, &again.blob));
    fingerprint = pubkey_fingerprint(&pub);
    sshfp = pubkey_sshfp(&pub, "host");
    must(text_starts(fingerprint, "SHA256:") && pubkey_bits(&pub) >= 0);
}

/* ---- sshd_config ---------------------------------------------------------------------- */

static const int releases[] = {
    0, OPENSSH(5, 3), OPENSSH(7, 4), OPENSSH(8, 4), OPENSSH(9, 2), OPENSSH(10, 0)
};

static void fuzz_config_split(const struct blob *input)
{
    for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
        struct directive directive = { 0 };
        bool whole = config_split((const char *)input->data, input->len, releases[i], &directive);

        must(whole != directive.unbalanced);
        must(!directive.keyword == !directive.args);
        (void)config_destroyed(input, releases[i]);
        directive_free(&directive);
    }
}

/* Every fault is on a line of a file that was read, and says what it is. */
static void look_at_faults(const struct config *config)
{
    for (size_t i = 0; i < config->fault_count; i++) {
        const struct config_fault *fault = &config->faults[i];

        must(fault->file < config->file_count && *fault->message);
        must(!fault->text || !strchr(fault->text, '\n'));
    }
}

static const struct profile *debian(void)
{
    return profile_of(
        &(struct os){ .id = (char *)"debian", .id_like = (char *)"", .version_id = (char *)"12" });
}

static void fuzz_config(const struct blob *input)
{
    auto_root struct root *root = memory_tree(input, "/etc/ssh/sshd_config");

    for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
        auto_with(config_free) struct config config = { 0 };
        const struct sshd sshd = { .path = (char *)"/usr/sbin/sshd", .version = releases[i] };
        struct err e;

        if (config_inspect(root, debian(), &sshd, &config, &e) == 0)
            look_at_faults(&config);
    }
}

/* ---- what lies beside ----------------------------------------------------------------- */

static const struct os no_os = { .id = (char *)"",
                                 .id_like = (char *)"",
                                 .version_id = (char *)"" };

static void fuzz_accounts(const struct blob *input)
{
    auto_root struct root *root = memory_tree(input, "/etc/passwd");
    auto_inspection struct inspection facts = { .profile = profile_of(&no_os) };
    const struct accounts *accounts = &facts.accounts;
    struct err e;

    if (accounts_inspect(root, &facts, &e) < 0)
        return;
    for (size_t i = 0; i < accounts->user_count; i++)
        must(accounts_user(accounts, accounts->users[i].name) != NULL);
    for (size_t i = 0; i < accounts->group_count; i++)
        must(accounts_group(accounts, accounts->groups[i].name) != NULL);
}

static void fuzz_os(const struct blob *input)
{
    auto_root struct root *root = memory_tree(input, "/etc/os-release");
    auto_with(os_free) struct os os = { 0 };

    os_inspect(root, &os);
    must(*os.name && profile_of(&os));
}

static void fuzz_elf(const struct blob *input)
{
    auto_root struct root *root = memory_file(input, "/usr/sbin/sshd");
    auto_with(elf_file_free) struct elf_file file = { 0 };

    if (elf_file_read(root, "/usr/sbin/sshd", input->len, &file) == 0)
        must(file.needed != NULL);
}

/* /etc/ld.so.conf, and an sshd that is no program: libraries are looked for all the same. */
static void fuzz_ldconf(const struct blob *input)
{
    auto_root struct root *root = memory_tree(input, "/etc/ld.so.conf");
    auto_inspection struct inspection facts = { .sshd = { .path = xstrdup("/usr/sbin/sshd") } };

    programs_inspect(root, &facts);
}

static void fuzz_ld_cache(const struct blob *input)
{
    auto_root struct root *root = memory_file(input, "/etc/ld.so.cache");
    auto_blob struct blob cache = ld_cache_read(root);
    const char *path;

    for (size_t at = 0; (path = ld_cache_find(&cache, "libc.so.6", &at));)
        must(strlen(path) <= cache.len);
}

static void fuzz_cloud(const struct blob *input)
{
    auto_root struct root *root = memory_tree(input, "/etc/cloud/cloud.cfg");
    auto_with(cloud_free) struct cloud cloud = { 0 };

    cloud_inspect(root, &cloud);
    must(!cloud.set_by || cloud.present);
}

static void fuzz_unit(const struct blob *input)
{
    auto_root struct root *root = memory_tree(input, "/usr/lib/systemd/system/ssh.service");
    auto_with(service_free) struct service service = { 0 };

    service_inspect(root, &service);
}

static void fuzz_pam(const struct blob *input)
{
    auto_root struct root *root = memory_tree(input, "/etc/pam.d/sshd");
    auto_inspection struct inspection facts = { .profile = debian() };
    const struct sshd sshd = { .version = OPENSSH(9, 2) };
    struct err e;

    if (config_inspect(root, facts.profile, &sshd, &facts.config, &e) == 0)
        pam_inspect(root, &facts, &facts.login.pam);
}

/* ---- logs ----------------------------------------------------------------------------- */

/* Each line as `explain -` reads it, and as it is shown. */
static void fuzz_symptoms(const struct blob *input)
{
    auto_free char *text = xstrndup((const char *)input->data, input->len);
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n"))) {
        auto_free char *clean = text_clean(line);

        (void)symptom_of(line);
        for (const char *at = clean; *at; at++)
            must(*at >= ' ' && *at < 127);
    }
}

static void fuzz_logs(const struct blob *input)
{
    auto_root struct root *root = memory_tree(input, "/var/log/auth.log");
    struct logs logs;

    logs_inspect(root, &logs);
    for (size_t i = 0; i < logs.count; i++)
        must(!strchr(logs.lines[i].text, '\n'));
    logs_free(&logs);
}

/* ---- all of it ------------------------------------------------------------------------ */

/* What was found can be planned, and a change is of an absolute path. */
static void make_plan(const struct inspection *facts, const struct findings *findings)
{
    const struct plan_options options = { .date = "2026-11-24", .strict = true, .keep_keys = true };
    auto_plan struct plan plan = { 0 };
    struct err e = { 0 };

    if (plan_make(facts, findings, &options, &plan, &e) < 0) {
        must(*e.text);
        return;
    }
    for (size_t i = 0; i < plan.change_count; i++)
        must(plan.changes[i].path[0] == '/');
}

/* A tree as check and repair --dry-run see it: authorized keys and hosts.deny are in it. */
static void fuzz_system(const struct blob *input)
{
    auto_root struct root *root = memory_tree(input, "/etc/ssh/sshd_config");
    auto_inspection struct inspection facts = { 0 };
    auto_findings struct findings findings = { 0 };
    struct err e = { 0 };

    if (inspect(root, NULL, &facts, &e) < 0) {
        must(*e.text);
        return;
    }
    findings_judge(&facts, &findings);
    make_plan(&facts, &findings);
}

/* ---- file systems --------------------------------------------------------------------- */

static void look_around(struct ext *ext, const char *path)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    auto_with(root_attributes_free) struct root_attributes attributes = { 0 };
    auto_with(text_list_free) char **names = NULL;
    auto_free char *canonical = NULL, *target = NULL;
    auto_blob struct blob bytes = { 0 };
    struct root_stat stat = { 0 };
    struct err e;

    if (ext_describe(ext, path, &canonical, &stat, &attributes, &e) == 0)
        must(canonical[0] == '/');
    (void)!ext_list(ext, path, &entries, &e);
    (void)!ext_read_part(ext, path, 0, stat.size < 65536 ? stat.size : 65536, &bytes, &e);
    (void)!ext_readlink(ext, path, &target, &e);
    (void)!ext_list_xattrs(ext, path, &names, &e);
    for (size_t i = 0; entries && entries[i].name; i++)
        must(!strchr(entries[i].name, '/') && *entries[i].name);
}

static void change_all(struct ext *ext)
{
    const struct root_meta meta = { .mode = 0600, .label = "a:b:c" };
    auto_blob struct blob content = blob_zeroed(3000);
    struct err e;

    (void)!ext_mkdir(ext, "/new", &meta, &e);
    (void)!ext_create(ext, "/new/file", &content, &meta, &e);
    (void)!ext_exchange(ext, "/new/file", "/etc/key", &e);
    (void)!ext_rename(ext, "/etc/gone", "/new/gone", &e);
    (void)!ext_set_mode(ext, "/etc/key", 0644, &e);
    (void)!ext_set_owner(ext, "/etc", 1, 2, &e);
    (void)!ext_unlink(ext, "/new/file", false, &e);
    (void)!ext_commit(ext, &e);
}

/* A disk, as the child of the direct door sees it. */
static void fuzz_ext(const struct blob *input)
{
    static const char *const paths[] = { "/", "/etc", "/etc/key", "/link/key", "/etc/gone" };
    int fd = memfd_create("disk", MFD_CLOEXEC);
    struct err e;

    must(fd >= 0 && io_write_all(fd, input->data, input->len) == 0);
    for (enum root_access access = ROOT_READ; access <= ROOT_WRITE; access++) {
        auto_ext struct ext ext = { 0 };

        if (ext_open(fd, 0, input->len, 0, access, &ext, &e) < 0)
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
            look_around(&ext, paths[i]);
        if (access == ROOT_WRITE)
            change_all(&ext);
    }
    close(fd);
}

/* ---- the table ------------------------------------------------------------------------ */

const struct fuzz_target fuzz_targets[] = {
    { "hostkey", fuzz_hostkey },
    { "pubkey", fuzz_pubkey },
    { "config", fuzz_config },
    { "config-split", fuzz_config_split },
    { "accounts", fuzz_accounts },
    { "os-release", fuzz_os },
    { "elf", fuzz_elf },
    { "ld.so.conf", fuzz_ldconf },
    { "ld.so.cache", fuzz_ld_cache },
    { "cloud", fuzz_cloud },
    { "unit", fuzz_unit },
    { "pam", fuzz_pam },
    { "symptoms", fuzz_symptoms },
    { "logs", fuzz_logs },
    { "system", fuzz_system },
    { "ext", fuzz_ext },
    { NULL, NULL },
};

void fuzz_once(const struct fuzz_target *target, const void *bytes, size_t len)
{
    auto_blob struct blob input = blob_copy(bytes, len);

    target->run(&input);
}

const struct fuzz_target *fuzz_target_named(const char *name)
{
    for (const struct fuzz_target *target = fuzz_targets; target->name; target++)
        if (strcmp(target->name, name) == 0)
            return target;
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/* For scripts: schema sshmend/1, one object a line. Absent means unknown or not applicable. */
#include "report/report.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void set(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}

static void set_text(json_t *object, const char *name, const char *text)
{
    auto_free char *clean = NULL;

    if (!text || !*text)
        return;
    clean = text_clean(text);
    set(object, name, json_string(clean));
}

static json_t *os_json(const struct os *os)
{
    json_t *object = json_object();

    set_text(object, "id", os->id);
    set_text(object, "version_id", os->version_id);
    set_text(object, "name", os->name);
    return object;
}

static json_t *system_json(const struct report *report)
{
    const struct report_system *system = &report->system;
    const struct inspection *facts = report->facts;
    json_t *object = json_object();

    set_text(object, "device", system->device);
    set_text(object, "fs", system->fs);
    set_text(object, "uuid", system->uuid);
    set_text(object, "path", system->path);
    if (system->number)
        set(object, "number", json_integer(system->number));
    if (system->os)
        set(object, "os", os_json(system->os));
    if (facts && facts->sshd.path) {
        json_t *sshd = json_object();

        set_text(sshd, "version", facts->sshd.version_text);
        set_text(sshd, "path", facts->sshd.path);
        set(object, "sshd", sshd);
    }
    return object;
}

/* What the search of the bare disk has found of a lost key. */
static json_t *recoverable_json(const struct host_key *key)
{
    json_t *array = json_array();

    for (size_t i = 0; i < key->copy_count; i++) {
        const struct key_copy *copy = &key->copies[i];
        auto_free char *fingerprint = pubkey_fingerprint(&copy->judgement.pub);
        json_t *object = json_object();

        set_text(object, "fingerprint", fingerprint);
        set_text(object, "from", copy->path);
        set_text(object, "vouched_by", copy->vouched_by);
        json_array_append_new(array, object);
    }
    return array;
}

/* What clients know instead of it. */
static void set_expected(json_t *object, const struct inspection *facts, const struct host_key *key)
{
    struct expectation known = { 0 };

    if (!key_expected(facts, key, &known))
        return;
    set_text(object, "expected_fingerprint", known.fingerprint);
    free(known.fingerprint);
}

static json_t *key_json(const struct report *report, size_t index)
{
    const struct host_key *key = &report->facts->keys[index];
    const struct key_fate *fate =
        report->plan && index < report->plan->fate_count ? &report->plan->fates[index] : NULL;
    json_t *object = json_object();

    set_text(object, "path", key->path);
    if (key->type)
        set_text(object, "type", key_type_name(key->type));
    else if (key->judgement.pub.name)
        set_text(object, "type", key->judgement.pub.name);
    if (key->judgement.pub.name && pubkey_bits(&key->judgement.pub))
        set(object, "bits", json_integer(pubkey_bits(&key->judgement.pub)));
    set_text(object, "state", host_key_state(key));
    if (report->proof)
        set(object, "served",
            json_boolean(key->judgement.key && proof_serves(report->proof, &key->judgement.pub)));
    if (key->judgement.key) {
        auto_free char *fingerprint = pubkey_fingerprint(&key->judgement.pub);

        set_text(object, "fingerprint", fingerprint);
    }
    set_expected(object, report->facts, key);
    if (key->copy_count)
        set(object, "recoverable", recoverable_json(key));
    if (fate && report->done) {
        if (host_key_sound(key))
            set_text(object, "origin", key_origin_name(fate->origin));
        if (fate->origin == ORIGIN_RESTORED) {
            set_text(object, "restored_from", fate->copy->path);
            set_text(object, "vouched_by", fate->copy->vouched_by);
        }
        if (fate->origin == ORIGIN_GENERATED)
            set_text(object, "old_fingerprint", fate->old_fingerprint);
    }
    return object;
}

/* What the boot has made: these keys are not on the disk. */
static void add_new_keys(const struct report *report, json_t *array)
{
    for (size_t i = 0; i < report->proof->served_count; i++) {
        const struct pubkey *pub = &report->proof->served[i];
        auto_free char *fingerprint = pubkey_fingerprint(pub);
        json_t *object;

        if (!proof_is_new(report->facts, pub))
            continue;
        object = json_object();
        set_text(object, "type", pub->name);
        if (pubkey_bits(pub))
            set(object, "bits", json_integer(pubkey_bits(pub)));
        set_text(object, "fingerprint", fingerprint);
        set_text(object, "origin", key_origin_name(ORIGIN_GENERATED));
        set(object, "served", json_true());
        json_array_append_new(array, object);
    }
}

static json_t *keys_json(const struct report *report)
{
    json_t *array = json_array();

    for (size_t i = 0; i < report->facts->key_count; i++)
        if (report->facts->keys[i].used || report->facts->keys[i].exists)
            json_array_append_new(array, key_json(report, i));
    if (report->proof)
        add_new_keys(report, array);
    return array;
}

static json_t *list_json(char *const *texts)
{
    json_t *array = json_array();

    for (; *texts; texts++) {
        auto_free char *clean = text_clean(*texts);

        json_array_append_new(array, json_string(clean));
    }
    return array;
}

static json_t *findings_json(const struct findings *findings)
{
    json_t *array = json_array();

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        json_t *object = json_object();

        set_text(object, "id", finding->check->id);
        set_text(object, "severity", severity_name(finding->check->severity));
        set_text(object, "path", finding->path);
        set_text(object, "message", finding->message);
        set_text(object, "policy", policy_name(finding->check->policy));
        set_text(object, "outcome", outcome_name(finding->outcome));
        if (finding->evidence)
            set(object, "evidence", list_json(finding->evidence));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *lines_json(const char *text)
{
    json_t *array = json_array();
    auto_free char *copy = xstrdup(text);
    char *rest = copy, *line;

    while ((line = strsep(&rest, "\n"))) {
        auto_free char *clean = text_clean(line);

        if (*line)
            json_array_append_new(array, json_string(clean));
    }
    return array;
}

static json_t *changes_json(const struct plan *plan)
{
    json_t *array = json_array();

    for (size_t i = 0; i < plan->change_count; i++) {
        const struct change *change = &plan->changes[i];
        auto_free char *from = change_from(change), *to = change_to(change);
        json_t *object = json_object();

        set_text(object, "kind", change_kind_name(change->kind));
        set_text(object, "path", change->path);
        set_text(object, "from", from);
        set_text(object, "to", to);
        if (change->diff)
            set(object, "diff", lines_json(change->diff));
        json_array_append_new(array, object);
    }
    return array;
}

static void set_proof(json_t *object, const struct proof *proof)
{
    json_t *notes = json_array();

    set(object, "seconds", json_integer(proof->seconds));
    set_text(object, "boot", prove_boot_name(proof->boot));
    set_text(object, "banner", proof->banner);
    set_text(object, "problem", proof->problem);
    for (size_t i = 0; i < ARRAY_SIZE(proof->notes); i++)
        if (proof->notes[i])
            json_array_append_new(notes, json_string(proof->notes[i]));
    set(object, "notes", notes);
    if (proof->console)
        set(object, "console", list_json(proof->console));
}

static json_t *error_json(const struct err *error)
{
    json_t *object = json_object();

    set_text(object, "kind", err_kind_name(error->kind));
    set_text(object, "message", error->text);
    return object;
}

static json_t *frame(const struct report *report)
{
    json_t *object = json_object();

    set_text(object, "schema", "sshmend/1");
    set_text(object, "command", report->command);
    set_text(object, "target", report->system.target);
    if (report->system.device)
        set(object, "system", system_json(report));
    return object;
}

static void print(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    fputs("\n", stdout);
    json_decref(object);
}

void report_json(const struct report *report)
{
    json_t *object = frame(report);

    if (report->findings)
        set_text(object, "verdict", verdict_name(findings_verdict(report->findings)));
    if (report->facts)
        set(object, "keys", keys_json(report));
    if (report->findings)
        set(object, "findings", findings_json(report->findings));
    if (report->plan)
        set(object, "changes", changes_json(report->plan));
    set_text(object, "run", report->run);
    if (report->proof)
        set_proof(object, report->proof);
    if (report->error)
        set(object, "error", error_json(report->error));
    print(object);
}

void report_json_runs(const struct report *report, const struct run_summary *runs)
{
    json_t *object = frame(report), *array = json_array();

    for (; runs->id; runs++) {
        json_t *run = json_object(), *paths = json_array();

        set_text(run, "id", runs->id);
        set(run, "complete", json_boolean(runs->committed));
        for (char **path = runs->paths; *path; path++) {
            auto_free char *clean = text_clean(*path);

            json_array_append_new(paths, json_string(clean));
        }
        set(run, "paths", paths);
        json_array_append_new(array, run);
    }
    set(object, "runs", array);
    print(object);
}
